#ifndef TESTS_UNIT_ENGINE_PROMISES_H
#define TESTS_UNIT_ENGINE_PROMISES_H

#include "engines.h"

/* What every engine that counts sources promises, tried on a made-up world. */

/* A small world, so that a test takes a second. */
static inline struct world_options world_small(uint64_t seed)
{
    struct world_options o = world_usual(seed);
    o.sites = 2;
    o.size_spread = 0.3;
    o.ports = 100;
    o.busiest = 60;
    o.stray = 20;
    return o;
}

/* So many hours of a world, with an event or none (NULL). */
static inline void run_world(
    struct bench *b, const struct world_options *o, double hours, const struct world_event *e)
{
    struct world *w = world_new(o);
    if (e)
        world_event(w, *e);
    for (int n = 0; n < (int)(hours * 6); n++)
        bench_step(b, world_next(w));
    world_free(w);
}

/* The engine after them; goes back through done(). */
static inline struct bench *run_engine(const struct engine *engine,
    const struct world_options *o, double hours, const struct world_event *e)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, engine);
    run_world(b, o, hours, e);
    return b;
}

static inline void done(struct bench *b)
{
    bench_close(b);
    free(b);
}

/* Forty sources that a timer starts every hour: from before the watch they are no notice in
 * four days; from the fourth day on, they are one at once. */
static inline void promises_timers(const struct engine *engine)
{
    for (uint64_t seed = 51; seed <= 53; seed++) {
        struct world_options o = world_small(seed);
        struct world_event e = {.port = 8291, .proto = 6, .most = 40, .sites = 3, .every = 6};
        struct bench *old = run_engine(engine, &o, 96, &e);
        assert_int_equal(bench_notices(old, 0), 0);
        done(old);
        e.hours = 78;
        struct bench *fresh = run_engine(engine, &o, 80, &e);
        struct found f = bench_find(fresh, 8291, SEVERITY_NOTICE);
        assert_true(hours_after(&f, 78) < 1.2);
        done(fresh);
    }
}

/* Saved and loaded again often, it finds the same, byte for byte; `least`: findings there are.
 */
static inline void promises_restart(const struct engine *engine, const struct world_options *o,
    const struct world_event *e, size_t least)
{
    struct bench *whole = run_engine(engine, o, 36, e);
    struct bench *cut = malloc(sizeof *cut);
    bench_open(cut, engine);
    struct world *w = world_new(o);
    world_event(w, *e);
    for (int n = 0; n < 36 * 6; n++) {
        bench_step(cut, world_next(w));
        if (n % 7 == 0 || n > 170)
            bench_restart(cut);
    }
    world_free(w);
    assert_true(whole->count >= least);
    assert_int_equal(whole->text.len, cut->text.len);
    assert_memory_equal(whole->text.data, cut->text.data, whole->text.len);
    done(whole);
    done(cut);
}

/* A state that is cut anywhere is refused, and the engine is as it was. */
static inline void promises_whole_states(
    const struct engine *engine, const struct world_options *o)
{
    struct bench *b = run_engine(engine, o, 3, NULL);
    bench_refuses_cut_states(b);
    done(b);
}

/* A step through the window with its blocks and their rows in the opposite order. */
static inline void bench_step_turned(struct bench *b, struct window win)
{
    const struct block *blocks[WORLD_BLOCKS];
    struct block *copies[WORLD_BLOCKS] = {0};
    for (size_t i = 0; i < win.block_count; i++) {
        const struct block *from = win.blocks[win.block_count - 1 - i];
        assert_int_equal(block_new(&copies[i], &record_contact, from->cap), OK);
        for (size_t row = from->rows; row-- > 0;)
            assert_int_equal(block_append(copies[i], from, row, row + 1), OK);
        blocks[i] = copies[i];
    }
    win.blocks = blocks;
    bench_step(b, &win);
    for (size_t i = 0; i < win.block_count; i++)
        block_free(copies[i]);
}

/* The order of rows and blocks makes no difference. */
static inline void promises_any_order(const struct engine *engine)
{
    struct world_options o = world_small(61);
    o.ports = 30;
    struct world_event e = {.port = 8291, .proto = 6, .hours = 26, .most = 60, .sites = 2};
    struct bench *straight = run_engine(engine, &o, 28, &e);
    struct bench *turned = malloc(sizeof *turned);
    bench_open(turned, engine);
    struct world *w = world_new(&o);
    world_event(w, e);
    for (int n = 0; n < 28 * 6; n++)
        bench_step_turned(turned, *world_next(w));
    world_free(w);
    assert_true(straight->count > 0);
    assert_string_equal((const char *)straight->text.data, (const char *)turned->text.data);
    done(straight);
    done(turned);
}

/* Four days, in worlds without an event: calm and wild, flat and rhythmic. At most one notice
 * in them. */
