#include "screen/group.h"

#include "base/hash.h"
#include "base/wide.h"
#include "num/order.h"

#include <stdlib.h>
#include <string.h>

enum {
    BANDS = 32, /* with three rows each, a pair of Jaccard 0.5 is missed once in 72 times */
    ROWS = 3,
    ORDERS = BANDS * ROWS,
    WORDS = GROUP_WINDOWS / 64,
    DIGIT = 12,       /* bits of a band's key that are sorted at a time; it has two digits */
    NEAR_ENOUGH = 16, /* pairs of a member in one band */
    EDGES_MAX = 1 << 23
};
_Static_assert(GROUP_WINDOWS <= UINT8_MAX, "a rank is a byte");
_Static_assert(8 * ROWS == 2 * DIGIT, "a band's ranks are its key");

/* Two members of different networks that are near, by their numbers among those looked at:
 * neighbours in its own network say nothing of a source. */
struct edge {
    uint32_t a, b;
};

struct round {
    const struct group_options *options;
    const struct group_member *members; /* those looked at, moved or not */
    size_t count;
    uint8_t (*rank)[ORDERS];  /* of each window, in each of the orders; owned */
    uint8_t (*least)[ORDERS]; /* least rank of each member's windows in each of them; owned */
    uint8_t *size;            /* windows of each member; owned */
    uint64_t *keys, *spare;   /* one band: key, then number of the member; owned */
    struct edge *edges;       /* owned */
    size_t edge_count, edge_room;
    uint32_t *near; /* networks near each; owned */
    uint32_t *up;   /* union-find over members; owned */
};

unsigned group_windows(const uint64_t active[WORDS])
{
    int count = 0;
    for (unsigned i = 0; i < WORDS; i++)
        count += __builtin_popcountll(active[i]);
    return (unsigned)count;
}

/* --- candidates --------------------------------------------------------------------------- */

static uint64_t draw(uint64_t seed, uint64_t a, uint64_t b)
{
    return hash_two(hash_two(seed, a), b);
}

/* Orders of the windows (Fisher, Yates), drawn by the seed. */
static void ranks_draw(struct round *r)
{
    for (unsigned k = 0; k < ORDERS; k++) {
        for (uint32_t i = 0; i < GROUP_WINDOWS; i++)
            r->rank[i][k] = (uint8_t)i;
        for (uint32_t i = GROUP_WINDOWS - 1; i > 0; i--) {
            uint32_t other = (uint32_t)(draw(r->options->seed, k, i) % (i + 1));
            uint8_t kept = r->rank[i][k];
            r->rank[i][k] = r->rank[other][k];
            r->rank[other][k] = kept;
        }
    }
}

/* All orders of a window lie side by side, so that the compiler takes them sixteen at a time.
 */
