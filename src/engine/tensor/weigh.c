/* How strange it is that services have been in step, over one window and several. */
#include "engine/tensor/tensor_int.h"

#include "engine/hourly.h"
#include "num/tail.h"

#include <math.h>

/* -log10 of the p-value of the last windows of these services together (Fisher); windows
 * without evidence count as p = 1. */
static double together(
    const struct tensor *s, struct voice *const *voices, size_t count, uint32_t windows)
{
    double log_p[MEMORY * BLOCK_PORTS];
    unsigned n = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < windows; k++)
            log_p[n++] =
                k < s->now ? -(double)voices[i]->watch->evidence[(s->now - k) % MEMORY] * M_LN10
                           : 0.0;
    return -log_p_fisher(log_p, n) / M_LN10;
}

/* log10 of how many sets of so many services there are. */
static double sets(double services, size_t count)
{
    double log10_sets = 0.0;
    for (size_t i = 0; i < count; i++)
        log10_sets += log10(fmax(services - (double)i, 1.0) / (double)(i + 1));
    return log10_sets;
}

double tensor_weigh(
    const struct tensor *s, struct voice *const *voices, size_t count, unsigned *ret_span)
{
    double a_day = (double)US_DAY / (double)s->window;
    double tests = log10(SPANS * a_day) + sets(s->services, count);
    double best = -INFINITY;
    for (unsigned i = 0; i < SPANS; i++) {
        double score = together(s, voices, count, tensor_spans[i]) - tests;
        if (!(score > best))
            continue;
        best = score;
        *ret_span = i;
    }
    return best;
}

/* What speaks for a service over a span. */
static double evidence_of(const struct tensor *s, const struct voice *v, uint32_t windows)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < windows && k < s->now; k++)
        sum += (double)v->watch->evidence[(s->now - k) % MEMORY];
    return sum;
}

/* Most evidence first. */
static void order_by_evidence(const struct tensor *s, struct voice *voices, size_t count,
    uint32_t windows, struct voice **ret_order)
{
    double sums[CANDIDATES];
    for (size_t i = 0; i < count; i++) {
        double sum = evidence_of(s, &voices[i], windows);
        size_t at = i;
        for (; at > 0 && sums[at - 1] < sum; at--) {
            sums[at] = sums[at - 1];
            ret_order[at] = ret_order[at - 1];
        }
        sums[at] = sum;
        ret_order[at] = &voices[i];
    }
}

double tensor_weigh_best(const struct tensor *s, struct voice *voices, size_t count)
{
    double a_day = (double)US_DAY / (double)s->window;
    double best = -INFINITY;
    for (unsigned i = 0; i < SPANS; i++) {
        struct voice *order[CANDIDATES];
        order_by_evidence(s, voices, count, tensor_spans[i], order);
        for (size_t n = 1; n <= count && n <= BLOCK_PORTS; n++) {
            double tests = log10(SPANS * a_day) + sets(s->services, n);
            best = fmax(best, together(s, order, n, tensor_spans[i]) - tests);
        }
    }
    return best;
}

double tensor_excess(const struct tensor *s, const struct voice *v, unsigned span)
{
    double excess = 0.0;
    for (uint32_t k = 0; k < tensor_spans[span] && k < s->now; k++) {
        uint32_t n = (s->now - k) % MEMORY;
        excess += fmax((double)v->watch->hosts[n] - (double)v->watch->expected[n], 0.0);
    }
    return excess;
}

bool tensor_is_hourly(const struct tensor *s, const struct watch *w)
{
    double evidence[MEMORY];
    size_t count = s->now <= MEMORY ? s->now - 1 : MEMORY; /* the first is seldom whole */
    size_t span = (size_t)(US_HOUR / s->window);
    size_t most = 0; /* of the last hour, as a window may speak for those before it */
    for (uint32_t k = 0; k < count; k++) {
        evidence[k] = (double)w->evidence[(s->now - k) % MEMORY];
        most = k < span && evidence[k] > evidence[most] ? k : most;
    }
    return count == 0 || hourly_is(evidence + most, count - most, span);
}
