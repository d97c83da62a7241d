/* How fast, and to how many sites, does it spread? A posterior over a grid of hypotheses. */
#include "alert/lead_int.h"

#include <math.h>
#include <string.h>

static const double shortest_span = 0.5; /* hours; the longest is 2^(30/4) as long: 91 h */
static const double spans_each_octave = 4.0;
/* To begin with: a thing stays at its site, comes to all, or to some share of them. */
static const double weight_of_none = 0.5, weight_of_all = 0.25;
static const double things_assumed = 8.0;  /* the beginning counts as much as so many things */
static const double fade = 1.0 - 1.0 / 64; /* of what was learned, with each thing */

struct hypothesis {
    bool uniform;
    double span;
    double share;
};

static struct hypothesis hypothesis(size_t number)
{
    size_t share = number % MODEL_SHARES;
    size_t span = number / MODEL_SHARES % MODEL_SPANS;
    return (struct hypothesis){
        .uniform = number >= (size_t)MODEL_SPANS * MODEL_SHARES,
        .span = shortest_span * exp2((double)span / spans_each_octave),
        .share = (double)share / (MODEL_SHARES - 1),
    };
}

/* Share of the sites that are reached at all which are reached by `t`. */
static double reached(const struct hypothesis *h, double t)
{
    if (t <= 0.0)
        return 0.0;
    return h->uniform ? fmin(t / h->span, 1.0) : -expm1(-2.0 * t / h->span);
}

static double prior(const struct model *m, size_t number)
{
    size_t share = number % MODEL_SHARES;
    double begin = share == 0 ? weight_of_none
                   : share == MODEL_SHARES - 1
                       ? weight_of_all
                       : (1.0 - weight_of_none - weight_of_all) / (MODEL_SHARES - 2);
    begin /= MODEL_SHAPES * MODEL_SPANS;
    return (things_assumed * begin + m->learned[number]) / (things_assumed + m->things);
}

static double log_likelihood(const struct hypothesis *h, const struct progress *p)
{
    double sum = 0.0;
    if (p->waiting)
        sum = (double)p->waiting * log1p(-h->share * reached(h, p->elapsed));
    for (size_t i = 0; i < p->came_count; i++)
        sum += log(h->share * (reached(h, p->came[i] + p->step) - reached(h, p->came[i])));
    return sum;
}

/* Weights that sum to one; false if nothing fits. */
static bool posterior(
    const struct model *m, const struct progress *p, double weight[MODEL_SIZE])
{
    double most = -INFINITY;
    for (size_t i = 0; i < MODEL_SIZE; i++) {
        struct hypothesis h = hypothesis(i);
        double sum = log_likelihood(&h, p) + log(prior(m, i));
        weight[i] = isnan(sum) ? -INFINITY : sum;
        most = fmax(most, weight[i]);
    }
    if (!isfinite(most))
        return false;
    double total = 0.0;
    for (size_t i = 0; i < MODEL_SIZE; i++)
        total += weight[i] = exp(weight[i] - most);
    for (size_t i = 0; i < MODEL_SIZE; i++)
        weight[i] /= total;
    return true;
}

/* Chance that a site that waits is reached within `t` hours from now. */
static double chance_within(const double weight[MODEL_SIZE], const struct progress *p, double t)
{
    double chance = 0.0;
    for (size_t i = 0; i < MODEL_SIZE; i++) {
        if (weight[i] < 1e-12)
            continue;
        struct hypothesis h = hypothesis(i);
        double now = reached(&h, p->elapsed);
        double left = 1.0 - h.share * now;
        if (left > 0.0)
            chance += weight[i] * h.share * (reached(&h, p->elapsed + t) - now) / left;
    }
    return chance;
}

static double quantile_within(
    const double weight[MODEL_SIZE], const struct progress *p, double chance, double horizon)
{
    double low = 0.0;
    double high = horizon;
    while (high - low > 1.0 / 60) {
        double middle = 0.5 * (low + high);
        if (chance_within(weight, p, middle) < chance)
            low = middle;
        else
            high = middle;
    }
    return high;
}

bool lead_foresee(const struct model *m, const struct progress *p, double horizon,
    struct outlook *ret_outlook)
{
    double weight[MODEL_SIZE];
    if (!p->waiting || !posterior(m, p, weight))
        return false;
    double chance = chance_within(weight, p, horizon);
    *ret_outlook = (struct outlook){
        .chance = chance,
        .low = quantile_within(weight, p, 0.1 * chance, horizon),
        .middle = quantile_within(weight, p, 0.5 * chance, horizon),
        .high = quantile_within(weight, p, 0.9 * chance, horizon),
    };
    return true;
}

void lead_learn(struct model *m, const struct progress *p)
{
    double weight[MODEL_SIZE];
    if (!posterior(m, p, weight))
        return;
    for (size_t i = 0; i < MODEL_SIZE; i++)
        m->learned[i] = m->learned[i] * fade + weight[i];
    m->things = m->things * fade + 1.0;
}
