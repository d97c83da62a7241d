/* What is normal for one series: a negative binomial count whose mean follows the hour of the
 * day, the day of the week and the last hours, and whose dispersion is learned. */
#include "engine/surge/surge_int.h"

#include <math.h>
#include <string.h>

enum {
    RECENT_HOURS = 3, /* what "the last hours" are */
    KNOWN_MOST = 432, /* windows that the mean remembers */
    RECENT_LEAST = 6, /* windows of them that must be known */
    WEEKS_LEAST = 2,  /* before the day of the week counts */
    DAYS_FULL = 200   /* hour_days and week_weeks stop counting here */
};

/* Of the counts in a window, an hour and six hours: what is assumed of a site that has not yet
 * shown its own, and how many observations that assumption is worth. The longer the horizon,
 * the fewer independent observations there are in a day. */
static const struct {
    double dispersion;
    double weight;
    double least;
} prior[HORIZONS] = {
    {0.10, 50.0, 0.010},
    {0.10, 30.0, 0.015},
    {0.15, 20.0, 0.025},
};
static const double blind_dispersion =
    0.6;                           /* six hours against an earlier level: no rhythm known */
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
    unsigned d = weekday_of(time);
    return p->week_weeks[d] >= WEEKS_LEAST ? p->week[d] : 1.0;
}

/* The mean over days, never zero: no source in n windows does not mean that there is none. */
static double mean_rate(const struct series *p)
{
    return ((double)p->mean * (double)p->known + 0.5) / ((double)p->known + 5.0);
}

/* A rate that `sum` sources in `windows` windows tell, when the mean is all that is known
 * before and weighs as much as one source. */
static double shrunk(const struct series *p, double sum, double windows)
{
    return (sum + 1.0) / (windows + 1.0 / mean_rate(p));
}

static double hour_rate(const struct surge *s, const struct series *p, unsigned hour)
{
    double windows = fmin(p->hour_days[hour], 7.0) * s->span[1];
    return shrunk(p, (double)p->hour[hour] * windows, windows);
}

/* Linear between the middles of the hours, where both neighbours are known. */
double model_rhythm(const struct surge *s, const struct series *p, uint32_t number)
{
    const struct slot *slot = &s->slots[number % RING];
    double rate = (double)p->rate[slot->hour];
    double next = (double)p->rate[slot->next];
    if (!isnan(next))
        rate += (double)slot->part * (next - rate);
    return p->week_weeks[slot->weekday] >= WEEKS_LEAST ? rate * (double)p->week[slot->weekday]
                                                       : rate;
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
    for (unsigned h = 0; h < HOURS; h++)
        p->rate[h] = p->hour_days[h] ? (float)hour_rate(s, p, h) : NAN;
}

