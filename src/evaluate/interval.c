#include "evaluate/interval.h"

#include "num/tail.h"

#include <math.h>

#define Z95 1.959963984540054

struct interval interval_share(uint64_t hits, uint64_t trials)
{
    if (trials == 0)
        return (struct interval){0.0, 1.0};
    double n = (double)trials, p = (double)hits / n;
    double z2 = Z95 * Z95;
    double centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    double half = Z95 * sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n);
    return (struct interval){fmax(0.0, centre - half), fmin(1.0, centre + half)};
}

/* The mean at which P(X >= count) is `p`; that probability rises with the mean. */
static double mean_for(double count, double p)
{
    double low = 0.0, high = count + 10.0 * sqrt(count + 1.0) + 20.0;
    for (int i = 0; i < 200 && high - low > 1e-7; i++) {
        double middle = (low + high) / 2.0;
        if (log_tail_poisson(count, middle) < log(p))
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2.0;
}

struct interval interval_count(uint64_t count)
{
    double n = (double)count;
    return (struct interval){
        .low = count ? mean_for(n, 0.025) : 0.0,
        .high = mean_for(n + 1.0, 0.975),
    };
}
