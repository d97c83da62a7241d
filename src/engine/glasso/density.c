/* The density of a view's graphs over time, and what is a jump of it. */
#include "engine/glasso/step_int.h"

#include "num/order.h"
#include "num/tail.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double theta = 0.98;        /* of the removal test, as published */
static const double spread_least = 0.02; /* of log10 density: 5 % */

static bool is_held(const struct density *d, uint32_t window)
{
    return d->held[window % HISTORY / 64] >> (window % HISTORY % 64) & 1;
}

static void set_held(struct density *d, uint32_t window, bool held)
{
    uint64_t bit = UINT64_C(1) << (window % HISTORY % 64);
    uint64_t *word = &d->held[window % HISTORY / 64];
    *word = held ? *word | bit : *word & ~bit;
}

/* Remove the largest value as long as that takes more than a share 1 - theta of the variance:
 * what is removed is an anomaly. One value at once is removed if it is
 * sqrt((n - 1) (1 - theta (n - 1) / n)) standard deviations above the mean. */
bool sync_removal_test(const double *values, size_t count, double share)
{
    assert(count && count <= HISTORY);
    double left[HISTORY];
    memcpy(left, values, count * sizeof *values);
    double newest = values[count - 1];
    while (count > 2) {
        double sum = 0.0;
        double squares = 0.0;
        size_t top = 0;
        for (size_t i = 0; i < count; i++) {
            sum += left[i];
            squares += left[i] * left[i];
            top = left[i] > left[top] ? i : top;
        }
        double n = (double)count;
        double variance = squares / n - sum / n * (sum / n);
        double x = left[top];
        double rest_mean = (sum - x) / (n - 1.0);
        double rest = (squares - x * x) / (n - 1.0) - rest_mean * rest_mean;
        if (!(variance > 0.0) || rest / variance > share)
            return false;
        if (x <= newest)
            return true;
        left[top] = left[--count];
    }
    return false;
}

bool sync_density_normal(
    const struct sync *s, const struct density *d, double *ret_median, double *ret_spread)
{
    double known[HISTORY];
    size_t count = 0;
    for (uint32_t k = 1; k < HISTORY && k < s->now; k++) {
        double x = (double)d->ring[(s->now - k) % HISTORY];
        if (!isnan(x) && !is_held(d, s->now - k))
            known[count++] = x;
    }
    if ((int64_t)count * s->window < s->options.learn)
        return false;
    double spread = median_deviation(known, count, ret_median);
    *ret_spread = fmax(spread, spread_least);
    return true;
}

/* By the removal test over three days, as published: densities, not their logarithms; earlier
 * alarms are taken out first, and there is no verdict before three days are known. */
static bool removal_fires(const struct sync *s, const struct density *d)
{
    double values[HISTORY];
    size_t count = 0;
    size_t known = 0;
    for (uint32_t k = HISTORY; k-- > 0;) {
        double x = k < s->now ? (double)d->ring[(s->now - k) % HISTORY] : NAN;
        if (isnan(x))
            continue;
        known++;
        if (k == 0 || !is_held(d, s->now - k))
            values[count++] = pow(10.0, x);
    }
    return known >= HISTORY - 1 && sync_removal_test(values, count, theta);
}

/* -log10 of how many such values chance gives in a day, over all views and penalties; corrected
 * by the tail of this series' own scores. */
static double score_of(const struct sync *s, struct density *d, double z)
{
    double tests =
        (double)US_DAY / (double)s->window * (double)(s->view_count * s->options.penalty_count);
    double raw = z > 1.2 ? -log_tail_normal(z) / M_LN10 : 0.0;
    double corrected = tail_correct(&d->tail, raw);
    if (!d->first)
        tail_add(&d->tail, raw);
    return corrected - log10(tests);
}

static void keep_run(const struct sync *s, struct density *d, bool fires)
{
    d->history = (uint8_t)(d->history << 1 | fires);
    if (fires) {
        d->first = d->first ? d->first : s->now;
        d->last = s->now;
        bool normal_by_now = (int64_t)(s->now - d->first) * s->window > s->options.freeze;
        set_held(d, s->now, !normal_by_now);
    } else if (d->first && (int64_t)(s->now - d->last) * s->window > US_HOUR) {
        d->first = 0;
    }
}

/* Those of one group of the least size. */
static double edges_least(const struct sync *s)
{
    return (double)s->options.min_hosts * ((double)s->options.min_hosts - 1.0) / 2.0;
}

struct sync_jump sync_density_judge(struct sync_look *l, size_t penalty)
{
    const struct sync *s = l->s;
    const struct sync_sums *sums = &l->sums;
    struct density *d = &l->view->densities[penalty];
    struct sync_jump jump = {.score = -INFINITY};
    set_held(d, s->now, false);
    if (!(sums->pairs[penalty] > 0.0)) {
        d->ring[s->now % HISTORY] = NAN;
        keep_run(s, d, false);
        return jump;
    }
    /* Half of the usual density, as published; half an edge for none. */
    jump.value = fmax(sums->edges[penalty], 0.5) / (2.0 * sums->pairs[penalty]);
    d->ring[s->now % HISTORY] = (float)log10(jump.value);
    double median;
    double spread;
    if (sync_density_normal(s, d, &median, &spread)) {
        double z = ((double)d->ring[s->now % HISTORY] - median) / spread;
        jump.score = score_of(s, d, z);
        jump.normal = pow(10.0, median);
        jump.threshold = pow(10.0, median + 5.0 * spread);
        jump.fires = jump.score >= 0.0 && sums->edges[penalty] >= edges_least(s);
    }
    if (s->options.removal)
        jump.fires = removal_fires(s, d);
    keep_run(s, d, jump.fires);
    return jump;
}
