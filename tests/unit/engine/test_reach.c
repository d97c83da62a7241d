#include "engine/reach/reach_int.h"

#include "promises.h"

static struct world_options six(uint64_t seed)
{
    struct world_options o = world_usual(seed);
    o.sites = 6;
    o.size_spread = 0.3;
    o.ports = 60;
    o.busiest = 20;
    o.stray = 20;
    o.uneven = 2.0;
    return o;
}

/* Hosts that all sites see, twice as many every four hours. */
static struct world_event worm(double hours)
{
    return (struct world_event){.port = 3389,
        .proto = 6,
        .hours = hours,
        .first = 0.5,
        .doubling = 4,
        .most = 60,
        .sites = 63,
        .everywhere = true};
}

/* It must be found while there are fewer than a hundred hosts in all: 1.5 are there when it
 * begins, and after six doublings 96. */
static void finds_a_worm_early(void **state)
{
    (void)state;
    unsigned early = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world_options o = six(seed);
        struct world_event e = worm(50);
        struct bench *b = run_engine(&engine_reach, &o, 80, &e);
        const struct found f = bench_find(b, 3389, SEVERITY_NOTICE);
        assert_string_equal(f.kind, "wide-growth");
        assert_int_equal(f.site_count, 6);
        early += hours_after(&f, 50) < 24.0;
        assert_int_equal(bench_notices(b, 3389), 0);
        done(b);
    }
    assert_true(early >= 4);
}

/* The same hosts a window, but each site has its own: that is for others to find. */
static void crowds_of_single_sites_are_none(void **state)
{
    (void)state;
    struct world_options o = six(11);
    struct world_event e = worm(30);
    e.everywhere = false;
    struct bench *b = run_engine(&engine_reach, &o, 60, &e);
    assert_null(bench_first(b, 3389, SEVERITY_INFO));
    done(b);
}

static void one_network_everywhere_is_none(void **state)
{
    (void)state;
    struct world_options o = six(12);
    struct bench *b = run_engine(&engine_reach, &o, 50,
        &(struct world_event){
            .port = 6000, .proto = 6, .hours = 30, .most = 200, .sites = 63, .network = 2});
    assert_null(bench_first(b, 6000, SEVERITY_INFO));
    done(b);
}

static void two_sites_are_too_few(void **state)
{
    (void)state;
    struct world_options o = six(13);
    o.sites = 2;
    struct world_event e = worm(30);
    struct bench *b = run_engine(&engine_reach, &o, 60, &e);
    assert_int_equal(b->count, 0);
    done(b);
}

static void stays_silent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = six(100 + seed);
        o.noise = seed & 1 ? 0.25 : 0.02;
        o.amplitude = seed & 2 ? 0.9 : 0.2;
        o.day_to_day = seed & 1 ? 0.4 : 0.1;
        o.nuisances = 12;
        struct bench *b = run_engine(&engine_reach, &o, 96, NULL);
        assert_int_equal(bench_notices(b, 0), 0);
        done(b);
    }
}

/* All hosts of a port have one pace, and that is another one every day: a little more of it,
 * and far more of them are seen everywhere. */
static struct world_options alike(uint64_t seed)
{
    struct world_options o = six(seed);
    o.uneven = 0.0;
    o.amplitude = 0.6;
    o.day_to_day = 0.5;
    return o;
}

/* A new engine with an option set. */
static struct bench *open_with(const char *option, const char *value)
{
    struct bench *b = malloc(sizeof *b);
    struct conf *conf;
    struct fault f;
    bench_open(b, &engine_reach);
    engine_reach.close(b->state);
    assert_int_equal(conf_new(&conf, engine_reach.items), OK);
    assert_int_equal(conf_set(conf, option, value, &f), OK);
    assert_int_equal(engine_reach.open(&b->state, conf, INT64_C(600000000), &f), OK);
    conf_free(conf);
    return b;
}

/* As run_engine(), with `pace` 0.3. */
static struct bench *run_paced(
    const struct world_options *o, double hours, const struct world_event *e)
{
    struct bench *b = open_with("pace", "0.3");
    run_world(b, o, hours, e);
    return b;
}

static void a_change_of_pace_is_none(void **state)
{
    (void)state;
    size_t notices = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world_options o = alike(200 + seed);
        struct bench *b = run_paced(&o, 120, NULL);
        notices += bench_notices(b, 0);
        done(b);
    }
    assert_int_equal(notices, 0); /* 15 if pace is no excuse */
}

static void a_worm_is_found_among_hosts_that_are_alike(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = alike(300 + seed);
        struct world_event e = worm(50);
        struct bench *b = run_paced(&o, 80, &e);
        const struct found f = bench_find(b, 3389, SEVERITY_NOTICE);
        assert_true(hours_after(&f, 50) < 26.0);
        done(b);
    }
}

