#include "engine/growth/growth.h"

#include "promises.h"

#include <math.h>

static struct world_options six(uint64_t seed)
{
    struct world_options o = world_usual(seed);
    o.sites = 6;
    o.size_spread = 0.3;
    o.ports = 80;
    o.busiest = 40;
    o.stray = 20;
    return o;
}

static struct bench *run(
    const struct world_options *o, double hours, const struct world_event *e)
{
    return run_engine(&engine_growth, o, hours, e);
}

/* What the last finding says in words, in its table and as its start is one moment. */
static void tells_one_moment(const struct bench *b)
{
    const struct found *f = &b->found[b->count - 1];
    const json_t *sites = json_object_get(b->evidence, "sites");
    char start[TIME_TEXT];
    char words[64];
    size_t firsts = 0;
    time_format(f->start, start);
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *row = json_array_get(sites, i);
        if (strcmp(json_string_value(json_object_get(row, "state")), "first") != 0)
            continue;
        firsts++;
        assert_string_equal(json_string_value(json_object_get(row, "first")), start);
        snprintf(words, sizeof words, "%s saw it first, at %.16sZ",
            json_string_value(json_object_get(row, "site")), start);
        assert_non_null(strstr(f->explanation, words));
    }
    assert_int_equal(firsts, 1);
}

static void joins_sites(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = six(seed);
        struct bench *b = run(&o, 36,
            &(struct world_event){
                .port = 53413, .proto = 17, .hours = 30, .most = 12, .sites = 63});
        const struct found found = bench_find(b, 53413, SEVERITY_NOTICE);
        const struct found *f = &found;
        assert_string_equal(f->kind, "global-growth");
        assert_true(f->site_count >= 3);
        assert_true(hours_after(f, 30) < 2.0);
        tells_one_moment(b);
        done(b);
    }
}

/* Each further site is three hours later. The warning must come while sites are left to warn,
 * and name them. */
static void warns_those_that_lag(void **state)
{
    (void)state;
    unsigned early = 0;
    unsigned lagging = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = six(10 + seed);
        struct bench *b = run(&o, 56,
            &(struct world_event){.port = 5000,
                .proto = 6,
                .hours = 30,
                .first = 3,
                .doubling = 1.5,
                .most = 40,
                .sites = 63,
                .lag = 3});
        const struct found found = bench_find(b, 5000, SEVERITY_NOTICE);
        const struct found *f = &found;
        assert_non_null(strstr(f->explanation, "Not yet seen at"));
        for (unsigned site = 3; site < 6; site++) {
            lagging++;
            early += hours_after(f, 30) < 3.0 * site;
        }
        done(b);
    }
    assert_true(early * 10 >= lagging * 8);
}

/* It doubles in a day at every site, on a port that always has a few: none of its hours is more
 * than those of the day before by much, and what is usual follows it. */
static void slow_growth_is_told(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = six(60 + seed);
        struct bench *b = run(&o, 72 + 96,
            &(struct world_event){.port = 7547,
                .proto = 6,
                .hours = 0.2,
                .first = 0.2,
                .doubling = 24,
                .most = 30,
                .sites = 63});
        found += bench_first(b, 7547, SEVERITY_NOTICE) != NULL;
        done(b);
    }
    assert_true(found >= 3);
}

/* Nobody is there to confirm it, so that it takes more networks. */
static void slow_growth_is_told_by_one_site(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = six(160 + seed);
        o.sites = 1;
        struct bench *b = run(&o, 72 + 96,
            &(struct world_event){.port = 7547,
                .proto = 6,
                .hours = 24,
                .first = 0.5,
                .doubling = 24,
                .most = 30,
                .sites = 1});
        const struct found *f = bench_first(b, 7547, SEVERITY_NOTICE);
        if (f)
            assert_non_null(strstr(f->title, "grows within a day, "));
        found += f != NULL;
        assert_int_equal(bench_notices(b, 7547), 0);
        done(b);
    }
    assert_true(found >= 3);
}

/* More every hour talk to one of its addresses: a setting somewhere is wrong, or a server was
 * there. */
