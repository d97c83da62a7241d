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

/* An address as a number. */
struct range_key {
    uint64_t high, low; /* IPv4: high is 0 */
};

static inline bool range_key_before(struct range_key a, struct range_key b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

/* Is it one of IPv4 in its IPv6 form? */
static inline bool range_key_is_mapped(struct range_key key)
{
    return key.high == 0 && key.low >> 32 == 0xffff;
}

/* The number of an address of IPv6, or of one of IPv4 in its IPv6 form. */
static inline struct range_key range_key_of(const struct ip *ip)
{
    uint64_t half[2];
    memcpy(half, ip, sizeof half);
    return (struct range_key){__builtin_bswap64(half[0]), __builtin_bswap64(half[1])};
}

/* Addresses of one family, first and last. */
struct range_span {
    struct range_key first, last;
    bool v4;
};

/* False if they are not of one family, first and last. */
bool range_span_of(const struct ip *first, const struct ip *last, struct range_span *ret_span);

/* A range that was added, and its place in the order of adding. */
struct range_added4 {
    uint32_t first, last;
    uint32_t value, order;
};
struct range_added6 {
    struct range_key first, last;
    uint32_t value, order;
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
    /* Until built; owned, whole pages. */
    struct range_added4 *added4;
    struct range_added6 *added6;
    size_t added4_count, added4_room;
    size_t added6_count, added6_room;

    struct range4 *range4; /* intervals by start, the first at 0; whole pages */
    uint32_t
        *slot4; /* by the first 16 bits: the interval that holds the slot's first address */
    size_t count4, room4;
    struct range6 *range6; /* the same */
    uint32_t *slot6;
    size_t count6, room6;
    bool full4, full6; /* ranges_follow() has come to the last address */
};

void ranges_init(struct ranges *r);
void ranges_done(struct ranges *r);

/* Both addresses of one family, first <= last, else ERR_RANGE; value not RANGES_NONE. Only
 * before ranges_build(). */
enum err ranges_add(
    struct ranges *r, const struct ip *first, const struct ip *last, uint32_t value) MUST_CHECK;
enum err ranges_add_span(
    struct ranges *r, const struct range_span *span, uint32_t value) MUST_CHECK;

/* In place of ranges_add(), for those whose ranges come in order and apart, each family by
 * itself: laid out at once, which takes a third of the time. ERR_RANGE: this one does not come
 * so; then begin again with ranges_add(). */
enum err ranges_follow(
    struct ranges *r, const struct range_span *span, uint32_t value) MUST_CHECK;

/* The same for those who know all borders: this value from this address on. Addresses of a
 * family never fall. */
enum err ranges_from4(struct ranges *r, uint32_t start, uint32_t value) MUST_CHECK;
enum err ranges_from6(struct ranges *r, struct range_key start, uint32_t value) MUST_CHECK;

/**
 * Lay out what was added, sorted, or finish what came in order.
 *
 * @param ret_crossing where two ranges cross, both of them: numbers in the order of adding.
 * @return OK; ERR_BAD if ranges cross; ERR_NOMEM. Cost: n if they come sorted, else n log n.
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

#endif
