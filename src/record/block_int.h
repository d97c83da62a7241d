#ifndef RECORD_BLOCK_INT_H
#define RECORD_BLOCK_INT_H

#include "record/block.h"

#include <stdbool.h>

/* What block.c, block_codec.c and block_text.c share. */

/* Bytes of one row in memory: of the number of a word for COLUMN_NAME, of the end in the heap
 * for COLUMN_BYTES. */
size_t column_width(enum column_type type);

/* The type's name in ClickHouse's Native format. */
const char *column_wire_type(enum column_type type);

/* True for a word that a COLUMN_NAME may hold. */
bool word_allowed(const uint8_t *word, size_t len);

/* Asserts that rows [from, to) hold numbers of words that are there. */
void names_check(const struct column_data *data, size_t from, size_t to);

/* A list of words that belongs to no block. names_done() also after a failure. */
enum err names_init(struct names *n) MUST_CHECK;
void names_done(struct names *n);

/* block_word() for a word that is known to be allowed. */
enum err names_number(
    struct names *n, const uint8_t *word, size_t len, uint16_t *ret_number) MUST_CHECK;

#endif
