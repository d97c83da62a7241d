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

/* The slots in which visits begin, rising; shifted around the half hour if that is asked for.
 */
static size_t slots_of(const struct line *l, uint64_t shift, uint8_t slots[VISITS_MAX])
{
    unsigned by = shift ? (unsigned)(hash_two(shift, l->host) % SLOTS) : 0;
    uint8_t straight[VISITS_MAX];
    size_t count = 0;
    for (unsigned w = 0; w < WINDOWS; w++)
        for (uint64_t left = l->starts[w]; left; left &= left - 1)
            straight[count++] = (uint8_t)(w * PULSE_SLOTS + (unsigned)__builtin_ctzll(left));
    size_t around = 0; /* those that the shift leaves where they are ahead of it */
    while (around < count && straight[around] + by < SLOTS)
        around++;
    for (size_t i = around; i < count; i++)
        slots[i - around] = (uint8_t)(straight[i] + by - SLOTS);
    for (size_t i = 0; i < around; i++)
        slots[count - around + i] = (uint8_t)(straight[i] + by);
    return count;
}

static void count_pairs(const struct lines *l, uint64_t shift, struct pairs *p, double *share)
{
    const double one = 1.0 / fmax(l->visits, 1.0);
    memset(p->shared, 0, sizeof p->shared);
    for (unsigned k = 0; k < SLOTS; k++)
        share[k] = 0.0;
    for (size_t i = 0; i < l->count; i++) {
        uint8_t slots[VISITS_MAX];
        size_t count = slots_of(&l->list[i], shift, slots);
        for (size_t a = 0; a < count; a++) {
            share[slots[a]] += one;
            for (size_t b = a + 1; b < count; b++)
                p->shared[slots[a]][slots[b]]++;
        }
    }
}

/* By distance, and by whether both slots are of one window: how many hosts, and how many there
 * would be if slots were equally likely pairs. A host whose visits are crowded in windows has
 * more pairs within one than across a border, at the same distance. */
struct distance {
    double hosts, chance;
};
enum {
    ACROSS,
    WITHIN,
    KINDS
};
struct distances {
    struct distance of[KINDS][SLOTS];
};

static unsigned kind_of(unsigned first, unsigned second)
{
    return first / PULSE_SLOTS == second / PULSE_SLOTS ? WITHIN : ACROSS;
}

static void sum_distances(const struct pairs *p, const double *share, struct distances *by)
{
    *by = (struct distances){0};
    for (unsigned d = REST + 1; d < SLOTS; d++)
        for (unsigned k = 0; k + d < SLOTS; k++) {
            struct distance *to = &by->of[kind_of(k, k + d)][d];
            to->hosts += p->shared[k][k + d];
            to->chance += share[k] * share[k + d];
        }
}

/* Distances nearby are taken together. */
static void smooth(const struct distance exact[SLOTS], struct distance near[SLOTS])
{
    for (unsigned d = 0; d < SLOTS; d++) {
        near[d] = (struct distance){0};
        for (unsigned k = d > NEAR ? d - NEAR : 0; k <= d + NEAR && k < SLOTS; k++) {
            near[d].hosts += exact[k].hosts;
            near[d].chance += exact[k].chance;
        }
    }
}

/* Without the pair itself, which must not testify for itself. */
static double expect(const struct pairs *p, const double *share, const struct distances *near,
    unsigned first, unsigned second)
{
    const struct distance *d = &near->of[kind_of(first, second)][second - first];
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

/* A first moment with every second: hosts, how many are expected, and a number that is below
 * zero if that is nothing remarkable. All loops are over whole arrays, without a branch. */
struct sums {
    int32_t hosts[SLOTS];
    double expected[SLOTS];
    double remarkable[SLOTS];
};

static void sum_first(const struct pairs *p, struct beat first, struct sums *s)
{
    const unsigned last = first.slot + first.span - 1u;
    for (unsigned b = 0; b < SLOTS; b++)
        s->hosts[b] = (int32_t)p->shared[first.slot][b];
    for (unsigned b = 0; b < SLOTS; b++)
        s->expected[b] = p->expected[first.slot][b];
    if (last == first.slot)
        return;
    for (unsigned b = 0; b < SLOTS; b++)
        s->hosts[b] += (int32_t)p->shared[last][b];
    for (unsigned b = 0; b < SLOTS; b++)
        s->expected[b] += p->expected[last][b];
}

static void sum_second(struct sums *s)
{
    for (unsigned b = 0; b + 1 < SLOTS; b++) {
        s->hosts[b] += s->hosts[b + 1];
        s->expected[b] += s->expected[b + 1];
    }
}

/* With some room for sums that differ by rounding. */
static void remark(struct sums *s)
{
    const double margin = 1.0 - 1e-9;
    for (unsigned b = 0; b < SLOTS; b++) {
        double expected = s->expected[b] * margin;
        double above = s->hosts[b] - expected;
        s->remarkable[b] = above * fabs(above) - 4.0 * expected;
    }
}

/* Every pair of moments that are a rest apart. */
static void look_at_all(struct pairs *p)
{
    struct sums s;
    for (unsigned spans = 0; spans < 4; spans++)
        for (unsigned a = 0; a + (spans & 1) < SLOTS; a++) {
            struct beat first = {(uint8_t)a, (uint8_t)(1 + (spans & 1))};
            unsigned more = spans >> 1;
            sum_first(p, first, &s);
            if (more)
                sum_second(&s);
            remark(&s);
            for (unsigned b = a + first.span + REST; b + more < SLOTS; b++)
                if (s.remarkable[b] >= 0.0 && s.hosts[b] >= HOSTS_LEAST)
                    look_at(p, first, (struct beat){(uint8_t)b, (uint8_t)(1 + more)});
        }
}

void nmf_pairs(const struct lines *l, uint64_t shift, struct pairs *ret_pairs)
{
    double share[SLOTS];
    struct distances exact;
    struct distances near;
    count_pairs(l, shift, ret_pairs, share);
    sum_distances(ret_pairs, share, &exact);
    for (unsigned kind = 0; kind < KINDS; kind++)
        smooth(exact.of[kind], near.of[kind]);
    for (unsigned a = 0; a < SLOTS; a++)
        for (unsigned b = a + REST + 1; b < SLOTS; b++)
            ret_pairs->expected[a][b] = expect(ret_pairs, share, &near, a, b);
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
