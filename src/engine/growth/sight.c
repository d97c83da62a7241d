/* What a cell's past makes one expect of now, and how strange it is to see more. */
#include "engine/growth/growth_int.h"

#include "engine/counts.h"
#include "num/order.h"
#include "num/tail.h"

#include <math.h>

enum {
    DAYS = PAST_HOURS / DAY_HOURS,
    SHARED_LEAST = 12, /* services that must agree before a rise is the site's */
    BLIND_HOURS = 36,  /* then the hours of six are known from an earlier day */
    DAYS_LEAST = 2     /* before the last one, to tell what a day has */
};

static const double prior_dispersion[SPANS] = {0.10, 0.15, 0.15};
static const double prior_weight = 50.0;
static const double least_dispersion = 0.02;
static const double outlier = 4.0;
static const double least_learned = 5.0; /* sources in the span; fewer say nothing of it */
/* No past of the same hour: rhythm is not known, so much more is normal. */
static const double blind_dispersion = 0.6;

/* The hours in which the span lies, of the day `days` before: their sum, scaled to the span.
 * The span reaches `into` its last hour: the rest lies in the hour before its first. */
static double same_hours(
    const struct growth *g, const struct cell *c, unsigned span, unsigned days)
{
    uint32_t hours = span_hours(span);
    uint32_t back = days * DAY_HOURS;
    double rest = 1.0 - g->into;
    uint32_t oldest = back + (rest < 1e-9 ? hours - 1 : hours);
    if (oldest > g->hour || oldest >= PAST_HOURS)
        return NAN;
    uint32_t at = (g->hour - back) % PAST_HOURS;
    double sum = 0.0;
    for (uint32_t k = 0; k <= hours; k++) {
        double part = k == 0 ? g->into : k == hours ? rest : 1.0;
        if (part >= 1e-9)
            sum += part * (double)c->past[at];
        at = at ? at - 1 : PAST_HOURS - 1;
    }
    return sum;
}

/* Median of at most DAYS values. */
static double middle_of(double *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned k = i; k > 0 && values[k - 1] > values[k]; k--) {
            double other = values[k];
            values[k] = values[k - 1];
            values[k - 1] = other;
        }
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static double dispersion_of(const struct place *place, unsigned span)
{
    double d = (place->spread[span] + prior_dispersion[span] * prior_weight) /
               (place->weight[span] + prior_weight);
    return larger(d, least_dispersion);
}

static double sum_recent(const struct growth *g, const struct cell *c, unsigned span)
{
    uint32_t length = g->span[span];
    unsigned known;
    double sum = cell_sum(c, g->now, length, &known);
    if (known * 2 <= length)
        return NAN;
    if (known > 1 && sum > 0.0) { /* no single window makes a rise */
        uint32_t at = (g->now + RECENT + 1 - length) % RECENT;
        uint32_t straight = RECENT - at < length ? RECENT - at : length;
        struct top top = counts_top((struct top){0.0F, 0.0F}, c->recent + at, straight);
        top = counts_top(top, c->recent, length - straight);
        sum -= (double)top.most - (double)top.second;
    }
    return sum * length / known;
}

/* What is seen, usual and its dispersion, from which `known` days tell it: a median of few
 * sources is itself uncertain. */
static void sight_set(
    const struct growth *g, const struct cell *c, struct sight *s, unsigned known)
{
    /* As many more sources as would be known of a service that is hardly ever reached. */
    s->mean = larger(s->mean, g->places[c->site].least * g->span[s->span]);
    s->spread += 1.0 / (0.5 + s->mean * (known ? known : 1));
    s->blind = !known;
    s->seen = (float)s->sources;
    s->expected = (float)s->mean;
    s->dispersion = (float)s->spread;
    s->sources = round(s->sources);
}

/* A day against the days before: no rhythm of the hours enters, and a growth that doubles in a
 * day stands out where it teaches the hours before it what is normal. */
static struct sight day_sight(const struct growth *g, struct cell *c)
{
    struct sight s = {.seen = NAN, .expected = NAN, .span = SPAN_DAY};
    if (c->day_at != g->hour + 1)
        cell_refresh_days(g, c);
    if (c->day_count < DAYS_LEAST || isnan(c->day_seen))
        return s;
    s.sources = (double)c->day_seen;
    s.mean = (double)c->day_usual;
    s.spread = dispersion_of(&g->places[c->site], SPAN_DAY) * (1.0 + 1.57 / c->day_count);
    sight_set(g, c, &s, c->day_count);
    return s;
}

