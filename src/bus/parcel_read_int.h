#ifndef BUS_PARCEL_READ_INT_H
#define BUS_PARCEL_READ_INT_H

#include "bus/parcel_int.h"

/* What the files that read parcels share. */

/* What packets of one profile have in common. */
struct profile {
    uint32_t tcp_opts;
    uint16_t ip_len, quirks, payload_len, kept, tool, class, look;
    uint8_t flags, proto, tcp_flags;
};

struct reading {
    struct bytes in;
    struct block *b;
    struct sensor_look *looks;
    uint16_t *icmp_seq;
    struct parcel_account account;
    const struct fingerprints *set;
    size_t rows;
    size_t look_count;
    uint64_t values[PARCEL_ROWS]; /* of a column, by row */
    uint64_t moved[PARCEL_ROWS];  /* as they were written */
    uint64_t table[PARCEL_ROWS];
    uint64_t profile_of[PARCEL_ROWS];
    uint8_t scratch[PARCEL_ROWS];
    uint8_t bits[PARCEL_ROWS];
    struct profile profiles[PARCEL_ROWS];
    struct ip sources[PARCEL_ROWS];
    uint32_t payload_at[PARCEL_ROWS + 1]; /* ends of the different payloads; from 1 */
    struct parcel_groups groups;
    struct sensor_look look[PARCEL_LOOKS];
    struct fault *fault;
};

/* Words of the parcel by their numbers there: their numbers in the block. */
struct words {
    uint16_t tool[NAMES_MAX], class[NAMES_MAX], country[NAMES_MAX];
    size_t tools, classes, countries;
};

enum err parcel_bad(const struct reading *r, const char *what);

/* What comes before the rows (parcel_read_head.c). */
enum err parcel_get_head(struct reading *r) MUST_CHECK;
enum err parcel_get_words(struct reading *r, const char *site, struct words *w) MUST_CHECK;
enum err parcel_get_looks(struct reading *r) MUST_CHECK;

#endif
