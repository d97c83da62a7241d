#ifndef STORE_NATIVE_INT_H
#define STORE_NATIVE_INT_H

#include "base/buf.h"
#include "record/block.h"

/* Columns of a Native block, one after another: name, type, values. */

void native_head(struct buf *out, const char *name, const char *type);

/* A column of words: the number of each row's word. `numbered`: as LowCardinality. */
void native_words(struct buf *out, const char *name, const struct names *names,
    const uint16_t *numbers, size_t rows, bool numbered);

/* One more column at the end of the block that begins at `at`, and room for its `bytes` of
 * values; NULL if there is none (out->err). */
uint8_t *native_more(
    struct buf *out, size_t at, const char *name, const char *type, size_t bytes);

/* The same, "block": `seq` in every row. */
enum err native_block_number(struct buf *out, size_t at, size_t rows, uint64_t seq) MUST_CHECK;

#endif
