#include "num/distinct.h"

#include <math.h>
#include <string.h>

/* How many registers have each rank. Words of zeros, most of a small set, are passed over. */
static void ranks_count(const struct distinct *d, unsigned of_rank[256])
{
    unsigned zeros = 0;
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i += 8) {
        uint64_t word;
        memcpy(&word, &d->rank[i], sizeof word);
        if (!word) {
            zeros += 8;
            continue;
        }
        for (unsigned k = 0; k < 8; k++)
            of_rank[d->rank[i + k]]++;
    }
    of_rank[0] += zeros;
}

double distinct_count(const struct distinct *d)
{
    const double m = DISTINCT_REGISTERS;
    unsigned of_rank[256] = {0};
    ranks_count(d, of_rank);
    double sum = 0.0; /* of 2^-rank, exactly: by Horner's rule */
    for (int rank = DISTINCT_RANK_MAX; rank >= 0; rank--)
        sum = sum / 2 + of_rank[rank];
    unsigned empty = of_rank[0];
    double raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && empty)
        return m * log(m / empty);
    return raw;
}
