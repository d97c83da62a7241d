#include "beats.h"
#include "engine/nmf/nmf.h"
#include "engines.h"

#include <math.h>

static struct bench *run(const struct beats_options *o, unsigned windows,
    const struct beats_event *events, size_t count, bool restarts)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, &engine_nmf);
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

/* Sixty hosts, each with a port of its own, that come to each of four sites with a chance of a
 * fifth at two moments of every window. */
static const struct beats_event in_step = {
    .any_port = true, .proto = 6, .hosts = 60, .first = 12, .slots = 2, .visits = 0.2};

static void finds_hosts_that_share_no_port(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 24, &in_step, 1, false);
        const struct found f = bench_find(b, 0, SEVERITY_NOTICE);
        assert_string_equal(f.kind, "in-step");
        assert_true(hours_after(&f, 2.0) > 0.0 && hours_after(&f, 2.0) < 1.6);
        assert_int_equal(f.proto, 0);
        assert_true(f.start < f.time);
        assert_true(f.hosts >= 10 && f.hosts <= 70);
        assert_non_null(strstr(f.explanation, "began a visit in the same"));
        done(b);
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
    struct bench *b = run(&o, 24, &e, 1, false);
    assert_true(b->count > 0);
    for (size_t i = 0; i < b->count; i++)
        assert_true(
            strstr(b->found[i].title, "121/tcp") && strstr(b->found[i].title, "135/tcp"));
    done(b);
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
    struct bench *b = run(&o, 60, &e, 1, false);
    assert_true(b->count > 0);
    assert_true(strstr(b->found[b->count - 1].explanation, "came together before") != NULL);
    done(b);
}

static void shuffled_times_are_silent(void **state)
{
    (void)state;
    struct beats_event e = in_step;
    e.shuffled = true;
    e.visits = 0.3;
    for (uint64_t seed = 11; seed <= 13; seed++) {
        struct beats_options o = beats_usual(seed);
        struct bench *b = run(&o, 48, &e, 1, false);
        assert_int_equal(b->count, 0);
        done(b);
    }
}

/* Three days of background, calm and restless, with a site that goes dark for half of every
 * window. */
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

static void harmless_is_no_notice(void **state)
{
    (void)state;
    struct beats_event one_target = in_step;
    one_target.one_target = true;
    struct beats_event one_network = in_step;
    one_network.one_network = true;
    struct beats_event few = in_step;
    few.hosts = 6;
    few.visits = 0.5;
    const struct beats_event events[] = {one_target, one_network, few};
    for (size_t i = 0; i < 3; i++) {
        struct beats_options o = beats_usual(51 + i);
        struct bench *b = run(&o, 30, &events[i], 1, false);
        for (size_t k = 0; k < b->count; k++)
            assert_int_equal(b->found[k].severity, SEVERITY_INFO);
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
    assert_int_equal(engine_nmf.save(b->state, &before), OK);
    struct fault f;
    for (size_t cut = 0; cut < before.len; cut += 1 + before.len / 300)
        assert_int_not_equal(engine_nmf.load(b->state, bytes_over(before.data, cut), &f), OK);
    assert_int_equal(engine_nmf.save(b->state, &after), OK);
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
    bench_open(b, &engine_nmf);
    struct beats *w = beats_new(&o);
    struct beats_event e = in_step;
    e.first = 0;
    beats_event(w, e);
    for (unsigned n = 0; n < 60; n++) {
        const struct window *window = beats_next(w);
        if (n < 2 || n > 40)
            bench_step(b, window);
    }
    assert_true(b->count > 0);
    struct sink sink = {.put = bench_put, .context = b};
    struct window old = *beats_next(w);
    old.start -= 100 * old.length;
    assert_int_equal(engine_nmf.step(b->state, &old, &b->scratch, &sink), ERR_RANGE);
    beats_free(w);
    done(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("sixty hosts in step that share no port are a notice within an hour and a half",
        finds_hosts_that_share_no_port),
    SAYS("ports that the group shares are named", names_the_ports),
    SAYS("groups too weak to tell alone add up over hours", weak_groups_add_up),
    SAYS("the same hosts, each at times of its own, are no finding", shuffled_times_are_silent),
    SAYS("three days of background have no notice", background_is_silent),
    SAYS("one target, one network and few hosts are no notice", harmless_is_no_notice),
    SAYS("an engine restarted after every window finds the same, byte for byte",
        restart_changes_nothing),
    SAYS("a broken state is refused and changes nothing", broken_state_changes_nothing),
    SAYS("hours without windows do no harm, and old windows are refused", gaps_are_no_matter),
};
TEST_MAIN(tests)
