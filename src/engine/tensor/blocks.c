/* Which services go together: the remembered fibres as a tensor of hosts x services x times,
 * its non-negative Tucker factorisation, and the core read as a list of blocks. */
#include "engine/tensor/tensor_int.h"
#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANK = 5, /* as published */
    RESTARTS = 4,
    ITERATIONS = 24,
    CELLS = 4096, /* at most */
    FIBRE_LEAST = 8
};

static uint64_t slot_of(const struct fibre *f)
{
    return (uint64_t)f->window * PULSE_SLOTS + f->slot;
}

static const struct fibre **fibres_of(const struct tensor *s, const struct voice *voices,
    size_t count, struct arena *scratch, size_t *ret_count)
{
    const struct fibre **list = arena_take(scratch, s->fibre_count + 1, sizeof *list);
    *ret_count = 0;
    for (size_t i = 0; list && i < s->fibre_count; i++)
        for (size_t k = 0; k < count; k++)
            if (s->fibres[i].service == voices[k].service && s->fibres[i].kept)
                list[(*ret_count)++] = &s->fibres[i];
    return list;
}

/* Different ones of a list, in place, rising; values closer than `near` to the first of them
 * are one. */
static size_t unite(uint64_t *values, size_t count, uint64_t near)
{
    size_t kept = 0;
    qsort(values, count, sizeof *values, compare_u64);
    for (size_t i = 0; i < count; i++)
        if (!kept || values[i] - values[kept - 1] > near)
            values[kept++] = values[i];
    return kept;
}

/* The largest place that is not beyond the value. */
static uint32_t place_of(const uint64_t *values, size_t count, uint64_t value)
{
    size_t low = 0;
    size_t high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static uint32_t voice_of(const struct voice *voices, uint32_t service)
{
    uint32_t i = 0;
    while (voices[i].service != service)
        i++;
    return i;
}

static enum err make_cube(struct cube *c, const struct tensor *s, const struct voice *voices,
    size_t count, struct arena *scratch)
{
    size_t fibres;
    const struct fibre **list = fibres_of(s, voices, count, scratch, &fibres);
    c->index = arena_take(scratch, (size_t)CELLS * 3, sizeof *c->index);
    c->value = arena_take(scratch, CELLS, sizeof *c->value);
    c->hosts = arena_take(scratch, CELLS, sizeof *c->hosts);
    c->times = arena_take(scratch, fibres + 1, sizeof *c->times);
    if (!list || !c->index || !c->value || !c->hosts || !c->times)
        return ERR_NOMEM;
    /* Every fibre gives the same share of its smallest ids, so that hosts recur. */
    size_t most = fibres ? CELLS / fibres : 0;
    most = most > FIBRE_LEAST ? most : FIBRE_LEAST;
    size_t cells = 0;
    for (size_t i = 0; i < fibres; i++) {
        c->times[i] = slot_of(list[i]);
        for (size_t k = 0; k < list[i]->kept && k < most && cells < CELLS; k++)
            c->hosts[cells++] = list[i]->id[k];
    }
    size_t hosts = unite(c->hosts, cells, 0);
    size_t times = unite(c->times, fibres, 1);
    c->cells = (struct cells){
        .modes = 3, .size = {hosts, count, times}, .index = c->index, .value = c->value};
    for (size_t i = 0; i < fibres; i++)
        for (size_t k = 0; k < list[i]->kept && k < most && c->cells.count < cells; k++) {
            uint32_t *index = c->index + c->cells.count * 3;
            index[0] = place_of(c->hosts, hosts, list[i]->id[k]);
            index[1] = voice_of(voices, list[i]->service);
            index[2] = place_of(c->times, times, slot_of(list[i]));
            c->value[c->cells.count++] = 1.0;
        }
    return OK;
}

static unsigned rank_of(size_t size)
{
    return size < RANK ? (unsigned)size : RANK;
}

static enum err factorise(
    struct tucker *f, const struct tensor *s, const struct cube *c, struct arena *scratch)
{
    struct tucker_options o = {
        .restarts = RESTARTS, .iterations = ITERATIONS, .tolerance = 1e-4};
    for (unsigned m = 0; m < 3; m++)
        o.rank[m] = rank_of(c->cells.size[m]);
    struct rng r;
    rng_seed(&r, (uint64_t)window_start(s, s->now));
    return tucker_fit(&c->cells, &o, &r, scratch, f);
}

/* How much a group of hosts does on each service now: what the core pairs it with, at the times
 * of this window. The largest becomes 1; all are 0 if it does nothing. */
static void acts_now(const struct tensor *s, const struct cube *c, const struct tucker *f,
    unsigned group, double *ret_acts)
{
    double now[RANK] = {0};
    for (unsigned p = 0; p < f->rank[2]; p++)
        for (size_t k = 0; k < f->size[2]; k++)
            if (c->times[k] >= (uint64_t)s->now * PULSE_SLOTS)
                now[p] += f->factor[2][p * f->size[2] + k];
    double most = 0.0;
    for (size_t i = 0; i < f->size[1]; i++) {
        ret_acts[i] = 0.0;
        for (unsigned q = 0; q < f->rank[1]; q++)
            for (unsigned p = 0; p < f->rank[2]; p++)
                ret_acts[i] += f->core[(group * f->rank[1] + q) * f->rank[2] + p] *
                               f->factor[1][q * f->size[1] + i] * now[p];
        most = fmax(most, ret_acts[i]);
    }
    for (size_t i = 0; i < f->size[1]; i++)
        ret_acts[i] = most > 1e-10 ? ret_acts[i] / most : 0.0;
}

/* The services on which a group acts at least half as much as on its main one; `taken` are left
 * out. */
static size_t voices_of(const double *acts, struct voice *voices, size_t count,
    const bool *taken, struct voice **ret)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found < BLOCK_PORTS; i++)
        if (!taken[i] && acts[i] >= 0.5)
            ret[found++] = &voices[i];
    return found;
}