struct sight cell_sight(const struct growth *g, struct cell *c, unsigned span)
{
    struct sight s = {.seen = NAN, .expected = NAN, .span = span};
    if (span == SPAN_DAY)
        return day_sight(g, c);
    if (c->before_at[span] != g->hour + 1)
        cell_refresh(g, c, span);
    double days[DAYS];
    unsigned count = 0;
    for (unsigned d = 1; d < DAYS && d * DAY_HOURS <= g->hour; d++) {
        double x = same_hours(g, c, span, d);
        if (!isnan(x))
            days[count++] = x;
    }
    unsigned hours = c->before_hours[span];
    double before = (double)c->before[span] * span_hours(span);
    if (!count && hours < 3)
        return s;
    double seen = sum_recent(g, c, span);
    if (isnan(seen))
        return s;
    double dispersion = dispersion_of(&g->places[c->site], span);
    double expected = before;
    if (count) {
        double middle = middle_of(days, count);
        expected = hours ? larger(middle, before) : middle;
        dispersion *= 1.0 + 1.57 / count;
    } else {
        dispersion = larger(dispersion, blind_dispersion);
        expected *= g->places[c->site].shared[span];
    }
    s.sources = seen;
    s.mean = expected;
    s.spread = dispersion;
    sight_set(g, c, &s, count);
    return s;
}

static const double votes_from = 1.0; /* source of the span that is expected */

/* What most services of place `k` rise by over a span, at least 1. */
static double rise_shared(struct growth *g, size_t k, unsigned span, double *room)
{
    size_t count = 0;
    for (size_t i = 0; i < g->cell_count; i++) {
        if (g->cells[i].site != k)
            continue;
        struct sight s = cell_sight(g, &g->cells[i], span);
        if (s.blind && (double)s.expected >= votes_from)
            room[count++] = (double)(s.seen / s.expected);
    }
    return count < SHARED_LEAST ? 1.0 : larger(1.0, median(room, count));
}

/* Without an earlier day nobody knows the rhythm of the hours. What most services of the site
 * rise by is an estimate of it that one service, or a few, cannot move. */
enum err places_share(struct growth *g, struct arena *scratch)
{
    double *room = arena_take(scratch, g->cell_count + 1, sizeof *room);
    if (!room)
        return ERR_NOMEM;
    for (size_t k = 0; k < g->place_count; k++) {
        struct place *p = &g->places[k];
        for (unsigned span = 0; span < SPANS; span++)
            p->shared[span] = 1.0;
        for (unsigned span = 0; span < SPAN_DAY && p->windows < BLIND_HOURS * g->span[0];
             span++)
            p->shared[span] = rise_shared(g, k, span, room);
    }
    return OK;
}

bool sight_is_raised(const struct sight *s)
{
    return s->sources > s->mean;
}

void sight_judge(struct sight *s)
{
    s->log_p = 0.3F;
    if (sight_is_raised(s))
        s->log_p = (float)(-log_tail_negbin(s->sources, s->mean, s->spread) / M_LN10);
}

/* Dispersion of a site from all its busy services, at the end of each hour. */
void cells_learn(struct growth *g)
{
    for (size_t i = 0; i < g->cell_count; i++) {
        struct cell *c = &g->cells[i];
        struct place *place = &g->places[c->site];
        for (unsigned span = 0; span < SPANS; span++) {
            if (g->hour % span_hours(span) != 0)
                continue;
            /* Far from being busy: nothing that could be expected is as much. */
            double most = (double)c->peak * span_hours(span) * 1.001;
            if (most < least_learned && place->least * g->span[span] < least_learned)
                continue;
            struct sight s = cell_sight(g, c, span);
            double m = (double)s.expected;
            if (isnan(s.seen) || m < least_learned)
                continue;
            double d = (double)s.dispersion;
            double bound = outlier * sqrt(m + d * m * m);
            double error = larger(smaller((double)s.seen - m, bound), -bound);
            double weight = m / (m + 10.0);
            place->spread[span] += weight * weight * (error * error - m) / (m * m);
            place->weight[span] += weight * weight;
        }
    }
    for (size_t k = 0; k < g->place_count; k++)
        for (unsigned span = 0; span < SPANS; span++)
            if (g->places[k].weight[span] > 1e5) {
                g->places[k].weight[span] *= 0.5;
                g->places[k].spread[span] *= 0.5;
            }
}