static inline void promises_silence(const struct engine *engine)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = world_small(100 + seed);
        o.noise = seed & 1 ? 0.25 : 0.02;
        o.amplitude = seed & 2 ? 0.9 : 0.2;
        o.day_to_day = seed & 1 ? 0.4 : 0.1;
        o.common = seed & 2 ? 0.3 : 0.0;
        o.nuisances = 12;
        struct bench *b = run_engine(engine, &o, 96, NULL);
        assert_true(bench_notices(b, 0) <= 1);
        done(b);
    }
}

/* So many hours of a world whose first site is deaf from `from` to `until`, with an event or
 * none (NULL). The engine after them; goes back through done(). */
static inline struct bench *run_deaf(const struct engine *engine, const struct world_options *o,
    const struct world_event *e, int from, int until)
{
    struct bench *b = malloc(sizeof *b);
    bench_open(b, engine);
    struct world *w = world_new(o);
    if (e)
        world_event(w, *e);
    for (int n = 0; n < (until + 2) * 6; n++) {
        const struct window *window = world_next(w);
        w->sites[0].watching = n < from * 6 || n >= until * 6;
        bench_step(b, window);
    }
    world_free(w);
    return b;
}

/* A site that hears nothing for three hours, while its services go on through their day, and
 * then hears again, is no news: until half an hour after, nothing is a notice there, and in no
 * more than `most` of twelve worlds anything is found at all. */
static inline void promises_deafness_is_no_news(const struct engine *engine, unsigned most)
{
    unsigned told = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world_options o = world_small(200 + seed);
        o.amplitude = seed & 1 ? 0.9 : 0.3;
        o.in_phase = seed & 2;
        o.nuisances = 0;
        int until = 33 + 2 * (int)seed;
        struct bench *b = run_deaf(engine, &o, NULL, until - 3, until);
        bool any = false;
        for (size_t i = 0; i < b->count; i++) {
            double hours = hours_after(&b->found[i], until);
            if (strcmp(b->found[i].site, "s00") != 0 || hours <= -3.0 || hours > 0.5)
                continue;
            assert_true(b->found[i].severity < SEVERITY_NOTICE);
            any = true;
        }
        told += any;
        done(b);
    }
    print_message("# told of %u of 12 outages\n", told);
    assert_true(told <= most);
}

/* What begins while a site is deaf, or as it hears again, is found within `hours` after that.
 */
static inline void promises_news_after_deafness(const struct engine *engine, double hours)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world_options o = world_small(300 + seed);
        struct world_event e = {
            .port = 8291, .proto = 6, .hours = seed & 1 ? 32.0 : 33.0, .most = 60, .sites = 1};
        struct bench *b = run_deaf(engine, &o, &e, 30, 33);
        const struct found found = bench_find(b, 8291, SEVERITY_NOTICE);
        assert_string_equal(found.site, "s00");
        assert_true(hours_after(&found, 33) > 0.0 && hours_after(&found, 33) <= hours);
        done(b);
    }
}

/* Surveys, backscatter, wrong settings and few hosts are no notice. */
static inline void promises_harmless(const struct engine *engine)
{
    const struct {
        const char *what;
        struct world_event event;
    } rows[] = {
        {"a listed survey", {.most = 200, .class = "survey", .network = 3}},
        {"backscatter", {.most = 200, .class = "backscatter"}},
        {"a wrong setting that was recognised", {.most = 200, .class = "misconfiguration"}},
        {"a wrong setting that was not", {.most = 200, .one_target = true}},
        {"a scanner of one network", {.most = 200, .network = 1}},
        {"a handful of hosts", {.most = 2}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world_event e = rows[i].event;
        e.port = 4444;
        e.proto = 17;
        e.hours = 30;
        e.last = 8;
        e.sites = 3;
        struct world_options o = world_small(20 + i);
        struct bench *b = run_engine(engine, &o, 40, &e);
        if (bench_first(b, 4444, SEVERITY_NOTICE))
            fail_msg("%s became a notice", rows[i].what);
        done(b);
    }
}

/* Windows of ten minutes to an hour that divide it, and options that are named. */
static inline void promises_fitting_windows(const struct engine *engine)
{
    struct conf *conf;
    struct fault f;
    struct engine_state *st;
    assert_int_equal(conf_new(&conf, engine->items), OK);
    const int64_t minute = INT64_C(60000000);
    assert_int_equal(engine->open(&st, conf, minute, &f), ERR_RANGE);
    assert_int_equal(engine->open(&st, conf, 7 * minute, &f), ERR_RANGE);
    assert_int_equal(engine->open(&st, conf, 120 * minute, &f), ERR_RANGE);
    assert_int_equal(conf_set(conf, "leave-out", "survey,noise", &f), OK);
    assert_int_equal(engine->open(&st, conf, 10 * minute, &f), ERR_RANGE);
    assert_non_null(strstr(f.text, "noise"));
    assert_int_equal(conf_set(conf, "leave-out", "none", &f), OK);
    assert_int_equal(engine->open(&st, conf, 60 * minute, &f), OK);
    engine->close(st);
    engine->close(NULL);
    conf_free(conf);
}

#endif
