/* From contacts to hosts and the slots in which their visits begin. */
#include "engine/nmf/nmf_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDE_BITS = 16
};

static int by_host(const void *a, const void *b)
{
    const struct act *x = a;
    const struct act *y = b;
    if (x->host != y->host)
        return x->host > y->host ? 1 : -1;
    return (x->service > y->service) - (x->service < y->service);
}

/* Most runs are one host's acts, in order already; qsort() is for the hostile case. */
static void sort_run(struct act *list, size_t count)
{
    enum {
        SHORT = 64
    };
    if (count > SHORT) {
        qsort(list, count, sizeof *list, by_host);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct act act = list[i];
        size_t at = i;
        for (; at > 0 && by_host(&list[at - 1], &act) > 0; at--)
            list[at] = list[at - 1];
        list[at] = act;
    }
}

/* Equal hashes of 64 bits stand for one network. */
static void sort_acts(struct act *list, struct act *spare, size_t count)
{
    enum {
        BITS = 11,
        PASSES = 2
    };
    /* The two highest digits in two passes, then runs that are not in order yet one by one. */
    for (unsigned pass = 0; pass < PASSES; pass++) {
        size_t start[(1 << BITS) + 1] = {0};
        unsigned shift = 64 - BITS * (PASSES - pass);
        const uint64_t mask = (1 << BITS) - 1;
        for (size_t i = 0; i < count; i++)
            start[(list[i].host >> shift & mask) + 1]++;
        for (size_t d = 0; d < mask; d++)
            start[d + 1] += start[d];
        for (size_t i = 0; i < count; i++)
            spare[start[list[i].host >> shift & mask]++] = list[i];
        struct act *other = list;
        list = spare;
        spare = other;
    }
    const unsigned shift = 64 - BITS * PASSES;
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && list[end].host >> shift == list[i].host >> shift)
            end++;
        sort_run(list + i, end - i);
        i = end;
    }
}

static size_t unite(struct act *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && by_host(&list[kept - 1], &list[i]) == 0)
            list[kept - 1].slots |= list[i].slots;
        else
            list[kept++] = list[i];
    }
    return kept;
}

/* As many whole hosts, the smallest first, as there is room for: the same ones in every window.
 */
static size_t cut(const struct act *list, size_t count, size_t most)
{
    if (count <= most)
        return count;
    while (most > 0 && list[most - 1].host == list[most].host)
        most--;
    return most;
}

enum err nmf_remember(struct nmf_state *s, const struct tally *t, struct arena *scratch)
{
    struct act *list = arena_room(scratch, t->source_count + 1, sizeof *list);
    struct act *spare = arena_room(scratch, t->source_count + 1, sizeof *spare);
    if (!list || !spare)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->source_count; i++) {
        size_t row;
        const struct block *b = tally_row(t, &t->sources[i], &row);
        const struct ip *src = &block_ip(b, CONTACT_SRC)[row];
        list[i] = (struct act){.host = pulse_network(src, s->options.prefix),
            .slots = block_u64(b, CONTACT_SLOTS)[row] & PULSE_ALL,
            .service = tally_service(&t->sources[i]),
            .wide = (uint32_t)pulse_network(src, WIDE_BITS)};
    }
    sort_acts(list, spare, t->source_count);
    size_t all = unite(list, t->source_count);
    size_t count = cut(list, all, s->options.acts_max);
    s->left_out += all - count;
    struct acts *acts = &s->acts[s->now % WINDOWS];
    struct act *room = realloc(acts->list, (count ? count : 1) * sizeof *room);
    if (!room)
        return ERR_NOMEM;
    memcpy(room, list, count * sizeof *room);
    *acts = (struct acts){.window = s->now, .count = count, .list = room};
    return OK;
}

/* Slots in which a visit begins: those in which the host is seen without having been seen in
 * one of the REST slots before. `last` is the last slot in which it was seen, over all windows.
 */
static uint64_t starts_of(uint64_t seen, unsigned window, int *last)
{
    if (!seen)
        return 0;
    int begin = (int)window * PULSE_SLOTS;
    uint64_t rests = 0;
    for (unsigned k = 1; k <= REST; k++)
        rests |= seen << k;
    int until = *last + REST - begin; /* the last slot that the windows before reach */
    if (until >= 0)
        rests |= (UINT64_C(2) << until) - 1;
    *last = begin + 63 - __builtin_clzll(seen);
    return seen & ~rests;
}

/* The acts of one host in all windows, from where `at` stands; moves on to the next host. */
static struct line next_line(const struct acts *const acts[WINDOWS], size_t at[WINDOWS])
{
    struct line l = {.host = UINT64_MAX};
    for (unsigned w = 0; w < WINDOWS; w++)
        if (acts[w] && at[w] < acts[w]->count && acts[w]->list[at[w]].host < l.host)
            l.host = acts[w]->list[at[w]].host;
    int last = -REST - 1;
    for (unsigned w = 0; w < WINDOWS; w++) {
        uint64_t seen = 0;
        for (; acts[w] && at[w] < acts[w]->count && acts[w]->list[at[w]].host == l.host;
             at[w]++) {
            seen |= acts[w]->list[at[w]].slots;
            l.wide = acts[w]->list[at[w]].wide;
        }
        l.starts[w] = starts_of(seen, w, &last);
        l.visits = (uint16_t)(l.visits + __builtin_popcountll(l.starts[w]));
    }
    return l;
}

enum err nmf_lines(const struct nmf_state *s, struct arena *scratch, struct lines *ret_lines)
{
    const struct acts *acts[WINDOWS] = {NULL};
    size_t at[WINDOWS] = {0};
    size_t most = 0;
    for (uint32_t k = 0; k < WINDOWS && k < s->now; k++) {
        const struct acts *a = &s->acts[(s->now - k) % WINDOWS];
        if (a->window != s->now - k)
            continue;
        acts[WINDOWS - 1 - k] = a;
        most += a->count;
    }
    struct lines l = {.list = arena_room(scratch, most + 1, sizeof *l.list)};
    if (!l.list)
        return ERR_NOMEM;
    for (;;) {
        struct line next = next_line(acts, at);
        if (next.host == UINT64_MAX)
            break;
        if (next.visits < 2 || next.visits > VISITS_MAX)
            continue;
        l.list[l.count++] = next;
        l.visits += next.visits;
        for (unsigned w = 0; w < WINDOWS; w++)
            for (uint64_t left = next.starts[w]; left; left &= left - 1)
                l.share[w * PULSE_SLOTS + (unsigned)__builtin_ctzll(left)]++;
    }
    for (unsigned k = 0; k < SLOTS; k++)
        l.share[k] /= l.visits > 0.0 ? l.visits : 1.0;
    *ret_lines = l;
    return OK;
}
