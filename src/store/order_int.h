#ifndef STORE_ORDER_INT_H
#define STORE_ORDER_INT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* An order of rows, sorted byte by byte from the last of a key to its first (radix sort,
 * stable): sorting by several columns begins with the last. Bytes that are the same in all rows
 * cost nothing but the look. The room is kept for the next order. */
struct order {
    uint32_t *rows; /* row numbers, in order */
    uint32_t *spare;
    size_t count;
    size_t room;
};

/* 0, 1, 2 ... `count` - 1. A zeroed struct is fine at first. */
enum err order_begin(struct order *o, size_t count) MUST_CHECK;
void order_done(struct order *o);

/* By byte `byte` of values that are `width` wide, value i that of row i. */
void order_by(struct order *o, const void *values, size_t width, size_t byte);

/* By little-endian numbers; signed ones must all have the same sign. */
void order_by_number(struct order *o, const void *values, size_t width);

#endif
