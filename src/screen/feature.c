#include "screen/feature.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAYBE_BITS = 1 << 18
};

static const char *const words[] = {
#define X(id, word, text) word,
    FEATURES(X)
#undef X
};

const char *feature_word(enum feature f)
{
    assert(f < FEATURE_COUNT);
    return words[f];
}

enum feature feature_find(const char *word)
{
    unsigned f = 0;
    while (f < FEATURE_COUNT && strcmp(words[f], word) != 0)
        f++;
    return (enum feature)f;
}

/* --- neighbours ----------------------------------------------------------------------------
 */

/* How many profiles are of one kind. */
struct likeness {
    uint64_t kind; /* 0: the place is free */
    uint32_t profiles;
};

/* The kinds of those that are asked for. `maybe` has a bit for each, and few besides: most
 * other profiles are told by it alone, and it stays in the nearest cache. */
struct likenesses {
    struct likeness *of;
    size_t places; /* a power of two, at most half of them taken */
    uint64_t maybe[MAYBE_BITS / 64];
};

static bool is_wanted(const struct profile_kin *k, uint32_t now, uint32_t day, uint32_t since)
{
    return k->last >= since && now - k->last < day;
}

static struct likeness *likeness_place(struct likenesses *l, uint64_t kind)
{
    size_t at = kind & (l->places - 1);
    while (l->of[at].kind && l->of[at].kind != kind)
        at = (at + 1) & (l->places - 1);
    return &l->of[at];
}

static void maybe_bit(uint64_t kind, size_t *ret_word, uint64_t *ret_bit)
{
    size_t at = kind >> 32 & (MAYBE_BITS - 1);
    *ret_word = at / 64;
    *ret_bit = UINT64_C(1) << at % 64;
}

static void want(struct likenesses *l, uint64_t kind)
{
    size_t word;
    uint64_t bit;
    maybe_bit(kind, &word, &bit);
    l->maybe[word] |= bit;
    likeness_place(l, kind)->kind = kind;
}

static void count(struct likenesses *l, uint64_t kind)
{
    size_t word;
    uint64_t bit;
    maybe_bit(kind, &word, &bit);
    if (!(l->maybe[word] & bit))
        return;
    struct likeness *found = likeness_place(l, kind);
    found->profiles += found->kind == kind;
}

static size_t wanted_count(const struct profiles *t, uint32_t now, uint32_t since)
{
    size_t wanted = 0;
    for (size_t i = 0; i < t->count; i++)
        wanted += is_wanted(&t->kin[i], now, t->day, since);
    return wanted;
}

enum err neighbours_count(const struct profiles *t, uint32_t now, uint32_t since,
    struct arena *scratch, struct neighbours *ret_neighbours)
{
    struct likenesses *l = arena_take(scratch, 1, sizeof *l);
    uint32_t *of = arena_take(scratch, t->count + 1, sizeof *of);
    if (!l || !of)
        return ERR_NOMEM;
    size_t wanted = wanted_count(t, now, since);
    for (l->places = 2; l->places < 2 * wanted;)
        l->places *= 2;
    l->of = arena_take(scratch, l->places, sizeof *l->of);
    if (!l->of)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->count; i++)
        if (is_wanted(&t->kin[i], now, t->day, since))
            want(l, t->kin[i].kind);
    for (size_t i = 0; i < t->count; i++)
        if (now - t->kin[i].last < t->day)
            count(l, t->kin[i].kind);
    for (size_t i = 0; i < t->count; i++)
        if (is_wanted(&t->kin[i], now, t->day, since))
            of[i] = likeness_place(l, t->kin[i].kind)->profiles;
    ret_neighbours->of = of;
    return OK;
}

/* --- numbers -------------------------------------------------------------------------------
 */

static double steadiness(const struct profiles *t, const struct profile *p, uint32_t now)
{
    uint32_t since = now - p->first + 1;
    uint32_t span = since < t->day ? since : t->day;
    uint32_t silent = now - p->last;
    uint32_t left = silent < span ? span - silent : 0; /* bits that lie within the span */
    int active = 0;
    for (uint32_t i = 0; i < PROFILE_DAY / 64 && left; i++) {
        uint64_t within = left < 64 ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
        active += __builtin_popcountll(p->active[i] & within);
        left -= left < 64 ? left : 64;
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
