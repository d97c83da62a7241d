/* Pairs of slots in which too many hosts begin a visit. */
#include "engine/nmf/nmf_int.h"

#include "base/rng.h"
#include "num/tail.h"

#include <math.h>
#include <string.h>

enum {
    HOSTS_LEAST = 3,
    NEAR = 6 /* distances that differ by so many slots at most are taken together */
};

static size_t slots_of(const struct line *l, uint64_t shift, uint8_t slots[VISITS_MAX])
{
    unsigned by = shift ? (unsigned)(hash_two(shift, l->host) % SLOTS) : 0;
    bool here[SLOTS] = {false};
    size_t count = 0;
    if (!by) {
        for (unsigned w = 0; w < WINDOWS; w++)
            for (uint64_t left = l->starts[w]; left; left &= left - 1)
                slots[count++] = (uint8_t)(w * PULSE_SLOTS + (unsigned)__builtin_ctzll(left));
        return count;
    }
    for (unsigned w = 0; w < WINDOWS; w++)
        for (uint64_t left = l->starts[w]; left; left &= left - 1)
            here[(w * PULSE_SLOTS + (unsigned)__builtin_ctzll(left) + by) % SLOTS] = true;
    for (unsigned k = 0; k < SLOTS; k++)
        if (here[k])
            slots[count++] = (uint8_t)k;
    return count;
}

static void count_pairs(const struct lines *l, uint64_t shift, struct pairs *p, double *share)
{
    memset(p->shared, 0, sizeof p->shared);
    for (unsigned k = 0; k < SLOTS; k++)
        share[k] = 0.0;
    for (size_t i = 0; i < l->count; i++) {
        uint8_t slots[VISITS_MAX];
        size_t count = slots_of(&l->list[i], shift, slots);
        for (size_t a = 0; a < count; a++) {
            share[slots[a]] += 1.0 / fmax(l->visits, 1.0);
            for (size_t b = a + 1; b < count; b++)
                p->shared[slots[a]][slots[b]]++;
        }
    }
}

/* By distance: how many hosts, and how many there would be if slots were equally likely pairs.
 */
struct distance {
    double hosts, chance;
};

static void sum_distances(const struct pairs *p, const double *share, struct distance by[SLOTS])
{
    for (unsigned d = 0; d < SLOTS; d++) {
        by[d] = (struct distance){0};
        for (unsigned k = 0; k + d < SLOTS && d > REST; k++) {
            by[d].hosts += p->shared[k][k + d];
            by[d].chance += share[k] * share[k + d];
        }
    }
}

/* Distances nearby, without the pair itself, which must not testify for itself. */
static double expect(const struct pairs *p, const double *share,
    const struct distance near[SLOTS], unsigned first, unsigned second)
{
    const struct distance *d = &near[second - first];
    double chance = share[first] * share[second];
    double hosts = d->hosts - p->shared[first][second];
    return (hosts + 0.5) * chance / fmax(d->chance - chance, 1e-12);
}

static bool overlap(const struct beat *a, const struct beat *b)
{
    return a->slot < b->slot + b->span && b->slot < a->slot + a->span;
}

static bool share_a_moment(const struct pair *a, const struct pair *b)
{
    return overlap(&a->first, &b->first) || overlap(&a->first, &b->second) ||
           overlap(&a->second, &b->first) || overlap(&a->second, &b->second);
}

/* Of pairs that share a moment only the strongest stays. */
static void add_best(struct pairs *p, const struct pair *pair)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->best_count; i++)
        if (share_a_moment(&p->best[i], pair) && p->best[i].log10_p >= pair->log10_p)
            return;
    for (size_t i = 0; i < p->best_count; i++)
        if (!share_a_moment(&p->best[i], pair))
            p->best[kept++] = p->best[i];
    p->best_count = kept;
    size_t at = p->best_count;
    while (at > 0 && p->best[at - 1].log10_p < pair->log10_p)
        at--;
    if (at == SEEDS)
        return;
    p->best_count += p->best_count < SEEDS;
    memmove(&p->best[at + 1], &p->best[at], (p->best_count - 1 - at) * sizeof p->best[0]);
    p->best[at] = *pair;
}

static void look_at(struct pairs *p, struct beat first, struct beat second)
{
    uint32_t hosts = 0;
    double expected = 0.0;
    for (unsigned a = first.slot; a < first.slot + first.span; a++)
        for (unsigned b = second.slot; b < second.slot + second.span; b++) {
            hosts += p->shared[a][b];
            expected += p->expected[a][b];
        }
    if (hosts < HOSTS_LEAST || hosts < expected + 2.0 * sqrt(expected))
        return;
    struct pair pair = {.first = first,
        .second = second,
        .hosts = hosts,
        .expected = expected,
        .log10_p = -log_tail_poisson(hosts, expected) / M_LN10};
    add_best(p, &pair);
}

/* Every pair of moments that are a rest apart. */
static void look_at_all(struct pairs *p)
{
    for (unsigned spans = 0; spans < 4; spans++)
        for (unsigned a = 0; a + (spans & 1) < SLOTS; a++) {
            struct beat first = {(uint8_t)a, (uint8_t)(1 + (spans & 1))};
            for (unsigned b = a + first.span + REST; b + (spans >> 1) < SLOTS; b++)
                look_at(p, first, (struct beat){(uint8_t)b, (uint8_t)(1 + (spans >> 1))});
        }
}

void nmf_pairs(const struct lines *l, uint64_t shift, struct pairs *ret_pairs)
{
    double share[SLOTS];
    struct distance exact[SLOTS];
    struct distance near[SLOTS];
    count_pairs(l, shift, ret_pairs, share);
    sum_distances(ret_pairs, share, exact);
    for (unsigned d = 0; d < SLOTS; d++) {
        near[d] = (struct distance){0};
        for (unsigned k = d > NEAR ? d - NEAR : 0; k <= d + NEAR && k < SLOTS; k++) {
            near[d].hosts += exact[k].hosts;
            near[d].chance += exact[k].chance;
        }
    }
    for (unsigned a = 0; a < SLOTS; a++)
        for (unsigned b = a + REST + 1; b < SLOTS; b++)
            ret_pairs->expected[a][b] = expect(ret_pairs, share, near, a, b);
    ret_pairs->best_count = 0;
    look_at_all(ret_pairs);
}

double nmf_sets_log10(size_t moments)
{
    double sets = 0.0;
    for (size_t i = 0; i < moments; i++)
        sets += log10((double)(2 * SLOTS - 1 - i) / (double)(i + 1));
    return sets;
}
