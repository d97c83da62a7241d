#ifndef STORE_ROLLUP_INT_H
#define STORE_ROLLUP_INT_H

#include "base/buf.h"
#include "record/block.h"
#include "store/groups_int.h"
#include "store/native_int.h"
#include "store/order_int.h"
#include "store/schema_int.h"

/* Contacts as the store inserts them: sorted, and summed up into rollups' rows, as blocks in
 * Native format. Done here rather than by the engine's GROUP BY, at a tenth of its cost
 * (docs/decisions/0002-store-layout.md). */

/* What a source is counted by; SQL sees it as contact.src_hash. */
static inline uint32_t source_hash(const struct ip *ip)
{
    return (uint32_t)ip_hash(ip);
}

/* Room that is used again for every intake, and the contacts that it is about. A zeroed struct
 * is fine at first. */
struct rolling {
    const struct block *contacts; /* sorted by source and start, all of one day; borrowed */
    bool numbered;                /* words as LowCardinality */
    uint64_t seq;                 /* `block` of every row that is made */

    /* The members of sets, and in which order rows are gone through so that equal members come
     * together. The first is the rows' own order. */
    uint32_t *hash, *service, *letters;
    struct order by_service, by_letters;

    struct groups groups;
    uint64_t *last;    /* member that a group had last, and one */
    uint64_t *ends;    /* of a group's members */
    uint32_t *members; /* of all groups */
    int64_t *numbers;
    uint16_t *words;
    size_t room;
};

/* Begin with other contacts. */
enum err rolling_begin(struct rolling *in, const struct block *contacts) MUST_CHECK;
void rolling_done(struct rolling *in);

/* Append the rollup of the contacts to `out`; or the busiest sources of each hour. */
enum err rollup_encode(struct rolling *in, const struct rollup *r, struct buf *out) MUST_CHECK;
enum err busiest_encode(struct rolling *in, struct buf *out) MUST_CHECK;

/* Put rows into the order of the tables: by protocol, port and start; by source and start. */
enum err contacts_by_service(struct order *o, const struct block *b) MUST_CHECK;
enum err contacts_by_source(struct order *o, const struct block *b) MUST_CHECK;

/* A block's rows, in the form that costs this engine least. */
static inline enum err encode_rows(
    const struct dialect *dialect, const struct block *b, struct buf *out)
{
    return dialect->newer ? block_encode_numbered(&b, 1, out) : block_encode(b, out);
}

/* Append "src_hash" to the block of contacts that begins at `at` of `out`. */
enum err encode_source_hash(
    struct buf *out, size_t at, const struct block *contacts) MUST_CHECK;

#endif
