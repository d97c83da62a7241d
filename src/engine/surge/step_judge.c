#include "engine/counts.h"
#include "engine/surge/step_int.h"

#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOWS_LEAST = 6 /* a site says nothing before it has watched that many */
};
static const double suspicious = 3.0; /* a score so high, before correction for many tests */
static const double learning_ratio = 4.0;
static const double young_ratio = 2.0; /* while the rhythm is known from few days */

/* What all series of a step are judged by. */
struct bench {
    double tests_busy, tests_quiet; /* log10 of how many tests a day */
};

/* The loudest of the horizons. */
struct voice {
    unsigned horizon;
    double corrected; /* after tail_correct(): -log10 of a probability */
    double log_p;
    double score; /* after correction for many tests */
};

static struct bench bench_of(const struct surge *s)
{
    /* Independent tests of one port in a day: every window, every half hour for the hour, every
     * two hours for the six. */
    double a_day = (double)US_DAY / (double)s->window + 48.0 + 12.0;
    double busy = 1.0;
    for (size_t k = 0; k < s->site_count; k++)
        busy += s->sites[k].series_count;
    return (struct bench){.tests_busy = log10(a_day * busy),
        .tests_quiet = log10(a_day * (double)s->site_count * SERVICES)};
}

static bool is_busy(const struct surge *s, const struct view *v, unsigned h)
{
    return (double)v->expected >= 0.5 * s->span[h];
}

static bool is_told(const struct view *v)
{
    return !isnan(v->seen) && !isnan(v->expected);
}

/* -log10 P(count >= seen), 0 for what nobody would look at twice. */
static double strangeness(const struct view *v, double kept)
{
    double seen = (double)v->seen * kept;
    double m = larger((double)v->expected * kept, 1e-6);
    double d = (double)v->dispersion;
    if (seen + 1.0 < m)
        return 0.0;
    double n = round(seen);
    if (n < m + 1.2 * sqrt(m + d * m * m))
        return 0.0;
    return -log_tail_negbin(n, m, d) / M_LN10;
}

/* Only the voice of a series that is under suspicion or may come under it is asked for; the
 * correction never makes a p-value more extreme. */
static struct voice listen(struct surge *s, const struct series *p,
    const struct view views[HORIZONS], double kept, const struct bench *bench)
{
    struct voice loudest = {.score = -INFINITY};
    struct site *site = &s->sites[p->site];
    bool fired = p->suspect && s->episodes[p->suspect - 1].fired;
    double log_p[HORIZONS];
    bool heard = p->suspect;
    for (unsigned h = 0; h < HORIZONS; h++) {
        log_p[h] = is_told(&views[h]) ? strangeness(&views[h], kept) : 0.0;
        heard |= log_p[h] >= suspicious;
    }
    for (unsigned h = 0; h < HORIZONS; h++) {
        const struct view *v = &views[h];
        if (!is_told(v))
            continue;
        bool busy = is_busy(s, v, h);
        if (heard) {
            double corrected = tail_correct(&site->tails[h], log_p[h]);
            double score = corrected - (busy ? bench->tests_busy : bench->tests_quiet);
            if (score > loudest.score)
                loudest = (struct voice){
                    .horizon = h, .corrected = corrected, .log_p = log_p[h], .score = score};
        }
        if (busy && !fired)
            tail_add(&site->tails[h], log_p[h]);
    }
    return loudest;
}

/* --- suspicion --------------------------------------------------------------------------- */

static enum err suspect(struct surge *s, struct series *p)
{
    if (p->suspect)
        return OK;
    if (s->episode_count == s->options.suspects_max) {
        s->left_out++;
        return ERR_FULL;
    }
    if (!s->episodes)
        s->episodes = calloc(s->options.suspects_max, sizeof *s->episodes);
    if (!s->episodes)
        return ERR_NOMEM;
    s->episodes[s->episode_count] = (struct episode){.series = (uint32_t)(p - s->series),
        .first = s->now,
        .last = s->now,
        .start = window_start(s, s->now)};
    p->suspect = (uint16_t)++s->episode_count;
    return OK;
}

/* The last episode takes the freed place. */
static void release(struct surge *s, struct series *p)
{
    size_t place = p->suspect - 1u;
    p->suspect = 0;
    if (place != --s->episode_count) {
        s->episodes[place] = s->episodes[s->episode_count];
        s->series[s->episodes[place].series].suspect = (uint16_t)(place + 1);
    }
}

/* Has what made the series suspect turned out to return every hour? */
static bool is_beat(const struct surge *s, const struct series *p)
{
    return p->suspect && s->now - s->episodes[p->suspect - 1].first >= 2 * s->span[1] &&
           beat_is_told(p);
}

/* What was held back is learned after all. */
static void absolve(struct surge *s, struct series *p)
{
    release(s, p);
    memset(p->held, 0, sizeof p->held);
}

static uint64_t network_of(const struct ip *ip)
{
    struct ip net = {{0}};
    memcpy(&net, ip, ip_is_v4(ip) ? 15 : 6);
    return ip_hash(&net);
}

