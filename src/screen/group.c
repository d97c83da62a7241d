#include "screen/group.h"

#include "base/hash.h"
#include "num/order.h"

#include <stdlib.h>
#include <string.h>

enum {
    BANDS = 32, /* with three rows each, a pair of Jaccard 0.5 is missed once in 72 times */
    ROWS = 3,
    WORDS = GROUP_WINDOWS / 64
};

/* Two members that are near, by their numbers among those looked at. */
struct edge {
    uint32_t a, b;
};

struct round {
    const struct group_options *options;
    const struct group_member *members; /* those looked at, moved or not */
    size_t count;
    uint16_t (*rank)[GROUP_WINDOWS]; /* of each window in each of BANDS * ROWS orders; owned */
    uint64_t *hashes;                /* one band: hash, then number of the member; owned */
    struct edge *edges;              /* owned */
    size_t edge_count, edge_room;
    uint32_t *near; /* networks near each; owned */
    uint32_t *up;   /* union-find over members; owned */
};

static unsigned windows_of(const struct group_member *m)
{
    int count = 0;
    for (unsigned i = 0; i < WORDS; i++)
        count += __builtin_popcountll(m->active[i]);
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
    for (unsigned k = 0; k < BANDS * ROWS; k++) {
        for (uint32_t i = 0; i < GROUP_WINDOWS; i++)
            r->rank[k][i] = (uint16_t)i;
        for (uint32_t i = GROUP_WINDOWS - 1; i > 0; i--) {
            uint32_t other = (uint32_t)(draw(r->options->seed, k, i) % (i + 1));
            uint16_t kept = r->rank[k][i];
            r->rank[k][i] = r->rank[k][other];
            r->rank[k][other] = kept;
        }
    }
}

static uint16_t least_rank(const struct group_member *m, const uint16_t rank[GROUP_WINDOWS])
{
    uint16_t least = UINT16_MAX;
    for (unsigned i = 0; i < WORDS; i++)
        for (uint64_t left = m->active[i]; left; left &= left - 1) {
            uint16_t here = rank[i * 64 + (unsigned)__builtin_ctzll(left)];
            least = here < least ? here : least;
        }
    return least;
}

/* The band's hash in the high half, whose collisions the exact check sorts out. */
static uint64_t band_hash(const struct round *r, unsigned band, uint32_t number)
{
    uint64_t rows = 0;
    for (unsigned k = 0; k < ROWS; k++)
        rows = rows << 16 | least_rank(&r->members[number], r->rank[band * ROWS + k]);
    return (hash_u64(rows) & ~(uint64_t)UINT32_MAX) | number;
}

