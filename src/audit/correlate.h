#ifndef AUDIT_CORRELATE_H
#define AUDIT_CORRELATE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* How much of a series that was published, or anonymised, is found again in one's own data, and
 * how much it repeats itself: what somebody with a telescope of his own learns from it. */

struct correlate_result {
    size_t steps;  /* that both have at the best lag */
    int lag;       /* steps by which the other is later, at the best correlation */
    double r;      /* Pearson's, of logarithms (1 + x), at that lag */
    double p;      /* that a lag as good comes of independent series: surrogates, see below */
    double r_auto; /* the largest of the published series with itself, lag 1 and more */
    int lag_auto;
};

enum {
    CORRELATE_STEPS_MAX = 1 << 20,
    CORRELATE_STEPS_MIN = 16,
    CORRELATE_SURROGATES = 199
};

/**
 * @param published `count` values, one a step; `own` the same steps of one's own data.
 * @param lag_most  lags from -lag_most to lag_most are tried; under half of `count`.
 * @param seed      of the surrogates: the own series, turned round by a random number of steps
 *                  beyond lag_most, keeps how it depends on itself and loses what it shares.
 * @return OK; ERR_RANGE: too few steps, or a series that is constant; ERR_NOMEM.
 *
 * Cost: 200 * (2 * lag_most + 1) * count operations.
 */
enum err correlate(const double *published, const double *own, size_t count, int lag_most,
    uint64_t seed, struct correlate_result *ret_result) MUST_CHECK;

#endif
