#ifndef SENSOR_MISCONFIG_INT_H
#define SENSOR_MISCONFIG_INT_H

#include "base/err.h"
#include "base/ip.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>

/* Many sources that talk to one address and port of the telescope and to no other: a wrong
 * setting somewhere, not a scan. An (address, service) is marked when, within an hour, at least
 * MISCONFIG_SOURCES sources that reached no other address with this service came to it, and ten
 * times as many as come to an address of the telescope on average beside it. The mark holds to
 * the end of the next hour, and on for as long as MISCONFIG_STAYS of them come in an hour.
 * Hours in which the telescope sees no scan at all do not count: it was off.
 *
 * Bounded: a fixed table in sets of eight, in which a newcomer takes the place of the least
 * frequent and inherits its count (space-saving: Metwally, Agrawal, El Abbadi, "Efficient
 * computation of frequent and top-k elements in data streams", ICDT 2005, per set). */

enum {
    MISCONFIG_SOURCES = 10,
    MISCONFIG_RATIO = 10,
    MISCONFIG_STAYS = 2,
    MISCONFIG_ADDRESSES = 8, /* a telescope of fewer addresses cannot tell */
    MISCONFIG_SETS = 512,
    MISCONFIG_WAYS = 8,
    MISCONFIG_MAP = 1 << 14, /* bits of the map of addresses */
    MISCONFIG_FILTER = 64 * 64,
};

struct misconfig_entry {
    struct ip dst;
    uint32_t code;    /* service_code(); UINT32_MAX: empty */
    uint32_t singles; /* sources that came to no other address, counted once a window */
    uint32_t marked;  /* hour + 1 in which it was last marked, 0 for never */
    uint64_t map[2];  /* linear-counting map of these sources */
};

/* What a search needs of a set's entries, in one cache line. */
struct misconfig_set {
    uint32_t tag[MISCONFIG_WAYS];    /* bits of the hash; 0: empty */
    uint16_t weight[MISCONFIG_WAYS]; /* for space-saving */
    uint16_t marked;                 /* bit i: entry i is marked, and stays */
    uint16_t spare[7];
};

struct misconfig {
    struct misconfig_set *set;     /* MISCONFIG_SETS, aligned to 64 */
    struct misconfig_entry *entry; /* MISCONFIG_SETS * MISCONFIG_WAYS */
    uint32_t *pairs;               /* by service: (source, address) in this hour */
    uint64_t *map;                 /* of addresses of the telescope that were reached */
    size_t map_used;               /* bits set */
    uint64_t filter[MISCONFIG_FILTER / 64]; /* bits of what is marked: most packets stop here */
    double addresses;                       /* size of the telescope, given or estimated */
    bool given;
    uint32_t hour; /* in which something came, from 1 on */
    bool came;     /* something, in this hour */
    int64_t hour_start;
};

enum err misconfig_init(struct misconfig *m, uint64_t addresses) MUST_CHECK;
/* The telescope has another size from now on; 0: it is estimated from what has been reached. */
void misconfig_addresses(struct misconfig *m, uint64_t addresses);
void misconfig_done(struct misconfig *m);

/* Move on to the hour of `ts`. Call at the opening of each window. */
void misconfig_advance(struct misconfig *m, int64_t ts);

/* An address and service of the telescope, with what it is looked up by. */
struct misconfig_target {
    const struct ip *dst;
    uint64_t dst_hash; /* ip_hash() */
    uint64_t hash;
    uint32_t code; /* service_code() */
};

static inline struct misconfig_target misconfig_target(
    const struct ip *dst, uint64_t dst_hash, uint32_t code)
{
    /* Odd, so that every code moves the hash. */
    uint64_t mixed = hash_fold(dst_hash, 0x9e3779b97f4a7c15ull + ((uint64_t)code << 1));
    return (struct misconfig_target){dst, dst_hash, mixed, code};
}

/* Is this target marked? About 2 ns if not. */
bool misconfig_marked(const struct misconfig *m, const struct misconfig_target *target);

static inline size_t misconfig_set_of(const struct misconfig_target *target)
{
    return target->hash / MISCONFIG_FILTER % MISCONFIG_SETS;
}

/* Ask for memory that misconfig_note() will need, and have what is most often far away. */
static inline void misconfig_prefetch(
    const struct misconfig *m, const struct misconfig_target *target)
{
    __builtin_prefetch(&m->pairs[target->code], 1);
    __builtin_prefetch(&m->set[misconfig_set_of(target)], 1);
}

static inline void misconfig_reach(
    const struct misconfig *m, const struct misconfig_target *target)
{
    memory_touch(&m->pairs[target->code]);
}

/* A source (its ip_hash()) has reached this target for the first time in the window; `alone` if
 * it has reached no other address with the service. */
void misconfig_note(
    struct misconfig *m, uint64_t src, const struct misconfig_target *target, bool alone);

#endif