/* ---- the count itself, against a list of everything that was seen ---- */

enum {
    SEEN_MAX = 1 << 16
};

struct sighting {
    struct ip src;
    size_t site;
    int64_t hour;
};

/* Contacts of the port by a scan, in lists as they come. */
static size_t list_sightings(
    const struct window *w, uint16_t port, struct sighting *list, size_t count)
{
    for (size_t i = 0; i < w->block_count; i++) {
        const struct block *b = w->blocks[i];
        for (size_t row = 0; row < b->rows; row++) {
            if (block_u16(b, CONTACT_DPORT)[row] != port ||
                block_u8(b, CONTACT_PROTO)[row] != 6 ||
                strcmp(block_word_at(b, CONTACT_CLASS, row), "scan") != 0)
                continue;
            size_t site = 0;
            while (strcmp(w->sites[site].name, block_word_at(b, CONTACT_SITE, row)) != 0)
                site++;
            assert_true(count < SEEN_MAX);
            list[count++] = (struct sighting){
                block_ip(b, CONTACT_SRC)[row], site, w->start / INT64_C(3600000000)};
        }
    }
    return count;
}

/* Different /24 among the sources that `need` sites saw in the six hours up to `hour`. */
static size_t networks_everywhere(
    const struct sighting *list, size_t count, int64_t hour, unsigned need)
{
    static uint32_t networks[SEEN_MAX];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t sites = 0;
        for (size_t k = 0; k < count; k++)
            if (ip_same(&list[k].src, &list[i].src) && list[k].hour > hour - 6 &&
                list[k].hour <= hour)
                sites |= UINT64_C(1) << list[k].site;
        uint32_t network = ip_v4(&list[i].src) >> 8;
        size_t at = 0;
        while (at < found && networks[at] != network)
            at++;
        if ((unsigned)__builtin_popcountll(sites) >= need && at == found)
            networks[found++] = network;
    }
    return found;
}

static void counts_what_was_seen(void **state)
{
    (void)state;
    struct world_options o = six(31);
    o.ports = 10;
    struct bench *b = malloc(sizeof *b);
    struct sighting *list = malloc(SEEN_MAX * sizeof *list);
    size_t count = 0;
    size_t checked = 0;
    bench_open(b, &engine_reach);
    struct world *w = world_new(&o);
    struct world_event e = worm(30);
    e.port = 47001; /* nothing else is there */
    world_event(w, e);
    for (int n = 0; n < 56 * 6; n++) {
        const struct window *win = world_next(w);
        size_t before = b->count;
        count = list_sightings(win, 47001, list, count);
        bench_step(b, win);
        for (size_t i = before; i < b->count; i++) {
            if (b->found[i].port != 47001)
                continue;
            unsigned need = strstr(b->found[i].title, "reach 3 of 6") ? 3 : 6;
            assert_int_equal(b->found[i].hosts,
                networks_everywhere(list, count, win->start / INT64_C(3600000000), need));
            checked++;
        }
    }
    assert_true(checked >= 5);
    world_free(w);
    free(list);
    done(b);
}

/* ---- a site that stops, a sample, a restart ---- */

/* Three days, in which the third site does not watch for so many hours from the 40th on. */
static struct bench *run_with_outage(
    const struct world_options *o, int hours, const struct world_event *e)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_reach);
    struct world *w = world_new(o);
    if (e)
        world_event(w, *e);
    for (int n = 0; n < 72 * 6; n++) {
        struct window win = *world_next(w);
        struct window_site sites[WORLD_SITES];
        memcpy(sites, win.sites, win.site_count * sizeof *sites);
        sites[2].watching = n < 40 * 6 || n >= (40 + hours) * 6;
        win.sites = sites;
        bench_step(b, &win);
    }
    world_free(w);
    return b;
}

static void a_site_that_stops_is_no_news(void **state)
{
    (void)state;
    struct world_options o = six(41);
    struct bench *b = run_with_outage(&o, 15, NULL);
    assert_int_equal(bench_notices(b, 0), 0);
    done(b);
}

/* Slow hosts, always there: each is seen at a site in six hours with a tenth. Two of four
 * sites, half of them, see six times as many as three of five. */
static void fewer_sites_are_no_news(void **state)
{
    (void)state;
    const struct world_event slow = {
        .port = 445, .proto = 6, .most = 20, .sites = 31, .everywhere = true, .hosts = 360};
    struct world_options o = six(42);
    o.sites = 5;
    o.size_spread = 0.1;
    for (int hours = 6; hours <= 32; hours += 26) {
        struct bench *b = run_with_outage(&o, hours, &slow);
        assert_null(bench_first(b, 445, SEVERITY_NOTICE));
        done(b);
    }
}

