#include "screen/near_int.h"

#include "base/hash.h"
#include "base/wide.h"

#include <stdlib.h>
#include <string.h>

enum {
    BANDS = 32, /* with three rows each, a pair of Jaccard 0.5 is missed once in 72 times */
    ROWS = 3,
    ORDERS = BANDS * ROWS,
    WORDS = GROUP_WINDOWS / 64,
    AT_ONCE = 4,      /* windows whose ranks are compared in one go */
    DIGIT = 12,       /* bits of a band's key that are sorted at a time; it has two digits */
    NEAR_ENOUGH = 16, /* pairs of a member in one band */
    PAIRS_MAX = 1 << 23
};
_Static_assert(GROUP_WINDOWS <= UINT8_MAX, "a rank is a byte");
_Static_assert(WORDS == 3, "what two have in common is counted in three steps");
_Static_assert(GROUP_WINDOWS % AT_ONCE == 0, "the last four are whole");
_Static_assert(8 * ROWS == 2 * DIGIT, "a band's ranks are its key");

struct near {
    uint8_t (*rank)[ORDERS];  /* of each window, in each of the orders; owned */
    uint8_t (*least)[ORDERS]; /* least rank of each member's windows in each of them; owned */
    uint8_t *size;            /* windows of each member; owned */
    uint64_t *keys, *spare;   /* one band: key, then number of the member; owned */
    struct near_pair *pairs;  /* owned */
    size_t pair_count, pair_room;
    struct near_pair *half; /* sorted by one end; owned */
    size_t half_room;
    uint32_t *at;                        /* where those of a member go; owned */
    uint8_t need[2 * GROUP_WINDOWS + 1]; /* common windows of near ones, by those of both */
    const struct group_member *members;  /* of the search that runs */
    size_t count;
    double similar;
};

/* Orders of the windows (Fisher, Yates), drawn by the seed. */
static void ranks_draw(struct near *n, uint64_t seed)
{
    for (unsigned k = 0; k < ORDERS; k++) {
        for (uint32_t i = 0; i < GROUP_WINDOWS; i++)
            n->rank[i][k] = (uint8_t)i;
        for (uint32_t i = GROUP_WINDOWS - 1; i > 0; i--) {
            uint32_t other = (uint32_t)(hash_two(hash_two(seed, k), i) % (i + 1));
            uint8_t kept = n->rank[i][k];
            n->rank[i][k] = n->rank[other][k];
            n->rank[other][k] = kept;
        }
    }
}

static inline uint8_t lesser(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* Ranks of the windows in which it came, and the first again, until they are fours. */
static unsigned ranks_of(
    const struct near *n, const struct group_member *m, const uint8_t *ret_ranks[GROUP_WINDOWS])
{
    unsigned size = 0;
    for (unsigned i = 0; i < WORDS; i++)
        for (uint64_t left = m->active[i]; left; left &= left - 1)
            ret_ranks[size++] = n->rank[i * 64 + (unsigned)__builtin_ctzll(left)];
    for (unsigned i = size; i % AT_ONCE; i++)
        ret_ranks[i] = ret_ranks[0];
    return size;
}

/* All orders of a window lie side by side, so that the compiler takes as many at a time as a
 * register has; four windows in one go, as each waits for what was stored by the one before. */
WIDE static void least_find(struct near *n)
{
    const uint8_t *ranks[GROUP_WINDOWS];
    memset(n->least, UINT8_MAX, n->count * sizeof *n->least);
    for (size_t m = 0; m < n->count; m++) {
        uint8_t *restrict least = n->least[m];
        unsigned size = ranks_of(n, &n->members[m], ranks);
        n->size[m] = (uint8_t)size;
        for (unsigned i = 0; i < size; i += AT_ONCE) {
            const uint8_t *a = ranks[i];
            const uint8_t *b = ranks[i + 1];
            const uint8_t *c = ranks[i + 2];
            const uint8_t *d = ranks[i + 3];
            APART
            for (unsigned k = 0; k < ORDERS; k++)
                least[k] = lesser(least[k], lesser(lesser(a[k], b[k]), lesser(c[k], d[k])));
        }
    }
}

/* By the 12 bits above `shift`; what is equal there stays in its order. */
static void sort_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
    uint32_t at[1 << DIGIT] = {0};
    const uint64_t mask = (1 << DIGIT) - 1;
    for (size_t i = 0; i < count; i++)
        at[from[i] >> shift & mask]++;
    for (uint32_t i = 0, before = 0; i < 1 << DIGIT; i++) {
        uint32_t here = at[i];
        at[i] = before;
        before += here;
    }
    for (size_t i = 0; i < count; i++)
        to[at[from[i] >> shift & mask]++] = from[i];
}

/* Members by their ranks in the band, and then by number. */
static void keys_sort(struct near *n, unsigned band)
{
    for (size_t i = 0; i < n->count; i++) {
        const uint8_t *least = &n->least[i][band * ROWS];
        n->keys[i] = (uint64_t)(least[0] << 16 | least[1] << 8 | least[2]) << 32 | i;
    }
    sort_digit(n->keys, n->spare, n->count, 32);
    sort_digit(n->spare, n->keys, n->count, 32 + DIGIT);
}

/* By one end; those with the same stay in their order. */
static void pairs_sort(
    struct near *n, const struct near_pair *from, struct near_pair *to, bool second)
{
    memset(n->at, 0, n->count * sizeof *n->at);
    for (size_t i = 0; i < n->pair_count; i++)
        n->at[second ? from[i].b : from[i].a]++;
    for (uint32_t i = 0, before = 0; i < n->count; i++) {
        uint32_t here = n->at[i];
        n->at[i] = before;
        before += here;
    }
    for (size_t i = 0; i < n->pair_count; i++)
        to[n->at[second ? from[i].b : from[i].a]++] = from[i];
}

