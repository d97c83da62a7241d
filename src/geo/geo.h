#ifndef GEO_GEO_H
#define GEO_GEO_H

#include "base/ip.h"

#include <stddef.h>

/* Country and network of an address, from the databases that the operator has; the product
 * ships none. Loaded once into sorted arrays, never changed while in use: to take a newer
 * database, open another one beside it. Forms and limits: docs/formats/geo.md. */
struct geo;

enum {
    GEO_FILE_MAX = 1 << 30,  /* bytes of one database */
    GEO_NAMES_MAX = 1 << 20, /* networks with a name */
    GEO_NAME_MAX = 100       /* bytes of one */
};

/* Files to read: text of tor-geoipdb, location.db of libloc, or MMDB, told by their first
 * bytes. The first one that knows countries of IPv4 gives these, and so on for IPv6 and for
 * networks; with `automatic`, what the files leave open is taken from the usual places, if it
 * is there. */
struct geo_options {
    const char *const *files;
    size_t file_count;
    bool automatic;
};

/* A file that is named and cannot be read or is broken is an error, and the fault names file
 * and line or offset; a usual place with nothing in it is not. */
enum err geo_open(
    struct geo **ret_geo, const struct geo_options *options, struct fault *f) MUST_CHECK;

/* geo_open() on a thread of its own: returns at once, and whoever asks for something waits
 * until all is read. The options are borrowed until then. If it fails nothing is found, and
 * geo_settle() says why. */
enum err geo_open_behind(
    struct geo **ret_geo, const struct geo_options *options, struct fault *f) MUST_CHECK;
/* Wait until all is read: what geo_open() would have returned. From any thread. */
enum err geo_settle(const struct geo *g, struct fault *f) MUST_CHECK;
void geo_close(struct geo *g);

struct geo_place {
    uint32_t asn;    /* 0 if not known */
    char country[2]; /* ISO 3166, lower case; two NULs if not known */
};

/* Where an address is; everything unknown if `g` is NULL. About 20 ns. */
void geo_find(const struct geo *g, const struct ip *ip, struct geo_place *ret_place);

/* Ask for the memory that geo_find() will read for an address, in steps 0 to GEO_STEPS - 1,
 * each when what the one before asked for has had time to come. NULL is fine, and nothing is
 * waited for. */
enum {
    GEO_STEPS = 3
};
void geo_prefetch(const struct geo *g, const struct ip *ip, unsigned step);

/* Name of a network, "" if not known (or `g` NULL): UTF-8 in one line, without control
 * characters, at most GEO_NAME_MAX bytes. Lives as long as `g`. */
const char *geo_asn_name(const struct geo *g, uint32_t asn);

/* What is shown beside a map or a table of countries. */
struct geo_origin {
    const char *what; /* "country of IPv4" */
    const char *file;
    const char *origin;  /* "IPFire Project" */
    const char *licence; /* as the file states it; "" if it does not */
    int64_t date;        /* us, when it was made; 0 if it does not say */
    uint64_t rows;
};

/* At most 4: country and network, of IPv4 and IPv6. */
size_t geo_origins(const struct geo *g, struct geo_origin *ret_origins, size_t cap);

/* For `doctor`: what is missing and how to get it, one line each, borrowed; NULL at the end. */
const char *const *geo_advice(const struct geo *g);

#endif