static enum err edge_add(struct round *r, uint32_t a, uint32_t b)
{
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

static enum err band_take(struct round *r, unsigned band)
{
    for (size_t i = 0; i < r->count; i++)
        r->hashes[i] = band_hash(r, band, (uint32_t)i);
    qsort(r->hashes, r->count, sizeof *r->hashes, compare_u64);
    enum err e = OK;
    for (size_t i = 0; !e && i < r->count; i++)
        for (size_t k = i + 1; !e && k < r->count && k - i <= GROUP_NEAR_MOST &&
                               r->hashes[k] >> 32 == r->hashes[i] >> 32;
             k++) {
            uint32_t a = (uint32_t)r->hashes[i];
            uint32_t b = (uint32_t)r->hashes[k];
            if (group_similarity(&r->members[a], &r->members[b]) >= r->options->similar)
                e = edge_add(r, a, b);
        }
    return e;
}

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* Pairs that are near, each once. */
static enum err edges_find(struct round *r)
{
    enum err e = OK;
    size_t kept = 0;
    r->edge_count = 0;
    for (unsigned band = 0; !e && band < BANDS; band++)
        e = band_take(r, band);
    if (r->edge_count)
        qsort(r->edges, r->edge_count, sizeof *r->edges, by_ends);
    for (size_t i = 0; i < r->edge_count; i++)
        if (!i || by_ends(&r->edges[i], &r->edges[i - 1]) != 0)
            r->edges[kept++] = r->edges[i];
    r->edge_count = kept;
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

/* Neighbours of a member's own network do not make it dense. Several of one other network count
 * each: they are few where networks are counted in the end. */
static void density_count(struct round *r)
{
    memset(r->near, 0, r->count * sizeof *r->near);
    for (size_t i = 0; i < r->edge_count; i++) {
        const struct edge *e = &r->edges[i];
        bool other = r->members[e->a].network != r->members[e->b].network;
        r->near[e->a] += other;
        r->near[e->b] += other;
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

/* Moved round the day, so that nothing falls off its end. */
static void member_move(
    struct group_member *to, const struct group_member *from, uint32_t windows, uint32_t by)
{
    *to = (struct group_member){.network = from->network};
    for (uint32_t i = 0; i < windows; i++)
        if (from->active[i / 64] >> i % 64 & 1) {
            uint32_t at = (i + by) % windows;
            to->active[at / 64] |= UINT64_C(1) << at % 64;
        }
}

static void members_move(struct group_member *to, const struct round *r, unsigned number)
{
    const struct group_options *o = r->options;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t drawn = draw(o->seed, number + 1, i);
        uint32_t by = o->shift + (uint32_t)((drawn >> 1) % (3 * o->shift + 1));
        member_move(&to[i], &r->members[i], o->windows, drawn & 1 ? by : o->windows - by);
    }
}

static enum err chance_find(struct round *r, uint32_t *ret_networks)
{
    const struct group_member *real = r->members;
    struct group_member *moved = malloc((r->count + 1) * sizeof *moved);
    enum err e = moved ? OK : ERR_NOMEM;
    *ret_networks = 0;
    for (unsigned i = 0; !e && i < r->options->rounds; i++) {
        uint32_t most = 0;
        r->members = real;
        members_move(moved, r, i);
        r->members = moved;
        e = round_run(r);
        if (!e)
            e = largest_group(r, &most);
        *ret_networks = most > *ret_networks ? most : *ret_networks;
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
        drafts[g].found.similar +=
            group_similarity(&r->members[r->edges[i].a], &r->members[r->edges[i].b]);
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

/* Of the windows that there are. */
static struct group_member within(const struct group_member *m, uint32_t windows)
{
    struct group_member cut = {.network = m->network};
    for (uint32_t i = 0; i < windows; i++)
        cut.active[i / 64] |= m->active[i / 64] & UINT64_C(1) << i % 64;
    return cut;
}

static bool is_looked_at(const struct group_member *m, const struct group_options *o)
{
    unsigned windows = windows_of(m);
    return windows >= o->least && windows <= o->most * o->windows;
}

static bool options_hold(const struct group_options *o)
{
    return o->windows >= 24 && o->windows <= GROUP_WINDOWS && o->least >= 2 && o->near >= 1 &&
           o->shared <= o->windows && o->similar > 0.0 && o->similar <= 1.0 &&
           o->rounds <= GROUP_ROUNDS_MAX && o->shift >= 1 && 4 * o->shift < o->windows;
}

static enum err round_open(struct round *r)
{
    r->rank = malloc((size_t)BANDS * ROWS * sizeof *r->rank);
    r->hashes = malloc((r->count + 1) * sizeof *r->hashes);
    r->near = malloc((r->count + 1) * sizeof *r->near);
    r->up = malloc((r->count + 1) * sizeof *r->up);
    if (!r->rank || !r->hashes || !r->near || !r->up)
        return ERR_NOMEM;
    ranks_draw(r);
    return OK;
}

static void round_done(struct round *r)
{
    free(r->rank);
    free(r->hashes);
    free(r->near);
    free(r->up);
    free(r->edges);
}

enum err groups_find(const struct group_member *members, size_t count,
    const struct group_options *options, struct groups_result *ret_result)
{
    struct groups_result result = {0};
    struct round r = {.options = options};
    if (count > GROUP_MEMBERS_MAX || !options_hold(options))
        return ERR_RANGE;
    struct group_member *chosen = malloc((count + 1) * sizeof *chosen);
    uint32_t *own = malloc((count + 1) * sizeof *own);
    uint32_t *group = malloc((count + 1) * sizeof *group);
    result.of = malloc((count + 1) * sizeof *result.of);
    enum err e = chosen && own && group && result.of ? OK : ERR_NOMEM;
    for (size_t i = 0; !e && i < count; i++) {
        result.of[i] = group[i] = GROUP_NONE;
        struct group_member m = within(&members[i], options->windows);
        if (!is_looked_at(&m, options))
            continue;
        own[r.count] = (uint32_t)i;
        chosen[r.count++] = m;
    }
    r.members = chosen;
    result.looked_at = r.count;
    if (!e)
        e = round_open(&r);
    if (!e)
        e = chance_find(&r, &result.chance);
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