/* Each pair once, in the order of its ends. */
static enum err pairs_thin(struct near *n)
{
    size_t kept = 0;
    if (!n->pair_count)
        return OK;
    if (n->half_room < n->pair_count) {
        free(n->half);
        n->half = malloc(n->pair_room * sizeof *n->half);
        n->half_room = n->half ? n->pair_room : 0;
    }
    if (n->half_room < n->pair_count)
        return ERR_NOMEM;
    pairs_sort(n, n->pairs, n->half, true);
    pairs_sort(n, n->half, n->pairs, false);
    for (size_t i = 0; i < n->pair_count; i++) {
        const struct near_pair *p = &n->pairs[i];
        if (!i || p->a != p[-1].a || p->b != p[-1].b)
            n->half[kept++] = *p;
    }
    memcpy(n->pairs, n->half, kept * sizeof *n->pairs);
    n->pair_count = kept;
    return OK;
}

/* When there is no room left, pairs are found no more: those of the first bands do. */
static enum err pair_add(struct near *n, uint32_t a, uint32_t b)
{
    if (n->pair_count == n->pair_room && n->pair_room == PAIRS_MAX)
        return OK;
    if (n->pair_count == n->pair_room) {
        size_t room = n->pair_room ? 2 * n->pair_room : 1 << 16;
        struct near_pair *pairs = realloc(n->pairs, room * sizeof *pairs);
        if (!pairs)
            return ERR_NOMEM;
        n->pairs = pairs;
        n->pair_room = room;
    }
    n->pairs[n->pair_count++] = a < b ? (struct near_pair){a, b} : (struct near_pair){b, a};
    return OK;
}

/* Of how many windows two have in sum follows how many in common make them near. */
static void need_find(struct near *n)
{
    int need = 0;
    for (int sum = 0; sum <= 2 * GROUP_WINDOWS; sum++) {
        while (need < n->similar * (sum - need))
            need++;
        n->need[sum] = (uint8_t)need;
    }
}

/* The first after `at`, and before `end`, that is alike by this band and near; `end` if there
 * is none. */
WIDE static size_t next_near(const struct near *n, size_t at, size_t from, size_t end)
{
    const struct group_member *a = &n->members[(uint32_t)n->keys[at]];
    const unsigned size = n->size[(uint32_t)n->keys[at]];
    for (size_t k = from; k < end && n->keys[k] >> 32 == n->keys[at] >> 32; k++) {
        const struct group_member *b = &n->members[(uint32_t)n->keys[k]];
        unsigned both = (unsigned)(__builtin_popcountll(a->active[0] & b->active[0]) +
                                   __builtin_popcountll(a->active[1] & b->active[1]) +
                                   __builtin_popcountll(a->active[2] & b->active[2]));
        if (both >= n->need[size + n->size[(uint32_t)n->keys[k]]] && a->network != b->network)
            return k;
    }
    return end;
}

/* Pairs of the member at `at` with those after it. Who is near many has enough of them soon. */
static enum err pairs_take(struct near *n, size_t at)
{
    enum err e = OK;
    size_t end = at + 1 + GROUP_NEAR_MOST < n->count ? at + 1 + GROUP_NEAR_MOST : n->count;
    size_t k = at;
    for (unsigned found = 0; !e && found < NEAR_ENOUGH; found++) {
        k = next_near(n, at, k + 1, end);
        if (k >= end)
            break;
        e = pair_add(n, (uint32_t)n->keys[at], (uint32_t)n->keys[k]);
    }
    return e;
}

static enum err band_take(struct near *n, unsigned band)
{
    enum err e = OK;
    keys_sort(n, band);
    for (size_t i = 0; !e && i < n->count; i++)
        e = pairs_take(n, i);
    if (!e && n->pair_count == PAIRS_MAX)
        e = pairs_thin(n);
    return e;
}

enum err near_find(struct near *n, const struct group_member *members, size_t count,
    double similar, const struct near_pair **ret_pairs, size_t *ret_count)
{
    enum err e = OK;
    n->members = members;
    n->count = count;
    n->similar = similar;
    n->pair_count = 0;
    need_find(n);
    least_find(n);
    for (unsigned band = 0; !e && band < BANDS; band++)
        e = band_take(n, band);
    if (!e)
        e = pairs_thin(n);
    if (e)
        return e;
    *ret_pairs = n->pairs;
    *ret_count = n->pair_count;
    return OK;
}

void near_free(struct near *n)
{
    if (!n)
        return;
    free(n->rank);
    free(n->least);
    free(n->size);
    free(n->keys);
    free(n->spare);
    free(n->pairs);
    free(n->half);
    free(n->at);
    free(n);
}

enum err near_new(struct near **ret_near, size_t most, uint64_t seed)
{
    struct near *n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NOMEM;
    n->rank = malloc(GROUP_WINDOWS * sizeof *n->rank);
    n->least = malloc((most + 1) * sizeof *n->least);
    n->size = malloc(most + 1);
    n->keys = malloc((most + 1) * sizeof *n->keys);
    n->spare = malloc((most + 1) * sizeof *n->spare);
    n->at = malloc((most + 1) * sizeof *n->at);
    if (!n->rank || !n->least || !n->size || !n->keys || !n->spare || !n->at) {
        near_free(n);
        return ERR_NOMEM;
    }
    ranks_draw(n, seed);
    *ret_near = n;
    return OK;
}
