/* The factorisation: from each strong pair of moments, the hosts that share it, and whatever
 * else those do together. What a part says is then counted over all hosts and tested. */
#include "engine/nmf/nmf_int.h"
#include "num/nmf.h"
#include "num/order.h"
#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITERATIONS = 40
};
static const double strong = 0.5; /* of the largest: a moment of the part (published: 50 %) */

static uint64_t bits_of(const struct beat *m, size_t count, unsigned window)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = m[i].slot; k < m[i].slot + m[i].span; k++)
            if (k / PULSE_SLOTS == window)
                bits |= (uint64_t)1 << k % PULSE_SLOTS;
    return bits;
}

/* In how many of the moments a visit of the host begins; a rest lies between its visits, so
 * none is counted twice. */
static int visits_in(const struct line *l, const uint64_t bits[WINDOWS])
{
    int visits = 0;
    for (unsigned w = 0; w < WINDOWS; w++)
        visits += __builtin_popcountll(l->starts[w] & bits[w]);
    return visits;
}

/* --- factorise ---------------------------------------------------------------------------- */

/* Hosts that share the pair x slots, 1 where a visit begins. */
static enum err make_matrix(const struct lines *l, const struct pair *pair,
    struct arena *scratch, struct matrix *ret, struct members *ret_members)
{
    uint64_t bits[WINDOWS];
    for (unsigned w = 0; w < WINDOWS; w++)
        bits[w] = bits_of((struct beat[]){pair->first, pair->second}, 2, w);
    double *value = arena_take(scratch, (size_t)pair->hosts * VISITS_MAX + 1, sizeof *value);
    uint32_t *column =
        arena_take(scratch, (size_t)pair->hosts * VISITS_MAX + 1, sizeof *column);
    size_t *first = arena_take(scratch, (size_t)pair->hosts + 1, sizeof *first);
    uint64_t *host = arena_take(scratch, (size_t)pair->hosts + 1, sizeof *host);
    if (!value || !column || !first || !host)
        return ERR_NOMEM;
    size_t at = 0;
    size_t rows = 0;
    for (size_t i = 0; i < l->count && rows < pair->hosts; i++) {
        if (visits_in(&l->list[i], bits) < 2)
            continue;
        for (unsigned k = 0; k < SLOTS; k++)
            if (line_starts(&l->list[i], k)) {
                value[at] = 1.0;
                column[at++] = k;
            }
        host[rows] = l->list[i].host;
        first[++rows] = at;
    }
    *ret = (struct matrix){
        .rows = rows, .cols = SLOTS, .value = value, .column = column, .first = first};
    *ret_members = (struct members){.host = host, .count = rows};
    return OK;
}

/* Part 0: every slot by its share among all hosts. Part 1: the pair. */
static enum err make_start(const struct lines *l, const struct pair *pair,
    const struct matrix *v, struct arena *scratch, struct nmf *f)
{
    *f = (struct nmf){.rows = v->rows, .cols = SLOTS, .rank = 2};
    f->w = arena_take(scratch, 2 * f->rows, sizeof *f->w);
    f->h = arena_take(scratch, (size_t)2 * SLOTS, sizeof *f->h);
    if (!f->w || !f->h)
        return ERR_NOMEM;
    for (size_t i = 0; i < f->rows; i++) {
        f->w[i] = (double)matrix_row_count(v, i);
        f->w[f->rows + i] = 1.0;
    }
    for (unsigned k = 0; k < SLOTS; k++) {
        f->h[k] = l->share[k] + 1e-6;
        f->h[SLOTS + k] = 0.01;
    }
    const struct beat ends[] = {pair->first, pair->second};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = ends[i].slot; k < ends[i].slot + ends[i].span; k++)
            f->h[SLOTS + k] = 1.0;
    return OK;
}

/* The group's factor of the hosts, in place. */
static void take_weights(const struct nmf *f, struct members *m)
{
    double most = 0.0;
    m->weight = f->w + f->rows;
    for (size_t i = 0; i < m->count; i++)
        most = fmax(most, m->weight[i]);
    for (size_t i = 0; i < m->count; i++)
        m->weight[i] = most > 0.0 ? m->weight[i] / most : 0.0;
}

/* The moment that a slot of the rhythm belongs to: with its neighbour if that has a part of it.
 */
static struct beat moment_at(const double *weight, unsigned slot)
{
    const double some = 0.15;
    struct beat alone = {(uint8_t)slot, 1};
    double before = slot > 0 ? weight[slot - 1] : 0.0;
    double after = slot + 1 < SLOTS ? weight[slot + 1] : 0.0;
    if (fmax(before, after) < some * weight[slot])
        return alone;
    return before > after ? (struct beat){(uint8_t)(slot - 1), 2}
                          : (struct beat){(uint8_t)slot, 2};
}