WIDE static void least_find(struct round *r)
{
    memset(r->least, UINT8_MAX, r->count * sizeof *r->least);
    for (size_t m = 0; m < r->count; m++) {
        r->size[m] = (uint8_t)group_windows(r->members[m].active);
        uint8_t *restrict least = r->least[m];
        for (unsigned i = 0; i < WORDS; i++)
            for (uint64_t left = r->members[m].active[i]; left; left &= left - 1) {
                const uint8_t *rank = r->rank[i * 64 + (unsigned)__builtin_ctzll(left)];
                for (unsigned k = 0; k < ORDERS; k++)
                    least[k] = rank[k] < least[k] ? rank[k] : least[k];
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
static void keys_sort(struct round *r, unsigned band)
{
    for (size_t i = 0; i < r->count; i++) {
        const uint8_t *least = &r->least[i][band * ROWS];
        r->keys[i] = (uint64_t)(least[0] << 16 | least[1] << 8 | least[2]) << 32 | i;
    }
    sort_digit(r->keys, r->spare, r->count, 32);
    sort_digit(r->spare, r->keys, r->count, 32 + DIGIT);
}

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* Each pair once, in the order of its ends. */
static void edges_thin(struct round *r)
{
    size_t kept = 0;
    if (r->edge_count)
        qsort(r->edges, r->edge_count, sizeof *r->edges, by_ends);
    for (size_t i = 0; i < r->edge_count; i++)
        if (!i || by_ends(&r->edges[i], &r->edges[i - 1]) != 0)
            r->edges[kept++] = r->edges[i];
    r->edge_count = kept;
}

/* When there is no room left, pairs are found no more: those of the first bands do. */
static enum err edge_add(struct round *r, uint32_t a, uint32_t b)
{
    if (r->edge_count == r->edge_room && r->edge_room == EDGES_MAX)
        return OK;
    if (r->edge_count == r->edge_room) {
        size_t room = r->edge_room ? 2 * r->edge_room : 1 << 16;
        struct edge *edges = realloc(r->edges, room * sizeof *edges);
        if (!edges)
            return ERR_NOMEM;
        r->edges = edges;
        r->edge_room = room;
    }
    r->edges[r->edge_count++] = a < b ? (struct edge){a, b} : (struct edge){b, a};
    return OK;
}

/* The first after `at`, and before `end`, that is alike by this band and near; `end` if there
 * is none. Half of all time goes by here. */
WIDE static size_t next_near(const struct round *r, size_t at, size_t from, size_t end)
{
    const struct group_member *a = &r->members[(uint32_t)r->keys[at]];
    const double similar = r->options->similar;
    const int size = (int)group_windows(a->active);
    for (size_t k = from; k < end && r->keys[k] >> 32 == r->keys[at] >> 32; k++) {
        const struct group_member *b = &r->members[(uint32_t)r->keys[k]];
        int both = 0;
        for (unsigned i = 0; i < WORDS; i++)
            both += __builtin_popcountll(a->active[i] & b->active[i]);
        int either = size + r->size[(uint32_t)r->keys[k]] - both;
        if (both >= similar * either && a->network != b->network)
            return k;
    }
    return end;
}

/* Pairs of the member at `at` with those after it. Who is near many has enough of them soon. */
static enum err pairs_take(struct round *r, size_t at)
{
    enum err e = OK;
    size_t end = at + 1 + GROUP_NEAR_MOST < r->count ? at + 1 + GROUP_NEAR_MOST : r->count;
    size_t k = at;
    for (unsigned found = 0; !e && found < NEAR_ENOUGH; found++) {
        k = next_near(r, at, k + 1, end);
        if (k >= end)
            break;
        e = edge_add(r, (uint32_t)r->keys[at], (uint32_t)r->keys[k]);
    }
    return e;
}

static enum err band_take(struct round *r, unsigned band)
{
    enum err e = OK;
    keys_sort(r, band);
    for (size_t i = 0; !e && i < r->count; i++)
        e = pairs_take(r, i);
    if (r->edge_count == EDGES_MAX)
        edges_thin(r);
    return e;
}

/* Pairs that are near, each once. */
static enum err edges_find(struct round *r)
{
    enum err e = OK;
    r->edge_count = 0;
    least_find(r);
    for (unsigned band = 0; !e && band < BANDS; band++)
        e = band_take(r, band);
    edges_thin(r);
    return e;
}

/* --- density ------------------------------------------------------------------------------ */

static uint32_t root(struct round *r, uint32_t i)
{
    while (r->up[i] != i)
        i = r->up[i] = r->up[r->up[i]];
    return i;
}

static void unite(struct round *r, uint32_t a, uint32_t b)
{
    a = root(r, a);
    b = root(r, b);
    r->up[a > b ? a : b] = a > b ? b : a;
}

/* Several of one network count each: they are few where networks are counted in the end. */
static void density_count(struct round *r)
{
    memset(r->near, 0, r->count * sizeof *r->near);
    for (size_t i = 0; i < r->edge_count; i++) {
        r->near[r->edges[i].a]++;
        r->near[r->edges[i].b]++;
    }
}

/* Dense ones that are near each other are one group; others join the first dense one that they
 * are near. */
static void groups_unite(struct round *r)
{
    uint32_t dense = r->options->near;
    for (uint32_t i = 0; i < r->count; i++)
        r->up[i] = i;
    for (size_t i = 0; i < r->edge_count; i++)
        if (r->near[r->edges[i].a] >= dense && r->near[r->edges[i].b] >= dense)
            unite(r, r->edges[i].a, r->edges[i].b);
    for (size_t i = 0; i < r->edge_count; i++) {
        uint32_t a = r->edges[i].a;
        uint32_t b = r->edges[i].b;
        if (r->near[a] >= dense && r->near[b] < dense && r->up[b] == b)
            r->up[b] = root(r, a);
        else if (r->near[b] >= dense && r->near[a] < dense && r->up[a] == a)
            r->up[a] = root(r, b);
    }
}

static enum err round_run(struct round *r)
{
    enum err e = edges_find(r);
    if (e)
        return e;
    density_count(r);
    groups_unite(r);
    return OK;
}

/* --- counting ----------------------------------------------------------------------------- */

/* A member of some group. */
struct place {
    uint32_t group; /* its root */
    uint32_t number;
    uint64_t network;
};

static int by_group(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->network != y->network)
        return x->network < y->network ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Members of groups, by group and network. */
static enum err places_make(struct round *r, struct place **ret_places, size_t *ret_count)
{
    struct place *list = malloc((r->count + 1) * sizeof *list);
    size_t count = 0;
    if (!list)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->up[i] != i || r->near[i] >= r->options->near)
            list[count++] = (struct place){root(r, i), i, r->members[i].network};
    qsort(list, count, sizeof *list, by_group);
    *ret_places = list;
    *ret_count = count;
    return OK;
}

static uint32_t networks_count(const struct place *places, size_t count)
{
    uint32_t networks = 0;
    for (size_t i = 0; i < count; i++)
        networks += !i || places[i].network != places[i - 1].network;
    return networks;
}

static size_t group_end(const struct place *places, size_t count, size_t from)
{
    size_t to = from;
    while (to < count && places[to].group == places[from].group)
        to++;
    return to;
}

/* Windows in which half of the members came; returns how many. */
static unsigned core_find(
    const struct round *r, const struct place *places, size_t members, uint64_t ret_core[WORDS])
{
    unsigned windows = 0;
    memset(ret_core, 0, WORDS * sizeof *ret_core);
    for (uint32_t w = 0; w < GROUP_WINDOWS; w++) {
        uint32_t active = 0;
        for (size_t i = 0; i < members; i++)
            active += r->members[places[i].number].active[w / 64] >> w % 64 & 1;
        if (2 * active < members)
            continue;
        ret_core[w / 64] |= UINT64_C(1) << w % 64;
        windows++;
    }
    return windows;
}

static enum err largest_group(struct round *r, uint32_t *ret_networks)
{
    struct place *places;
    size_t count;
    enum err e = places_make(r, &places, &count);
    *ret_networks = 0;
    for (size_t from = 0, to; !e && from < count; from = to) {
        to = group_end(places, count, from);
        uint64_t core[WORDS];
        uint32_t networks = networks_count(&places[from], to - from);
        if (networks > *ret_networks &&
            core_find(r, &places[from], to - from, core) >= r->options->shared)
            *ret_networks = networks;
    }
    if (!e)
        free(places);
    return e;
}

/* --- the null ----------------------------------------------------------------------------- */

/* Moved round the windows in which it may have come, so that nothing falls off their end. Of
 * one that was first seen within the day the first coming stays: many may have that in common.
 */
static void member_move(
    struct group_member *to, const struct group_member *from, uint32_t span, uint32_t by)
{
    *to = (struct group_member){.network = from->network, .span = from->span};
    for (uint32_t i = 0; i < WORDS; i++)
        for (uint64_t left = from->active[i]; left; left &= left - 1) {
            uint32_t at = i * 64 + (uint32_t)__builtin_ctzll(left);
            at = at < span ? (at + by) % span : at;
            to->active[at / 64] |= UINT64_C(1) << at % 64;
        }
}

static void members_move(struct group_member *to, const struct round *r, unsigned number)
{
    const struct group_options *o = r->options;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t drawn = draw(o->seed, number + 1, i);
        uint32_t by = o->shift + (uint32_t)((drawn >> 1) % (3 * o->shift + 1));
        uint32_t whole = r->members[i].span;
        uint32_t span = whole < o->windows ? whole - 1 : whole;
        member_move(&to[i], &r->members[i], span, drawn & 1 || !span ? by : span - by % span);
    }
}

/* Stops at the first round whose group is as large as the one that is asked about. */
static enum err chance_take(struct round *r, uint32_t networks, struct groups_chance *ret)
{
    const struct group_member *real = r->members;
    struct group_member *moved = malloc((r->count + 1) * sizeof *moved);
    enum err e = moved ? OK : ERR_NOMEM;
    *ret = (struct groups_chance){0};
    for (unsigned i = 0; !e && i < r->options->rounds && ret->networks < networks; i++) {
        uint32_t most = 0;
        r->members = real;
        members_move(moved, r, i);
        r->members = moved;
        e = round_run(r);
        if (!e)
            e = largest_group(r, &most);
        ret->networks = most > ret->networks ? most : ret->networks;
        ret->rounds++;
    }
    r->members = real;
    free(moved);
    return e;
}

/* --- what is found ------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    const struct group_found *x = a;
    const struct group_found *y = b;
    if (x->networks != y->networks)
        return x->networks > y->networks ? -1 : 1;
    return x->members > y->members ? -1 : x->members < y->members;
}

/* Where a group's places begin, beside what is said of it. */
struct draft {
    struct group_found found; /* first: sorted by it */
    size_t from;
};

static void similar_add(
    struct round *r, const uint32_t *group, struct draft *drafts, size_t count)
{
    uint32_t *pairs = calloc(count + 1, sizeof *pairs);
    for (size_t i = 0; pairs && i < r->edge_count; i++) {
        uint32_t g = group[r->edges[i].a];
        if (g == GROUP_NONE || g != group[r->edges[i].b])
            continue;
        drafts[g].found.similar += group_similarity(
            r->members[r->edges[i].a].active, r->members[r->edges[i].b].active);
        pairs[g]++;
    }
    for (size_t g = 0; pairs && g < count; g++)
        drafts[g].found.similar /= pairs[g] ? pairs[g] : 1;
    free(pairs);
}

/* `own` says which of the caller's members each one looked at is. */
static enum err result_make(
    struct round *r, const uint32_t *own, struct groups_result *ret, uint32_t *group)
{
    struct place *places;
    size_t count;
    enum err e = places_make(r, &places, &count);
    if (e)
        return e;
    struct draft *drafts = calloc(count + 1, sizeof *drafts);
    ret->list = calloc(count + 1, sizeof *ret->list);
    e = drafts && ret->list ? OK : ERR_NOMEM;
    for (size_t from = 0, to; !e && from < count; from = to) {
        to = group_end(places, count, from);
        struct draft *d = &drafts[ret->count];
        d->from = from;
        d->found.members = (uint32_t)(to - from);
        d->found.networks = networks_count(&places[from], to - from);
        ret->count +=
            core_find(r, &places[from], to - from, d->found.core) >= r->options->shared;
    }
    if (!e && ret->count)
        qsort(drafts, ret->count, sizeof *drafts, by_size);
    for (size_t g = 0; !e && g < ret->count; g++)
        for (uint32_t i = 0; i < drafts[g].found.members; i++) {
            uint32_t number = places[drafts[g].from + i].number;
            group[number] = (uint32_t)g;
            ret->of[own[number]] = (uint32_t)g;
        }
    if (!e)
        similar_add(r, group, drafts, ret->count);
    for (size_t g = 0; !e && g < ret->count; g++)
        ret->list[g] = drafts[g].found;
    free(drafts);
    free(places);
    return e;
}

/* --- all ---------------------------------------------------------------------------------- */

void group_member_cut(struct group_member *m, uint32_t windows)
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (windows < 64 * i + 64)
            m->active[i] &= windows > 64 * i ? (UINT64_C(1) << (windows - 64 * i)) - 1 : 0;
}

