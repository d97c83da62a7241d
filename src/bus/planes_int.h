#ifndef BUS_PLANES_INT_H
#define BUS_PLANES_INT_H

#include "base/buf.h"
#include "base/bytes.h"

/* Columns of numbers as planes of bytes, each packed by itself: what is random in one plane
 * does not spoil what is regular in the next. */

enum {
    PLANES_VALUES = 1 << 15, /* of one column */
    PLANES_STEPS = 256       /* in a table that is a quarter full: not met by chance */
};

/* Working memory for writing. */
struct planes;
enum err planes_new(struct planes **ret_planes) MUST_CHECK;
void planes_free(struct planes *p);

/* `len` bytes, packed if that is shorter. */
void planes_put_bytes(struct planes *p, const void *data, size_t len, struct buf *out);

/* `count` numbers: planes of as many bytes as the largest needs, or numbers into a table of the
 * different ones. */
void planes_put(struct planes *p, const uint64_t *values, size_t count, struct buf *out);

/* Write a table of the different values, and put their numbers in it in their place; 0: there
 * are too many, the values stay. */
size_t planes_number(struct planes *p, uint64_t *values, size_t count, struct buf *out);

/* The failure of any call since planes_new(), if there was one. */
enum err planes_err(const struct planes *p);

/* The inverse. `in` is cut when anything is wrong; then nothing is written. Reading takes no
 * memory but what the caller gives: `scratch` of PLANES_VALUES bytes. */
void planes_get_bytes(struct bytes *in, uint8_t *to, size_t len);
void planes_get(struct bytes *in, uint64_t *values, size_t count, uint8_t *scratch);
/* The table, of at most `count` values, and how many these are. */
size_t planes_get_number(struct bytes *in, uint64_t *table, size_t count, uint8_t *scratch);

#endif
