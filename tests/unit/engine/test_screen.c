#include "engine/screen/screen.h"

#include "promises.h"
#include "rows.h"

#include <stdlib.h>
#include <unistd.h>

/* --- what it finds -------------------------------------------------------------------------
 */

/* Hosts of many networks that ask for what nobody asked for before. */
static void a_new_pattern_is_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_options o = world_small(seed);
        struct world_event e = {
            .port = 20012, .proto = 6, .hours = 30, .most = 40, .sites = 3, .country = "kr"};
        struct bench *b = run_engine(&engine_screen, &o, 33, &e);
        const struct found found = bench_find(b, 20012, SEVERITY_NOTICE);
        const struct found *f = &found;
        assert_string_equal(f->kind, "new-pattern");
        assert_true(hours_after(f, 30.0) >= 0.0 && hours_after(f, 30.0) < 0.5);
        assert_int_equal(f->proto, 6);
        assert_string_equal(f->country, "kr");
        assert_non_null(strstr(f->title, "New pattern: 20012/tcp"));
        done(b);
    }
}

/* Forty sources that ask for the same eight services, after a day of one service. */
static void a_broad_pattern_is_named_by_its_first_things(void **state)
{
    (void)state;
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_screen);
    struct row rows[400];
    for (uint32_t i = 0; i < 80; i++)
        rows[i] = (struct row){0x0a000001 + (i << 12), 23, "scan", ""};
    for (uint32_t i = 0; i < 320; i++)
        rows[80 + i] =
            (struct row){0x0b000001 + (i / 8 << 12), (uint16_t)(20001 + i % 8), "scan", ""};
    for (unsigned n = 0; n < 150 && !b->count; n++) {
        struct made made;
        rows_make(&made, n, rows, n < 148 ? 80 : 400);
        bench_step(b, &made.window);
        block_free(made.block);
    }
    assert_int_equal(b->count, 1);
    assert_string_equal(b->found[0].title,
        "New pattern: 20001/tcp, 40 bytes; 20002/tcp, 40 bytes; 20003/tcp, 40 bytes; "
        "20004/tcp, 40 bytes and 4 more, from 40 networks");
    assert_non_null(strstr(b->found[0].explanation,
        "20007/tcp, 40 bytes; 20008/tcp, 40 bytes. Chance brings that on less than one of a "
        "million days; "));
    done(b);
}

/* What was there in the time of learning is no news, however busy it is. */
static void what_was_learned_is_no_news(void **state)
{
    (void)state;
    struct world_options o = world_small(4);
    struct world_event e = {.port = 20012, .proto = 6, .hours = 2, .most = 40, .sites = 3};
    struct bench *b = run_engine(&engine_screen, &o, 48, &e);
    assert_null(bench_first(b, 20012, SEVERITY_INFO));
    done(b);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct world_options o = world_small(11);
    struct world_event e = {.port = 8291, .proto = 6, .hours = 28, .most = 40, .sites = 3};
    promises_restart(&engine_screen, &o, &e, 3);
}

static void order_changes_nothing(void **state)
{
    (void)state;
    promises_any_order(&engine_screen);
}

static void states_are_whole(void **state)
{
    (void)state;
    struct world_options o = world_small(3);
    o.ports = 20;
    promises_whole_states(&engine_screen, &o);
}

static void silence(void **state)
{
    (void)state;
    promises_silence(&engine_screen);
}

static void harmless(void **state)
{
    (void)state;
    promises_harmless(&engine_screen);
}

/* --- tags ----------------------------------------------------------------------------------
 */

static struct engine_state *screen_with(const char *rules)
{
    char path[] = "/tmp/kizashi-rules-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, rules, strlen(rules)), strlen(rules));
    close(file);
    struct conf *conf;
    struct fault f;
    struct engine_state *st;
    assert_int_equal(conf_new(&conf, engine_screen.items), OK);
    assert_int_equal(conf_set(conf, "rules", path, &f), OK);
    if (engine_screen.open(&st, conf, 10 * US_MINUTE, &f))
        fail_msg("%s", f.text);
    conf_free(conf);
    unlink(path);
    return st;
}