/* Of the windows that there are. Nothing came before the first. */
static struct group_member within(const struct group_member *m, uint32_t windows)
{
    struct group_member cut = *m;
    group_member_cut(&cut, windows);
    cut.span = m->span && m->span < windows ? m->span : windows;
    for (uint32_t i = WORDS; i-- > 0;)
        if (cut.active[i]) {
            uint32_t oldest = 64 * i + 64 - (uint32_t)__builtin_clzll(cut.active[i]);
            cut.span = cut.span > oldest ? cut.span : oldest;
            break;
        }
    return cut;
}

bool group_is_looked_at(const struct group_member *m, const struct group_options *o)
{
    unsigned windows = group_windows(m->active);
    return windows >= o->least && windows <= o->most * o->windows;
}

bool group_windows_suffice(uint32_t windows, uint32_t shift)
{
    return windows >= GROUP_WINDOWS_LEAST && windows > UINT64_C(4) * shift;
}

static bool options_hold(const struct group_options *o)
{
    return group_windows_suffice(o->windows, o->shift) && o->windows <= GROUP_WINDOWS &&
           o->least >= 2 && o->near >= 1 && o->shared <= o->windows && o->similar > 0.0 &&
           o->similar <= 1.0 && o->rounds <= GROUP_ROUNDS_MAX && o->shift >= 1;
}

