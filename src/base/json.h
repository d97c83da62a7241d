#ifndef BASE_JSON_H
#define BASE_JSON_H

/* JSON in memory is jansson's; this header is where the project meets it. Numbers that may
 * exceed 2^53 travel as text. Times are RFC 3339 texts. */
#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>

/* Append the value as one line without a newline; object keys keep the order of insertion, and
 * reals have the fewest digits that give the same double again. */
void json_write(struct buf *out, const json_t *value);
/* The same for people: a member or an element a line, two blanks a level. */
void json_write_lines(struct buf *out, const json_t *value);

/* Text that may be any bytes: each byte that is not UTF-8 becomes U+FFFD, so the result is
 * never NULL but for lack of memory. The caller owns the reference. */
json_t *json_text(const char *bytes, size_t len);

/* RFC 3339. */
json_t *json_time(int64_t us);

#endif
