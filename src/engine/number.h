#ifndef ENGINE_NUMBER_H
#define ENGINE_NUMBER_H

#include "base/buf.h"
#include "base/bytes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Floating numbers in saved states: the 8 bytes of the double, so that nothing is rounded. A
 * float travels as the double that it is. */

static inline void number_save(struct buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_le64(out, bits);
}

/* False if the bytes end or the number is not within [least, most]; NaN never is. */
static inline bool number_load(struct bytes *in, double least, double most, double *ret_value)
{
    uint64_t bits = bytes_le64(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (in->cut || !(value >= least && value <= most))
        return false;
    *ret_value = value;
    return true;
}

/* The same, and NaN is allowed: "not known". */
static inline bool number_load_or_none(
    struct bytes *in, double least, double most, double *ret_value)
{
    struct bytes ahead = *in;
    uint64_t bits = bytes_le64(&ahead);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (ahead.cut || !isnan(value))
        return number_load(in, least, most, ret_value);
    *in = ahead;
    *ret_value = NAN;
    return true;
}

#endif
