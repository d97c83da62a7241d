#include "num/sdar.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double least_variance = 1e-12; /* of a series that never moves */

void sdar_init(struct sdar *s, unsigned order, double forget)
{
    assert(order >= 1 && order <= SDAR_ORDER_MAX && forget > 0.0 && forget < 1.0);
    *s = (struct sdar){.order = order, .forget = forget, .limit = 100.0, .variance = 1.0};
}

/* Levinson's recursion; a series without variance has no memory either. */
void sdar_refresh(struct sdar *s)
{
    double error = s->covariance[0];
    memset(s->weights, 0, sizeof s->weights);
    for (unsigned m = 0; m < s->order && error > least_variance; m++) {
        double before[SDAR_ORDER_MAX];
        double reflection = s->covariance[m + 1];
        memcpy(before, s->weights, sizeof before);
        for (unsigned i = 0; i < m; i++)
            reflection -= before[i] * s->covariance[m - i];
        reflection = fmax(fmin(reflection / error, s->limit), -s->limit);
        s->weights[m] = reflection;
        for (unsigned i = 0; i < m; i++)
            s->weights[i] = before[i] - reflection * before[m - 1 - i];
        error *= 1.0 - reflection * reflection;
    }
}

double sdar_predict(const struct sdar *s, double *ret_variance)
{
    double expected = s->mean;
    if (s->filled == s->order)
        for (unsigned i = 0; i < s->order; i++)
            expected += s->weights[i] * (s->past[i] - s->mean);
    *ret_variance = fmax(s->variance, least_variance);
    return expected;
}

static void remember(struct sdar *s, double x)
{
    memmove(s->past + 1, s->past, (SDAR_ORDER_MAX - 1) * sizeof *s->past);
    s->past[0] = x;
}

/* The errors of the values that were missed come with the weights of the moving average that
 * the model is: 1, a_1, a_1^2 + a_2, ... */
double sdar_skip(struct sdar *s, unsigned missed)
{
    double shares[SDAR_ORDER_MAX] = {1.0}; /* newest first */
    double growth = 1.0, unused;
    if (s->filled < s->order)
        return growth;
    for (unsigned n = 0; n < missed; n++) {
        double share = 0.0;
        for (unsigned i = 0; i < s->order; i++)
            share += s->weights[i] * shares[i];
        memmove(shares + 1, shares, (SDAR_ORDER_MAX - 1) * sizeof *shares);
        shares[0] = share;
        growth += share * share;
        remember(s, sdar_predict(s, &unused));
    }
    return growth;
}

double sdar_learn(struct sdar *s, double x)
{
    assert(!isnan(x));
    if (s->filled == 0)
        s->mean = x;
    double r = s->forget;
    s->mean += r * (x - s->mean);
    s->covariance[0] += r * ((x - s->mean) * (x - s->mean) - s->covariance[0]);
    for (unsigned j = 1; j <= s->filled; j++)
        s->covariance[j] += r * ((x - s->mean) * (s->past[j - 1] - s->mean) - s->covariance[j]);
    sdar_refresh(s);
    double variance;
    double error = x - sdar_predict(s, &variance);
    s->variance += r * (error * error - s->variance);
    variance = fmax(s->variance, least_variance);
    remember(s, x);
    s->filled += s->filled < s->order;
    return 0.5 * (log(2.0 * M_PI * variance) + error * error / variance);
}

void changefinder_init(struct changefinder *c)
{
    *c = (struct changefinder){.first = 10, .second = 5};
    sdar_init(&c->model, 2, 0.005);
    sdar_init(&c->above, 2, 0.005);
}

/* The mean of the last `room` values, of which `value` is number `count`, from 0. */
static double smooth(double *ring, unsigned room, unsigned count, double value)
{
    unsigned there = count < room ? count + 1 : room;
    double sum = 0.0;
    ring[count % room] = value;
    for (unsigned i = 0; i < there; i++)
        sum += ring[i];
    return sum / there;
}

double changefinder_step(struct changefinder *c, double x)
{
    double loss = smooth(c->losses, c->first, c->count, sdar_learn(&c->model, x));
    double change = smooth(c->changes, c->second, c->count, sdar_learn(&c->above, loss));
    bool ignored = c->count < CHANGEFINDER_IGNORED;
    /* Past 2^30 the count goes on over a range that keeps both rings' places. */
    if (++c->count == 1u << 30)
        c->count -= c->first * c->second;
    return ignored ? NAN : change;
}
