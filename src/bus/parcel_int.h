#ifndef BUS_PARCEL_INT_H
#define BUS_PARCEL_INT_H

#include "bus/parcel.h"
#include "bus/planes_int.h"

/* What writing and reading a parcel have in common: the order of its parts and of their rows.
 */

enum {
    PARCEL_VERSION = 2
};

enum parcel_flag {
    PARCEL_REPLAY = 1,
    PARCEL_END = 2,
    PARCEL_MASKED = 4, /* sources are not the true addresses */
    PARCEL_FLAGS = 7
};

/* Bits of a row. */
enum row_flag {
    ROW_DST_V6 = 1,
    ROW_SEQ_IS_DST = 2, /* tcp_seq is the destination's address (Mirai): left out */
    ROW_ID_IS_MIX =
        4, /* ip_id is address, port and sequence number mixed (masscan): left out */
    ROW_HASH_GIVEN = 8, /* payload_hash does not follow from the payload */
    ROW_FLAGS = 15
};

/* What packets of one tool have in common, as one number of a row: its profile. The table of
 * profiles is written column by column, in this order. */
enum profile_field {
    PROFILE_FLAGS,
    PROFILE_PROTO,
    PROFILE_IP_LEN,
    PROFILE_TCP_FLAGS,
    PROFILE_TCP_OPTS,
    PROFILE_QUIRKS,
    PROFILE_PAYLOAD_LEN, /* on the wire */
    PROFILE_KEPT,        /* bytes of payload in the row */
    PROFILE_TOOL,
    PROFILE_CLASS,
    PROFILE_LOOK,
    PROFILE_FIELDS
};

/* Columns that are plain numbers beside the profile, in the order in which they are written. */
extern const uint8_t parcel_plain[];
extern const size_t parcel_plain_count;

/* Rows by their sources: most columns are written in this order, and in it mostly say "as in
 * the packet of the same source before". */
struct parcel_groups {
    size_t rows, sources;
    uint32_t source[PARCEL_ROWS]; /* of each row; numbered as they come */
    uint32_t first[PARCEL_ROWS];  /* of each source, its first row */
    /* In the order of the groups: */
    uint32_t firsts[PARCEL_ROWS]; /* the first row of each */
    uint32_t rests[PARCEL_ROWS];  /* the others of the first group, of the second, ... */
    uint32_t before[PARCEL_ROWS]; /* of each of `rests`, the row of its source before it */
    uint32_t place[PARCEL_ROWS + 1];
    uint32_t last[PARCEL_ROWS];
};

/* Order the groups by `key` of their first row, which is below PARCEL_ROWS, and then as they
 * come; NULL: as they come. `rows`, `sources`, `source` and `first` are given. */
void parcel_groups_order(struct parcel_groups *g, const uint64_t *key);

uint64_t parcel_value(const struct block *b, size_t column, size_t row);

/* ip_id as masscan makes it of the other fields. */
static inline uint16_t parcel_mix(uint32_t dst, uint16_t dport, uint32_t seq)
{
    return (uint16_t)(dst ^ dport ^ seq);
}

/* The two halves of an address as numbers; of IPv4, it and 0. */
struct parcel_halves {
    uint64_t high, low;
};
struct parcel_halves parcel_halves_of(const struct ip *ip);

/* The rule of the k-th pairwise condition; SIZE_MAX: there is none. */
size_t parcel_pair_rule(const struct fingerprints *set, unsigned k);

#endif
