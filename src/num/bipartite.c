#include "num/bipartite.h"

#include "base/hash.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const float one = 16777216.0F; /* in fixed point */

enum err bipartite_init(
    struct bipartite *g, size_t edges, uint32_t rights, struct arena *scratch)
{
    assert(edges < UINT32_MAX / 2 && rights > 0);
    size_t slots = 16;
    while (slots < 2 * edges)
        slots *= 2;
    *g = (struct bipartite){.rights = rights, .room = edges, .mask = slots - 1};
    size_t nodes = edges < rights ? edges : rights;
    g->from = arena_room(scratch, edges + 1, sizeof *g->from);
    g->to = arena_room(scratch, edges + 1, sizeof *g->to);
    g->slots = arena_take(scratch, slots, sizeof *g->slots);
    g->group = arena_room(scratch, edges + 1, sizeof *g->group);
    g->tag = arena_room(scratch, edges + 1, sizeof *g->tag);
    g->first = arena_take(scratch, edges + 2, sizeof *g->first);
    g->ends = arena_room(scratch, edges + 1, sizeof *g->ends);
    g->used = arena_room(scratch, nodes + 1, sizeof *g->used);
    g->right = arena_room(scratch, nodes + 1, sizeof *g->right);
    bool whole = g->from && g->to && g->slots && g->group && g->tag && g->first && g->ends &&
                 g->used && g->right;
    return whole ? OK : ERR_NOMEM;
}

/* --- closing ----------------------------------------------------------------------------- */

/* Right numbers with an edge become nodes, in rising order. */
static void number_rights(struct bipartite *g, struct bipartite_work *work)
{
    for (size_t i = 0; i < g->added; i++)
        work->seen[g->to[i] / 64] |= UINT64_C(1) << (g->to[i] % 64);
    for (uint32_t word = 0; word <= (g->rights - 1) / 64; word++) {
        for (uint64_t left = work->seen[word]; left; left &= left - 1) {
            uint32_t number = word * 64 + (uint32_t)__builtin_ctzll(left);
            work->number[number] = g->used_count;
            g->right[g->used_count] = (struct bipartite_right){.root = g->used_count};
            g->used[g->used_count++] = number;
        }
        work->seen[word] = 0;
    }
    for (size_t i = 0; i < g->added; i++)
        g->to[i] = work->number[g->to[i]];
}

/* Groups with a left node, in the order in which they came. */
static void number_groups(struct bipartite *g, struct bipartite_work *work)
{
    for (uint32_t l = 0; l < g->lefts; l++) {
        uint32_t *place = &work->place[g->group[l]];
        if (!*place) {
            work->sums[g->groups] = g->group[l]; /* to know what is to be cleared */
            *place = ++g->groups;
        }
        g->group[l] = (uint16_t)(*place - 1);
    }
    for (uint32_t i = 0; i < g->groups; i++)
        work->place[work->sums[i]] = 0;
}

/* Counting sort of the edges by left node. */
static void order_by_left(struct bipartite *g)
{
    for (size_t i = 0; i < g->added; i++)
        g->first[g->from[i] + 1]++;
    for (uint32_t l = 0; l < g->lefts; l++)
        g->first[l + 1] += g->first[l];
    for (size_t i = 0; i < g->added; i++)
        g->ends[g->first[g->from[i]]++] = g->to[i];
    /* Each first[l] has come to where l's edges end. */
    memmove(g->first + 1, g->first, g->lefts * sizeof *g->first);
    g->first[0] = 0;
}

static uint32_t root_of(struct bipartite_right *all, uint32_t right)
{
    while (all[right].root != right) {
        all[right].root = all[all[right].root].root;
        right = all[right].root;
    }
    return right;
}

/* The smaller number is the root, so that it does not depend on the order of edges. */
static void join(struct bipartite_right *all, uint32_t a, uint32_t b)
{
    a = root_of(all, a);
    b = root_of(all, b);
    if (a < b)
        all[b].root = a;
    else
        all[a].root = b;
}

