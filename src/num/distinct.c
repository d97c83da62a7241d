#include "num/distinct.h"

#include <math.h>

void distinct_merge(struct distinct *d, const struct distinct *other)
{
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++)
        if (other->rank[i] > d->rank[i])
            d->rank[i] = other->rank[i];
}

double distinct_count(const struct distinct *d)
{
    const double m = DISTINCT_REGISTERS;
    unsigned of_rank[256] = {0};
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++)
        of_rank[d->rank[i]]++;
    double sum = 0.0;
    for (int rank = 0; rank <= DISTINCT_RANK_MAX; rank++)
        sum += ldexp(of_rank[rank], -rank);
    unsigned empty = of_rank[0];
    double raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && empty)
        return m * log(m / empty);
    return raw;
}
