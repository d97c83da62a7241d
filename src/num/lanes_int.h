#ifndef NUM_LANES_INT_H
#define NUM_LANES_INT_H

#include "base/wide.h"

#include <stddef.h>
#include <stdint.h>

/* Four doubles at a time, twice over: a sum over an array is always eight sums, added up at the
 * end, on every machine; wider registers make it faster, never different. */

typedef double lanes __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t lanes_mask __attribute__((vector_size(32), aligned(8), may_alias));

enum {
    LANES = 8 /* arrays are padded to this */
};

static inline size_t lanes_padded(size_t count)
{
    return (count + LANES - 1) / LANES * LANES;
}

/* The larger of each pair. */
#define LANES_MOST(a, b)                                                                       \
    ((lanes)((((a) > (b)) & (lanes_mask)(a)) | (~((a) > (b)) & (lanes_mask)(b))))

#endif
