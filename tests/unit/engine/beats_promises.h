#ifndef TESTS_UNIT_ENGINE_BEATS_PROMISES_H
#define TESTS_UNIT_ENGINE_BEATS_PROMISES_H

#include "beats.h"
#include "engines.h"

/* What every engine that looks for hosts in step promises, in the world of beats.h. */

/* So many windows with these events; the engine restarted after each, if that is wanted. */
static inline struct bench *beats_run(const struct engine *engine,
    const struct beats_options *o, unsigned windows, const struct beats_event *event,
    bool restarts)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, engine);
    struct beats *w = beats_new(o);
    if (event)
        beats_event(w, *event);
    for (unsigned n = 0; n < windows; n++) {
        bench_step(b, beats_next(w));
        if (restarts)
            bench_restart(b);
    }
    beats_free(w);
    return b;
}

static inline void beats_done(struct bench *b)
{
    bench_close(b);
    free(b);
}

/* The last finding shows its hosts by port and by time: at least `hosts` of them, on so many
 * ports that it names, the factor falling from row to row; `share` of the cells of the hosts on
 * these ports say that they were there. */
static inline void beats_draws_its_block(
    const struct bench *b, size_t hosts, size_t ports, double share)
{
    json_t *blocks = json_object_get(b->evidence, "blocks");
    assert_int_equal(json_array_size(blocks), 2);
    for (size_t k = 0; k < 2; k++) {
        const json_t *block = json_array_get(blocks, k);
        const json_t *cells = json_object_get(block, "cells");
        const json_t *weights = json_object_get(block, "row_weights");
        size_t rows = (size_t)json_integer_value(json_object_get(block, "rows_in"));
        size_t columns = (size_t)json_integer_value(json_object_get(block, "columns_in"));
        assert_string_equal(
            json_string_value(json_object_get(block, "across")), k ? "time" : "port");
        assert_true(rows >= hosts && (k || columns == ports));
        size_t there = 0;
        for (size_t i = 0; i < rows; i++) {
            if (i && json_is_number(json_array_get(weights, i)))
                assert_true(json_number_value(json_array_get(weights, i - 1)) >=
                            json_number_value(json_array_get(weights, i)));
            for (size_t j = 0; j < columns; j++)
                there += json_number_value(json_array_get(json_array_get(cells, i), j)) > 0.0;
        }
        assert_true(json_number_value(json_array_get(weights, 0)) >= 1.0);
        if (k == 0)
            assert_true((double)there >= share * (double)(rows * columns));
    }
}

/* Three days of background, calm and restless, with a site that goes dark for half of every
 * window: chance gives a finding of any severity once in a day at most. */
static inline void beats_background_is_silent(const struct engine *engine)
{
    size_t all = 0;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        struct beats_options o = beats_usual(seed);
        o.unrest = seed & 1 ? 0.8 : 0.0;
        o.outage = seed == 23;
        struct bench *b = beats_run(engine, &o, 144, NULL, false);
        assert_int_equal(bench_notices(b, 0), 0);
        all += b->count;
        beats_done(b);
    }
    assert_true(all <= 3);
}

/* All at one target, all of one network, or few of them. */
static inline void beats_harmless_is_no_notice(
    const struct engine *engine, const struct beats_event *event, unsigned few_hosts)
{
    struct beats_event one_target = *event;
    one_target.one_target = true;
    struct beats_event one_network = *event;
    one_network.one_network = true;
    struct beats_event few = *event;
    few.hosts = few_hosts;
    few.visits = 0.5;
    const struct beats_event events[] = {one_target, one_network, few};
    for (size_t i = 0; i < 3; i++) {
        struct beats_options o = beats_usual(51 + i);
        struct bench *b = beats_run(engine, &o, 30, &events[i], false);
        for (size_t k = 0; k < b->count; k++)
            assert_int_equal(b->found[k].severity, SEVERITY_INFO);
        beats_done(b);
    }
}

static inline void beats_restart_changes_nothing(
    const struct engine *engine, const struct beats_event *event)
{
    struct beats_options o = beats_usual(61);
    o.ports = 40;
    struct bench *whole = beats_run(engine, &o, 30, event, false);
    struct bench *cut = beats_run(engine, &o, 30, event, true);
    assert_true(whole->count >= 4);
    assert_int_equal(whole->text.len, cut->text.len);
    assert_memory_equal(whole->text.data, cut->text.data, whole->text.len);
    beats_done(whole);
    beats_done(cut);
}

static inline void beats_broken_state_changes_nothing(
    const struct engine *engine, const struct beats_event *event)
{
    struct beats_options o = beats_usual(71);
    struct bench *b = beats_run(engine, &o, 16, event, false);
    bench_refuses_cut_states(b);
    beats_done(b);
}

/* Windows `quiet` to 40 of sixty never come; the group is found all the same, and a window from
 * before is refused. */
static inline struct bench *beats_gaps(
    const struct engine *engine, const struct beats_event *event, unsigned quiet)
{
    struct beats_options o = beats_usual(81);
    struct bench *b = malloc(sizeof *b);
    bench_open(b, engine);
    struct beats *w = beats_new(&o);
    beats_event(w, *event);
    for (unsigned n = 0; n < 60; n++) {
        const struct window *window = beats_next(w);
        if (n < quiet || n > 40)
            bench_step(b, window);
    }
    struct sink sink = {.put = bench_put, .context = b};
    struct window old = *beats_next(w);
    old.start -= 100 * old.length;
    assert_int_equal(engine->step(b->state, &old, &b->scratch, &sink), ERR_RANGE);
    beats_free(w);
    return b;
}

#endif
