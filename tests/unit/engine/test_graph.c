#include "engine/graph/graph.h"

#include "promises.h"

#include <math.h>

/* A contact of source number `source` with one port, far from the world's own addresses. */
static void add_contact(struct block *b, const char *site, uint32_t source, uint16_t port)
{
    const struct {
        size_t column;
        const char *word;
    } words[] = {{CONTACT_SITE, site}, {CONTACT_CLASS, "scan"}, {CONTACT_TOOL, ""},
        {CONTACT_COUNTRY, "kr"}};
    size_t i = b->rows++;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        assert_int_equal(
            block_word(b, words[k].column, words[k].word, &block_name(b, words[k].column)[i]),
            OK);
    block_ip(b, CONTACT_SRC)[i] = ip_from_v4(0x0b000000 + (source << 9));
    block_u8(b, CONTACT_PROTO)[i] = 6;
    block_u16(b, CONTACT_DPORT)[i] = port;
    block_u32(b, CONTACT_PACKETS)[i] = 1;
    block_u64(b, CONTACT_DSTS)[i] = (uint64_t)1 << (source % 64);
}

static struct bench *run(
    const struct world_options *o, double hours, const struct world_event *e)
{
    return run_engine(&engine_graph, o, hours, e);
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
        assert_string_equal(f->kind, "graph-change");
        assert_int_equal(f->proto, 6);
        assert_true(f->start < f->time && hours_after(f, 30) < 0.7);
        assert_non_null(strstr(f->explanation, "8291/tcp explains it"));
        done(b);
    }
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
    assert_non_null(strstr(f->explanation, "South Korea:"));
    done(b);
}

static void stays_silent(void **state)
{
    (void)state;
    promises_silence(&engine_graph);
}

static void an_outage_is_no_news(void **state)
{
    (void)state;
    promises_deafness_is_no_news(&engine_graph, 1);
}

static void news_is_found_after_an_outage(void **state)
{
    (void)state;
    promises_news_after_deafness(&engine_graph, 0.7);
}

static void harmless_is_no_notice(void **state)
{
    (void)state;
    promises_harmless(&engine_graph);
}

static void order_of_rows_is_no_matter(void **state)
{
    (void)state;
    promises_any_order(&engine_graph);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = world_small(71);
    o.ports = 30;
    o.sites = 1;
    struct world_event e = {.port = 8291, .proto = 6, .hours = 26, .most = 60, .sites = 1};
    promises_restart(&engine_graph, &o, &e, 6);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = world_small(81);
    o.ports = 10;
    o.sites = 1;
    promises_whole_states(&engine_graph, &o);
}

static void windows_must_fit(void **state)
{
    (void)state;
    promises_fitting_windows(&engine_graph);
}

/* A thousand hosts ask two ports at once: one finding with both. */
static void ports_of_one_crowd_are_one_finding(void **state)
{
    (void)state;
    struct world_options o = world_small(91);
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_graph);
    struct world *w = world_new(&o);
    for (int n = 0; n < 31 * 6; n++) {
        struct window win = *world_next(w);
        struct block *extra = NULL;
        const struct block *blocks[WORLD_BLOCKS + 1];
        if (n >= 30 * 6) {
            assert_int_equal(block_new(&extra, &record_contact, 400), OK);
            for (uint32_t i = 0; i < 200; i++)
                add_contact(extra, win.sites[1].name, i % 100, i < 100 ? 2323 : 20012);
            memcpy(blocks, win.blocks, win.block_count * sizeof *blocks);
            blocks[win.block_count++] = extra;
            win.blocks = blocks;
        }
        bench_step(b, &win);
        block_free(extra);
    }
    const struct found *f = bench_first(b, 20012, SEVERITY_NOTICE);
    f = f ? f : bench_first(b, 2323, SEVERITY_NOTICE);
    assert_non_null(f);
    assert_string_equal(f->kind, "graph-change");
    assert_string_equal(f->site, "s01");
    assert_non_null(strstr(f->explanation, "2323+20012/tcp")   ? f
                    : strstr(f->explanation, "20012+2323/tcp") ? f
                                                               : NULL);
    world_free(w);
    done(b);
}

