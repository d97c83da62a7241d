#include "beats_promises.h"
#include "engine/tensor/tensor.h"

#include <math.h>

static struct bench *run(
    const struct beats_options *o, unsigned windows, const struct beats_event *event)
{
    return beats_run(&engine_tensor, o, windows, event, false);
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
        struct bench *b = run(&o, 24, &in_step);
        const struct found f = bench_find(b, 121, SEVERITY_NOTICE);
        assert_string_equal(f.kind, "in-step");
        assert_true(hours_after(&f, 2.0) > 0.0 && hours_after(&f, 2.0) < 1.6);
        assert_true(f.start < f.time && f.time - f.start <= INT64_C(3600000000));
        assert_true(f.site_count >= 3);
        assert_int_equal(bench_notices(b, 121), 0);
        assert_non_null(strstr(f.explanation, "hosts reached 121/tcp within"));
        beats_done(b);
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
        struct bench *b = run(&o, 48, &e);
        assert_int_equal(bench_notices(b, 0), 0);
        beats_done(b);
    }
}

static void background_is_silent(void **state)
{
    (void)state;
    beats_background_is_silent(&engine_tensor);
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
    struct bench *b = run(&o, 36, &e);
    const struct found f = bench_find(b, 121, SEVERITY_NOTICE);
    assert_true(hours_after(&f, 2.0) < 3.0);
    beats_done(b);
}

static void ports_of_one_group_are_one_finding(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(41);
    struct beats_event e = in_step;
    e.ports[1] = 135;
    e.port_count = 2;
    e.visits = 0.15;
    struct bench *b = run(&o, 24, &e);
    size_t both = 0;
    for (size_t i = 0; i < b->count; i++)
        both += strstr(b->found[i].title, "121/tcp") && strstr(b->found[i].title, "135/tcp");
    assert_true(both >= 4 && b->count - both <= 2); /* once it has been seen together */
    beats_draws_its_block(b, 10, 2, 0.5);
    beats_done(b);
}

static void harmless_is_no_notice(void **state)
{
    (void)state;
    beats_harmless_is_no_notice(&engine_tensor, &in_step, 5);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    beats_restart_changes_nothing(&engine_tensor, &in_step);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    beats_broken_state_changes_nothing(&engine_tensor, &in_step);
}

static void gaps_are_no_matter(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.first = 0;
    e.every = 1;
    struct bench *b = beats_gaps(&engine_tensor, &e, 10);
    assert_non_null(bench_first(b, 121, SEVERITY_NOTICE));
    beats_done(b);
}

static void timers_are_no_news(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.visits = 0.3;
    e.every = 6;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        struct beats_options o = beats_usual(seed);
        e.first = 0;
        struct bench *old = run(&o, 144, &e);
        assert_true(old->count > 0);
        assert_int_equal(bench_notices(old, 0), 0);
        beats_done(old);
        e.first = 30;
        struct bench *fresh = run(&o, 36, &e);
        struct found f = bench_find(fresh, 121, SEVERITY_NOTICE);
        assert_true(hours_after(&f, 5.0) < 0.2);
        beats_done(fresh);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("what a timer starts every hour is no notice, unless it is new", timers_are_no_news),
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
