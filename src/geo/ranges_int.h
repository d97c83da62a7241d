#ifndef GEO_RANGES_INT_H
#define GEO_RANGES_INT_H

#include "geo/ranges.h"

/* Intervals as they are laid out, in order. */

/* This value from `start` on, which does not lie before the last interval; there is room for
 * two more. Starts rise strictly, and neighbours differ in value. Returns how many there are
 * then. */
static inline size_t range4_put(
    struct range4 *range, size_t count, uint32_t start, uint32_t value)
{
    if (!count && start)
        range[count++] = (struct range4){0, RANGES_NONE};
    if (count && range[count - 1].start == start)
        count--;
    if (!count || range[count - 1].value != value)
        range[count++] = (struct range4){start, value};
    return count;
}

static inline size_t range6_put(
    struct range6 *range, size_t count, struct range_key start, uint32_t value)
{
    if (!count && (start.high || start.low))
        range[count++] = (struct range6){0, 0, RANGES_NONE};
    if (count && range[count - 1].high == start.high && range[count - 1].low == start.low)
        count--;
    if (!count || range[count - 1].value != value)
        range[count++] = (struct range6){start.high, start.low, value};
    return count;
}

#endif
