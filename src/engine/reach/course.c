/* What is normal for a service, from the hours that were judged before. */
#include "engine/reach/reach_int.h"

#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAY_HOURS = 24,
    DAYS = PAST_HOURS / DAY_HOURS,
    GAP = SPAN_HOURS + 1, /* hours between now and the recent ones that are compared with it */
    RECENT = GAP + DAY_HOURS,
    RECENT_LEAST = 3,
    SITES_SLACK = 16,
    IDLE_MOST = 72
};

static const double prior_dispersion = 0.05;
static const double prior_weight = 50.0;
static const double own_weight = 12.0; /* hours of all services that count beside its own */
static const double least_dispersion = 0.02;
static const double blind_dispersion = 0.6; /* the daily rhythm is not known */
static const double rarest = 0.1;           /* networks; none so far is not never */

struct course *reach_course(const struct reach *g, uint32_t service)
{
    uint32_t number = g->course_of ? g->course_of[service] : 0;
    return number ? &g->courses[number - 1] : NULL;
}

enum err reach_course_add(struct reach *g, uint32_t service, struct course **ret_course)
{
    *ret_course = NULL;
    if (g->course_count == g->options.courses_max) {
        g->left_out++;
        return OK;
    }
    if (!g->courses) {
        g->courses = calloc(g->options.courses_max, sizeof *g->courses);
        g->course_of = calloc(SERVICES, sizeof *g->course_of);
    }
    if (!g->courses || !g->course_of)
        return ERR_NOMEM;
    struct course *c = &g->courses[g->course_count++];
    *c = (struct course){.service = service};
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned i = 0; i < PAST_HOURS; i++)
            c->seen[level][i] = g->terms[i].live ? 0.0F : NAN;
    g->course_of[service] = (uint32_t)g->course_count;
    *ret_course = c;
    return OK;
}

/* Hours from `oldest` to `newest` that `now` is compared with. */
struct hours {
    int64_t now, oldest, newest;
    unsigned step, least;
};

/* Of as many sites, or one of sixteen fewer, and no harder to reach. */
static bool comparable(const struct terms *then, const struct terms *now, unsigned level)
{
    return then->live >= now->live - now->live / SITES_SLACK &&
           then->need[level] <= now->need[level];
}

/* NAN if fewer than `least` of them are known, were normal, and can be compared. */
static double seen_median(const struct reach *g, const struct course *c, unsigned level,
    const struct hours *hours, unsigned *ret_known)
{
    const struct terms *now = &g->terms[hour_slot(hours->now, PAST_HOURS)];
    double values[PAST_HOURS];
    unsigned known = 0;
    for (int64_t hour = hours->newest; hour >= hours->oldest; hour -= hours->step) {
        unsigned at = hour_slot(hour, PAST_HOURS);
        if (!isnan(c->seen[level][at]) && !c->strange[at] &&
            comparable(&g->terms[at], now, level))
            values[known++] = (double)c->seen[level][at];
    }
    *ret_known = known;
    return known >= hours->least ? median(values, known) : NAN;
}

/* That of all services, or its own where it varies more than they do. */
static double dispersion_of(const struct reach *g, const struct course *c, unsigned level)
{
    double all = (g->spread[level] + prior_dispersion * prior_weight) /
                 (g->weight[level] + prior_weight);
    double own =
        ((double)c->spread[level] + all * own_weight) / ((double)c->weight[level] + own_weight);
    return fmax(fmax(all, own), least_dispersion);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct normal course_normal(
    const struct reach *g, const struct course *c, unsigned level, int64_t hour)
{
    int64_t kept = hour_of(g->start) - PAST_HOURS + 1; /* what is older was written over */
    const struct hours days = {.now = hour,
        .oldest = later(hour - (DAYS - 1) * DAY_HOURS, kept),
        .newest = hour - DAY_HOURS,
        .step = DAY_HOURS,
        .least = 1};
    const struct hours recent = {.now = hour,
        .oldest = later(hour - RECENT + 1, kept),
        .newest = hour - GAP,
        .step = 1,
        .least = RECENT_LEAST};
    unsigned day_count;
    unsigned hour_count;
    double same = seen_median(g, c, level, &days, &day_count);
    double before = seen_median(g, c, level, &recent, &hour_count);
    struct normal n = {.mean = NAN, .blind = isnan(same)};
    if (isnan(same) && isnan(before))
        return n;
    n.mean = fmax(fmax(same, before), rarest); /* of a NAN and a number, the number */
    n.dispersion = dispersion_of(g, c, level);
    if (n.blind)
        n.dispersion = fmax(n.dispersion, blind_dispersion);
    else
        n.dispersion *= 1.0 + 1.57 / day_count; /* a median of few days is itself uncertain */
    n.dispersion += 1.0 / (0.5 + n.mean * (n.blind ? 1 : day_count));
    return n;
}

unsigned courses_most_live(const struct reach *g, int64_t hour)
{
    unsigned most = 0;
    for (int64_t h = hour - RECENT + 1; h < hour; h++) {
        unsigned live = g->terms[hour_slot(h, PAST_HOURS)].live;
        most = live > most ? live : most;
    }
    return most;
}

void courses_thin(struct reach *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->course_count; i++) {
        struct course *c = &g->courses[i];
        g->course_of[c->service] = 0;
        if (c->idle >= IDLE_MOST)
            continue;
        g->courses[kept] = *c;
        g->course_of[c->service] = (uint32_t)++kept;
    }
    g->course_count = kept;
}

void courses_halve(struct reach *g)
{
    for (size_t i = 0; i < g->course_count; i++)
        for (unsigned level = 0; level < LEVELS; level++)
            for (unsigned k = 0; k < PAST_HOURS; k++)
                g->courses[i].seen[level][k] *= 0.5F;
}

void courses_forget(struct reach *g, int64_t hour)
{
    unsigned at = hour_slot(hour, PAST_HOURS);
    for (size_t i = 0; i < g->course_count; i++) {
        struct course *c = &g->courses[i];
        for (unsigned level = 0; level < LEVELS; level++)
            c->seen[level][at] = NAN;
        c->strange[at] = false;
    }
    g->terms[at] = (struct terms){0};
}
