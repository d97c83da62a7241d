/* What is seen of a series in each horizon, and what was to be expected there: by its rhythm,
 * and by the hours before. Every window this is asked of every series, so what is the same for
 * all of them (which windows, which hours, with which weights) is worked out once, in an
 * outlook. */
#include "engine/counts.h"
#include "engine/surge/view_int.h"

#include <math.h>
#include <string.h>

enum {
    RECENT_HOURS = 3, /* what "the last hours" are */
    RECENT_LEAST = 6  /* windows of them that must be known */
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
/* Six hours against an earlier level: no rhythm known. */
static const double blind_dispersion = 0.6;

/* --- the outlook ---------------------------------------------------------------------------
 */

/* The weights with which the rates of hours enter the sum of the rhythm over some windows, and
 * where these lie in the ring. */
static void reach_weigh(struct reach *r, const struct surge *s)
{
    for (uint32_t n = r->from; n < r->to; n++) {
        const struct slot *slot = &s->slots[n % RING];
        struct stretch *t = r->day_count ? &r->days[r->day_count - 1] : NULL;
        if (!t || t->weekday != slot->weekday) {
            t = &r->days[r->day_count++];
            *t = (struct stretch){.weekday = slot->weekday, .first = slot->hour};
        }
        t->end = (uint8_t)(slot->hour + 1);
        t->whole[slot->hour] += 1.0;
        r->windows[n % RING / 64] |= (uint64_t)1 << (n % RING % 64);
        if (slot->next == (slot->hour + 1) % HOURS)
            t->turn[slot->hour] += (double)slot->part;
        else
            t->turn[slot->next] -= (double)slot->part;
    }
    uint32_t count = r->to - r->from;
    r->at = r->from % RING;
    r->straight = RING - r->at < count ? RING - r->at : count;
}

/* The hours before a horizon whose level is carried on into it. An hour is left between the two
 * for the longer horizons, so that what grows does not become its own measure. */
static struct reach reach_before(const struct surge *s, unsigned horizon)
{
    uint32_t hour = s->span[1];
    uint32_t end = s->now + 1 - s->span[horizon];
    end -= horizon == 0 ? 0 : horizon == 1 ? hour : 2 * hour;
    uint32_t length = (horizon == 2 ? 2u : 1u) * RECENT_HOURS * hour;
    uint32_t oldest = s->now + 1 > RING ? s->now + 1 - RING : 1;
    if (s->now + 1 < s->span[horizon] + 2 * hour || end <= oldest)
        return (struct reach){0};
    return (struct reach){.from = end > oldest + length ? end - length : oldest, .to = end};
}

enum err outlook_make(struct outlook *ret_outlook, const struct surge *s, struct arena *scratch)
{
    struct outlook *o = ret_outlook;
    int64_t start = window_start(s, s->now);
    *o = (struct outlook){.hour = s->slots[s->now % RING].hour,
        .place = (uint8_t)((start - time_floor(start, US_HOUR)) / s->window)};
    o->pool = arena_take(scratch, s->site_count + 1, sizeof *o->pool);
    if (!o->pool)
        return ERR_NOMEM;
    for (size_t k = 0; k < s->site_count; k++)
        for (unsigned h = 0; h < HORIZONS; h++)
            o->pool[k][h] = (s->sites[k].spread[h] + prior[h].dispersion * prior[h].weight) /
                            (s->sites[k].weight[h] + prior[h].weight);
    for (unsigned h = 0; h < HORIZONS; h++) {
        uint32_t length = s->span[h] < s->now ? s->span[h] : s->now;
        o->seen[h] = (struct reach){.from = s->now + 1 - length, .to = s->now + 1};
        o->before[h] = reach_before(s, h);
        reach_weigh(&o->seen[h], s);
        reach_weigh(&o->before[h], s);
        for (unsigned i = 0; i < RING_WORDS; i++)
            o->windows[i] |= o->seen[h].windows[i] | o->before[h].windows[i];
    }
    return OK;
}

/* --- sums over windows ---------------------------------------------------------------------
 */

/* What one series has in the windows of one horizon, and of the hours before it. */
struct measure {
    double seen, most, second; /* sum of the windows, and the two largest */
    double rhythm;             /* sum of the normal rates; NAN: not known of all */
    unsigned count;            /* windows that were watched */
    double before;             /* sum of the normal windows of the hours before */
    double before_rhythm;      /* mean; NAN: not known, or no window */
    unsigned before_count;
};

static double reach_sum(const struct reach *r, const struct series *p, bool gaps)
{
    unsigned known = 0;
    uint32_t rest = r->to - r->from - r->straight;
    if (gaps)
        return counts_sum_known(p->ring + r->at, r->straight, &known) +
               counts_sum_known(p->ring, rest, &known);
    return counts_sum(p->ring + r->at, r->straight) + (rest ? counts_sum(p->ring, rest) : 0.0);
}

static struct top reach_top(const struct reach *r, const struct series *p)
{
    uint32_t rest = r->to - r->from - r->straight;
    struct top t = counts_top((struct top){0}, p->ring + r->at, r->straight);
    return rest ? counts_top(t, p->ring, rest) : t;
}

/* Sum of the rhythm over all windows of a reach; NAN if it is not known for all. */
static double reach_rhythm(const struct reach *r, const struct series *p)
{
    double sum = 0.0;
    for (unsigned d = 0; d < r->day_count; d++) {
        const struct stretch *t = &r->days[d];
        unsigned before = (t->first + HOURS - 1u) % HOURS;
        double part = t->turn[before] * p->turn[before];
        for (unsigned k = t->first; k < t->end; k++)
            part += t->whole[k] * (double)p->rate[k] + t->turn[k] * p->turn[k];
        sum += model_week(p, t->weekday) * part;
    }
    return sum;
}

/* The same without the windows whose bits are set in `out`. */
static double rhythm_without(const struct reach *r, const struct surge *s,
    const struct series *p, const uint64_t out[RING_WORDS])
{
    double sum = reach_rhythm(r, p);
    bool known = !isnan(sum);
    double rest = 0.0;
    unsigned dark = 0; /* windows that count, and whose rhythm is not known */
    for (unsigned d = 0; !known && d < r->day_count; d++)
        for (unsigned k = r->days[d].first; k < r->days[d].end; k++)
            dark += isnan(p->rate[k]) ? (unsigned)r->days[d].whole[k] : 0;
    for (unsigned i = 0; i < RING_WORDS; i++)
        for (uint64_t bits = out[i]; bits; bits &= bits - 1) {
            double rhythm = model_rhythm(s, p, i * 64 + (uint32_t)__builtin_ctzll(bits));
            dark -= isnan(rhythm) ? 1 : 0;
            rest += rhythm;
        }
    if (known)
        return sum - rest;
    if (dark)
        return NAN;
    sum = 0.0;
    for (uint32_t n = r->from; n < r->to; n++)
        if (!(out[n % RING / 64] >> (n % RING % 64) & 1))
            sum += model_rhythm(s, p, n);
    return sum;
}

static unsigned bits_count(const uint64_t bits[RING_WORDS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < RING_WORDS; i++)
        count += bits[i] ? (unsigned)__builtin_popcountll(bits[i]) : 0;
    return count;
}

/* Whole reaches: every window was watched, and those before were normal. */
static void measure_whole(struct measure *m, const struct series *p, const struct reach *seen,
    const struct reach *before)
{
    struct top top = {0.0F, 0.0F};
    m->count = seen->to - seen->from;
    if (m->count > 1)
        top = reach_top(seen, p);
    m->seen = reach_sum(seen, p, false);
    m->most = (double)top.most;
    m->second = (double)top.second;
    m->rhythm = reach_rhythm(seen, p);
    m->before_count = before->to - before->from;
    m->before = reach_sum(before, p, false);
    m->before_rhythm = m->before_count ? reach_rhythm(before, p) / m->before_count : NAN;
}

static void measure_parts(struct measure *m, const struct surge *s, const struct series *p,
    const struct reach *seen, const struct reach *before)
{
    uint64_t out[RING_WORDS];
    uint64_t out_before[RING_WORDS];
    for (unsigned i = 0; i < RING_WORDS; i++) {
        out[i] = p->gaps[i] & seen->windows[i];
        out_before[i] = (p->gaps[i] | p->held[i]) & before->windows[i];
    }
    struct top top = reach_top(seen, p);
    m->count = seen->to - seen->from - bits_count(out);
    m->seen = reach_sum(seen, p, true);
    m->most = (double)top.most;
    m->second = (double)top.second;
    m->rhythm = rhythm_without(seen, s, p, out);
    m->before_count = before->to - before->from - bits_count(out_before);
    m->before = reach_sum(before, p, true);
    for (unsigned i = 0; i < RING_WORDS; i++)
        for (uint64_t bits = out_before[i] & ~p->gaps[i]; bits; bits &= bits - 1)
            m->before -= (double)p->ring[i * 64 + (uint32_t)__builtin_ctzll(bits)];
    m->before_rhythm = NAN;
    if (m->before_count)
        m->before_rhythm = rhythm_without(before, s, p, out_before) / m->before_count;
}

/* --- from sums to a view -------------------------------------------------------------------
 */

/* The level of the hours before the horizon, carried on along the rhythm; NAN: too early. */
static double recent_rate(const struct measure *m, const struct reach *before, double mean)
{
    if (!before->to)
        return NAN;
    double rate =
        m->before_count < RECENT_LEAST ? mean : model_shrunk(mean, m->before, m->before_count);
    double rhythm_now = m->rhythm / m->count;
    if (isnan(rhythm_now) || isnan(m->before_rhythm))
        return rate;
    const double calm = 2.0; /* sources: rhythms of quiet ports are mostly chance */
    double turn = (rhythm_now + calm) / (m->before_rhythm + calm);
    return rate * smaller(larger(turn, 0.5), 2.0);
}

static double dispersion_of(const struct outlook *o, const struct series *p, unsigned h)
{
    double own = ((double)p->spread[h] + o->pool[p->site][h] * prior[h].weight) /
                 ((double)p->weight[h] + prior[h].weight);
    return larger(own, prior[h].least);
}

static struct view view_of(const struct surge *s, const struct outlook *o,
    const struct series *p, unsigned h, const struct measure *m, double mean)
{
    struct view v = {.seen = NAN, .expected = NAN};
    if (m->count * 2 <= s->span[h])
        return v;
    /* One window alone is the business of the shortest horizon; in the longer ones it counts no
     * more than the next largest. */
    v.seen = (float)(m->count > 1 ? m->seen - m->most + m->second : m->seen);
    double dispersion = dispersion_of(o, p, h);
    double by_rhythm = m->rhythm;
    double recent = recent_rate(m, &o->before[h], mean) * m->count;
    /* Days behind the rhythm at the window in hand; a mean of few days is itself uncertain. */
    unsigned days = p->hour_days[o->hour];
    if (days)
        dispersion *= 1.0 + 1.0 / days;
    double level = by_rhythm; /* the larger; the known one if one is NAN */
    if (!(by_rhythm >= recent) && !isnan(recent))
        level = recent;
    if (h == 0 && !isnan(level))
        level = larger(level, (double)p->beat[o->place]);
    /* A mean that few sources tell is itself uncertain by so much. */
    double known = larger(h == 2 && days ? 0.0 : RECENT_HOURS, (h == 2 ? 6.0 : 1.0) * days);
    dispersion += 1.0 / (0.5 + known * s->span[1] * level / m->count);
    if (h == 2 && !isnan(by_rhythm)) {
        v.expected = (float)by_rhythm;
    } else if (h == 2) {
        v.expected = (float)recent;
        dispersion = larger(dispersion, blind_dispersion);
    } else {
        v.expected = (float)level;
    }
    v.dispersion = (float)dispersion;
    return v;
}

void views_take(const struct surge *s, const struct outlook *o, const struct series *p,
    struct view views[HORIZONS])
{
    double mean = model_mean(p);
    uint64_t out = 0;
    for (unsigned i = 0; i < RING_WORDS; i++)
        out |= (p->gaps[i] | p->held[i]) & o->windows[i];
    for (unsigned h = 0; h < HORIZONS; h++) {
        struct measure m;
        if (out)
            measure_parts(&m, s, p, &o->seen[h], &o->before[h]);
        else
            measure_whole(&m, p, &o->seen[h], &o->before[h]);
        views[h] = view_of(s, o, p, h, &m, mean);
    }
}
