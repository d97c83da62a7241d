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

/* Many floats, each as number_save() does it; block_codec.c sees to it that the machine is
 * little-endian. */
static inline void numbers_save(struct buf *out, const float *values, size_t count)
{
    uint8_t *to = buf_reserve(out, count * sizeof(double));
    for (size_t i = 0; to && i < count; i++) {
        double value = (double)values[i];
        memcpy(to + i * sizeof value, &value, sizeof value);
    }
    out->len += to ? count * sizeof(double) : 0;
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

/* The same for a float: a double that is none is refused. With `none`, NaN is allowed: "not
 * known". */
static inline bool number_load_float(
    struct bytes *in, double least, double most, bool none, float *ret_value)
{
    uint64_t bits = bytes_le64(in);
    double value;
    double nan = (double)NAN;
    uint64_t nan_bits;
    memcpy(&value, &bits, sizeof value);
    memcpy(&nan_bits, &nan, sizeof nan_bits);
    bool known = value >= least && value <= most && !((double)(float)value < value) &&
                 !((double)(float)value > value);
    if (in->cut || !(known || (none && bits == nan_bits)))
        return false;
    *ret_value = known ? (float)value : NAN;
    return true;
}

#endif
