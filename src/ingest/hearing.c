#include "ingest/hearing.h"

#include <math.h>

enum {
    KNOWN = 6,       /* windows that tell what a site usually hears ... */
    REMEMBERED = 36, /* ... and how many of them count */
    STRETCH = 6,     /* sixtieths; shorter silences cut no window */
    BELIEVED = 18    /* windows cut in a row: no outage, but what the site is now */
};
static const double by_chance = 1e-6; /* windows with so long a silence */
static const double longer = 2.0;     /* than usual */

static unsigned heard(uint64_t slots)
{
    return (unsigned)__builtin_popcountll(slots & ((UINT64_C(1) << HEARING_SLOTS) - 1));
}

static unsigned longest_silence(uint64_t slots)
{
    unsigned longest = 0, run = 0;
    for (unsigned i = 0; i < HEARING_SLOTS; i++) {
        run = slots >> i & 1 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

void hearing_learn(struct hearing *h, uint64_t packets, uint64_t slots)
{
    if (!packets)
        return;
    h->cut = hearing_is_cut(h, packets, slots) ? h->cut + 1 : 0;
    if (h->cut >= BELIEVED)
        *h = (struct hearing){0};
    if (h->cut)
        return;
    if (h->windows < REMEMBERED)
        h->windows++;
    h->packets += ((double)packets - h->packets) / h->windows;
    double silent = 1.0 - (double)heard(slots) / HEARING_SLOTS;
    h->silent += (silent - h->silent) / h->windows;
    h->stretch += (longest_silence(slots) - h->stretch) / h->windows;
}

bool hearing_is_cut(const struct hearing *h, uint64_t packets, uint64_t slots)
{
    if (h->windows < KNOWN)
        return false;
    if (!packets)
        return h->packets >= HEARING_PACKETS;
    unsigned stretch = longest_silence(slots);
    /* What never was silent may be so for half a sixtieth more than was looked at. */
    double silent = fmax(h->silent, 0.5 / (HEARING_SLOTS * h->windows));
    return stretch >= STRETCH && stretch > longer * h->stretch &&
           HEARING_SLOTS * pow(silent, stretch) < by_chance;
}
