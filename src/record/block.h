#ifndef RECORD_BLOCK_H
#define RECORD_BLOCK_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"
#include "record/record.h"

/* A batch of records of one kind as typed columns. */

enum {
    NAMES_MAX = 1024
}; /* distinct words in one column of one block */

/* The words of a COLUMN_NAME; a row holds the number of its word. */
struct names {
    char (*word)[RECORD_NAME_MAX + 1];
    uint16_t count;
    uint16_t room;
    uint16_t *slots; /* hash table: number + 1 of a word; 0: empty */
};

/* One column's values; which member is used follows from the column's type. */
struct column_data {
    void *
        rows; /* uint8_t, uint16_t, uint32_t, uint64_t, int64_t, struct ip or, for
                 COLUMN_NAME, uint16_t; for COLUMN_BYTES uint32_t: where row i ends in `heap` */
    struct names names;
    struct buf heap; /* COLUMN_BYTES */
    size_t filled;   /* COLUMN_BYTES: rows whose bytes are in `heap` */
};

struct block {
    const struct record *kind;
    size_t rows;
    size_t cap;
    struct column_data column[RECORD_COLUMNS_MAX];
};

/* An empty block with room for `cap` rows (1..kind->max_rows). */
enum err block_new(struct block **ret_block, const struct record *kind, size_t cap) MUST_CHECK;
void block_free(struct block *b);

/* No rows, no words. */
void block_clear(struct block *b);

/* Typed pointers to the rows; the caller knows the column's type (a wrong one is a bug,
 * asserted). */
uint8_t *block_u8(const struct block *b, size_t column);
uint16_t *block_u16(const struct block *b, size_t column);
uint32_t *block_u32(const struct block *b, size_t column);
uint64_t *block_u64(const struct block *b, size_t column);
int64_t *block_time(const struct block *b, size_t column);
struct ip *block_ip(const struct block *b, size_t column);
uint16_t *block_name(const struct block *b, size_t column);

/* The number of a word in a COLUMN_NAME, added if new. Words outside the alphabet or too long
 * are ERR_BAD, too many words ERR_FULL. The empty word is allowed. */
enum err block_word(
    struct block *b, size_t column, const char *word, uint16_t *ret_number) MUST_CHECK;
/* The word of one row; borrowed. */
const char *block_word_at(const struct block *b, size_t column, size_t row);

/* Append the next row's bytes to a COLUMN_BYTES: every row gets one call, in order, before or
 * after `rows` counts it. ERR_RANGE: longer than the column allows; ERR_FULL: more than `cap`
 * rows. */
enum err block_bytes_add(
    struct block *b, size_t column, const void *data, size_t len) MUST_CHECK;
struct bytes block_bytes_at(const struct block *b, size_t column, size_t row);

/* Append rows [from, to) of another block of the same kind (or of one with the same columns).
 * ERR_FULL if they or their words do not fit, ERR_NOMEM; then nothing is appended. Cost: a copy
 * of the columns, about 15 ns a row of packets. */
enum err block_append(
    struct block *b, const struct block *other, size_t from, size_t to) MUST_CHECK;

/* Append `count` rows of another block, in the order of `rows`; as block_append() otherwise.
 * Each row at most once. Cost: about 60 ns a row of contacts. */
enum err block_gather(
    struct block *b, const struct block *other, const uint32_t *rows, size_t count) MUST_CHECK;

/* A content hash that is equal for equal rows, whatever order the words were learned in. */
uint64_t block_digest(const struct block *b);

/* Bytes of the largest encoding that a block of this kind can have. */
size_t block_encoded_max(const struct record *kind);

/* ClickHouse Native format: exactly the kind's columns, in its order. */
enum err block_encode(const struct block *b, struct buf *out) MUST_CHECK;

/* The rows of several blocks of one kind as one, with words as LowCardinality(String), each
 * written once: for an engine of today that keeps them so, at a fraction of its work.
 * block_decode() does not read it. ERR_FULL: the blocks have more than NAMES_MAX words in one
 * column; then nothing is written. */
enum err block_encode_numbered(
    const struct block *const *blocks, size_t count, struct buf *out) MUST_CHECK;

/* A column of LowCardinality(String) up to its rows: how many there are, and the words once.
 * The number of each row's word is to follow, 16 bits. */
void names_encode(const struct names *names, size_t rows, struct buf *out);

/* The strict inverse of block_encode(): names, types and order must be the kind's, rows at most
 * max_rows, words and bytes within their limits, nothing left over. The fault says which column
 * and byte offset. */
enum err block_decode(struct block **ret_block, const struct record *kind, struct bytes in,
    struct fault *f) MUST_CHECK;

/* The same for a block with others after it: `in` is left where the block ends. */
enum err block_decode_next(struct block **ret_block, const struct record *kind,
    struct bytes *in, struct fault *f) MUST_CHECK;

/* The same, through zstd (level 1..19); one frame a block, of a size that its header states. */
enum err block_pack(const struct block *b, int level, struct buf *out) MUST_CHECK;
/* Refuses a frame that does not state its size, states more than the kind's largest block has,
 * or is followed by anything. */
enum err block_unpack(struct block **ret_block, const struct record *kind, struct bytes in,
    struct fault *f) MUST_CHECK;

/* One row as JSON object text or as a CSV line (RFC 4180, ends in CR LF); IPs and times as
 * text, bytes as hexadecimal digits, 64-bit numbers in JSON as text. */
void block_row_json(const struct block *b, size_t row, struct buf *out);
void block_row_csv(const struct block *b, size_t row, struct buf *out);
void record_csv_header(const struct record *kind, struct buf *out);

#endif