static void round_done(struct round *r)
{
    free(r->rank);
    free(r->least);
    free(r->size);
    free(r->keys);
    free(r->spare);
    free(r->near);
    free(r->up);
    free(r->edges);
}

/* Those that are looked at, and which of the caller's each is. Both are the caller's, also
 * after a failure. */
static enum err round_open(struct round *r, const struct group_member *members, size_t count,
    struct group_member **ret_chosen, uint32_t **ret_own)
{
    if (count > GROUP_MEMBERS_MAX || !options_hold(r->options))
        return ERR_RANGE;
    struct group_member *chosen = *ret_chosen = malloc((count + 1) * sizeof *chosen);
    uint32_t *own = *ret_own = malloc((count + 1) * sizeof *own);
    for (size_t i = 0; chosen && own && i < count; i++) {
        struct group_member m = within(&members[i], r->options->windows);
        if (!group_is_looked_at(&m, r->options))
            continue;
        own[r->count] = (uint32_t)i;
        chosen[r->count++] = m;
    }
    r->members = chosen;
    r->rank = malloc(GROUP_WINDOWS * sizeof *r->rank);
    r->least = malloc((r->count + 1) * sizeof *r->least);
    r->size = malloc(r->count + 1);
    r->keys = malloc((r->count + 1) * sizeof *r->keys);
    r->spare = malloc((r->count + 1) * sizeof *r->spare);
    r->near = malloc((r->count + 1) * sizeof *r->near);
    r->up = malloc((r->count + 1) * sizeof *r->up);
    if (!chosen || !own || !r->rank || !r->least || !r->size || !r->keys || !r->spare ||
        !r->near || !r->up)
        return ERR_NOMEM;
    ranks_draw(r);
    return OK;
}

