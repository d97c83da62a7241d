#ifndef GEO_RANGES_H
#define GEO_RANGES_H

#include "base/ip.h"

#include <stddef.h>

/* Values for ranges of addresses, looked up fast: sorted disjoint intervals that cover the
 * whole space, IPv4 and IPv6 apart, with a table over the first 16 bits. Ranges that are added
 * may nest, as prefixes do, but not cross; the innermost wins, and of equal ones the first
 * added. */

enum {
    RANGES_MAX = 1 << 24, /* that may be added */
    RANGES_NONE = 0       /* the value where nothing was added */
};

struct range {
    struct ip first, last;
    uint32_t value;
    uint32_t order; /* in which it was added */
};

/* Where an interval begins, in host order, and its value. */
struct range4 {
    uint32_t start, value;
};
struct range6 {
    uint64_t high, low;
    uint32_t value;
};

struct ranges {
    struct range *added; /* until built; owned */
    size_t added_count, added_room;

    struct range4 *range4; /* intervals by start, the first at 0 */
    uint32_t
        *slot4; /* by the first 16 bits: the interval that holds the slot's first address */
    size_t count4;
    struct range6 *range6;
    uint32_t *slot6;
    size_t count6;
};

void ranges_init(struct ranges *r);
void ranges_done(struct ranges *r);

/* Both addresses of one family, first <= last, else ERR_RANGE; value not RANGES_NONE. Only
 * before ranges_build(). */
enum err ranges_add(
    struct ranges *r, const struct ip *first, const struct ip *last, uint32_t value) MUST_CHECK;

/**
 * Sort and lay out what was added.
 *
 * @param ret_crossing where two ranges cross, both of them: numbers in the order of adding.
 * @return OK; ERR_BAD if ranges cross; ERR_NOMEM. Cost: n log n.
 */
enum err ranges_build(struct ranges *r, size_t ret_crossing[2]) MUST_CHECK;

uint32_t ranges_find6(const struct ranges *r, const struct ip *ip);

/* The value for an address; RANGES_NONE before anything is built. About 10 ns. */
static inline uint32_t ranges_find(const struct ranges *r, const struct ip *ip)
{
    if (!ip_is_v4(ip))
        return ranges_find6(r, ip);
    if (!r->count4)
        return RANGES_NONE;
    uint32_t key = ip_v4(ip);
    uint32_t low = r->slot4[key >> 16], n = r->slot4[(key >> 16) + 1] - low + 1;
    const struct range4 *at = r->range4 + low;
    while (n > 1) {
        uint32_t half = n / 2;
        at = at[half].start <= key ? at + half : at;
        n -= half;
    }
    return at->value;
}

/* Ask for the memory that ranges_find() will read for an IPv4 address: first the table, and
 * when that has come, the intervals. */
static inline void ranges_prefetch_slot(const struct ranges *r, const struct ip *ip)
{
    if (r->count4 && ip_is_v4(ip))
        __builtin_prefetch(&r->slot4[ip_v4(ip) >> 16]);
}

static inline void ranges_prefetch(const struct ranges *r, const struct ip *ip)
{
    if (!r->count4 || !ip_is_v4(ip))
        return;
    const uint32_t *slot = &r->slot4[ip_v4(ip) >> 16];
    __builtin_prefetch(&r->range4[slot[0] + (slot[1] - slot[0] + 1) / 2]);
}

#endif
