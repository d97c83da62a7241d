/* How often planted synchrony is found: groups of hosts, each in a network of its own, that act
 * in the same few moments, put into windows of captures that have no events.
 *
 *     bench_synchrony --site NAME=FILE... [--engines LIST] [--set ...] [--trials N]
 *
 * Every host of a group is at one site, drawn at random, and reaches the group's service in
 * each of the shared moments and at no other time. A moment is a slot of 10 s ("tight"), or of
 * 50 s, in which each host picks its own time ("loose"). The service is one that 20 to 200
 * networks reach in that window ("usual"), or the busiest. Engines see the windows in order; in
 * windows of the last part each cell gets a trial from the engine's saved state, and then the
 * engine sees the window as it is. A trial counts as found if that window alone gives a finding
 * on the service (or, without a port, at all); as a notice if it is one. */
#include "base/clock.h"
#include "base/rng.h"
#include "bench.h"
#include "engine/service.h"
#include "recording.h"

#include <math.h>

enum {
    SIZES = 7,
    STATE_MAX = 1 << 30,
    SLOTS = 60
};
static const unsigned sizes[SIZES] = {10, 20, 50, 100, 200, 500, 1000};
static const unsigned moments[] = {1, 2, 3, 4, 6};
enum {
    MOMENTS = sizeof moments / sizeof *moments
};

static const struct conf_item items[] = {
    {.name = "site", .type = CONF_LIST, .arg = "NAME=FILE", .text = "A capture of this site."},
    {.name = "trials",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 4096,
        .initial = "50",
        .text = "Trials of each cell, each in a window of its own."},
    {.name = "loose", .type = CONF_FLAG, .text = "Moments of 50 s instead of 10."},
    {.name = "busiest", .type = CONF_FLAG, .text = "Plant on the busiest service."},
    SETUP_ITEMS,
    {.name = NULL},
};
struct cell {
    unsigned trials, found, notices;
};

/* What a sink saw of one service. */
struct catch
{
    uint32_t service;
    bool found, notice;
};

static enum err look(void *context, const struct finding *f)
{
    struct catch *c = context;
    bool about = !f->port_count;
    for (size_t i = 0; i < f->port_count; i++)
        about = about || service_of(f->proto, f->ports[i]) == c->service;
    c->found = c->found || about;
    c->notice = c->notice || (about && f->severity >= SEVERITY_NOTICE);
    return OK;
}

static enum err ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

/* A service that so many contacts reach, or the busiest. */
static uint32_t choose_service(const struct window *w, bool busiest, struct rng *r)
{
    uint32_t *count = calloc(SERVICES, sizeof *count);
    uint32_t best = 0;
    uint32_t chosen = 0;
    uint64_t seen = 0;
    if (!count)
        exit(1);
    for (size_t k = 0; k < w->block_count; k++)
        for (size_t i = 0; i < w->blocks[k]->rows; i++)
            count[service_of(block_u8(w->blocks[k], CONTACT_PROTO)[i],
                block_u16(w->blocks[k], CONTACT_DPORT)[i])]++;
    for (uint32_t s = 0; s < SERVICE_ICMP; s++) {
        best = count[s] > count[best] ? s : best;
        if (count[s] >= 20 && count[s] <= 200 && rng_below(r, ++seen) == 0)
            chosen = s;
    }
    free(count);
    return busiest || !seen ? best : chosen;
}

static uint64_t draw_moments(unsigned count, unsigned of, struct rng *r)
{
    uint64_t set = 0;
    while ((unsigned)__builtin_popcountll(set) < count)
        set |= UINT64_C(1) << rng_below(r, of);
    return set;
}

/* The sixtieths in which one host acts. */
static uint64_t act(uint64_t set, bool loose, struct rng *r)
{
    uint64_t slots = 0;
    for (uint64_t left = set; left; left &= left - 1) {
        unsigned t = (unsigned)__builtin_ctzll(left);
        slots |= UINT64_C(1) << (loose ? t * 5 + rng_below(r, 5) : t);
    }
    return slots;
}

struct plan {
    unsigned hosts, moments;
    uint32_t service;
    bool loose;
};

static enum err plant(
    struct block *b, const struct window *w, const struct plan *p, struct rng *r)
{
    uint64_t set = draw_moments(p->moments, p->loose ? 12 : SLOTS, r);
    uint32_t network = rng_u32(r);
    block_clear(b);
    for (unsigned i = 0; i < p->hosts; i++) {
        size_t row = b->rows;
        const char *site = w->sites[rng_below(r, w->site_count)].name;
        enum err e = block_word(b, CONTACT_SITE, site, &block_name(b, CONTACT_SITE)[row]);
        if (!e)
            e = block_word(b, CONTACT_CLASS, "scan", &block_name(b, CONTACT_CLASS)[row]);
        if (!e)
            e = block_word(b, CONTACT_TOOL, "", &block_name(b, CONTACT_TOOL)[row]);
        if (!e)
            e = block_word(b, CONTACT_COUNTRY, "", &block_name(b, CONTACT_COUNTRY)[row]);
        if (e)
            return e;
        network += 0x9e370000u; /* another /16 each time */
        block_ip(b, CONTACT_SRC)[row] = ip_from_v4((network & 0xffff0000u) | (i & 0xffff));
        block_u8(b, CONTACT_PROTO)[row] = service_proto(p->service);
        block_u16(b, CONTACT_DPORT)[row] = service_port(p->service);
        block_u64(b, CONTACT_SLOTS)[row] = act(set, p->loose, r);
        block_u8(b, CONTACT_FLAGS)[row] = 2;
        block_u16(b, CONTACT_WIN)[row] = 0;
        block_u32(b, CONTACT_PACKETS)[row] = p->moments;
        block_u64(b, CONTACT_DSTS)[row] = draw_moments(p->moments, 64, r);
        block_time(b, CONTACT_START)[row] = w->start;
        b->rows++;
    }
    return OK;
}