/* One window of rows, and the tags that come of it. */
static void step_rows(struct engine_state *st, unsigned number, const struct row *rows,
    size_t count, uint8_t *ret_tags)
{
    struct made made;
    rows_make(&made, number, rows, count);
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 27);
    struct bench *b2 = calloc(1, sizeof *b2);
    buf_init(&b2->text, 1 << 20);
    struct sink sink = {.put = bench_put, .context = b2};
    assert_int_equal(engine_screen.step(st, &made.window, &scratch, &sink), OK);
    memcpy(ret_tags, engine_screen.tags(st).tags[0], count);
    buf_done(&b2->text);
    json_decref(b2->evidence);
    free(b2);
    arena_done(&scratch);
    block_free(made.block);
}

static const char rules[] = "kizashi-screening-rules 1\n"
                            "rule door-knocker\n"
                            "  label door\n"
                            "  tag known\n"
                            "  if only 5358/tcp(size=40) 9000/tcp\n"
                            "  accepted 2026-08-01T00:00:00Z\n"
                            "  by a tester\n";

/* The rule holds for the source's day; a thing more, and it is not what was accepted. */
static void accepted_rules_tag(void **state)
{
    (void)state;
    struct engine_state *st = screen_with(rules);
    const struct row rows[] = {{1, 5358, "scan", ""}, {1, 9000, "scan", ""},
        {2, 5358, "scan", ""}, {2, 7547, "scan", ""}, {3, 23, "scan", ""}};
    uint8_t tags[5];
    step_rows(st, 0, rows, 5, tags);
    const uint8_t known = 1u << TAG_KNOWN;
    const uint8_t expected[] = {known, known, 0, 0, 0};
    assert_memory_equal(tags, expected, 5);
    struct tagging said = engine_screen.tags(st);
    const struct tag_reason *reason = &said.reasons[said.why[0][1][TAG_KNOWN]];
    assert_string_equal(reason->name, "door-knocker");
    assert_string_equal(reason->what, "door: only 5358/tcp(size=40) 9000/tcp");
    engine_screen.close(st);
}

static size_t count_tagged(const uint8_t *tags, size_t count)
{
    size_t tagged = 0;
    for (size_t i = 0; i < count; i++)
        tagged += tags[i] != 0;
    return tagged;
}

/* What is known is known in some amount: a day and more of ten sources, then a hundred. */
static void a_surge_of_what_is_known_is_not_hidden(void **state)
{
    (void)state;
    struct engine_state *st = screen_with(rules);
    struct row rows[100];
    uint8_t tags[100];
    for (uint32_t i = 0; i < 100; i++)
        rows[i] = (struct row){0x0a000001 + (i << 12), 5358, "scan", ""};
    for (unsigned n = 0; n < 160; n++) {
        step_rows(st, n, rows, 10, tags);
        assert_int_equal(tags[0], 1u << TAG_KNOWN);
    }
    step_rows(st, 160, rows, 26, tags); /* one more than usual does not bring all into view */
    assert_in_range(count_tagged(tags, 26), 22, 26);
    step_rows(st, 161, rows, 100, tags);
    assert_in_range(
        count_tagged(tags, 100), 15, 35); /* 25 are one and a half times ten, and ten */
    engine_screen.close(st);
}

/* Three in a hundred more each window: that doubles in four hours. */
static void slow_growth_of_what_is_known_is_not_hidden(void **state)
{
    (void)state;
    struct engine_state *st = screen_with(rules);
    struct row rows[ROWS_MAX];
    uint8_t tags[ROWS_MAX];
    double sources = 10.0;
    for (uint32_t i = 0; i < ROWS_MAX; i++)
        rows[i] = (struct row){0x0a000001 + (i << 12), 5358, "scan", ""};
    for (unsigned n = 0; n < 150; n++)
        step_rows(st, n, rows, 10, tags);
    assert_int_equal(tags[0], 1u << TAG_KNOWN);
    for (unsigned n = 150; n < 220; n++, sources *= 1.03)
        step_rows(st, n, rows, (size_t)sources, tags);
    assert_in_range(count_tagged(tags, (size_t)(sources / 1.03)), 15, 35); /* of 77 */
    engine_screen.close(st);
}

