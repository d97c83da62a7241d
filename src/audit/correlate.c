#include "audit/correlate.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

static double logged(double x)
{
    return log1p(x > 0 ? x : 0);
}

/* Pearson's correlation of a[i] and b[(i + turn + lag) mod count] over the steps that both have
 * at the lag; -2 where one of them is constant there. */
static double pearson(const double *a, const double *b, size_t count, int lag, size_t turn)
{
    size_t from = lag < 0 ? (size_t)-lag : 0, to = lag > 0 ? count - (size_t)lag : count;
    double n = (double)(to - from), sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t i = from; i < to; i++) {
        size_t k = (size_t)((long long)(i + turn) + lag) % count;
        sa += a[i];
        sb += b[k];
        saa += a[i] * a[i];
        sbb += b[k] * b[k];
        sab += a[i] * b[k];
    }
    double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
    return va > 1e-12 && vb > 1e-12 ? (sab - sa * sb / n) / sqrt(va * vb) : -2;
}

static double best_lag(
    const double *a, const double *b, size_t count, int lag_most, size_t turn, int *ret_lag)
{
    double best = -2;
    for (int lag = -lag_most; lag <= lag_most; lag++) {
        double r = pearson(a, b, count, lag, turn);
        if (r > best) {
            best = r;
            *ret_lag = lag;
        }
    }
    return best;
}

/* How likely chance does as well: `own` is turned against `published`, so that what each is by
 * itself stays and only their common time is lost. */
static double chance(
    const double *a, const double *b, size_t count, int lag_most, uint64_t seed, double reached)
{
    struct rng rng;
    unsigned as_good = 0;
    rng_seed(&rng, seed);
    for (unsigned i = 0; i < CORRELATE_SURROGATES; i++) {
        int lag;
        size_t room = count - 2 * (size_t)lag_most;
        size_t turn = (size_t)lag_most + rng_below(&rng, room);
        as_good += best_lag(a, b, count, lag_most, turn ? turn : 1, &lag) >= reached;
    }
    return (1.0 + as_good) / (1 + CORRELATE_SURROGATES);
}

/* What a series says of itself some steps later. */
static double best_own_lag(const double *a, size_t count, int lag_most, int *ret_lag)
{
    double best = -2;
    for (int lag = 1; lag <= lag_most; lag++) {
        double r = pearson(a, a, count, lag, 0);
        if (r > best) {
            best = r;
            *ret_lag = lag;
        }
    }
    return best;
}

enum err correlate(const double *published, const double *own, size_t count, int lag_most,
    uint64_t seed, struct correlate_result *ret_result)
{
    if (count < CORRELATE_STEPS_MIN || count > CORRELATE_STEPS_MAX || lag_most < 0 ||
        (size_t)lag_most * 2 >= count)
        return ERR_RANGE;
    double *a = malloc(count * sizeof *a), *b = malloc(count * sizeof *b);
    struct correlate_result r = {0};
    enum err e = a && b ? OK : ERR_NOMEM;
    for (size_t i = 0; i < count && !e; i++) {
        a[i] = logged(published[i]);
        b[i] = logged(own[i]);
    }
    if (!e) {
        r.r = best_lag(a, b, count, lag_most, 0, &r.lag);
        e = r.r < -1.5 ? ERR_RANGE : OK;
    }
    if (!e) {
        r.p = chance(a, b, count, lag_most, seed, r.r);
        r.r_auto = best_own_lag(a, count, lag_most, &r.lag_auto);
        r.steps = count - (size_t)abs(r.lag);
        *ret_result = r;
    }
    free(a);
    free(b);
    return e;
}
