#ifndef STORE_GROUPS_INT_H
#define STORE_GROUPS_INT_H

#include "base/index.h"
#include "record/block.h"
#include "store/schema_int.h"

/* Contacts as groups: those of one unit of time with the same dimensions. The room is kept for
 * the next grouping; a zeroed struct is fine at first. */
struct groups {
    uint32_t *of;  /* group of a row */
    uint32_t *row; /* first row of a group: its dimensions are read there */
    size_t count;
    size_t rows;

    uint64_t *row_keys, *keys; /* of a row, of a group */
    struct index index;
    size_t room;
};

/* The groups of one rollup; the contacts are all of one day. */
enum err groups_make(
    struct groups *g, const struct rollup *r, const struct block *contacts) MUST_CHECK;
void groups_done(struct groups *g);

#endif
