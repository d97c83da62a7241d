#ifndef SIM_PLACE_H
#define SIM_PLACE_H

#include "base/err.h"
#include "base/rng.h"

#include <stddef.h>
#include <stdint.h>

/* Where sources are: countries, how many of the Internet's noisy hosts each has, its hour of
 * the day, and addresses that belong to it. */

enum {
    PLACES = 64,           /* most countries */
    PLACE_RANGES = 1 << 21 /* most address ranges that are read */
};

struct places;

/* Address ranges from a file of lines "first,last,CC" (numbers of IPv4 addresses, as in
 * Debian's tor-geoipdb); NULL: each country gets made-up ranges. */
enum err places_open(struct places **ret_places, const char *geoip, struct fault *f) MUST_CHECK;
void places_close(struct places *p);

/* What a person should know about where the countries come from. */
const char *places_origin(const struct places *p);

size_t places_count(const struct places *p);
const char *places_code(const struct places *p, size_t place); /* "jp" */

/* The number of a country, or places_count() if it has no addresses here. */
size_t places_by_code(const struct places *p, const char *code);

/* A country by its share of noisy hosts. */
uint8_t places_pick(const struct places *p, struct rng *r);

/* An address of a country, host order; never the first or last of a /24. */
uint32_t places_address(const struct places *p, size_t place, struct rng *r);

/* How far the day is there, -1 (3 in the morning) to 1 (3 in the afternoon), local time. */
double places_day(const struct places *p, size_t place, int64_t now);

#endif
