#ifndef TESTS_LIB_BLOCKS_H
#define TESTS_LIB_BLOCKS_H

/* Blocks of any kind with random rows, for property tests. */
#include "base/rng.h"
#include "record/block.h"

#include <string.h>

static inline void random_word(struct rng *r, char word[RECORD_NAME_MAX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._:-";
    size_t len = rng_below(r, 8) ? rng_below(r, 6) : rng_below(r, RECORD_NAME_MAX + 1);
    for (size_t i = 0; i < len; i++)
        word[i] = letters[rng_below(r, sizeof letters - 1)];
    word[len] = 0;
}

static inline void random_column(struct block *b, size_t column, size_t rows, struct rng *r)
{
    enum column_type type = b->kind->columns[column].type;
    char words[32][RECORD_NAME_MAX + 1];
    for (size_t i = 0; i < 32; i++)
        random_word(r, words[i]);
    for (size_t i = 0; i < rows; i++) {
        if (type == COLUMN_NAME) {
            assert_int_equal(block_word(b, column, words[rng_below(r, 32)],
                                 &block_name(b, column)[b->rows + i]),
                OK);
        } else if (type == COLUMN_BYTES) {
            uint8_t data[256];
            size_t len = rng_below(r, 2) ? 0 : rng_below(r, b->kind->columns[column].most + 1);
            for (size_t k = 0; k < len; k++)
                data[k] = (uint8_t)rng_u32(r);
            assert_int_equal(block_bytes_add(b, column, data, len), OK);
        } else {
            size_t width = type == COLUMN_IP    ? 16
                           : type == COLUMN_U8  ? 1
                           : type == COLUMN_U16 ? 2
                           : type == COLUMN_U32 ? 4
                                                : 8;
            uint64_t value[2] = {rng_u64(r), rng_u64(r)};
            memcpy((uint8_t *)b->column[column].rows + (b->rows + i) * width, value, width);
        }
    }
}

/* Append `rows` random rows. */
static inline void random_rows(struct block *b, size_t rows, struct rng *r)
{
    assert_true(rows <= b->cap - b->rows);
    for (size_t i = 0; i < b->kind->column_count; i++)
        random_column(b, i, rows, r);
    b->rows += rows;
}

static inline struct block *random_block(const struct record *kind, size_t rows, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    struct block *b = NULL;
    assert_int_equal(block_new(&b, kind, rows ? rows : 1), OK);
    random_rows(b, rows, &r);
    return b;
}

/* Same rows, whatever the numbers of the words. */
static inline void assert_same_rows(const struct block *a, const struct block *b)
{
    assert_ptr_equal(a->kind, b->kind);
    assert_int_equal(a->rows, b->rows);
    struct buf left, right;
    buf_init(&left, 1 << 28);
    buf_init(&right, 1 << 28);
    assert_int_equal(block_encode(a, &left), OK);
    assert_int_equal(block_encode(b, &right), OK);
    assert_int_equal(left.len, right.len);
    assert_memory_equal(left.data, right.data, left.len);
    buf_done(&left);
    buf_done(&right);
}

#endif
