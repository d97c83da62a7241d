#include "screen/group.h"

#include "base/hash.h"
#include "screen/near_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORDS = GROUP_WINDOWS / 64
};

struct round {
    const struct group_options *options;
    const struct group_member *members; /* those looked at, moved or not */
    size_t count;
    struct near *finder;           /* owned */
    const struct near_pair *pairs; /* that are near, by their numbers among those looked at */
    size_t pair_count;
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
    for (size_t i = 0; i < r->pair_count; i++) {
        r->near[r->pairs[i].a]++;
        r->near[r->pairs[i].b]++;
    }
}

/* Dense ones that are near each other are one group; others join the first dense one that they
 * are near. */
static void groups_unite(struct round *r)
{
    uint32_t dense = r->options->near;
    for (uint32_t i = 0; i < r->count; i++)
        r->up[i] = i;
    for (size_t i = 0; i < r->pair_count; i++)
        if (r->near[r->pairs[i].a] >= dense && r->near[r->pairs[i].b] >= dense)
            unite(r, r->pairs[i].a, r->pairs[i].b);
    for (size_t i = 0; i < r->pair_count; i++) {
        uint32_t a = r->pairs[i].a;
        uint32_t b = r->pairs[i].b;
        if (r->near[a] >= dense && r->near[b] < dense && r->up[b] == b)
            r->up[b] = root(r, a);
        else if (r->near[b] >= dense && r->near[a] < dense && r->up[a] == a)
            r->up[a] = root(r, b);
    }
}

static enum err round_run(struct round *r)
{
    enum err e = near_find(
        r->finder, r->members, r->count, r->options->similar, &r->pairs, &r->pair_count);
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
        uint64_t drawn = hash_two(hash_two(o->seed, number + 1), i);
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
    for (size_t i = 0; pairs && i < r->pair_count; i++) {
        uint32_t g = group[r->pairs[i].a];
        if (g == GROUP_NONE || g != group[r->pairs[i].b])
            continue;
        drafts[g].found.similar += group_similarity(
            r->members[r->pairs[i].a].active, r->members[r->pairs[i].b].active);
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
    near_free(r->finder);
    free(r->near);
    free(r->up);
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
    r->near = malloc((r->count + 1) * sizeof *r->near);
    r->up = malloc((r->count + 1) * sizeof *r->up);
    if (!chosen || !own || !r->near || !r->up)
        return ERR_NOMEM;
    return near_new(&r->finder, r->count, r->options->seed);
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
