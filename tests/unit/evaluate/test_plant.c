#include "evaluate/plant.h"
#include "evaluate/tape_count.h"
#include "tapes.h"

#include "base/hash.h"
#include "engine/tally.h"

#include <math.h>
#include <stdlib.h>

/* An engine for tests: the score of a port is its sources over 100; it remembers how many
 * windows it has seen, so that planting must have restored it. */
struct counting {
    struct engine_state state;
    uint32_t windows;
    int64_t next;
};
extern const struct engine engine_counting;
static const struct conf_item no_items[] = {{.name = NULL}};

static enum err counting_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    (void)conf;
    (void)window;
    (void)f;
    struct counting *c = calloc(1, sizeof *c);
    c->state.of = &engine_counting;
    *ret_state = &c->state;
    return OK;
}

static enum err counting_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    struct counting *c = (struct counting *)(void *)st;
    struct tally t;
    assert_int_equal(tally_build(&t, w, 0, scratch), OK);
    assert_true(c->windows == 0 || c->next == w->start);
    c->windows++;
    c->next = window_end(w);
    for (size_t g = 0; g < t.group_count; g++) {
        struct finding f;
        finding_init(&f, "counting", "count");
        f.time = window_end(w);
        f.score = t.groups[g].count / 100.0;
        f.severity = t.groups[g].count >= 300 ? SEVERITY_NOTICE : SEVERITY_INFO;
        f.proto = service_proto(t.groups[g].service);
        finding_port(&f, service_port(t.groups[g].service));
        enum err e = out->put(out->context, &f);
        finding_done(&f);
        if (e)
            return e;
    }
    return OK;
}

static enum err counting_save(const struct engine_state *st, struct buf *out)
{
    const struct counting *c = (const struct counting *)(const void *)st;
    buf_le32(out, c->windows);
    buf_le64(out, (uint64_t)c->next);
    return out->err;
}

static enum err counting_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    (void)f;
    struct counting *c = (struct counting *)(void *)st;
    c->windows = bytes_le32(&saved);
    c->next = (int64_t)bytes_le64(&saved);
    return saved.cut ? ERR_BAD : OK;
}

static void counting_close(struct engine_state *st)
{
    free(st);
}

const struct engine engine_counting = {.name = "counting",
    .text = "",
    .source = "",
    .items = no_items,
    .eats = &record_contact,
    .open = counting_open,
    .step = counting_step,
    .save = counting_save,
    .load = counting_load,
    .close = counting_close};

/* Two days of one port with 20 to 29 sources a window. */
static struct tape *made(void)
{
    struct tape *t = tape_open();
    for (uint32_t w = 0; w < 288; w++) {
        struct tape_row rows[40];
        size_t count = 20 + hash_u64(w) % 10;
        for (uint32_t i = 0; i < count; i++)
            rows[i] = (struct tape_row){(uint32_t)hash_two(w, i) & 0xffffff, 445};
        tape_put(t, w, rows, count);
    }
    return t;
}

static void crowds_are_found_from_their_size_on(void **state)
{
    (void)state;
    struct tape *t = made();
    struct host_counts counts = {.window = 10 * US_MINUTE};
    struct fault f = {0};
    struct conf *conf;
    assert_int_equal(conf_new(&conf, no_items), OK);
    assert_int_equal(tape_count_hosts(t, &counts, &f), OK);
    const struct engine *const engines[] = {&engine_counting, NULL};
    const struct conf *const confs[] = {conf, NULL};
    const struct plant_options o = {.sizes = {1, 50, 500},
        .size_count = 3,
        .slots = {2, 12},
        .slot_count = 2,
        .trials = 8,
        .after = US_DAY,
        .quiet = 6 * US_HOUR,
        .seed = 5,
        .engines = engines,
        .confs = confs};
    struct plant_result *r = calloc(1, sizeof *r);
    if (plant_run(t, &counts, &o, r, &f))
        fail_msg("%s", f.text);
    assert_true(fabs(r->days - 1.0) < 1e-9);
    assert_int_equal(r->method_count, 2 + BASELINE_RULES);
    assert_string_equal(r->methods[0].name, "counting");
    const struct plant_method *m = &r->methods[0];
    /* One alert that never ends is within a budget of one a day: every trial is a hit. Within a
     * quarter of an alert a day nothing is, up to what the windows themselves reach. */
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(m->cells[2][k].hits[0], 8);
        assert_int_equal(m->cells[1][k].hits[0], 8);
        assert_true(m->cells[0][k].hits[0] < 8);
        assert_int_equal(m->cells[0][k].hits[1], 8);
        assert_int_equal(m->cells[2][k].notices, 8);
        assert_int_equal(m->cells[1][k].notices, 0);
        assert_int_equal(r->methods[1].cells[2][k].notices, 8);
    }
    assert_int_equal(m->clean_notices, 0);
    for (size_t b = 2; b < r->method_count; b++)
        assert_true(r->methods[b].cells[2][0].hits[1] == 8);
    free(r);
    host_counts_done(&counts);
    conf_free(conf);
    tape_free(t);
}

