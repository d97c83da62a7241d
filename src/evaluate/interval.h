#ifndef EVALUATE_INTERVAL_H
#define EVALUATE_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

/* Intervals with 95 % confidence, and the quantities that they are about. */

struct interval {
    double low, high;
};

/* A share of `hits` in `trials` (Wilson, "Probable inference, the law of succession, and
 * statistical inference", JASA 22, 1927). No trials: 0 to 1. */
struct interval interval_share(uint64_t hits, uint64_t trials);

/* The mean of a Poisson count of which `count` were seen (Garwood, "Fiducial limits for the
 * Poisson distribution", Biometrika 28, 1936): exact, to 1e-6. */
struct interval interval_count(uint64_t count);

#endif
