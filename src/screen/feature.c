#include "screen/feature.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word, *text;
} names[] = {
#define X(id, word, text) {word, text},
    FEATURES(X)
#undef X
};

const char *feature_word(enum feature f)
{
    assert(f < FEATURE_COUNT);
    return names[f].word;
}

const char *feature_text(enum feature f)
{
    assert(f < FEATURE_COUNT);
    return names[f].text;
}

enum feature feature_find(const char *word)
{
    unsigned f = 0;
    while (f < FEATURE_COUNT && strcmp(names[f].word, word) != 0)
        f++;
    return (enum feature)f;
}

thing_key profile_main(const struct profile *p)
{
    const struct profile_thing *best = &p->thing[0];
    for (unsigned i = 1; i < p->thing_count; i++)
        if (p->thing[i].packets > best->packets ||
            (p->thing[i].packets == best->packets && p->thing[i].key < best->key))
            best = &p->thing[i];
    return p->thing_count ? best->key : 0;
}

/* --- neighbours ----------------------------------------------------------------------------
 */

enum {
    AHEAD = 16 /* profiles whose places in the table are on their way from memory */
};

/* How many profiles are of one kind: network, tool and size. */
struct likeness {
    uint64_t kind;
    uint32_t profiles; /* 0: the place is free */
};

/* The places are a power of two, and at most half of them are taken. */
static uint32_t likeness_place(const struct likeness *of, size_t places, uint64_t kind)
{
    size_t at = kind & (places - 1);
    while (of[at].profiles && of[at].kind != kind)
        at = (at + 1) & (places - 1);
    return (uint32_t)at;
}

/* Never 0. */
static uint64_t kind_of(const struct profile *p)
{
    thing_key main = profile_main(p);
    return hash_two(profile_network(p), (uint64_t)thing_tool(main) << 16 | thing_size(main)) |
           UINT64_C(1) << 63;
}

enum err neighbours_count(const struct profiles *t, uint32_t now, struct arena *scratch,
    struct neighbours *ret_neighbours)
{
    size_t places = 2;
    while (places < 2 * t->count)
        places *= 2;
    struct likeness *likes = arena_take(scratch, places, sizeof *likes);
    uint64_t *kind = arena_take(scratch, t->count + AHEAD, sizeof *kind);
    uint32_t *of = arena_take(scratch, t->count + 1, sizeof *of);
    if (!likes || !kind || !of)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->count; i++)
        if (now - t->list[i].last < t->day)
            kind[i] = kind_of(&t->list[i]);
    for (size_t i = 0; i < t->count; i++) {
        __builtin_prefetch(&likes[kind[i + AHEAD] & (places - 1)], 1);
        if (!kind[i])
            continue;
        of[i] = likeness_place(likes, places, kind[i]);
        likes[of[i]].kind = kind[i];
        likes[of[i]].profiles++;
    }
    for (size_t i = 0; i < t->count; i++)
        of[i] = kind[i] ? likes[of[i]].profiles : 0;
    ret_neighbours->of = of;
    return OK;
}

/* --- numbers -------------------------------------------------------------------------------
 */

static double steadiness(const struct profiles *t, const struct profile *p, uint32_t now)
{
    uint32_t since = now - p->first + 1;
    uint32_t span = since < t->day ? since : t->day;
    uint32_t active = 0;
    for (uint32_t i = 0; i < PROFILE_DAY; i++) {
        uint32_t back = now - p->last + i;
        active += back < span && (p->active[i / 64] >> i % 64 & 1);
    }
    return 100.0 * active / span;
}

void features_of(const struct profiles *t, const struct neighbours *n, uint32_t profile,
    uint32_t now, double ret_values[FEATURE_COUNT])
{
    const struct profile *p = &t->list[profile];
    const struct profile_span *a = &p->span[0];
    const struct profile_span *b = &p->span[1];
    double packets = (double)a->packets + b->packets;
    double windows = (double)a->windows + b->windows;
    ret_values[FEATURE_SERVICES] = maps_count(a->ports, b->ports);
    ret_values[FEATURE_PACKETS] = packets;
    ret_values[FEATURE_RATE] = packets / fmax(windows, 1.0);
    ret_values[FEATURE_SITES] = __builtin_popcountll(a->sites | b->sites);
    ret_values[FEATURE_PLACES] = __builtin_popcountll(a->places | b->places);
    ret_values[FEATURE_WINDOWS] = windows;
    ret_values[FEATURE_HOURS] = (double)(now - p->first) / t->hour;
    ret_values[FEATURE_STEADY] = steadiness(t, p, now);
    ret_values[FEATURE_SIZE] = thing_size(profile_main(p));
    ret_values[FEATURE_WIN] = p->win;
    ret_values[FEATURE_NEIGHBOURS] = n->of[profile];
}
