#ifndef RECORD_WINDOW_H
#define RECORD_WINDOW_H

#include "record/block.h"

#include <stdbool.h>

/* One closed time window of records from all sites: what an engine looks at. All windows are of
 * one length, aligned to it in UTC, and come in time order without overlap; a window in which
 * nothing was seen comes too, with no rows, as long as a site was watching. */

enum {
    WINDOW_SITES_MAX = 1024
};

/* What one site had in the window. */
struct window_site {
    char name[RECORD_NAME_MAX + 1];
    bool watching;      /* it delivered for the whole window: silence means silence */
    uint64_t packets;   /* decoded */
    uint64_t lost;      /* dropped anywhere before here, as far as counters tell */
    uint64_t addresses; /* size of the telescope; 0 if not known */
    double kept;        /* share of sources in the rows: 1 unless memory forced sampling */
};

struct shelf; /* engine/shelf.h */

struct window {
    int64_t start; /* us */
    int64_t length;
    const struct window_site *sites; /* sorted by name; all sites ever seen in this run */
    size_t site_count;
    const struct record *kind;
    const struct block *const *blocks; /* rows of any site in any order */
    size_t block_count;
    /* What screening says: for each block one byte a row, bit k is enum contact_tag k. NULL:
     * nobody screens. */
    const uint8_t *const *tags;
    struct shelf
        *shelf; /* what engines have worked out of it together; NULL: each does alone */
};

/* A window of its own memory, for those who look at it for longer than it is lent; without a
 * shelf. ERR_NOMEM. */
enum err window_copy(struct window *ret_window, const struct window *w) MUST_CHECK;
/* Of a copy; one of zeros is fine. */
void window_done(struct window *w);

static inline int64_t window_end(const struct window *w)
{
    return w->start + w->length;
}

#endif
