#ifndef GEO_GEO_NAMES_INT_H
#define GEO_GEO_NAMES_INT_H

#include "base/err.h"
#include "base/index.h"

#include <stddef.h>
#include <stdint.h>

/* Names of networks, by their number. What a database gives is made fit to be shown: UTF-8, in
 * one line, without control and direction characters, at most GEO_NAME_MAX bytes. */
struct geo_name {
    uint32_t asn;
    uint32_t name; /* where it begins in the pool */
};

/* All zero: empty. */
struct geo_names {
    struct geo_name *entry;
    size_t count, room;
    struct index by_asn;
    char *pool;
    size_t pool_count, pool_room;
};

/* Have room for so many, as far as they are allowed: not needed, but then none is moved. */
enum err geo_names_reserve(struct geo_names *n, size_t count) MUST_CHECK;

/* Of several names of a network the first counts; one of which nothing is left is none.
 * ERR_FULL beyond GEO_NAMES_MAX. */
enum err geo_names_add(
    struct geo_names *n, uint32_t asn, const char *name, size_t len) MUST_CHECK;

/* "" if there is none. */
const char *geo_names_find(const struct geo_names *n, uint32_t asn);
void geo_names_done(struct geo_names *n);

#endif
