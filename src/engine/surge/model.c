/* What is normal for one series: a negative binomial count whose mean follows the hour of the
 * day, the day of the week and the last hours, and whose dispersion is learned. */
#include "engine/surge/surge_int.h"

#include <math.h>
#include <string.h>

enum {
    KNOWN_MOST = 432, /* windows that the mean remembers */
    DAYS_FULL = 200   /* hour_days and week_weeks stop counting here */
};

static const double outlier = 2.5; /* deviations; what lies beyond is learned as this */

static unsigned hour_of(int64_t time)
{
    return (unsigned)((time - time_floor(time, US_DAY)) / US_HOUR);
}

static unsigned weekday_of(int64_t time)
{
    int64_t day = time_floor(time, US_DAY) / US_DAY;
    return (unsigned)(((day + 3) % DAYS + DAYS) % DAYS); /* 1970-01-01 was a Thursday */
}

static double week_factor(const struct series *p, int64_t time)
{
    return model_week(p, weekday_of(time));
}

double model_mean(const struct series *p)
{
    return ((double)p->mean * (double)p->known + 0.5) / ((double)p->known + 5.0);
}

/* Linear between the middles of the hours, where both neighbours are known. */
double model_rhythm(const struct surge *s, const struct series *p, uint32_t number)
{
    const struct slot *slot = &s->slots[number % RING];
    double rate = (double)p->rate[slot->hour];
    double next = (double)p->rate[slot->next];
    if (!isnan(next))
        rate += (double)slot->part * (next - rate);
    return rate * model_week(p, slot->weekday);
}

void model_slot(struct surge *s, uint32_t number)
{
    int64_t middle = window_start(s, number) + s->window / 2;
    unsigned hour = hour_of(middle);
    double into = (double)(middle - time_floor(middle, US_HOUR)) / (double)US_HOUR - 0.5;
    s->slots[number % RING] = (struct slot){.hour = (uint8_t)hour,
        .next = (uint8_t)((hour + (into < 0.0 ? HOURS - 1 : 1)) % HOURS),
        .weekday = (uint8_t)weekday_of(middle),
        .part = (float)fabs(into)};
}

void model_refresh(const struct surge *s, struct series *p)
{
    double mean = model_mean(p);
    for (unsigned h = 0; h < HOURS; h++) {
        double windows = (double)(p->hour_days[h] < 7 ? p->hour_days[h] : 7) * s->span[1];
        double rate = model_shrunk(mean, (double)p->hour[h] * windows, windows);
        p->rate[h] = p->hour_days[h] ? (float)rate : NAN;
    }
    for (unsigned h = 0; h < HOURS; h++) {
        double turn = (double)p->rate[(h + 1) % HOURS] - (double)p->rate[h];
        p->turn[h] = isnan(turn) ? 0.0 : turn;
    }
}

void model_begin(
    const struct surge *s, struct series *p, double rate, double windows, uint32_t days)
{
    for (unsigned i = 0; i < RING; i++)
        set_seen(p, i, i < s->now && s->sites[p->site].windows > i ? (float)rate : NAN);
    uint8_t known = (uint8_t)(days < DAYS_FULL ? days : DAYS_FULL);
    for (unsigned h = 0; h < HOURS; h++) {
        p->hour[h] = (float)rate;
        p->hour_days[h] = known;
    }
    for (unsigned d = 0; d < DAYS; d++)
        p->week[d] = 1.0F;
    p->mean = (float)rate;
    p->known = (float)windows;
    model_refresh(s, p);
}

/* One squared error more, after White: E((x - m)^2 - m) / m^2 is the dispersion. Small means
 * say nothing of it and get little weight. */
static void learn_spread(struct site *site, struct series *p, const struct view *v, unsigned h)
{
    double m = (double)v->expected;
    double d = (double)v->dispersion;
    if (isnan(m) || isnan(v->seen) || m < 0.5)
        return;
    double error = (double)v->seen - m;
    double bound = outlier * sqrt(m + d * m * m);
    error = fmin(fmax(error, -bound), bound);
    double weight = m / (m + 10.0);
    weight *= weight;
    double square = (error * error - m) / (m * m);
    /* Half of what a series remembers is younger than four days of its independent windows. */
    static const double keep[HORIZONS] = {0.998, 0.99, 0.96};
    p->spread[h] = (float)((double)p->spread[h] * keep[h] + weight * square);
    p->weight[h] = (float)((double)p->weight[h] * keep[h] + weight);
    site->spread[h] += weight * square;
    site->weight[h] += weight;
    if (site->weight[h] > 1e5) {
        site->spread[h] *= 0.5;
        site->weight[h] *= 0.5;
    }
}

