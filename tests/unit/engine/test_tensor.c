#include "beats.h"
#include "engine/tensor/tensor.h"
#include "engines.h"

#include <math.h>

static struct bench *run(const struct beats_options *o, unsigned windows,
    const struct beats_event *events, size_t count, bool restarts)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_tensor);
    struct beats *w = beats_new(o);
    for (size_t i = 0; i < count; i++)
        beats_event(w, events[i]);
    for (unsigned n = 0; n < windows; n++) {
        bench_step(b, beats_next(w));
        if (restarts)
            bench_restart(b);
    }
    beats_free(w);
    return b;
}

static void done(struct bench *b)
{
    bench_close(b);
    free(b);
}

/* Forty hosts, of which each of four sites sees a tenth in the same ten seconds, every twenty
 * minutes, on a port where 140 sources a window are usual (2.3 in ten seconds). */
static const struct beats_event in_step = {
    .ports = {121}, .port_count = 1, .proto = 6, .hosts = 40, .first = 12, .every = 2};

static void finds_hosts_in_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 24, &in_step, 1, false);
        const struct found f = bench_find(b, 121, SEVERITY_NOTICE);
        assert_string_equal(f.kind, "in-step");
        assert_true(hours_after(&f, 2.0) > 0.0 && hours_after(&f, 2.0) < 1.6);
        assert_true(f.start < f.time && f.time - f.start <= INT64_C(3600000000));
        assert_true(f.site_count >= 3);
        assert_int_equal(bench_notices(b, 121), 0);
        assert_non_null(strstr(f.explanation, "hosts reached 121/tcp within"));
        done(b);
    }
}

static void shuffled_times_are_silent(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.shuffled = true;
    e.visits = 0.5;
    for (uint64_t seed = 11; seed <= 13; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 48, &e, 1, false);
        assert_int_equal(bench_notices(b, 0), 0);
        done(b);
    }
}

/* Three days of background, calm and restless, with a site that goes dark for half of every
 * window: chance gives a finding of any severity once in a day at most. */
static void background_is_silent(void **state)
{
    (void)state;
    size_t all = 0;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        struct beats_options o = beats_usual(seed);
        o.unrest = seed & 1 ? 0.8 : 0.0;
        o.outage = seed == 23;
        struct bench *b = run(&o, 144, NULL, 0, false);
        assert_int_equal(bench_notices(b, 0), 0);
        all += b->count;
        done(b);
    }
    assert_true(all <= 3);
}

/* One small site sees too few at once; that the same hosts come together again tells. */
static void weak_steps_add_up(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(31);
    o.sites = 1;
    struct beats_event e = in_step;
    e.hosts = 60;
    e.every = 1;
    struct bench *b = run(&o, 36, &e, 1, false);
    const struct found f = bench_find(b, 121, SEVERITY_NOTICE);
    assert_true(hours_after(&f, 2.0) < 3.0);
    done(b);
}

static void ports_of_one_group_are_one_finding(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(41);
    struct beats_event e = in_step;
    e.ports[1] = 135;
    e.port_count = 2;
    e.visits = 0.15;
    struct bench *b = run(&o, 24, &e, 1, false);
    size_t both = 0;
    for (size_t i = 0; i < b->count; i++)
        both += strstr(b->found[i].title, "121/tcp") && strstr(b->found[i].title, "135/tcp");
    assert_true(both >= 4 && b->count - both <= 2); /* once it has been seen together */
    done(b);
}

static void harmless_is_no_notice(void **state)
{
    (void)state;
    struct beats_event one_target = in_step;
    one_target.one_target = true;
    struct beats_event one_network = in_step;
    one_network.one_network = true;
    struct beats_event few = in_step;
    few.hosts = 5;
    few.visits = 0.5;
    const struct beats_event events[] = {one_target, one_network, few};
    for (size_t i = 0; i < 3; i++) {
        struct beats_options o = beats_usual(51 + i);
        struct bench *b = run(&o, 30, &events[i], 1, false);
        assert_int_equal(bench_notices(b, 0), 0);
        done(b);
    }
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(61);
    o.ports = 40;
    struct bench *whole = run(&o, 30, &in_step, 1, false);
    struct bench *cut = run(&o, 30, &in_step, 1, true);
    assert_true(whole->count >= 4);
    assert_int_equal(whole->text.len, cut->text.len);
    assert_memory_equal(whole->text.data, cut->text.data, whole->text.len);
    done(whole);
    done(cut);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(71);
    struct bench *b = run(&o, 16, &in_step, 1, false);
    struct buf before;
    struct buf after;
    buf_init(&before, 1 << 24);
    buf_init(&after, 1 << 24);
    assert_int_equal(engine_tensor.save(b->state, &before), OK);
    struct fault f;
    for (size_t cut = 0; cut < before.len; cut += 1 + before.len / 300)
        assert_int_not_equal(
            engine_tensor.load(b->state, bytes_over(before.data, cut), &f), OK);
    assert_int_equal(engine_tensor.save(b->state, &after), OK);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_done(&before);
    buf_done(&after);
    done(b);
}

static void gaps_are_no_matter(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(81);
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_tensor);
    struct beats *w = beats_new(&o);
    struct beats_event e = in_step;
    e.every = 1;
    e.first = 0;
    beats_event(w, e);
    for (unsigned n = 0; n < 60; n++) {
        const struct window *window = beats_next(w);
        if (n < 10 || n > 40)
            bench_step(b, window);
    }
    assert_non_null(bench_first(b, 121, SEVERITY_NOTICE));
    struct sink sink = {.put = bench_put, .context = b};
    struct window old = *beats_next(w);
    old.start -= 100 * old.length;
    assert_int_equal(engine_tensor.step(b->state, &old, &b->scratch, &sink), ERR_RANGE);
    beats_free(w);
    done(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("forty hosts in step are a notice within an hour and a half, and nothing else is",
        finds_hosts_in_step),
    SAYS("the same hosts, each at times of its own, are no finding", shuffled_times_are_silent),
    SAYS("three days of background have no notice", background_is_silent),
    SAYS("steps too weak to tell alone add up", weak_steps_add_up),
    SAYS("two ports that one group asks are one finding", ports_of_one_group_are_one_finding),
    SAYS("one target, one network and few hosts are no notice", harmless_is_no_notice),
    SAYS("an engine restarted after every window finds the same, byte for byte",
        restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("hours without windows do no harm, and old windows are refused", gaps_are_no_matter),
};
TEST_MAIN(tests)