static void watch_sources(struct episode *e, const struct step *step, uint32_t group)
{
    if (group == NO_GROUP)
        return;
    const struct tally_group *g = &step->tally.groups[group];
    uint64_t targets = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct tally_source *source = &step->tally.sources[g->first + i];
        size_t row;
        const struct block *b = tally_row(&step->tally, source, &row);
        distinct_add(&e->hosts, source->hash);
        distinct_add(&e->networks, network_of(&block_ip(b, CONTACT_SRC)[row]));
        targets |= block_u64(b, CONTACT_DSTS)[row];
    }
    e->wanted |= targets;
    if (g->count < e->peak)
        return;
    e->peak = g->count;
    e->targets = targets;
}

/* Distinct sources beyond normal since the suspicion began; many from one network count little,
 * as they are one scanner's. */
static double excess_of(const struct episode *e, const struct view *v)
{
    double share = 1.0 - (double)v->expected / fmax((double)v->seen, 1e-6);
    double hosts = distinct_count(&e->hosts);
    double networks = distinct_count(&e->networks);
    double beyond = (double)v->seen - (double)v->expected;
    return fmin(fmin(hosts, networks / 0.8) * share, beyond);
}

static double ratio_needed(const struct surge *s, const struct series *p, bool learning)
{
    if (learning)
        return fmax(learning_ratio, s->options.min_ratio);
    unsigned days =
        p->hour_days[(window_start(s, s->now) - time_floor(window_start(s, s->now), US_DAY)) /
                     US_HOUR];
    return days < 3 ? fmax(young_ratio, s->options.min_ratio) : s->options.min_ratio;
}

/* Back to where the rise began: the windows before, without a gap of two, that were above
 * normal. They are not learned from. */
static void trace_start(
    const struct surge *s, struct series *p, struct episode *e, double normal)
{
    uint32_t oldest = s->now > RING - 1 ? s->now - (RING - 1) : 1;
    uint32_t gap = 0;
    uint32_t first = s->now;
    for (uint32_t n = s->now; n > oldest && gap < 2; n--) {
        double x = (double)p->ring[n % RING];
        bool above = x > normal + 1.5 * sqrt(normal) + 0.5;
        gap = above ? 0 : gap + 1;
        if (above)
            first = n;
    }
    for (uint32_t n = first; n <= s->now; n++)
        set_held(p, n, true);
    e->start = window_start(s, first);
}

/* What lasted is the new normal, and what fell silent is forgotten. */
static void settle(struct surge *s, struct series *p, const struct episode *e)
{
    if (e->fired && (int64_t)(s->now - e->fired) * s->window > s->options.freeze) {
        model_accept(s, p);
        release(s, p);
    } else if (s->now - e->last > s->span[1] || (!e->fired && s->now - e->first > s->span[2])) {
        release(s, p);
    }
}

static enum err judge(struct surge *s, struct step *step, size_t i, const struct bench *bench,
    struct arena *scratch, struct sink *out)
{
    struct series *p = &s->series[i];
    const struct window_site *at = step->site_at[p->site];
    if (!at || !at->watching)
        return OK;
    bool learning = (int64_t)s->sites[p->site].windows * s->window <= s->options.learn;
    if (learning && is_beat(s, p))
        absolve(s, p);
    struct view *views = step->views[i];
    struct voice voice = listen(s, p, views, at->kept > 0.0 ? at->kept : 1.0, bench);
    bool strange = s->sites[p->site].windows > WINDOWS_LEAST &&
                   (voice.corrected >= suspicious && voice.score > -4.0);
    if (!strange && !p->suspect) {
        model_learn(s, p, views);
        return OK;
    }
    enum err e = suspect(s, p);
    if (e)
        return e == ERR_FULL ? OK : e;
    struct episode *episode = &s->episodes[p->suspect - 1];
    watch_sources(episode, step, step->group_of[i]);
    episode->history = (uint8_t)(episode->history << 1);
    const struct view *v = &views[voice.horizon];
    struct reason why = {.tally = &step->tally,
        .group = step->group_of[i] == NO_GROUP ? step->tally.group_count : step->group_of[i],
        .horizon = voice.horizon,
        .view = *v,
        .score = voice.score,
        .log_p = voice.log_p,
        .excess = strange ? excess_of(episode, v) : 0.0,
        .learning = learning};
    bool fires = strange && voice.score >= 0.0 && why.excess >= s->options.min_sources &&
                 (double)v->seen >= ratio_needed(s, p, learning) * (double)v->expected;
    if (strange)
        episode->last = s->now;
    if (episode->fired || (strange && s->now - episode->first < s->span[2]))
        set_held(p, s->now, true);
    else
        model_learn(s, p, views);
    if (fires) {
        episode->history |= 1;
        if (!episode->fired) {
            episode->fired = s->now;
            trace_start(s, p, episode, (double)v->expected / s->span[voice.horizon]);
        }
        e = surge_report(s, p, episode, &why, scratch, out);
    }
    settle(s, p, episode);
    return e;
}

enum err step_judge(struct surge *s, struct step *step, struct arena *scratch, struct sink *out)
{
    struct bench bench = bench_of(s);
    enum err e = OK;
    for (size_t i = 0; !e && i < s->series_count; i++)
        e = judge(s, step, i, &bench, scratch, out);
    return e;
}