/* Degrees, components, and each left node's edges without repeats. */
static void take_edges(struct bipartite *g)
{
    size_t kept = 0;
    for (uint32_t l = 0; l < g->lefts; l++) {
        size_t from = g->first[l], to = g->first[l + 1];
        g->first[l] = (uint32_t)kept;
        for (size_t i = from; i < to; i++) {
            uint32_t end = g->ends[i];
            struct bipartite_right *right = &g->right[end];
            if (right->seen == l + 1)
                continue;
            right->seen = l + 1;
            right->degree++;
            g->ends[kept++] = end;
            if (kept - 1 > g->first[l])
                join(g->right, g->ends[g->first[l]], end);
        }
    }
    g->first[g->lefts] = (uint32_t)kept;
    g->edges = kept;
}

void bipartite_close(struct bipartite *g, struct bipartite_work *work)
{
    assert(!g->edges && g->added <= g->room && work->rights == g->rights);
    number_rights(g, work);
    number_groups(g, work);
    order_by_left(g);
    take_edges(g);
    for (uint32_t r = 0; r < g->used_count; r++)
        g->right[r].root = root_of(g->right, r);
}

enum err bipartite_work_init(
    struct bipartite_work *work, uint32_t rights, size_t wedges, struct arena *scratch)
{
    const size_t node = BIPARTITE_WIDE * (BIPARTITE_WIDE - 1) / 2; /* wedges of one left node */
    *work = (struct bipartite_work){.wedges = wedges, .slots = 16, .rights = rights};
    while (work->slots < 4 * (wedges + node))
        work->slots *= 2;
    work->pairs = arena_room(scratch, work->slots, sizeof *work->pairs);
    work->seen = arena_take(scratch, (rights + 63) / 64, sizeof *work->seen);
    work->number = arena_room(scratch, rights, sizeof *work->number);
    work->place = arena_take(scratch, BIPARTITE_GROUPS, sizeof *work->place);
    work->count = arena_room(scratch, rights, sizeof *work->count);
    work->sums = arena_room(scratch, BIPARTITE_GROUPS, sizeof *work->sums);
    work->next = arena_room(scratch, rights, sizeof *work->next);
    work->fixed = arena_room(scratch, rights, sizeof *work->fixed);
    bool whole = work->pairs && work->seen && work->number && work->place && work->count &&
                 work->sums && work->next && work->fixed;
    return whole ? OK : ERR_NOMEM;
}

/* --- measures ---------------------------------------------------------------------------- */

static uint32_t degree_of(const struct bipartite *g, uint32_t left)
{
    return g->first[left + 1] - g->first[left];
}

/* 1..15 each its own, then classes of a factor of two. */
static unsigned degree_class(uint32_t degree)
{
    return degree < 16 ? degree : 12 + 31 - (unsigned)__builtin_clz(degree);
}

static double entropy_part(double count, double of)
{
    return count > 0.0 ? -count / of * log2(count / of) : 0.0;
}

static void measure_degrees(const struct bipartite *g, struct bipartite_shape *s)
{
    uint32_t classes[48] = {0};
    for (uint32_t l = 0; l < g->lefts; l++)
        classes[degree_class(degree_of(g, l))]++;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        s->left_entropy += entropy_part(classes[i], s->lefts);
    for (uint32_t i = 0; i < g->used_count; i++)
        s->right_entropy += entropy_part(g->right[i].degree, s->edges);
}

/* Nodes of the largest component, over all. */
static void measure_components(
    const struct bipartite *g, uint32_t *nodes, struct bipartite_shape *s)
{
    uint32_t most = 0;
    memset(nodes, 0, g->used_count * sizeof *nodes);
    for (uint32_t i = 0; i < g->used_count; i++)
        nodes[g->right[i].root]++;
    for (uint32_t l = 0; l < g->lefts; l++)
        nodes[g->right[g->ends[g->first[l]]].root]++;
    for (uint32_t i = 0; i < g->used_count; i++)
        most = nodes[i] > most ? nodes[i] : most;
    s->largest = most / (s->lefts + s->rights);
}

