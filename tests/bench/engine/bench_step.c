/* What a window costs each engine, without the sensor beside it: all windows are made first and
 * kept in memory, then each engine looks at them from the beginning, several times over.
 *
 *     bench_step                                     made-up world: 8 sites, 2 days
 *     bench_step --site jp-01=a.pcap --site ...      windows as replay would make them
 *
 * With --engines, --set, --window, --survey-list as in replay. One line an engine: CPU time of
 * its thread for a window, for a contact, the slowest window, and a digest of all its findings
 * and of the state it saves at the end: equal digests, equal findings. */
#include "base/clock.h"
#include "base/hash.h"
#include "bench.h"
#include "recording.h"
#include "world.h"

#include <math.h>
#include <string.h>

enum {
    WORLD_DAYS = 2,
    STATE_MAX = 1 << 30
};

static const struct conf_item items[] = {
    {.name = "site", .type = CONF_LIST, .arg = "NAME=FILE", .text = "A capture of this site."},
    {.name = "rounds",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = BENCH_ROUNDS_MAX,
        .initial = "3",
        .text = "How often each engine sees all windows."},
    {.name = "ports",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = WORLD_PORTS,
        .initial = "300",
        .text = "Ports with regular traffic in the made-up world."},
    {.name = "states", .type = CONF_FLAG, .text = "Digest the state after each window, too."},
    SETUP_ITEMS,
    {.name = NULL},
};

static enum err record_world(struct recording *r, const struct conf *conf)
{
    struct world_options options = world_usual(1);
    options.ports = conf_count(conf, "ports");
    struct world *w = world_new(&options);
    enum err e = OK;
    for (int i = 0; i < WORLD_DAYS * 144 && !e; i++)
        e = keep_window(r, world_next(w));
    world_free(w);
    return e;
}

/* --- engines -------------------------------------------------------------------------------
 */

struct digest {
    uint64_t hash;
    size_t findings;
};

static void digest_bytes(struct digest *d, const void *data, size_t len)
{
    d->hash = hash_two(d->hash, hash_bytes(data, len, 1));
}

static enum err digest_finding(void *context, const struct finding *f)
{
    struct digest *d = context;
    struct buf text;
    buf_init(&text, 1 << 24);
    buf_printf(&text, "%s %s %lld %lld %lld %d %.17g %u %llu|%s|%s|%s|", f->engine, f->kind,
        (long long)f->time, (long long)f->start, (long long)f->end, (int)f->severity, f->score,
        f->proto, (unsigned long long)f->host_count, f->tool, f->title, f->explanation);
    for (size_t i = 0; i < f->port_count; i++)
        buf_printf(&text, "%u,", f->ports[i]);
    for (size_t i = 0; i < f->site_count; i++)
        buf_printf(&text, "%s,", f->sites[i]);
    for (size_t i = 0; i < f->country_count; i++)
        buf_printf(&text, "%s,", f->countries[i]);
    buf_put(&text, f->hosts, f->host_sample * sizeof *f->hosts);
    json_write(&text, f->evidence);
    digest_bytes(d, text.data, text.len);
    d->findings++;
    enum err e = text.err;
    buf_done(&text);
    return e;
}

static enum err digest_state(
    struct digest *d, const struct engine *engine, const struct engine_state *state)
{
    struct buf saved;
    buf_init(&saved, STATE_MAX);
    enum err e = engine->save(state, &saved);
    digest_bytes(d, saved.data, saved.len);
    buf_done(&saved);
    return e;
}

static enum err drop_finding(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

/* One round over all windows, digested unless `d` is NULL: its CPU time in *ret_spent, that of
 * its slowest window in *ret_most, both in seconds. */
static enum err run(const struct recording *r, const struct engine *engine,
    struct engine_state *state, bool states, struct digest *d, double ret_spent[2])
{
    struct arena scratch;
    struct sink sink = {d ? digest_finding : drop_finding, d};
    enum err e = OK;
    arena_init(&scratch, (size_t)1 << 30);
    for (size_t i = 0; i < r->count && !e; i++) {
        double before = bench_seconds();
        e = engine->step(state, &r->windows[i], &scratch, &sink);
        arena_clear(&scratch);
        double spent = bench_seconds() - before;
        ret_spent[0] += spent;
        ret_spent[1] = fmax(ret_spent[1], spent);
        if (d && states && !e)
            e = digest_state(d, engine, state);
    }
    arena_done(&scratch);
    if (d && !e)
        e = digest_state(d, engine, state);
    return e;
}

static int by_time(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

static enum err bench_engine(const struct recording *r, const struct setup *setup,
    size_t number, const struct conf *conf, struct fault *f)
{
    const struct engine *engine = setup->engines.engines[number];
    size_t rounds = conf_count(conf, "rounds");
    double spent[BENCH_ROUNDS_MAX][2] = {{0}};
    struct digest d = {0};
    double not_counted[2] = {0};
    for (size_t i = 0; i <= rounds; i++) { /* the first for the digest, not for the time */
        struct engine_state *state;
        enum err e = engine->open(&state, setup->engines.confs[number], setup->window, f);
        if (e)
            return e;
        e = run(r, engine, state, conf_flag(conf, "states"), i ? NULL : &d,
            i ? spent[i - 1] : not_counted);
        engine->close(state);
        if (e)
            return fault_set(f, e, "%s: %s", engine->name, err_text(e));
    }
    qsort(spent, rounds, sizeof *spent, by_time);
    double middle = spent[rounds / 2][0];
    printf("%-10s %8.0f us/window %7.1f ns/contact, best round %.0f us/window, slowest window "
           "%.1f ms; %zu findings, digest %016llx\n",
        engine->name, middle / (double)r->count * 1e6, middle / (double)r->contacts * 1e9,
        spent[0][0] / (double)r->count * 1e6, spent[0][1] * 1e3, d.findings,
        (unsigned long long)d.hash);
    fflush(stdout);
    return OK;
}

int main(int argc, char **argv)
{
    static const struct bench_program program = {.command = {.name = "bench_step",
                                                     .text = "What a window costs each engine.",
                                                     .items = items},
        .make = record_world,
        .engine = bench_engine};
    return bench_main(&program, argc, argv);
}
