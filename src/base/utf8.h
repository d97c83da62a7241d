#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the well-formed UTF-8 sequence at `p` has (The Unicode Standard, table 3-7),
 * or 0 if there is none within the `left` bytes, of which there is at least one. */
size_t utf8_sequence(const uint8_t *p, size_t left);

/* Has such a sequence no business in one line of text: is it a control character of ASCII or
 * Latin-1, a line separator, or what turns the direction of text around it (Unicode Standard
 * Annex 9)? */
bool utf8_is_control(const uint8_t *p, size_t len);

#endif