static void a_crowd_at_one_address_is_no_growth(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct world_options o = six(180 + seed);
        o.sites = 1;
        struct bench *b = run(&o, 72 + 72,
            &(struct world_event){.port = 7547,
                .proto = 6,
                .hours = 72,
                .first = 0.5,
                .doubling = 12,
                .most = 30,
                .sites = 1,
                .one_target = true});
        assert_null(bench_first(b, 7547, SEVERITY_INFO));
        done(b);
    }
}

static void one_site_stays_silent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = six(170 + seed);
        o.sites = 1;
        o.noise = seed & 1 ? 0.25 : 0.02;
        o.day_to_day = seed & 1 ? 0.4 : 0.1;
        o.nuisances = 12;
        struct bench *b = run(&o, 168, NULL);
        assert_int_equal(bench_notices(b, 0), 0);
        done(b);
    }
}

static void one_scanner_everywhere_is_no_growth(void **state)
{
    (void)state;
    struct world_options o = six(21);
    struct bench *b = run(&o, 38,
        &(struct world_event){
            .port = 6000, .proto = 6, .hours = 30, .most = 200, .sites = 63, .network = 1});
    assert_null(bench_first(b, 6000, SEVERITY_INFO));
    done(b);
}

static void one_site_is_not_global(void **state)
{
    (void)state;
    struct world_options o = six(22);
    struct bench *b = run(&o, 38,
        &(struct world_event){.port = 6000, .proto = 6, .hours = 30, .most = 200, .sites = 2});
    assert_null(bench_first(b, 6000, SEVERITY_INFO));
    done(b);
}

static void stays_silent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = six(100 + seed);
        o.noise = seed & 1 ? 0.25 : 0.02;
        o.amplitude = seed & 2 ? 0.9 : 0.2;
        o.day_to_day = seed & 1 ? 0.4 : 0.1;
        o.nuisances = 12;
        struct bench *b = run(&o, 96, NULL);
        assert_int_equal(bench_notices(b, 0), 0);
        done(b);
    }
}

/* From midnight to noon everything grows twentyfold, and nobody has seen an earlier day. */
static void first_morning_is_no_growth(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = six(200 + seed);
        o.in_phase = true;
        o.amplitude = 0.9;
        struct bench *b = run(&o, 30,
            &(struct world_event){
                .port = 5000, .proto = 6, .hours = 11, .most = 40, .sites = 63});
        const struct found found = bench_find(b, 5000, SEVERITY_NOTICE);
        assert_true(hours_after(&found, 11) < 6.0);
        assert_int_equal(bench_notices(b, 5000), 0);
        done(b);
    }
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = six(71);
    o.ports = 20;
    o.sites = 3;
    struct world_event e = {.port = 5000,
        .proto = 6,
        .hours = 26,
        .first = 3,
        .doubling = 1,
        .most = 40,
        .sites = 7,
        .lag = 1};
    promises_restart(&engine_growth, &o, &e, 11);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = six(81);
    o.ports = 10;
    o.sites = 2;
    promises_whole_states(&engine_growth, &o);
}

static const struct CMUnitTest tests[] = {
    SAYS("a small rise at six sites is one notice, with one moment at which it began",
        joins_sites),
    SAYS("sites that lag are warned before it comes to them, four in five at least",
        warns_those_that_lag),
    SAYS(
        "one scanner that visits every site is no growth", one_scanner_everywhere_is_no_growth),
    SAYS("a growth that doubles in a day is told, though no hour of it stands out",
        slow_growth_is_told),
    SAYS("one site alone is not global", one_site_is_not_global),
    SAYS("where there is one site, what doubles in a day is a notice",
        slow_growth_is_told_by_one_site),
    SAYS(
        "a crowd at one address of one site is no growth", a_crowd_at_one_address_is_no_growth),
    SAYS("a week of one site without events is no notice", one_site_stays_silent),
    SAYS("worlds without an event give no notice in four days", stays_silent),
    SAYS("the first morning is no growth, and what grows beside it is",
        first_morning_is_no_growth),
    SAYS("an engine restarted often finds the same, byte for byte", restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
};
TEST_MAIN(tests)
