#ifndef TESTS_UNIT_ENGINE_ENGINES_H
#define TESTS_UNIT_ENGINE_ENGINES_H

#include "base/json.h"
#include "engine/engine.h"
#include "world.h"

#include "test.h"

#include <string.h>

/* One engine at work on windows, and everything that it found. */

enum {
    FOUND_MAX = 4096
};

struct found {
    char kind[32];
    int64_t time, start;
    enum severity severity;
    double score;
    uint8_t proto;
    uint16_t port;
    char site[RECORD_NAME_MAX + 1];
    size_t site_count;
    uint64_t hosts;
    char country[3];
    char title[160];
    char explanation[480];
};

struct bench {
    const struct engine *engine;
    struct engine_state *state;
    struct arena scratch;
    struct found found[FOUND_MAX];
    size_t count;
    struct buf text;  /* all findings, word by word, with their evidence */
    json_t *evidence; /* of the last one */
};

static inline enum err bench_put(void *context, const struct finding *f)
{
    struct bench *b = context;
    struct found *to = &b->found[b->count < FOUND_MAX ? b->count++ : FOUND_MAX - 1];
    memset(to, 0, sizeof *to);
    snprintf(to->kind, sizeof to->kind, "%s", f->kind);
    to->time = f->time;
    to->start = f->start;
    to->severity = f->severity;
    to->score = f->score;
    to->proto = f->proto;
    to->port = f->ports[0];
    memcpy(to->site, f->sites[0], sizeof to->site);
    to->site_count = f->site_count;
    to->hosts = f->host_count;
    memcpy(to->country, f->countries[0], 3);
    memcpy(to->title, f->title, sizeof to->title);
    memcpy(to->explanation, f->explanation, sizeof to->explanation);
    buf_printf(&b->text, "%lld %lld %d %.17g %u %s %s|%s|%s\n", (long long)f->time,
        (long long)f->start, f->severity, f->score, f->ports[0], f->sites[0], f->tool, f->title,
        f->explanation);
    for (size_t i = 0; i < f->host_sample; i++)
        buf_put(&b->text, &f->hosts[i], sizeof f->hosts[i]);
    json_write(&b->text, f->evidence);
    json_decref(b->evidence);
    b->evidence = json_incref(f->evidence);
    return OK;
}

static inline void bench_open(struct bench *b, const struct engine *engine)
{
    memset(b, 0, sizeof *b);
    b->engine = engine;
    struct conf *conf;
    struct fault f;
    assert_int_equal(conf_new(&conf, engine->items), OK);
    assert_int_equal(engine->open(&b->state, conf, INT64_C(600000000), &f), OK);
    conf_free(conf);
    arena_init(&b->scratch, (size_t)1 << 28);
    buf_init(&b->text, (size_t)1 << 28);
}

static inline void bench_close(struct bench *b)
{
    b->engine->close(b->state);
    arena_done(&b->scratch);
    buf_done(&b->text);
    json_decref(b->evidence);
}

static inline void bench_step(struct bench *b, const struct window *w)
{
    struct sink sink = {.put = bench_put, .context = b};
    assert_int_equal(b->engine->step(b->state, w, &b->scratch, &sink), OK);
    arena_clear(&b->scratch);
}

/* Save, close, open anew, load. */
static inline void bench_restart(struct bench *b)
{
    struct buf kept;
    buf_init(&kept, (size_t)1 << 28);
    assert_int_equal(b->engine->save(b->state, &kept), OK);
    b->engine->close(b->state);
    struct conf *conf;
    struct fault f;
    assert_int_equal(conf_new(&conf, b->engine->items), OK);
    assert_int_equal(b->engine->open(&b->state, conf, INT64_C(600000000), &f), OK);
    conf_free(conf);
    if (b->engine->load(b->state, bytes_over(kept.data, kept.len), &f) != OK)
        fail_msg("%s", f.text);
    buf_done(&kept);
}

/* Its state, cut at some three hundred places, is refused, and the engine is as it was. */
static inline void bench_refuses_cut_states(struct bench *b)
{
    struct buf before;
    struct buf after;
    buf_init(&before, 1 << 24);
    buf_init(&after, 1 << 24);
    assert_int_equal(b->engine->save(b->state, &before), OK);
    struct fault f;
    for (size_t cut = 0; cut < before.len; cut += 1 + before.len / 300)
        assert_int_not_equal(b->engine->load(b->state, bytes_over(before.data, cut), &f), OK);
    assert_int_equal(b->engine->save(b->state, &after), OK);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_done(&before);
    buf_done(&after);
}

/* The first finding of at least this severity on a port, or NULL. */
static inline const struct found *bench_first(
    const struct bench *b, uint16_t port, enum severity severity)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->found[i].port == port && b->found[i].severity >= severity)
            return &b->found[i];
    return NULL;
}

/* The same, and it is a failure of the running test if there is none. */
static inline struct found bench_find(
    const struct bench *b, uint16_t port, enum severity severity)
{
    const struct found *f = bench_first(b, port, severity);
    if (!f)
        fail_msg("nothing was found on port %u", port);
    return f ? *f : (struct found){0};
}

/* Ports that were the subject of a notice or more. */
static inline size_t bench_notices(const struct bench *b, uint16_t except)
{
    size_t ports = 0;
    for (size_t i = 0; i < b->count; i++) {
        bool new = b->found[i].severity >= SEVERITY_NOTICE && b->found[i].port != except;
        for (size_t k = 0; new &&k < i; k++)
            new =
                b->found[k].port != b->found[i].port || b->found[k].severity < SEVERITY_NOTICE;
        ports += new;
    }
    return ports;
}

static inline double hours_after(const struct found *f, double hours)
{
    const int64_t world_start = INT64_C(1786924800000000);
    return (double)(f->time - world_start) / 3.6e9 - hours;
}

#endif