struct lab {
    const struct recording *windows;
    const struct engine *engine;
    struct engine_state *state;
    struct arena scratch;
    struct buf saved;
    struct block *planted;
    struct cell cells[SIZES][MOMENTS];
    unsigned quiet, alarms; /* windows without a plant, and findings in them */
    bool loose, busiest;
};

/* One trial; the engine's state is spoilt. */
static enum err try_cell(struct lab *l, size_t window, size_t size, size_t many)
{
    struct rng r;
    rng_seed(&r, hash_two(window, size * 100 + many));
    const struct window *w = &l->windows->windows[window];
    struct plan p = {.hosts = sizes[size],
        .moments = moments[many],
        .loose = l->loose,
        .service = choose_service(w, l->busiest, &r)};
    enum err e = plant(l->planted, w, &p, &r);
    if (e)
        return e;
    const struct block **blocks = calloc(w->block_count + 1, sizeof *blocks);
    if (!blocks)
        return ERR_NOMEM;
    memcpy(blocks, w->blocks, w->block_count * sizeof *blocks);
    blocks[w->block_count] = l->planted;
    struct window with = *w;
    with.blocks = blocks;
    with.block_count++;
    struct catch seen = {.service = p.service};
    struct sink sink = {look, &seen};
    e = l->engine->step(l->state, &with, &l->scratch, &sink);
    arena_clear(&l->scratch);
    free(blocks);
    struct cell *c = &l->cells[size][many];
    c->trials++;
    c->found += seen.found;
    c->notices += seen.notice;
    return e;
}

static enum err try_window(struct lab *l, size_t window, struct fault *f)
{
    buf_clear(&l->saved);
    enum err e = l->engine->save(l->state, &l->saved);
    struct bytes saved = bytes_over(l->saved.data, l->saved.len);
    for (size_t size = 0; size < SIZES; size++)
        for (size_t many = 0; !e && many < MOMENTS; many++) {
            e = try_cell(l, window, size, many);
            if (!e)
                e = l->engine->load(l->state, saved, f);
        }
    return e;
}

static enum err count_alarm(void *context, const struct finding *f)
{
    struct lab *l = context;
    l->alarms++;
    return ignore(NULL, f);
}

static bool all_watch(const struct window *w)
{
    for (size_t k = 0; k < w->site_count; k++)
        if (!w->sites[k].watching)
            return false;
    return true;
}

static enum err run(struct lab *l, size_t trials, struct fault *f)
{
    size_t count = l->windows->count;
    trials = trials < count / 2 ? trials : count / 2;
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++) {
        bool tried = i + trials >= count && all_watch(&l->windows->windows[i]);
        if (tried)
            e = try_window(l, i, f);
        struct sink sink = tried ? (struct sink){count_alarm, l} : (struct sink){ignore, NULL};
        l->quiet += tried;
        if (!e)
            e = l->engine->step(l->state, &l->windows->windows[i], &l->scratch, &sink);
        arena_clear(&l->scratch);
    }
    return e;
}

static void print(const struct lab *l)
{
    printf("%s, %s moments, %s service, %u trials a cell: found per cent (of them notices)\n",
        l->engine->name, l->loose ? "loose" : "tight", l->busiest ? "busiest" : "usual",
        l->cells[0][0].trials);
    printf("%8s", "hosts");
    for (size_t many = 0; many < MOMENTS; many++)
        printf("  %2u moment%s  ", moments[many], moments[many] == 1 ? " " : "s");
    printf("\n");
    for (size_t size = 0; size < SIZES; size++) {
        printf("%8u", sizes[size]);
        for (size_t many = 0; many < MOMENTS; many++) {
            const struct cell *c = &l->cells[size][many];
            printf("   %3.0f (%3.0f)  ", 100.0 * c->found / c->trials,
                100.0 * c->notices / c->trials);
        }
        printf("\n");
    }
    printf("%u findings in %u windows without a plant\n", l->alarms, l->quiet);
}

static enum err bench_engine(const struct recording *r, const struct setup *setup,
    size_t number, const struct conf *conf, struct fault *f)
{
    struct lab *l = calloc(1, sizeof *l);
    if (!l)
        return fault_set(f, ERR_NOMEM, "out of memory");
    *l = (struct lab){.windows = r,
        .engine = setup->engines.engines[number],
        .loose = conf_flag(conf, "loose"),
        .busiest = conf_flag(conf, "busiest")};
    arena_init(&l->scratch, (size_t)1 << 30);
    buf_init(&l->saved, STATE_MAX);
    enum err e = block_new(&l->planted, &record_contact, sizes[SIZES - 1]);
    if (!e)
        e = l->engine->open(&l->state, setup->engines.confs[number], setup->window, f);
    if (!e)
        e = run(l, conf_count(conf, "trials"), f);
    if (!e)
        print(l);
    l->engine->close(l->state);
    block_free(l->planted);
    arena_done(&l->scratch);
    buf_done(&l->saved);
    free(l);
    return e;
}

int main(int argc, char **argv)
{
    static const struct bench_program program = {
        .command = {.name = "bench_synchrony",
            .text = "How often planted synchrony is found.",
            .items = items},
        .engine = bench_engine};
    return bench_main(&program, argc, argv);
}