/* The loudest, and whoever is loud enough alone or makes them louder together. */
static void gather_block(
    const struct tensor *s, struct voice **voices, size_t count, struct block_found *b)
{
    size_t loudest = 0;
    for (size_t i = 1; i < count; i++)
        if (voices[i]->score > voices[loudest]->score)
            loudest = i;
    b->voice[0] = voices[loudest];
    b->count = 1;
    b->score = voices[loudest]->score;
    b->span = voices[loudest]->span;
    for (size_t i = 0; i < count; i++) {
        if (i == loudest)
            continue;
        unsigned span;
        b->voice[b->count] = voices[i];
        double score = tensor_weigh(s, b->voice, b->count + 1, &span);
        if (score <= b->score && voices[i]->score < 0.0)
            continue;
        b->count++;
        if (score <= b->score)
            continue;
        b->score = score;
        b->span = span;
    }
}

/* A group of hosts, and how much of the tensor it explains. */
struct group {
    unsigned part;
    double share;
};

/* Largest share first. */
static void order_groups(const struct tucker *f, struct group *ret_groups)
{
    struct tucker_block core[TUCKER_CORE_MAX];
    double share[RANK] = {0};
    tucker_blocks(f, core);
    for (size_t i = 0; i < f->core_count; i++)
        share[core[i].part[0]] += core[i].share;
    for (unsigned i = 0; i < f->rank[0]; i++) {
        unsigned at = i;
        for (; at > 0 && ret_groups[at - 1].share < share[i]; at--)
            ret_groups[at] = ret_groups[at - 1];
        ret_groups[at] = (struct group){i, share[i]};
    }
}

static uint32_t hosts_of(const struct tucker *f, unsigned part)
{
    const double *weight = f->factor[0] + part * f->size[0];
    double threshold = otsu_threshold(weight, f->size[0]);
    uint32_t count = 0;
    for (size_t i = 0; i < f->size[0]; i++)
        count += weight[i] >= threshold;
    return count;
}

/* A window of which the tensor tells nothing still has its services. */
static void add_rest(const struct factored *from, struct voice *voices, size_t count,
    const bool *taken, struct block_found *blocks, size_t *n)
{
    for (size_t i = 0; i < count; i++)
        if (!taken[i])
            blocks[(*n)++] = (struct block_found){.from = from,
                .voice = {&voices[i]},
                .count = 1,
                .score = voices[i].score,
                .span = voices[i].span};
}

enum err tensor_blocks(const struct tensor *s, struct voice *voices, size_t count,
    struct arena *scratch, struct block_found *ret_blocks, size_t *ret_count)
{
    bool taken[CANDIDATES] = {false};
    size_t found = 0;
    struct factored *all = arena_take(scratch, 1, sizeof *all);
    enum err e = all ? make_cube(&all->cube, s, voices, count, scratch) : ERR_NOMEM;
    if (!e && all->cube.cells.count)
        e = factorise(&all->f, s, &all->cube, scratch);
    if (e)
        return e;
    all->voices = voices;
    struct group order[RANK] = {{0}};
    bool told = all->cube.cells.count != 0;
    if (told)
        order_groups(&all->f, order);
    for (unsigned i = 0; told && i < all->f.rank[0]; i++) {
        struct voice *group[BLOCK_PORTS];
        struct block_found b = {.from = all,
            .part = order[i].part,
            .share = order[i].share,
            .hosts = hosts_of(&all->f, order[i].part)};
        acts_now(s, &all->cube, &all->f, b.part, b.acts);
        size_t members = voices_of(b.acts, voices, count, taken, group);
        if (!members)
            continue;
        gather_block(s, group, members, &b);
        for (size_t k = 0; k < b.count; k++)
            taken[b.voice[k] - voices] = true;
        ret_blocks[found++] = b;
    }
    add_rest(all, voices, count, taken, ret_blocks, &found);
    *ret_count = found;
    return OK;
}