/* A worm that begins while a site does not watch is found all the same. */
static void a_worm_in_an_outage_is_found(void **state)
{
    (void)state;
    struct world_options o = six(43);
    o.sites = 5;
    struct world_event e = worm(30);
    e.sites = 31;
    struct bench *b = run_with_outage(&o, 20, &e);
    const struct found f = bench_find(b, 3389, SEVERITY_NOTICE);
    assert_in_range((int)hours_after(&f, 30), 1, 29);
    done(b);
}

/* Two of six sites hide addresses by keys of their own: what the others see is found. */
static void sites_that_hide_addresses_do_not_count(void **state)
{
    (void)state;
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_reach);
    struct world_options o = six(45);
    struct world *w = world_new(&o);
    world_event(w, worm(40));
    for (int n = 0; n < 76 * 6; n++) {
        const struct window *win = world_next(w);
        for (size_t i = 0; i < win->block_count; i++) {
            struct block *block = w->blocks[i];
            for (size_t row = 0; row < block->rows; row++) {
                const char *site = block_word_at(block, CONTACT_SITE, row);
                if (strcmp(site, win->sites[1].name) == 0 ||
                    strcmp(site, win->sites[4].name) == 0)
                    block_ip(block, CONTACT_SRC)[row] = ip_from_v4(
                        (uint32_t)hash_two(ip_hash(&block_ip(block, CONTACT_SRC)[row]),
                            (uint64_t)site[1] << 8 | (uint64_t)site[2]));
            }
        }
        bench_step(b, win);
    }
    const struct found found = bench_find(b, 3389, SEVERITY_NOTICE);
    assert_true(hours_after(&found, 40) < 30.0);
    assert_non_null(strstr(found.title, "of 4 sites"));
    assert_int_equal(found.site_count, 4);
    world_free(w);
    done(b);
}

/* Room for far fewer visits than there are: a part of the sources tells the same. */
static void a_sample_finds_it_too(void **state)
{
    (void)state;
    struct bench *b = open_with("visits-max", "4096");
    struct world_options o = six(51);
    struct world *w = world_new(&o);
    world_event(w, worm(40));
    for (int n = 0; n < 80 * 6; n++)
        bench_step(b, world_next(w));
    const struct found found = bench_find(b, 3389, SEVERITY_NOTICE);
    assert_true(hours_after(&found, 40) < 36.0);
    const struct reach *g = (const struct reach *)(const void *)b->state;
    assert_in_range(g->shift, 1, 5);
    assert_true(g->visits.count <= 4096);
    world_free(w);
    done(b);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = six(71);
    o.ports = 20;
    o.sites = 3;
    struct world_event e = worm(12);
    e.doubling = 2;
    e.sites = 7;
    promises_restart(&engine_reach, &o, &e, 5);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = six(81);
    o.ports = 5;
    o.sites = 3;
    o.stray = 2;
    promises_whole_states(&engine_reach, &o);
}

static void fitting_windows(void **state)
{
    (void)state;
    promises_fitting_windows(&engine_reach);
}

static const struct CMUnitTest tests[] = {
    SAYS("a worm that all sites see is found before it has a hundred hosts, in four of five",
        finds_a_worm_early),
    SAYS("crowds that each site has for itself are none", crowds_of_single_sites_are_none),
    SAYS("one network's scanners everywhere are none", one_network_everywhere_is_none),
    SAYS("two sites are too few", two_sites_are_too_few),
    SAYS("worlds without an event give no notice in four days", stays_silent),
    SAYS("hosts that are alike and change their pace are no notice", a_change_of_pace_is_none),
    SAYS("a worm is found among hosts that are alike",
        a_worm_is_found_among_hosts_that_are_alike),
    SAYS("networks are counted as a list of everything counts them", counts_what_was_seen),
    SAYS("a site that stops and comes back is no news", a_site_that_stops_is_no_news),
    SAYS("that fewer sites watch, so that half of them are fewer, is no news",
        fewer_sites_are_no_news),
    SAYS("a worm that begins while a site does not watch is found",
        a_worm_in_an_outage_is_found),
    SAYS("sites that hide addresses by keys of their own do not count",
        sites_that_hide_addresses_do_not_count),
    SAYS("where memory is short a sample of the sources finds it, too", a_sample_finds_it_too),
    SAYS("an engine restarted often finds the same, byte for byte", restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("windows that do not fit and classes that are none are refused", fitting_windows),
};
TEST_MAIN(tests)