void model_begin(
    const struct surge *s, struct series *p, double rate, double windows, uint32_t days)
{
    for (unsigned i = 0; i < RING; i++)
        p->ring[i] = i < s->now && s->sites[p->site].windows > i ? (float)rate : NAN;
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

/* Sum over the normal windows in [from, to); how many they are; and the rhythm's mean over
 * them, NAN if it is not known for all. */
static double sum_between(const struct surge *s, const struct series *p, uint32_t from,
    uint32_t to, unsigned *ret_count, double *ret_rhythm)
{
    double sum = 0.0;
    double rhythm = 0.0;
    unsigned count = 0;
    for (uint32_t n = from; n < to; n++) {
        if (is_held(p, n) || isnan(p->ring[n % RING]))
            continue;
        sum += (double)p->ring[n % RING];
        rhythm += model_rhythm(s, p, n);
        count++;
    }
    *ret_rhythm = count ? rhythm / count : NAN;
    *ret_count = count;
    return sum;
}

/* The level of the last hours before the horizon, carried on along the rhythm. An hour is left
 * between the two for the longer horizons, so that what grows does not become its own measure.
 */
static double recent_rate(
    const struct surge *s, const struct series *p, unsigned horizon, double rhythm_now)
{
    uint32_t hour = s->span[1];
    uint32_t end = s->now + 1 - s->span[horizon];
    end -= horizon == 0 ? 0 : horizon == 1 ? hour : 2 * hour;
    uint32_t length = (horizon == 2 ? 2u : 1u) * RECENT_HOURS * hour;
    uint32_t oldest = s->now + 1 > RING ? s->now + 1 - RING : 1;
    if (s->now + 1 < s->span[horizon] + 2 * hour || end <= oldest)
        return NAN;
    uint32_t from = end > oldest + length ? end - length : oldest;
    double rhythm_then;
    unsigned count;
    double sum = sum_between(s, p, from, end, &count, &rhythm_then);
    double rate = count < RECENT_LEAST ? mean_rate(p) : shrunk(p, sum, count);
    if (isnan(rhythm_now) || isnan(rhythm_then))
        return rate;
    const double calm = 2.0; /* sources: rhythms of quiet ports are mostly chance */
    double turn = (rhythm_now + calm) / (rhythm_then + calm);
    return rate * fmin(fmax(turn, 0.5), 2.0);
}

static double dispersion_of(const struct surge *s, const struct series *p, unsigned h)
{
    const struct site *site = &s->sites[p->site];
    double pool = (site->spread[h] + prior[h].dispersion * prior[h].weight) /
                  (site->weight[h] + prior[h].weight);
    double own = ((double)p->spread[h] + pool * prior[h].weight) /
                 ((double)p->weight[h] + prior[h].weight);
    return fmax(own, prior[h].least);
}

/* Days behind the rhythm at the window in hand; a mean of few days is itself uncertain. */
static unsigned days_known(const struct surge *s, const struct series *p)
{
    return p->hour_days[hour_of(window_start(s, s->now) + s->window / 2)];
}

struct view model_view(const struct surge *s, const struct series *p, unsigned h)
{
    struct view v = {.seen = NAN, .expected = NAN};
    double seen = 0.0;
    double rhythm = 0.0;
    double most = 0.0;
    double second = 0.0;
    unsigned count = 0;
    for (uint32_t k = 0; k < s->span[h] && k < s->now; k++) {
        double x = (double)p->ring[(s->now - k) % RING];
        if (isnan(x))
            continue;
        seen += x;
        second = fmax(second, fmin(x, most));
        most = fmax(most, x);
        rhythm += model_rhythm(s, p, s->now - k);
        count++;
    }
    if (count * 2 <= s->span[h])
        return v;
    /* One window alone is the business of the shortest horizon; in the longer ones it counts no
     * more than the next largest. */
    v.seen = (float)(count > 1 ? seen - most + second : seen);
    double dispersion = dispersion_of(s, p, h);
    double by_rhythm = rhythm;
    double recent = recent_rate(s, p, h, rhythm / count) * count;
    unsigned days = days_known(s, p);
    if (days)
        dispersion *= 1.0 + 1.0 / days;
    /* A mean that few sources tell is itself uncertain by so much. */
    double known = fmax(h == 2 && days ? 0.0 : RECENT_HOURS, (h == 2 ? 6.0 : 1.0) * days);
    dispersion += 1.0 / (0.5 + known * s->span[1] * fmax(by_rhythm, recent) / count);
    if (h == 2 && !isnan(by_rhythm)) {
        v.expected = (float)by_rhythm;
    } else if (h == 2) {
        v.expected = (float)recent;
        dispersion = fmax(dispersion, blind_dispersion);
    } else {
        v.expected =
            (float)fmax(by_rhythm, recent); /* the larger; the known one if one is NAN */
    }
    v.dispersion = (float)dispersion;
    return v;
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
    double rhythm;
    unsigned count;
    double rate = sum_between(s, p, s->now - back, s->now - back + hour, &count, &rhythm);
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
    model_refresh(s, p);
}
