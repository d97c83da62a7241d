#include "engine/surge/surge.h"

#include "promises.h"

#include <math.h>

static struct bench *run(
    const struct world_options *o, double hours, const struct world_event *e)
{
    return run_engine(&engine_surge, o, hours, e);
}

static void finds_a_jump_at_one_site(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = world_small(seed);
        struct bench *b = run(&o, 34,
            &(struct world_event){
                .port = 8291, .proto = 6, .hours = 30, .most = 60, .sites = 2});
        const struct found found = bench_find(b, 8291, SEVERITY_NOTICE);
        const struct found *f = &found;
        assert_true(hours_after(f, 30) < 0.7);
        assert_string_equal(f->site, "s01");
        assert_string_equal(f->kind, "port-surge");
        assert_int_equal(f->proto, 6);
        assert_true(fabs(hours_after(f, 30) - (double)(f->time - f->start) / 3.6e9) < 0.01);
        assert_non_null(strstr(f->explanation, "different sources of 8291/tcp "));
        done(b);
    }
}

static void finds_a_worm_that_doubles(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = world_small(seed);
        struct bench *b = run(&o, 60,
            &(struct world_event){.port = 3389,
                .proto = 6,
                .hours = 30,
                .first = 1,
                .doubling = 6,
                .most = 200,
                .sites = 3});
        const struct found found = bench_find(b, 3389, SEVERITY_NOTICE);
        const struct found *f = &found;
        assert_true(hours_after(f, 30) <
                    16.0); /* 5 sources a window: ten different ones in six hours */
        done(b);
    }
}

/* The busiest port of the world has 60 sources a window; half as many more come at once. */
static void finds_a_rise_on_a_busy_port(void **state)
{
    (void)state;
    struct world_options o = world_small(4);
    struct world *w = world_new(&o);
    uint16_t busiest = w->ports[0].port;
    uint8_t proto = w->ports[0].proto;
    world_free(w);
    struct bench *b = run(&o, 90,
        &(struct world_event){
            .port = busiest, .proto = proto, .hours = 80, .most = 150, .sites = 3});
    const struct found found = bench_find(b, busiest, SEVERITY_NOTICE);
    const struct found *f = &found;
    assert_true(hours_after(f, 80) > 0.0 && hours_after(f, 80) < 3.0);
    done(b);
}

/* The value of the next evidence of that name, after which `*at` is put; NaN: none is left. */
static double next_value(const struct buf *text, size_t *at, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"name\":\"%s\",\"value\":", name);
    const uint8_t *found = memmem(text->data + *at, text->len - *at, key, strlen(key));
    if (!found)
        return NAN;
    *at = (size_t)(found - text->data) + strlen(key);
    return strtod((const char *)text->data + *at, NULL);
}

/* Both are estimates: nothing else keeps one below the other. */
static void counts_no_more_networks_than_hosts(void **state)
{
    (void)state;
    struct world_options o = world_small(7);
    struct bench *b = run(&o, 34,
        &(struct world_event){.port = 8291, .proto = 6, .hours = 30, .most = 160, .sites = 2});
    size_t at = 0;
    size_t count = 0;
    for (double hosts; !isnan(hosts = next_value(&b->text, &at, "hosts")); count++)
        assert_true(next_value(&b->text, &at, "networks") <= hosts);
    assert_true(count > 10);
    const struct found found = bench_find(b, 8291, SEVERITY_NOTICE);
    assert_non_null(strstr(found.explanation, " different sources beyond normal; since "));
    done(b);
}

static void names_the_country(void **state)
{
    (void)state;
    struct world_options o = world_small(5);
    struct bench *b = run(&o, 32,
        &(struct world_event){
            .port = 20012, .proto = 6, .hours = 30, .most = 80, .sites = 3, .country = "kr"});
    const struct found found = bench_find(b, 20012, SEVERITY_NOTICE);
    const struct found *f = &found;
    assert_string_equal(f->country, "kr");
    assert_non_null(strstr(f->explanation, "South Korea: "));
    done(b);
}

static void stays_silent(void **state)
{
    (void)state;
    promises_silence(&engine_surge);
}

static void an_outage_is_no_news(void **state)
{
    (void)state;
    promises_deafness_is_no_news(&engine_surge, 0);
}

static void news_is_found_after_an_outage(void **state)
{
    (void)state;
    promises_news_after_deafness(&engine_surge, 0.7);
}

static void harmless_is_no_notice(void **state)
{
    (void)state;
    promises_harmless(&engine_surge);
}

static void busy_telescope_is_no_news(void **state)
{
    (void)state;
    struct world_options o = world_small(31);
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_surge);
    struct world *w = world_new(&o);
    for (int n = 0; n < 40 * 6; n++) {
        if (n == 30 * 6)
            for (size_t k = 0; k < o.sites; k++)
                w->size[k] *= 3.0; /* the telescope grew */
        bench_step(b, world_next(w));
    }
    assert_int_equal(bench_notices(b, 0), 0);
    world_free(w);
    done(b);
}

