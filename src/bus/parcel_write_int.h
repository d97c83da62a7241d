#ifndef BUS_PARCEL_WRITE_INT_H
#define BUS_PARCEL_WRITE_INT_H

#include "bus/parcel_int.h"

/* What the files that write parcels share. */

enum {
    LOOK_SLOTS = 4 * PARCEL_LOOKS,
    ROW_SLOTS = 4 * PARCEL_ROWS
};

/* A table of rows by something that they have in common. */
struct row_slot {
    uint32_t turn; /* in which it was filled */
    uint32_t row;
    uint32_t number;
};

/* What is compared of a row: its profile, or where its source is. */
struct tuple {
    uint64_t part[3];
};

struct parcel_writer {
    const struct fingerprints *set;
    struct planes *planes;
    size_t pair_rule[SIGNATURE_PAIRS_MAX];
    uint64_t values[PARCEL_ROWS]; /* of a column, by row */
    uint64_t moved[PARCEL_ROWS];  /* in the order in which they are written */
    uint64_t hashes[PARCEL_ROWS]; /* of payloads */
    uint64_t looked[PARCEL_ROWS]; /* number of the row's look */
    uint64_t profile[PARCEL_ROWS];
    uint8_t bits[PARCEL_ROWS];
    struct tuple tuples[PARCEL_ROWS];
    uint32_t examples[PARCEL_ROWS]; /* a row of each different tuple, or payload */
    struct parcel_groups groups;
    struct sensor_look looks[PARCEL_LOOKS]; /* the different ones */
    uint32_t look_slots[LOOK_SLOTS];        /* number + 1 */
    struct row_slot slots[ROW_SLOTS];
    uint32_t turn;
};

/* Rows that are alike (parcel_alike.c). */

/* What the sensor saw: the different looks, and which each row has, in `looked`. */
void parcel_put_looks(struct parcel_writer *w, const struct parcel *p, struct buf *out);

/* Number the different sources, in `groups`. */
void parcel_number_sources(struct parcel_writer *w, const struct block *b);

/* Number the different tuples; `examples` has a row of each. */
size_t parcel_number_tuples(struct parcel_writer *w, const struct block *b, uint64_t *number);

/* Number the payload of a row from 1, in `values`, among those of this turn, of which there are
 * `*used`; the bytes of a new one go to `heap`. */
void parcel_turn(struct parcel_writer *w);
void parcel_number_payload(
    struct parcel_writer *w, const struct block *b, size_t row, size_t *used, struct buf *heap);

#endif
