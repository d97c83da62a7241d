#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes the well-formed UTF-8 sequence at `p` has (The Unicode Standard, table 3-7),
 * or 0 if there is none within the `left` bytes, of which there is at least one. */
size_t utf8_sequence(const uint8_t *p, size_t left);

#endif
