#ifndef STORE_ROLLUP_INT_H
#define STORE_ROLLUP_INT_H

#include "base/buf.h"
#include "record/block.h"
#include "store/schema_int.h"

/* Contacts as the store inserts them: sorted, and summed up into rollups' rows, as blocks in
 * Native format. Done here rather than by the engine's GROUP BY, at a fifth of its cost
 * (docs/decisions/0002-store-layout.md). */

/* What a source is counted by; SQL sees it as contact.src_hash. */
static inline uint32_t source_hash(const struct ip *ip)
{
    return (uint32_t)ip_hash(ip);
}

/* The block's rows sorted by protocol, port and start; by source and start. A new block. */
enum err contacts_by_service(const struct block *b, struct block **ret_block) MUST_CHECK;
enum err contacts_by_source(const struct block *b, struct block **ret_block) MUST_CHECK;

/* Append to `out` the rollup of contacts that are sorted by source and all of one day; every
 * row gets `seq` as its `block`. */
enum err rollup_encode(const struct rollup *r, const struct block *contacts, uint64_t seq,
    struct buf *out) MUST_CHECK;

/* A block's rows, in the form that costs this engine least. */
static inline enum err encode_rows(
    const struct dialect *dialect, const struct block *b, struct buf *out)
{
    return dialect->newer ? block_encode_numbered(b, out) : block_encode(b, out);
}

/* Append one more column, the same number in every row, to a block that block_encode() has just
 * written at `at` of `out`: "block", UInt64. And for contacts, "src_hash". */
enum err encode_block_number(struct buf *out, size_t at, size_t rows, uint64_t seq) MUST_CHECK;
enum err encode_source_hash(
    struct buf *out, size_t at, const struct block *contacts) MUST_CHECK;

#endif