static int by_slot(const void *a, const void *b)
{
    const struct beat *x = a;
    const struct beat *y = b;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The strongest moments of the rhythm, a rest apart from each other. */
static void take_moments(const double *rhythm, struct part *part)
{
    double weight[SLOTS];
    double most = 0.0;
    for (unsigned t = 0; t < SLOTS; t++)
        most = fmax(most, rhythm[t]);
    for (unsigned t = 0; t < SLOTS; t++)
        weight[t] = part->weight[t] = most > 0.0 ? rhythm[t] / most : 0.0;
    while (part->moments < TIMES_MAX) {
        unsigned best = 0;
        for (unsigned t = 1; t < SLOTS; t++)
            best = weight[t] > weight[best] ? t : best;
        if (weight[best] < strong)
            break;
        struct beat m = moment_at(weight, best);
        part->moment[part->moments++] = m;
        unsigned from = m.slot > REST ? m.slot - REST : 0;
        for (unsigned t = from; t < (unsigned)m.slot + m.span + REST && t < SLOTS; t++)
            weight[t] = 0.0;
    }
    qsort(part->moment, part->moments, sizeof part->moment[0], by_slot);
}

/* --- count and test ----------------------------------------------------------------------- */

/* Hosts with visits in two or more of the moments; those of one /16 count once. */
static enum err take_hosts(const struct lines *l, struct arena *scratch, struct part *part)
{
    uint64_t bits[WINDOWS];
    for (unsigned w = 0; w < WINDOWS; w++)
        bits[w] = bits_of(part->moment, part->moments, w);
    size_t most = 0;
    for (size_t i = 0; i < l->count; i++)
        most += visits_in(&l->list[i], bits) >= 2;
    part->hosts = arena_take(scratch, most + 1, sizeof *part->hosts);
    uint32_t *wide = arena_take(scratch, most + 1, sizeof *wide);
    if (!part->hosts || !wide)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->count; i++) {
        if (visits_in(&l->list[i], bits) < 2)
            continue;
        wide[part->host_count] = l->list[i].wide;
        part->hosts[part->host_count++] = l->list[i].host;
    }
    qsort(wide, most, sizeof *wide, compare_u32);
    for (size_t i = 0; i < most; i++)
        part->wide += i == 0 || wide[i] != wide[i - 1];
    return OK;
}

/* By chance no more hosts come twice than the pairs of moments are expected to share; all sets
 * of so many moments, and of so many sizes, could have been chosen. */
static void test(const struct nmf_state *s, const struct pairs *p, struct part *part)
{
    for (size_t i = 0; i < part->moments; i++)
        for (size_t k = i + 1; k < part->moments; k++) {
            const struct beat *x = &part->moment[i];
            const struct beat *y = &part->moment[k];
            for (unsigned a = x->slot; a < x->slot + x->span; a++)
                for (unsigned b = y->slot; b < y->slot + y->span; b++)
                    part->expected += p->expected[a][b];
        }
    if (part->wide > part->expected)
        part->log10_p = -log_tail_poisson(part->wide, part->expected) / M_LN10;
    double sets = nmf_sets_log10(part->moments) + log10(TIMES_MAX);
    part->alone = tail_correct(&s->tail, fmax(part->log10_p - sets, 0.0));
}

/* Both kinds of evidence (Fisher), and how often a day they are looked at. */
static void weigh(const struct nmf_state *s, struct part *part)
{
    double together = part->alone;
    if (part->again > 0.0)
        together =
            -log_p_fisher((double[]){-part->alone * M_LN10, -part->again * M_LN10}, 2) / M_LN10;
    part->score = together - log10(SEEDS * (double)US_DAY / (double)s->window);
}

static enum err judge(const struct nmf_state *s, const struct lines *l, const struct pairs *p,
    struct arena *scratch, struct part *part)
{
    enum err e = take_hosts(l, scratch, part);
    if (e)
        return e;
    test(s, p, part);
    e = nmf_compare(s, l, scratch, part);
    weigh(s, part);
    return e;
}

/* What the factorisation makes of a pair, or the pair itself if that is stronger. */
static enum err grow(const struct nmf_state *s, const struct lines *l, const struct pairs *p,
    const struct pair *seed, struct arena *scratch, struct part *ret)
{
    const struct nmf_options o = {
        .loss = NMF_POISSON, .iterations = ITERATIONS, .tolerance = 1e-5};
    struct matrix v;
    struct nmf f;
    struct part grown = {.moments = 0};
    struct part pair = {.moment = {seed->first, seed->second}, .moments = 2};
    struct members members;
    enum err e = make_matrix(l, seed, scratch, &v, &members);
    if (!e)
        e = make_start(l, seed, &v, scratch, &f);
    if (!e)
        e = nmf_fit(&f, &v, &o, scratch);
    if (e)
        return e;
    take_moments(f.h + SLOTS, &grown);
    take_weights(&f, &members);
    grown.factorised = pair.factorised = members;
    memcpy(pair.weight, grown.weight, sizeof pair.weight);
    e = judge(s, l, p, scratch, &pair);
    if (!e && grown.moments >= 2)
        e = judge(s, l, p, scratch, &grown);
    *ret = grown.moments >= 2 && grown.score > pair.score ? grown : pair;
    return e;
}

enum err nmf_parts(const struct nmf_state *s, const struct lines *l, const struct pairs *p,
    struct arena *scratch, struct part ret_parts[SEEDS], size_t *ret_count)
{
    enum err e = OK;
    for (size_t k = 0; !e && k < p->best_count; k++)
        e = grow(s, l, p, &p->best[k], scratch, &ret_parts[k]);
    if (!e)
        *ret_count = p->best_count;
    return e;
}
