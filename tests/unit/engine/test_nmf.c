#include "beats_promises.h"
#include "engine/nmf/nmf.h"

#include <math.h>

static struct bench *run(
    const struct beats_options *o, unsigned windows, const struct beats_event *event)
{
    return beats_run(&engine_nmf, o, windows, event, false);
}

/* Sixty hosts, each with a port of its own, that come to each of four sites with a chance of a
 * fifth at two moments of every window. */
static const struct beats_event in_step = {
    .any_port = true, .proto = 6, .hosts = 60, .first = 12, .slots = 2, .visits = 0.2};

static void finds_hosts_that_share_no_port(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 24, &in_step);
        const struct found f = bench_find(b, 0, SEVERITY_NOTICE);
        assert_string_equal(f.kind, "in-step");
        assert_true(hours_after(&f, 2.0) > 0.0 && hours_after(&f, 2.0) < 1.6);
        assert_int_equal(f.proto, 0);
        assert_true(f.start < f.time);
        assert_true(f.hosts >= 10 && f.hosts <= 70);
        assert_non_null(strstr(f.explanation, "began a visit in the same"));
        beats_done(b);
    }
}

static void names_the_ports(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(6);
    struct beats_event e = in_step;
    e.any_port = false;
    e.ports[0] = 121;
    e.ports[1] = 135;
    e.port_count = 2;
    struct bench *b = run(&o, 24, &e);
    assert_true(b->count > 0);
    for (size_t i = 0; i < b->count; i++)
        assert_true(
            strstr(b->found[i].title, "121/tcp") && strstr(b->found[i].title, "135/tcp"));
    beats_draws_its_block(b, 10, 2, 0.5);
    beats_done(b);
}

/* Few at a time: that the same come together again, hours later, tells. */
static void weak_groups_add_up(void **state)
{
    (void)state;
    struct beats_options o = beats_usual(7);
    struct beats_event e = in_step;
    e.hosts = 40;
    e.slots = 1;
    e.visits = 0.12;
    struct bench *b = run(&o, 60, &e);
    assert_true(b->count > 0);
    assert_true(strstr(b->found[b->count - 1].explanation, "came together before") != NULL);
    beats_done(b);
}

static void shuffled_times_are_silent(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.shuffled = true;
    e.visits = 0.3;
    for (uint64_t seed = 11; seed <= 13; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 48, &e);
        assert_int_equal(b->count, 0);
        beats_done(b);
    }
}

/* Visits of a host are near each other in time, and so share a window more often than slots at
 * that distance do: that is no bond between hosts. */
static void crowded_times_are_silent(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.first = 0;
    e.shuffled = e.crowded = true;
    e.hosts = 1000;
    e.slots = 4;
    e.visits = 0.25;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 48, &e);
        assert_int_equal(b->count, 0);
        beats_done(b);
    }
}

static void background_is_silent(void **state)
{
    (void)state;
    beats_background_is_silent(&engine_nmf);
}

static void harmless_is_no_notice(void **state)
{
    (void)state;
    beats_harmless_is_no_notice(&engine_nmf, &in_step, 6);
}

static void restart_changes_nothing(void **state)
{
    (void)state;
    beats_restart_changes_nothing(&engine_nmf, &in_step);
}

static void broken_state_changes_nothing(void **state)
{
    (void)state;
    beats_broken_state_changes_nothing(&engine_nmf, &in_step);
}

static void gaps_are_no_matter(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.first = 0;
    struct bench *b = beats_gaps(&engine_nmf, &e, 2);
    assert_true(b->count > 0);
    beats_done(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("sixty hosts in step that share no port are a notice within an hour and a half",
        finds_hosts_that_share_no_port),
    SAYS("ports that the group shares are named", names_the_ports),
    SAYS("groups too weak to tell alone add up over hours", weak_groups_add_up),
    SAYS("the same hosts, each at times of its own, are no finding", shuffled_times_are_silent),
    SAYS("hosts that come often in one window and not in the next, each by itself, are no "
         "finding",
        crowded_times_are_silent),
    SAYS("three days of background have no notice", background_is_silent),
    SAYS("one target, one network and few hosts are no notice", harmless_is_no_notice),
    SAYS("an engine restarted after every window finds the same, byte for byte",
        restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("hours without windows do no harm, and old windows are refused", gaps_are_no_matter),
};
TEST_MAIN(tests)
