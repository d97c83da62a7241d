#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "base/arena.h"
#include "engine/service.h"
#include "record/window.h"

/* The contacts of one window, put in order: for each service and site the sources that reached
 * it, each once, whatever classes its packets had. */

struct tally_source {
    uint32_t key;  /* service << 10 | site */
    uint32_t row;  /* of the window, over all blocks */
    uint64_t hash; /* ip_hash() of the address: two sources with one hash are one */
};

struct tally_group {
    uint32_t service;
    uint32_t site;  /* number in window.sites */
    uint32_t first; /* its sources are sources[first .. first + count) */
    uint32_t count;
};

struct tally {
    const struct window *window;
    const struct tally_source *sources; /* by group, then by the hash's low 16 bits */
    size_t source_count;
    const struct tally_group *groups; /* by service, then site; only where there was somebody */
    size_t group_count;
    const uint32_t *block_first; /* number of each block's first row */
};

/**
 * @param leave_out  contacts that do not count, by class, tag or site (engine/classes.h).
 * @param scratch    gives 32 bytes a row and 16 bytes a group, unless the window's shelf does.
 * @return OK, or ERR_NOMEM (also past 2^32 - 1 rows).
 *
 * Cost: about 25 ns a row, a radix sort. The order of rows and blocks makes no difference to
 * the groups and the hashes in them.
 */
enum err tally_build(struct tally *ret_tally, const struct window *w, unsigned leave_out,
    struct arena *scratch) MUST_CHECK;

/* The block and the row in it of one source. */
const struct block *tally_row(
    const struct tally *t, const struct tally_source *source, size_t *ret_row);

static inline uint32_t tally_service(const struct tally_source *source)
{
    return source->key >> 10;
}

static inline uint32_t tally_site(const struct tally_source *source)
{
    return source->key & 1023;
}

/* The groups of one service begin at `group`; one past its last. */
size_t tally_service_end(const struct tally *t, size_t group);

#endif
