#ifndef GEO_GEO_H
#define GEO_GEO_H

#include "base/ip.h"

#include <stddef.h>

/* Country and network of an address, from the databases that the operator has; the product
 * ships none. Loaded once into sorted arrays, never changed while in use. */
struct geo;

struct geo_place {
    uint32_t asn;    /* 0 if not known */
    char country[2]; /* ISO 3166, lower case; two NULs if not known */
};

/* Where an address is; everything unknown if `g` is NULL. About 20 ns. */
void geo_find(const struct geo *g, const struct ip *ip, struct geo_place *ret_place);

#endif