/* --- butterflies ------------------------------------------------------------------------- */

static bool has_wedges(const struct bipartite *g, uint32_t left)
{
    uint32_t d = degree_of(g, left);
    return d >= 2 && d <= BIPARTITE_WIDE;
}

static bool is_sampled(const struct bipartite *g, uint32_t left, double share)
{
    return share >= 1.0 || (double)(hash_u64(g->tag[left]) >> 32) < share * 4294967296.0;
}

/* How often two right nodes have a left node in common. */
static void count_pair(struct bipartite_pair *pairs, size_t mask, uint32_t a, uint32_t b)
{
    uint64_t key = ((uint64_t)(a < b ? a : b) << 32 | (a < b ? b : a)) + 1;
    size_t at = (size_t)hash_u64(key) & mask;
    while (pairs[at].key && pairs[at].key != key)
        at = (at + 1) & mask;
    pairs[at].key = key;
    pairs[at].count++;
}

/* The share of left nodes of which the wedges are counted; what the table must hold follows. */
static double sample_share(
    const struct bipartite *g, const struct bipartite_work *work, size_t *ret_slots)
{
    double total = 0.0;
    for (uint32_t l = 0; l < g->lefts; l++)
        if (has_wedges(g, l))
            total += 0.5 * degree_of(g, l) * (degree_of(g, l) - 1.0);
    size_t slots = 16;
    while ((double)slots < 2.0 * total && slots < work->slots)
        slots *= 2;
    *ret_slots = slots;
    return total > (double)work->wedges ? (double)work->wedges / total : 1.0;
}

/* Wedges of the sampled left nodes into the table, their degrees into work->count. A sample
 * that is by chance twice as large as it should be is cut. */
static void count_wedges(
    const struct bipartite *g, struct bipartite_work *work, double share, size_t slots)
{
    size_t counted = 0;
    memset(work->pairs, 0, slots * sizeof *work->pairs);
    memset(work->count, 0, g->used_count * sizeof *work->count);
    for (uint32_t l = 0; l < g->lefts; l++) {
        const uint32_t *ends = &g->ends[g->first[l]];
        uint32_t d = degree_of(g, l);
        if (!has_wedges(g, l) || !is_sampled(g, l, share))
            continue;
        counted += d * (d - 1) / 2;
        if (counted > slots / 2)
            return;
        for (uint32_t i = 0; i < d; i++) {
            work->count[ends[i]]++;
            for (uint32_t k = i + 1; k < d; k++)
                count_pair(work->pairs, slots - 1, ends[i], ends[k]);
        }
    }
}

/* Butterflies: each pair of right nodes with c left nodes in common has c (c - 1) / 2. Paths of
 * three edges: each edge in the middle has (left's degree - 1) (right's degree - 1). */
static void measure_wedges(
    const struct bipartite *g, struct bipartite_work *work, struct bipartite_shape *s)
{
    size_t slots;
    double share = sample_share(g, work, &slots);
    double butterflies = 0.0, paths = 0.0;
    count_wedges(g, work, share, slots);
    for (size_t i = 0; i < slots; i++)
        if (work->pairs[i].count > 1)
            butterflies += 0.5 * work->pairs[i].count * (work->pairs[i].count - 1.0);
    for (uint32_t l = 0; l < g->lefts; l++) {
        if (!has_wedges(g, l) || !is_sampled(g, l, share))
            continue;
        for (uint32_t i = g->first[l]; i < g->first[l + 1]; i++)
            paths += (degree_of(g, l) - 1.0) * (work->count[g->ends[i]] - 1.0);
    }
    s->clustering = paths > 0.0 ? fmin(4.0 * butterflies / paths, 1.0) : 0.0;
    s->butterflies = butterflies / (share * share);
    s->paths = paths;
}