/* An hour goes into the rhythm only when it is so old that nothing which goes on now can have
 * taught it: longer than the longest horizon, as long as the ring can tell. */
static uint32_t lag_hours(const struct surge *s)
{
    const uint32_t enough = 18;
    uint32_t most = RING / s->span[1] - 2;
    return most < enough ? most : enough;
}

static void learn_mean(struct series *p, double rate, unsigned windows)
{
    for (unsigned i = 0; i < windows; i++) {
        p->known = fminf(p->known + 1.0F, KNOWN_MOST);
        p->mean += ((float)rate - p->mean) / p->known;
    }
}

void model_learn(struct surge *s, struct series *p, const struct view views[HORIZONS])
{
    struct site *site = &s->sites[p->site];
    for (unsigned h = 0; h < HORIZONS; h++)
        if (s->now % s->span[h] == 0)
            learn_spread(site, p, &views[h], h);
    /* As long as nothing older is known, the mean is of now. */
    if (p->known < (float)(lag_hours(s) * s->span[1])) {
        learn_mean(p, (double)p->ring[s->now % RING], 1);
        model_refresh(s, p);
    }
}

static void learn_day(const struct surge *s, struct series *p, uint32_t end)
{
    double sum = 0.0;
    double rhythm = 0.0;
    unsigned count = 0;
    uint32_t day = (uint32_t)(US_DAY / s->window);
    for (uint32_t n = end > day ? end - day + 1 : 1; n < end && day <= RING; n++) {
        double x = (double)p->ring[n % RING];
        double m = model_rhythm(s, p, n);
        if (isnan(x) || isnan(m) || is_held(p, n))
            continue;
        sum += x;
        rhythm += m / week_factor(p, window_start(s, n) + s->window / 2);
        count++;
    }
    if (count * 2 < day)
        return;
    unsigned d = weekday_of(window_start(s, end) - s->window);
    const double calm = 20.0; /* sources in a day */
    double factor = fmin(fmax((sum + calm) / (rhythm + calm), 0.25), 4.0);
    double gain = p->week_weeks[d] ? 0.3 : 1.0;
    p->week[d] = (float)((double)p->week[d] + gain * (factor - (double)p->week[d]));
    if (p->week_weeks[d] < DAYS_FULL)
        p->week_weeks[d]++;
}

void model_close_hour(const struct surge *s, struct series *p)
{
    int64_t start = window_start(s, s->now);
    if (start % US_DAY == 0)
        learn_day(s, p, s->now);
    uint32_t hour = s->span[1];
    uint32_t back = (lag_hours(s) + 1) * hour;
    if (s->now <= back)
        return;
    int64_t middle = start - (int64_t)back * s->window + US_HOUR / 2;
    double rate = 0.0;
    unsigned count = 0;
    for (uint32_t n = s->now - back; n < s->now - back + hour; n++) {
        if (is_held(p, n) || isnan(p->ring[n % RING]))
            continue;
        rate += (double)p->ring[n % RING];
        count++;
    }
    if (count * 2 < hour)
        return;
    rate /= count * week_factor(p, middle);
    learn_mean(p, rate, count);
    unsigned h = hour_of(middle);
    double old = (double)p->hour[h];
    unsigned days = p->hour_days[h];
    if (days) { /* one wild day must not teach */
        rate = fmin(rate, 3.0 * old + 3.0);
        rate = fmax(rate, old / 3.0 - 1.0);
    }
    double gain = fmax(1.0 / (days + 1.0), 0.15);
    p->hour[h] = (float)(old + gain * (rate - old));
    if (days < DAYS_FULL)
        p->hour_days[h]++;
    model_refresh(s, p);
}

void model_accept(const struct surge *s, struct series *p)
{
    memset(p->held, 0, sizeof p->held);
    double sum = 0.0;
    unsigned count = 0;
    for (unsigned i = 0; i < RING; i++) {
        if (isnan(p->ring[i]))
            continue;
        sum += (double)p->ring[i];
        count++;
    }
    double rate = count ? sum / count : (double)p->mean;
    double old = 0.0;
    for (unsigned h = 0; h < HOURS; h++)
        old += (double)p->hour[h] / HOURS;
    for (unsigned h = 0; h < HOURS; h++)
        p->hour[h] = old > 0.5 ? (float)((double)p->hour[h] * rate / old) : (float)rate;
    p->mean = (float)rate;
    beat_learn(s, p);
    model_refresh(s, p);
}
