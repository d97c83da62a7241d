/* What returns at the same place of every hour: hosts that a timer starts. The rhythm follows
 * hours and days and cannot tell it. */
#include "engine/surge/surge_int.h"

#include "num/order.h"

#include <math.h>
#include <string.h>

enum {
    HOURS_LEAST = 3 /* that tell a place */
};
static const double hosts_least = 8.0; /* too many at a place, over all hours */
static const double ratio_least = 1.5; /* to the other places: busy ones differ by themselves */

/* Windows that were not normal are left out, but for those of the site's first days: then a
 * beat has been there before the watch began, and is what made them so. */
static bool is_told(const struct surge *s, const struct series *p, uint32_t n)
{
    if (isnan(p->ring[n % RING]))
        return false;
    uint32_t before = s->now - n;
    uint32_t watched = s->sites[p->site].windows;
    return !is_held(p, n) || watched <= before ||
           (int64_t)(watched - before) * s->window <= s->options.learn;
}

/* The counts at a place in the hours before the one that begins at window `end`. */
static size_t counts_at(const struct surge *s, const struct series *p, uint32_t end,
    uint32_t place, double ret_counts[RING])
{
    uint32_t hour = s->span[1];
    size_t count = 0;
    for (uint32_t k = 1; k < RING / hour && k * hour < end; k++) {
        uint32_t n = end - k * hour + place;
        if (is_told(s, p, n))
            ret_counts[count++] = (double)p->ring[n % RING];
    }
    return count;
}

/* Mean without the largest and the smallest eighth, of the largest one at least: one rise
 * teaches nothing. */
static double trimmed_mean(double *counts, size_t count)
{
    size_t top = count / 8 ? count / 8 : 1;
    size_t bottom = count / 8;
    double low = quantile(counts, count, (double)bottom / (double)(count - 1));
    double high = quantile(counts, count, (double)(count - 1 - top) / (double)(count - 1));
    double sum = 0.0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (counts[i] >= low && counts[i] <= high) {
            sum += counts[i];
            kept++;
        }
    return kept ? sum / (double)kept : low;
}

void beat_learn(const struct surge *s, struct series *p)
{
    memset(p->beat, 0, sizeof p->beat);
    uint32_t hour = s->span[1];
    if (hour < 2 || hour > PLACES_MOST)
        return;
    int64_t into = window_start(s, s->now) - time_floor(window_start(s, s->now), US_HOUR);
    uint32_t end = s->now - (uint32_t)(into / s->window); /* the hour in hand begins */
    double mean[PLACES_MOST];
    size_t hours[PLACES_MOST];
    double all = 0.0;
    for (uint32_t k = 0; k < hour; k++) {
        double counts[RING];
        hours[k] = counts_at(s, p, end, k, counts);
        mean[k] = hours[k] < HOURS_LEAST ? 0.0 : trimmed_mean(counts, hours[k]);
        all += mean[k];
    }
    for (uint32_t k = 0; k < hour; k++) {
        double others = (all - mean[k]) / (hour - 1);
        double more = (mean[k] - others) * (double)hours[k];
        if (mean[k] >= ratio_least * others &&
            more > hosts_least + 4.0 * sqrt(others * (double)hours[k]))
            p->beat[k] = (float)mean[k];
    }
}

bool beat_is_told(const struct series *p)
{
    for (uint32_t k = 0; k < PLACES_MOST; k++)
        if (p->beat[k] > 0.0F)
            return true;
    return false;
}