/* The graph of half the sources' contacts, from an hour on: each asks for one more port that
 * nobody else asks for. No port explains it. */
static struct bench *change_without_a_port(int hour)
{
    struct world_options o = world_small(92);
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_graph);
    struct world *w = world_new(&o);
    for (int n = 0; n < (hour + 1) * 6; n++) {
        struct window win = *world_next(w);
        struct block *extra = NULL;
        const struct block *blocks[WORLD_BLOCKS + 1];
        if (n >= hour * 6) {
            assert_int_equal(block_new(&extra, &record_contact, 4000), OK);
            for (uint32_t i = 0; i < 3000; i++)
                add_contact(extra, win.sites[0].name, 7, (uint16_t)(20000 + i));
            memcpy(blocks, win.blocks, win.block_count * sizeof *blocks);
            blocks[win.block_count++] = extra;
            win.blocks = blocks;
        }
        bench_step(b, &win);
        block_free(extra);
    }
    world_free(w);
    return b;
}

static void a_change_without_a_port_is_told_as_such(void **state)
{
    (void)state;
    struct bench *b = change_without_a_port(30);
    size_t shifts = 0;
    for (size_t i = 0; i < b->count; i++)
        if (hours_after(&b->found[i], 30) > 0 && strcmp(b->found[i].kind, "graph-shift") == 0) {
            assert_int_equal(b->found[i].severity, SEVERITY_INFO);
            assert_string_equal(b->found[i].site, "s00");
            assert_ptr_equal(
                strstr(b->found[i].title, "traffic of s00 changes: "), b->found[i].title);
            assert_null(strstr(b->found[i].title, "(null)"));
            assert_non_null(strstr(b->found[i].explanation, "farthest from usual are "));
            assert_non_null(strstr(b->found[i].explanation, " usual), "));
            shifts++;
        }
    assert_true(shifts >= 1);
    assert_int_equal(bench_notices(b, 0), 0);
    done(b);
}

/* The rhythm of a first day looks like one. */
static void what_no_port_explains_waits_until_a_day_is_known(void **state)
{
    (void)state;
    struct bench *b = change_without_a_port(12);
    for (size_t i = 0; i < b->count; i++)
        assert_string_not_equal(b->found[i].kind, "graph-shift");
    done(b);
}

/* A source in the hour, at most: a second one is a change of every feature. */
static void a_handful_of_sources_has_no_shape(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = world_small(seed);
        o.sites = 1;
        o.ports = 1;
        o.busiest = 0.15;
        o.stray = 0.0;
        o.nuisances = 0.0;
        struct bench *b = run(&o, 240, NULL);
        assert_int_equal(b->count, 0);
        done(b);
    }
}

static void timers_are_no_news(void **state)
{
    (void)state;
    promises_timers(&engine_graph);
}

static const struct CMUnitTest tests[] = {
    SAYS("what a timer starts every hour is no notice, unless it is new", timers_are_no_news),
    SAYS("a jump at one site is a notice within 40 minutes", finds_a_jump_at_one_site),
    SAYS("a crowd of one country is named", names_the_country),
    SAYS("ports that the same sources ask for are one finding",
        ports_of_one_crowd_are_one_finding),
    SAYS("a change that no port explains is told once and is no notice",
        a_change_without_a_port_is_told_as_such),
    SAYS("while the first day is learned, a change that no port explains is not told",
        what_no_port_explains_waits_until_a_day_is_known),
    SAYS("where a handful of sources come in ten days, nothing changes",
        a_handful_of_sources_has_no_shape),
    SAYS("worlds without an event give at most one notice in four days", stays_silent),
    SAYS("a site that was deaf for three hours gives no notice when it hears again",
        an_outage_is_no_news),
    SAYS("what began in an outage is a notice 40 minutes after it",
        news_is_found_after_an_outage),
    SAYS("surveys, backscatter, wrong settings and few hosts are no notice",
        harmless_is_no_notice),
    SAYS("the order of rows and blocks makes no difference", order_of_rows_is_no_matter),
    SAYS("an engine restarted often finds the same, byte for byte", restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("windows and options that do not fit are refused", windows_must_fit),
};
TEST_MAIN(tests)