void bipartite_measure(
    const struct bipartite *g, struct bipartite_work *work, struct bipartite_shape *ret_shape)
{
    assert(work->rights == g->rights);
    *ret_shape = (struct bipartite_shape){
        .lefts = g->lefts, .rights = g->used_count, .edges = (double)g->edges};
    if (!g->edges)
        return;
    ret_shape->mean_degree = ret_shape->edges / ret_shape->lefts;
    measure_degrees(g, ret_shape);
    measure_components(g, work->count, ret_shape);
    measure_wedges(g, work, ret_shape);
}

/* --- the principal direction ------------------------------------------------------------- */

/* One turn: group sums of the vector, then back. Whole numbers, so that the order of the edges
 * makes no difference: the vector has 24 bits, the sums are cut to 30. Returns the length of
 * what comes. */
static double turn(const struct bipartite *g, const float *vector, struct bipartite_work *work)
{
    uint64_t most = 0;
    memset(work->sums, 0, g->groups * sizeof *work->sums);
    for (uint32_t i = 0; i < g->used_count; i++) {
        work->fixed[i] = (uint32_t)lrintf(vector[g->used[i]] * one);
        work->next[i] = 0;
    }
    for (uint32_t l = 0; l < g->lefts; l++) {
        uint64_t sum = 0;
        for (uint32_t i = g->first[l]; i < g->first[l + 1]; i++)
            sum += work->fixed[g->ends[i]];
        work->sums[g->group[l]] += sum;
    }
    for (size_t i = 0; i < g->groups; i++)
        most = work->sums[i] > most ? work->sums[i] : most;
    int bits = most ? 64 - __builtin_clzll(most) : 0;
    int shift = bits > 30 ? bits - 30 : 0;
    for (uint32_t l = 0; l < g->lefts; l++) {
        uint64_t sum = work->sums[g->group[l]] >> shift;
        for (uint32_t i = g->first[l]; i < g->first[l + 1]; i++)
            work->next[g->ends[i]] += sum;
    }
    double square = 0.0;
    for (uint32_t i = 0; i < g->used_count; i++)
        square += (double)work->next[i] * (double)work->next[i];
    return sqrt(square);
}

/* What of the vector is not orthogonal to the graph; if that is nothing, the degrees begin. */
static void begin(const struct bipartite *g, float *vector, uint32_t *kept)
{
    double square = 0.0;
    for (uint32_t i = 0; i < g->used_count; i++) {
        kept[i] = (uint32_t)lrintf(fmaxf(vector[g->used[i]], 0.0F) * one);
        square += (double)kept[i] * (double)kept[i];
    }
    bool fresh = !(square > 1e-6 * (double)one * (double)one);
    for (uint32_t i = 0; fresh && i < g->used_count; i++) {
        kept[i] = g->right[i].degree;
        square += (double)kept[i] * (double)kept[i];
    }
    memset(vector, 0, g->rights * sizeof *vector);
    for (uint32_t i = 0; i < g->used_count; i++)
        vector[g->used[i]] = (float)((double)kept[i] / sqrt(square));
}

unsigned bipartite_principal(const struct bipartite *g, float *vector, double tolerance,
    unsigned turns, struct bipartite_work *work)
{
    assert(work->rights == g->rights);
    if (!g->edges)
        return 0;
    begin(g, vector, work->fixed);
    unsigned taken = 0;
    for (double moved = 1.0; taken < turns && moved > tolerance; taken++) {
        double length = turn(g, vector, work);
        double cosine = 0.0;
        if (!(length > 0.0))
            break;
        for (uint32_t i = 0; i < g->used_count; i++) {
            float value = (float)((double)work->next[i] / length);
            cosine += (double)value * (double)vector[g->used[i]];
            vector[g->used[i]] = value;
        }
        moved = 1.0 - cosine;
    }
    return taken;
}
