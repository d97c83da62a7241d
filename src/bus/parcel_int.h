#ifndef BUS_PARCEL_INT_H
#define BUS_PARCEL_INT_H

#include "bus/parcel.h"
#include "bus/planes_int.h"

/* What writing and reading a parcel have in common: the order of its parts. */

enum {
    PARCEL_VERSION = 1
};

enum parcel_flag {
    PARCEL_REPLAY = 1,
    PARCEL_END = 2,
    PARCEL_PLACED = 4, /* country and network follow from the source: one of each a source */
    PARCEL_MASKED = 8, /* sources are not the true addresses */
    PARCEL_FLAGS = 15
};

/* Bits of a row. */
enum row_flag {
    ROW_SRC_V6 = 1,
    ROW_DST_V6 = 2,
    ROW_SEQ_IS_DST = 4, /* tcp_seq is the destination's address (Mirai): left out */
    ROW_ID_IS_MIX =
        8, /* ip_id is address, port and sequence number mixed (masscan): left out */
    ROW_HASH_GIVEN = 16, /* payload_hash does not follow from the payload */
};

/* Columns that are plain numbers, in the order in which they are written. */
extern const uint8_t parcel_plain[];
extern const size_t parcel_plain_count;

uint64_t parcel_value(const struct block *b, size_t column, size_t row);

/* ip_id as masscan makes it of the other fields. */
static inline uint16_t parcel_mix(uint32_t dst, uint16_t dport, uint32_t seq)
{
    return (uint16_t)(dst ^ dport ^ seq);
}

/* The rule of the k-th pairwise condition; SIZE_MAX: there is none. */
size_t parcel_pair_rule(const struct fingerprints *set, unsigned k);

#endif