/* Malware that its signature names is known where it has been seen, and only there. */
static void signatures_tag_what_they_are_known_for(void **state)
{
    (void)state;
    struct engine_state *st = screen_with("kizashi-screening-rules 1\n");
    struct row rows[40];
    uint8_t tags[40];
    for (uint32_t i = 0; i < 40; i++)
        rows[i] = (struct row){0x0a000001 + (i << 12), i < 20 ? 23 : 37215, "worm", "mirai"};
    for (unsigned n = 0; n < 150; n++)
        step_rows(st, n, rows, 20, tags);
    assert_int_equal(tags[0], 1u << TAG_KNOWN);
    step_rows(st, 150, rows, 40, tags);
    assert_int_equal(tags[0], 1u << TAG_KNOWN);
    assert_int_equal(tags[39], 0);
    struct tagging said = engine_screen.tags(st);
    const struct tag_reason *reason = &said.reasons[said.why[0][0][TAG_KNOWN]];
    assert_string_equal(reason->name, "mirai:23-tcp:40");
    assert_string_equal(reason->what, "signature of mirai; pattern: 23/tcp, 40 bytes, mirai");
    engine_screen.close(st);
}

/* Twelve machines of one /24 that go through many services. */
static void a_fleet_is_survey_like(void **state)
{
    (void)state;
    struct engine_state *st = screen_with("kizashi-screening-rules 1\n");
    struct row rows[360];
    uint8_t tags[360];
    for (unsigned n = 0; n < 4; n++) {
        for (uint32_t i = 0; i < 360; i++)
            rows[i] =
                (struct row){0x0a000001 + i % 12, (uint16_t)(100 + n * 360 + i), "scan", ""};
        step_rows(st, n, rows, 360, tags);
    }
    for (size_t i = 0; i < 360; i++)
        assert_int_equal(tags[i], 1u << TAG_SURVEY_LIKE);
    engine_screen.close(st);
}

static void proposals_do_not_act(void **state)
{
    (void)state;
    struct conf *conf;
    struct fault f;
    struct engine_state *st;
    char path[] = "/tmp/kizashi-rules-XXXXXX";
    int file = mkstemp(path);
    const char text[] = "kizashi-screening-rules 1\nrule a\n label b\n if services >= 1\n";
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    assert_int_equal(conf_new(&conf, engine_screen.items), OK);
    assert_int_equal(conf_set(conf, "rules", path, &f), OK);
    assert_int_equal(engine_screen.open(&st, conf, 10 * US_MINUTE, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "has not been accepted"));
    unlink(path);
    assert_int_equal(engine_screen.open(&st, conf, 10 * US_MINUTE, &f), ERR_NOTFOUND);
    conf_free(conf);
}

static const struct CMUnitTest tests[] = {
    SAYS("a new pattern that many networks share is a notice", a_new_pattern_is_told),
    SAYS("what was there while it learned is no news", what_was_learned_is_no_news),
    SAYS("a restarted engine finds the same, byte for byte", restart_changes_nothing),
    SAYS("the order of rows and blocks makes no difference", order_changes_nothing),
    SAYS("a state that is cut anywhere is refused", states_are_whole),
    SAYS("a pattern of many things is named by the first, and by how many there are",
        a_broad_pattern_is_named_by_its_first_things),
    SAYS("four days without an event are silent", silence),
    SAYS("surveys, backscatter, wrong settings and few hosts are no notice", harmless),
    SAYS("an accepted rule tags what it speaks of", accepted_rules_tag),
    SAYS("a surge of what is known is not hidden", a_surge_of_what_is_known_is_not_hidden),
    SAYS("a slow growth of what is known is not hidden",
        slow_growth_of_what_is_known_is_not_hidden),
    SAYS("a signature's malware is known for what it has done",
        signatures_tag_what_they_are_known_for),
    SAYS("a fleet of one network is survey-like", a_fleet_is_survey_like),
    SAYS("a rule that nobody accepted does not act", proposals_do_not_act),
};
TEST_MAIN(tests)