static void says_nothing_in_its_first_hour(void **state)
{
    (void)state;
    struct world_options o = world_small(41);
    struct bench *b = run(&o, 1,
        &(struct world_event){.port = 8291, .proto = 6, .hours = 0.5, .most = 60, .sites = 2});
    assert_int_equal(b->count, 0);
    done(b);
}

static void short_captures_show_large_jumps(void **state)
{
    (void)state;
    struct world_options o = world_small(42);
    struct bench *b = run(&o, 5,
        &(struct world_event){.port = 8291, .proto = 6, .hours = 3, .most = 60, .sites = 2});
    const struct found found = bench_find(b, 8291, SEVERITY_NOTICE);
    const struct found *f = &found;
    assert_non_null(strstr(f->explanation, "still being learned"));
    assert_int_equal(bench_notices(b, 8291), 0);
    done(b);
}

/* The same world, but for a silence of all sites in the middle. */
static void long_silence(void **state)
{
    (void)state;
    static const int64_t gaps[] = {24 * 6, 24 * 6 + 1, 6 * 6, 537 * 24 * 6 + 45};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        struct world_options o = world_small(43);
        struct bench *b = malloc(sizeof *b);
        bench_open(b, &engine_surge);
        struct world *w = world_new(&o);
        for (int n = 0; n < 40 * 6; n++) {
            struct window now = *world_next(w);
            now.start += n < 25 * 6 ? 0 : gaps[i] * now.length;
            bench_step(b, &now);
        }
        assert_in_range(bench_notices(b, 0), 0, 1);
        world_free(w);
        done(b);
    }
}

static void what_lasts_is_normal(void **state)
{
    (void)state;
    struct world_options o = world_small(51);
    o.ports = 30;
    struct bench *b = run(&o, 30 + 5 * 24,
        &(struct world_event){.port = 8291, .proto = 6, .hours = 30, .most = 60, .sites = 2});
    double last = 0;
    for (size_t i = 0; i < b->count; i++)
        if (b->found[i].port == 8291)
            last = hours_after(&b->found[i], 30);
    assert_true(last > 71.0 && last < 74.0);
    done(b);
}

static void order_of_rows_is_no_matter(void **state)
{
    (void)state;
    promises_any_order(&engine_surge);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = world_small(71);
    o.ports = 30;
    o.sites = 1;
    struct world_event e = {.port = 8291,
        .proto = 6,
        .hours = 26,
        .first = 1,
        .doubling = 2,
        .most = 60,
        .sites = 1};
    promises_restart(&engine_surge, &o, &e, 11);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = world_small(81);
    o.ports = 10;
    o.sites = 1;
    promises_whole_states(&engine_surge, &o);
}

static void windows_must_fit(void **state)
{
    (void)state;
    promises_fitting_windows(&engine_surge);
}

/* Three in a window, never ten, who all want one address. */
static void slow_wrong_setting_is_no_notice(void **state)
{
    (void)state;
    struct world_options o = world_small(55);
    struct bench *b = run(&o, 40,
        &(struct world_event){.port = 36201,
            .proto = 17,
            .hours = 30,
            .most = 3,
            .sites = 2,
            .hosts = 40,
            .one_target = true});
    assert_non_null(bench_first(b, 36201, SEVERITY_INFO));
    assert_null(bench_first(b, 36201, SEVERITY_NOTICE));
    done(b);
}

static void timers_are_no_news(void **state)
{
    (void)state;
    promises_timers(&engine_surge);
}

static const struct CMUnitTest tests[] = {
    SAYS("what a timer starts every hour is no notice, unless it is new", timers_are_no_news),
    SAYS("a jump at one site is a notice within 40 minutes", finds_a_jump_at_one_site),
    SAYS("a worm that doubles every 6 hours is a notice when ten more hosts than normal are "
         "seen",
        finds_a_worm_that_doubles),
    SAYS("a busy port that triples is a notice", finds_a_rise_on_a_busy_port),
    SAYS("no more networks than hosts, and each number says since when",
        counts_no_more_networks_than_hosts),
    SAYS("a crowd of one country is named", names_the_country),
    SAYS("worlds without an event give at most one notice in four days", stays_silent),
    SAYS("a site that was deaf for three hours gives no notice when it hears again",
        an_outage_is_no_news),
    SAYS("what began in an outage is a notice 40 minutes after it",
        news_is_found_after_an_outage),
    SAYS("surveys, backscatter, wrong settings and few hosts are no notice",
        harmless_is_no_notice),
    SAYS("a wrong setting of which few come at a time is no notice",
        slow_wrong_setting_is_no_notice),
    SAYS("a telescope that sees three times as much on all ports is no news",
        busy_telescope_is_no_news),
    SAYS("the first hour of a site is silent", says_nothing_in_its_first_hour),
    SAYS("a short capture still shows a large jump, and says that it is learning",
        short_captures_show_large_jumps),
    SAYS("a silence of all sites, however long, is no news when it ends", long_silence),
    SAYS("what has lasted for three days is normal", what_lasts_is_normal),
    SAYS("the order of rows and blocks makes no difference", order_of_rows_is_no_matter),
    SAYS("an engine restarted often finds the same, byte for byte", restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("windows and options that do not fit are refused", windows_must_fit),
};
TEST_MAIN(tests)