/* An engine that tags every other row as known, and one that wants to see just that. */
struct tagger {
    struct engine_state state;
    uint8_t bytes[4096];
    const uint8_t *tags[16];
};

static enum err tagger_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    (void)conf;
    (void)window;
    (void)f;
    struct tagger *t = calloc(1, sizeof *t);
    *ret_state = &t->state;
    return t ? OK : ERR_NOMEM;
}

static enum err tagger_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    (void)scratch;
    (void)out;
    struct tagger *t = (struct tagger *)(void *)st;
    size_t at = 0;
    for (size_t i = 0; i < w->block_count && i < 16; i++) {
        t->tags[i] = t->bytes + at;
        for (size_t row = 0; row < w->blocks[i]->rows; row++, at++)
            t->bytes[at] = at % 2 ? 1 << TAG_KNOWN : 0;
    }
    return OK;
}

static struct tagging tagger_tags(const struct engine_state *st)
{
    return (struct tagging){.tags = ((const struct tagger *)(const void *)st)->tags};
}

static enum err seer_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    (void)st;
    (void)scratch;
    size_t at = 0;
    assert_non_null(w->tags);
    for (size_t i = 0; i < w->block_count; i++)
        for (size_t row = 0; row < w->blocks[i]->rows; row++, at++)
            assert_int_equal(w->tags[i][row], at % 2 ? 1 << TAG_KNOWN : 0);
    struct finding f;
    finding_init(&f, "seer", "seen");
    f.time = window_end(w);
    f.severity = SEVERITY_NOTICE;
    f.proto = PROTO_TCP;
    finding_port(&f, 445);
    return out->put(out->context, &f);
}

static enum err nothing_save(const struct engine_state *st, struct buf *out)
{
    (void)st;
    return out->err;
}

static enum err nothing_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    (void)st;
    (void)saved;
    (void)f;
    return OK;
}

static void tags_are_seen_as_in_replay(void **state)
{
    (void)state;
    const struct engine tagger = {.name = "tagger",
        .items = no_items,
        .open = tagger_open,
        .step = tagger_step,
        .save = nothing_save,
        .load = nothing_load,
        .tags = tagger_tags,
        .close = counting_close};
    struct engine seer = tagger;
    seer.name = "seer";
    seer.tags = NULL;
    seer.step = seer_step;
    struct tape *t = made();
    struct host_counts counts = {.window = 10 * US_MINUTE};
    struct fault f = {0};
    assert_int_equal(tape_count_hosts(t, &counts, &f), OK);
    const struct engine *const engines[] = {&seer, &tagger, NULL};
    const struct conf *const confs[] = {NULL, NULL, NULL};
    const struct plant_options o = {.sizes = {50},
        .size_count = 1,
        .slots = {2, 12},
        .slot_count = 2,
        .trials = 4,
        .after = US_DAY,
        .quiet = 6 * US_HOUR,
        .seed = 5,
        .engines = engines,
        .confs = confs};
    struct plant_result *r = calloc(1, sizeof *r);
    if (plant_run(t, &counts, &o, r, &f))
        fail_msg("%s", f.text);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(r->methods[0].cells[0][k].notices, 4);
    assert_int_equal(r->methods[0].clean_notices, 1);
    assert_string_equal(r->methods[0].name, "seer");
    assert_string_equal(r->methods[1].name, "tagger");
    free(r);
    host_counts_done(&counts);
    tape_free(t);
}

static void too_short_is_refused(void **state)
{
    (void)state;
    struct tape *t = tape_open();
    struct fault f = {0};
    const struct tape_row row = {1, 23};
    tape_put(t, 0, &row, 1);
    struct host_counts counts = {.window = 10 * US_MINUTE};
    const struct engine *const engines[] = {NULL};
    const struct plant_options o = {.after = US_DAY, .trials = 1, .engines = engines};
    struct plant_result *r = calloc(1, sizeof *r);
    assert_int_equal(plant_run(t, &counts, &o, r, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "the captures end before"));
    free(r);
    tape_free(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("planted crowds are found from their size on, in the state of their window",
        crowds_are_found_from_their_size_on),
    SAYS("tags of a window, with and without a crowd, are seen by the other engines",
        tags_are_seen_as_in_replay),
    SAYS("captures that end before planting begins are refused", too_short_is_refused),
};
TEST_MAIN(tests)
