#include "engine/tail.h"

#include "engine/number.h"

#include <math.h>

enum {
    BINS_PER_UNIT = 4,
    THRESHOLD_BIN = 6 /* 1.5: below it the model speaks for itself */
};

static const double prior = 50.0; /* exceedances of a good model that are taken as seen */
static const double steepest = 4.0;

void tail_add(struct tail *t, double score)
{
    t->total += 1.0;
    if (score < 0.25)
        return;
    int bin = (int)(score * BINS_PER_UNIT);
    t->bins[bin < TAIL_BINS ? bin : TAIL_BINS - 1] += 1.0;
}

void tail_decay(struct tail *t)
{
    const double keep = 0.9;
    t->total *= keep;
    for (int i = 0; i < TAIL_BINS; i++)
        t->bins[i] *= keep;
}

/* Exceedances of the threshold at bin i and above, with those of the prior. */
static double survivors(const struct tail *t, int bin)
{
    double above = prior * pow(10.0, -(double)(bin - THRESHOLD_BIN) / BINS_PER_UNIT);
    for (int i = bin; i < TAIL_BINS; i++)
        above += t->bins[i];
    return above;
}

/* How much wider than the model's the tail is: at which scores a half, a tenth and a hundredth
 * of the exceedances are left, against where the model has them. */
static double slope(const struct tail *t, double all)
{
    static const double shares[] = {0.5, 0.1, 0.01};
    double widest = 1.0;
    for (int k = 0; k < 3; k++) {
        if (all * shares[k] < 5.0)
            break;
        int bin = THRESHOLD_BIN;
        while (bin < TAIL_BINS - 1 && survivors(t, bin) > all * shares[k])
            bin++;
        /* The share is reached within the bin before. */
        double before = survivors(t, bin - 1);
        double after = survivors(t, bin);
        double part = before > after ? (before - all * shares[k]) / (before - after) : 1.0;
        double distance = (bin - 1 - THRESHOLD_BIN + fmin(part, 1.0)) / BINS_PER_UNIT;
        widest = fmax(widest, distance / -log10(shares[k]));
    }
    return fmin(widest, steepest);
}

double tail_correct(const struct tail *t, double score)
{
    const double threshold = (double)THRESHOLD_BIN / BINS_PER_UNIT;
    if (score <= 0.0)
        return 0.0;
    double all = survivors(t, THRESHOLD_BIN);
    double nominal = t->total * pow(10.0, -threshold) + prior;
    double excess = fmin(fmax(0.0, log10(all / nominal)), threshold);
    if (score <= threshold)
        return fmin(score, threshold - excess);
    return fmax(threshold - excess + (score - threshold) / slope(t, all), 0.0);
}

void tail_save(const struct tail *t, struct buf *out)
{
    number_save(out, t->total);
    for (int i = 0; i < TAIL_BINS; i++)
        number_save(out, t->bins[i]);
}

bool tail_load(struct tail *t, struct bytes *in)
{
    bool good = number_load(in, 0.0, 1e15, &t->total);
    for (int i = 0; good && i < TAIL_BINS; i++)
        good = number_load(in, 0.0, 1e15, &t->bins[i]);
    return good;
}
