#ifndef GEO_PLACES_H
#define GEO_PLACES_H

#include "geo/ranges.h"

/* Country and network of IPv4 addresses together, so that one search gives both. Intervals are
 * kept by the first 16 bits of the address at which they begin, with the other 16 as the key:
 * those of one such slot mostly fill a single cache line. */

struct place {
    uint32_t asn;
    uint16_t country; /* country_value(), or RANGES_NONE */
};

/* All in whole, large pages. */
struct places {
    uint32_t *first; /* by the first 16 bits, and one more: the first interval that begins there
                        or later */
    uint16_t *key;   /* by interval: the last 16 bits of its first address */
    struct place *place; /* by interval */
    size_t count, room;  /* the first begins at 0 */
};

/* Of ranges that are built; either may be NULL. ERR_NOMEM. */
enum err places_build(
    struct places *p, const struct ranges *country, const struct ranges *asn) MUST_CHECK;
void places_done(struct places *p);

/* Where an address is; only after places_build(). */
const struct place *places_find(const struct places *p, uint32_t address);

enum {
    PLACES_STEPS = 3
};

/* Ask for the memory that places_find() will read, in steps 0 to PLACES_STEPS - 1, each when
 * what the one before asked for has come. */
void places_prefetch(const struct places *p, uint32_t address, unsigned step);

#endif
