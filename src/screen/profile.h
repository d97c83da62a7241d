#ifndef SCREEN_PROFILE_H
#define SCREEN_PROFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/index.h"
#include "record/window.h"
#include "screen/thing.h"

/* What is remembered of each source: the things that it sent last, and how it went about it in
 * the last one to two days. Bounded: when the table is full, those that have been silent
 * longest are forgotten. The order of rows in a window makes no difference. */

enum {
    PROFILE_THINGS = 12, /* the latest; a source with more is told by how many they are */
    PROFILE_DAY = 192,   /* windows whose activity is remembered, at least a day of them */
    PROFILES_LEAST = 1024,
    /* That have a bit of their own in the profiles' maps, in the order in which they were first
     * seen, for as long as the profiles are kept. All others share the last one: which of them
     * a source reached is not known, and together they count as one. */
    PROFILE_SITES = 63
};

struct profile_thing {
    thing_key key;
    uint32_t window; /* in which it was sent last */
    uint32_t packets;
};

/* Sums over at most a day. */
struct profile_span {
    uint32_t from; /* window */
    uint32_t packets;
    uint32_t windows;  /* in which it sent anything */
    uint64_t sites;    /* bit: profiles_site() */
    uint64_t places;   /* union of the destination maps */
    uint64_t ports[2]; /* linear-counting map of services */
};

struct profile {
    struct ip ip;
    uint64_t hash; /* ip_hash() */
    uint32_t first, last;
    struct profile_span span[2];       /* today, and the day before */
    uint64_t active[PROFILE_DAY / 64]; /* bit k: sent something k windows before `last` */
    uint32_t asn;
    char country[2];
    uint16_t win;    /* TCP window of all its packets; 0: they differ, or it has none */
    uint8_t classes; /* bit k: enum packet_class k was seen */
    uint8_t thing_count;
    uint32_t group; /* that it was seen in last, a number that the caller gives; 0: none */
    struct profile_thing thing[PROFILE_THINGS]; /* in the order in which they were first sent */
};

/* What is asked of all profiles in every window, apart from the rest of them. */
struct profile_kin {
    uint64_t kind; /* of its network, and the tool and size of what it sent most; never 0 */
    uint32_t last;
};

struct profiles {
    struct profile *list;    /* owned */
    struct profile_kin *kin; /* by profile number; owned */
    struct index index;
    size_t count, room, cap;
    uint32_t hour, day; /* windows in one */
    struct words words;
    char site[PROFILE_SITES][RECORD_NAME_MAX + 1]; /* names, each once */
    unsigned site_count;
    uint64_t left_out; /* sources for which there was no room */
};

/* `window` divides an hour. */
enum err profiles_init(struct profiles *t, size_t cap, int64_t window) MUST_CHECK;
void profiles_done(struct profiles *t);

/* A row of contacts that was taken: which profile it went into. */
struct profile_row {
    uint32_t block, row;
    uint32_t profile;
    thing_key key;
};

/* The rows of a window by profile; in the arena. Rows of backscatter and wrong settings, and of
 * sources without room, are not among them. */
struct profile_rows {
    struct profile_row *list;
    size_t count;
};

/**
 * Take one window.
 *
 * @param now   its number; rises from call to call.
 * @param scratch gives about 64 bytes a row.
 * Cost: about 0.2 us a row.
 */
enum err profiles_take(struct profiles *t, const struct window *w, uint32_t now,
    struct arena *scratch, struct profile_rows *ret_rows) MUST_CHECK;

/* Bring a profile that will be looked at soon, and is not in the caches, on its way. */
static inline void profile_prefetch(const struct profiles *t, uint32_t number)
{
    const char *at = (const char *)&t->list[number];
    for (size_t i = 0; i < sizeof *t->list; i += 64)
        __builtin_prefetch(at + i);
}

/* While going through rows, the one at `at`: those after it. */
static inline void profile_rows_prefetch(
    const struct profiles *t, const struct profile_rows *rows, size_t at)
{
    const size_t ahead = 6;
    if (at + ahead < rows->count)
        profile_prefetch(t, rows->list[at + ahead].profile);
}

/* The profile of an address; NULL if there is none. */
const struct profile *profiles_find(const struct profiles *t, const struct ip *ip);

/* The bit of a site in the maps; PROFILE_SITES if it has none of its own. */
unsigned profiles_site(const struct profiles *t, const char *name);

/* Add a profile whose address is not there; ERR_FULL at the cap. */
enum err profiles_add(struct profiles *t, const struct profile *p) MUST_CHECK;

/* The things that it sent within the last hour before `now`, rising, each once; returns how
 * many. */
unsigned profile_string(const struct profiles *t, const struct profile *p, uint32_t now,
    thing_key ret_keys[PROFILE_THINGS]);

/* The thing that it sent most packets of; of equal ones the smallest. */
thing_key profile_main(const struct profile *p);

/* What is known of its network: hash of its /24 (IPv6: /48). */
uint64_t profile_network(const struct profile *p);

/* How many different members two linear-counting maps hold together, estimated: each member has
 * set one of 128 bits. */
double maps_count(const uint64_t a[2], const uint64_t b[2]);

void profiles_save(const struct profiles *t, struct buf *out);
/* Into an empty table. ERR_BAD for what cannot be; the table is to be thrown away then. */
enum err profiles_load(struct profiles *t, struct bytes *in, uint32_t now) MUST_CHECK;

#endif