enum err groups_chance(const struct group_member *members, size_t count,
    const struct group_options *options, uint32_t networks, struct groups_chance *ret_chance)
{
    struct round r = {.options = options};
    struct groups_chance chance = {0};
    struct group_member *chosen = NULL;
    uint32_t *own = NULL;
    enum err e = round_open(&r, members, count, &chosen, &own);
    if (!e)
        e = chance_take(&r, networks, &chance);
    if (!e)
        *ret_chance = chance;
    round_done(&r);
    free(chosen);
    free(own);
    return e;
}

enum err groups_find(const struct group_member *members, size_t count,
    const struct group_options *options, struct groups_result *ret_result)
{
    struct groups_result result = {0};
    struct round r = {.options = options};
    struct group_member *chosen = NULL;
    uint32_t *own = NULL;
    enum err e = round_open(&r, members, count, &chosen, &own);
    uint32_t *group = malloc((r.count + 1) * sizeof *group);
    result.of = malloc((count + 1) * sizeof *result.of);
    if (!e && (!group || !result.of))
        e = ERR_NOMEM;
    for (size_t i = 0; !e && i < count; i++)
        result.of[i] = GROUP_NONE;
    for (size_t i = 0; !e && i < r.count; i++)
        group[i] = GROUP_NONE;
    result.looked_at = r.count;
    if (!e)
        e = round_run(&r);
    if (!e)
        e = result_make(&r, own, &result, group);
    round_done(&r);
    free(chosen);
    free(own);
    free(group);
    if (e) {
        free(result.of);
        free(result.list);
        return e;
    }
    *ret_result = result;
    return OK;
}
