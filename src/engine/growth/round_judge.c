#include "engine/growth/step_int.h"

#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOWS_LEAST = 24 /* a site says nothing before it has watched four hours of ten minutes */
};
static const double cross_log_p = 1.3; /* a site crosses at p = 0.05 and the ratio */
static const double learning_ratio = 4.0;
/* Times `own`: in a day each site hears some networks anyway; where no other site confirms it,
 * a few scanners that take to one port are told from what spreads by their number only. */
static const double slow_own = 2.0, alone_own = 4.0;
static const double busy_rate = 0.5; /* sources a window, over all sites */

static uint64_t network_of(const struct ip *ip)
{
    struct ip net = {{0}};
    memcpy(&net, ip, ip_is_v4(ip) ? 15 : 6);
    return ip_hash(&net);
}

static bool is_learning(const struct growth *g, size_t place)
{
    return (int64_t)g->places[place].windows * g->window <= g->options.learn;
}

/* As far as numbers tell: the p-value has to agree. */
static bool may_cross(const struct growth *g, size_t place, const struct sight *s)
{
    double ratio =
        is_learning(g, place) ? fmax(learning_ratio, g->options.ratio) : g->options.ratio;
    return g->places[place].windows > WINDOWS_LEAST &&
           (double)s->seen >= ratio * (double)s->expected &&
           (double)(s->seen - s->expected) >= g->options.own;
}

static void watch_sources(
    struct rising *rise, const struct round *r, const struct tally_group *group)
{
    size_t k = r->place_of[group->site];
    if (!k)
        return;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct tally_source *source = &r->tally.sources[group->first + i];
        size_t row;
        const struct block *b = tally_row(&r->tally, source, &row);
        const struct network seen = {.hash = network_of(&block_ip(b, CONTACT_SRC)[row]),
            .dsts = block_u64(b, CONTACT_DSTS)[row]};
        rising_source(rise, source->hash, &seen, (unsigned)(k - 1));
    }
}

/* --- one service ---------------------------------------------------------------------------
 */

/* Hours of one site alone are what `surge` tells of; what grows over days it does not. */
static unsigned first_span(unsigned needed)
{
    return needed == 1 ? SPAN_DAY : 0;
}

/* What all sites see of one service now. */
struct chorus {
    struct sight spans[SITES_CAP][SPANS]; /* .seen is NAN if it cannot be told */
    struct sight sights[SITES_CAP];       /* the strangest of the spans */
    double log_p[SITES_CAP]; /* natural logarithms; those that see nothing say one half */
    unsigned count;
    bool slow; /* what a day shows makes a site cross */
    bool busy; /* half a source a window are expected, over all sites */
    uint64_t crossing;
    bool learning; /* one of those that cross is young */
};

static double rate_expected(const struct growth *g, const struct sight *s)
{
    return (double)s->expected / g->span[s->span];
}

/* Numbers of all sites, without p-values; false if no p-value can make a difference: no site
 * may cross, too few are raised to be improbable together, and the service is busy or not
 * whichever span speaks for each of its sites. */
static bool look(const struct growth *g, const struct round *r, uint32_t service,
    unsigned needed, struct chorus *c)
{
    double least = 0.0;
    double most = 0.0;
    unsigned raised = 0;
    bool may = false;
    c->count = 0;
    c->crossing = 0;
    c->learning = c->slow = false;
    for (size_t k = 0; k < g->place_count; k++)
        for (unsigned span = 0; span < SPANS; span++)
            c->spans[k][span].seen = NAN;
    for (uint32_t at = g->cell_of[service]; at; at = g->cells[at - 1].next) {
        struct cell *cell = &g->cells[at - 1];
        if (!(r->live >> cell->site & 1))
            continue;
        double low = INFINITY;
        double high = 0.0;
        bool up = false;
        for (unsigned span = first_span(needed); span < SPANS; span++) {
            struct sight *s = &c->spans[cell->site][span];
            *s = cell_sight(g, cell, span);
            if (isnan(s->seen))
                continue;
            low = fmin(low, rate_expected(g, s));
            high = fmax(high, rate_expected(g, s));
            up |= sight_is_raised(s);
            may |= may_cross(g, cell->site, s);
        }
        least += low < INFINITY ? low : 0.0;
        most += high;
        raised += up;
    }
    const double margin = 1e-9; /* of sums in another order */
    c->busy = least >= busy_rate;
    bool clear = least > busy_rate * (1.0 + margin) || most < busy_rate * (1.0 - margin);
    return may || raised >= needed || !clear;
}

static void listen(const struct growth *g, const struct round *r, struct chorus *c)
{
    double expected = 0.0;
    for (size_t k = 0; k < g->place_count; k++) {
        struct sight *best = &c->sights[k];
        *best = (struct sight){.seen = NAN, .expected = NAN};
        if (!(r->live >> k & 1))
            continue;
        for (unsigned span = 0; span < SPANS; span++) {
            struct sight *s = &c->spans[k][span];
            if (isnan(s->seen))
                continue;
            sight_judge(s);
            if (isnan(best->seen) || s->log_p > best->log_p)
                *best = *s;
        }
        bool known = !isnan(best->seen);
        c->log_p[c->count++] = known ? -(double)best->log_p * M_LN10 : -M_LN2;
        if (!known)
            continue;
        expected += rate_expected(g, best);
        if ((double)best->log_p >= cross_log_p && may_cross(g, k, best)) {
            c->crossing |= (uint64_t)1 << k;
            c->slow |= best->span == SPAN_DAY;
            c->learning |= is_learning(g, k) || best->blind;
        }
    }
    c->busy = expected >= busy_rate;
}

static void sort_few(double *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        double x = values[i];
        unsigned k = i;
        for (; k > 0 && values[k - 1] > x; k--)
            values[k] = values[k - 1];
        values[k] = x;
    }
}

static double log_choose(unsigned n, unsigned k)
{
    double ways = 0.0;
    for (unsigned i = 1; i <= k; i++)
        ways += log((double)(n - k + i) / i);
    return ways;
}

/* -log10 of the p-value of "fewer than `needed` sites rise": Stouffer's sum over the m
 * strangest sites, for the best m from `needed` on, times the number of ways to choose them.
 * Sites are not independent, as what moves one moves others: the sum's variance allows for a
 * correlation. While a site is being learned, the daily rhythm that all share is not known, and
 * their agreement proves nothing: only the middle one counts. */
static double joint(struct chorus *c, unsigned needed)
{
    const double correlation = 0.2;
    if (c->count < needed)
        return 0.0;
    sort_few(c->log_p, c->count);
    if (c->learning)
        return -c->log_p[c->count / 2] / M_LN10;
    if (c->log_p[needed - 1] > -cross_log_p * M_LN10)
        return 0.0;
    double best = 0.0;
    double sum = 0.0;
    for (unsigned m = 1; m <= c->count; m++) {
        if (c->log_p[m - 1] > -M_LN2)
            break;
        sum += normal_from_log_tail(c->log_p[m - 1]);
        double deviation = sqrt(m + m * (m - 1.0) * correlation);
        if (m >= needed)
            best = fmin(best, log_tail_normal(sum / deviation) + log_choose(c->count, m));
    }
    return -best / M_LN10;
}

static void note_crossings(struct growth *g, struct rising *rise, const struct chorus *c)
{
    for (size_t k = 0; k < g->place_count; k++) {
        struct rise_site *site = &rise->sites[k];
        if (!isnan(c->sights[k].seen)) {
            site->seen = c->sights[k].seen;
            site->expected = c->sights[k].expected;
            site->log_p = c->sights[k].log_p;
        }
        if (!(c->crossing >> k & 1))
            continue;
        if (!site->first || g->now - site->last > g->span[1])
            site->first = g->now;
        site->last = g->now;
        rise->last = g->now;
    }
}

static uint64_t crossed_lately(const struct growth *g, const struct rising *rise)
{
    uint64_t sites = 0;
    for (size_t k = 0; k < g->place_count; k++)
        if (rise->sites[k].last && g->now - rise->sites[k].last < g->span[1])
            sites |= (uint64_t)1 << k;
    return sites;
}

/* How many sites must confirm; one only where there is but one. */
static unsigned sites_needed(const struct growth *g, uint64_t live)
{
    unsigned all = (unsigned)__builtin_popcountll(live);
    unsigned needed = (unsigned)ceil(g->options.share * all);
    if (needed < g->options.least_sites)
        needed = (unsigned)g->options.least_sites;
    if (needed > all)
        needed = all;
    return needed < 1 ? 1 : needed;
}

/* What all services of a round are judged by. */
struct bench {
    unsigned needed;
    double tests[2]; /* log10 of how many tests a day, of quiet services and of busy ones */
    struct chorus *chorus; /* room for one */
};

static struct bench bench_of(
    const struct growth *g, const struct round *r, struct arena *scratch)
{
    /* An hour is looked at about 48 times a day anew, six hours 12 times, a day three times. */
    return (struct bench){.needed = sites_needed(g, r->live),
        .chorus = arena_take(scratch, 1, sizeof(struct chorus)),
        .tests = {log10(63.0 * SERVICES), log10(63.0 * (1.0 + (double)r->busy))}};
}

/* What comes by itself is learned from all busy services, as far as it could have been told. A
 * rise goes on for hours or days, and would teach by each window that its like is usual: it
 * counts once, by its most, when it is over, and only if its sites confirmed it. One scanner
 * that stays at all sites for a day makes the largest scores of all, and no alarm. */
static void note_score(
    struct growth *g, struct rising *rise, const struct chorus *c, bool confirmed, double log_p)
{
    if (!c->busy || c->learning || (rise && rise->fired))
        return;
    if (!rise)
        tail_add(&g->tail, 0.0);
    else if (confirmed)
        rise->most = fmaxf(rise->most, (float)log_p);
}

/* Do enough sites that crossed within six hours have networks for themselves? Of a site alone
 * they are to reach more than one address. */
static bool confirm(const struct growth *g, const struct rising *rise,
    const struct bench *bench, const struct chorus *chorus, uint64_t *ret_across)
{
    uint64_t lately = crossed_lately(g, rise);
    bool alone = bench->needed == 1;
    double times = alone ? alone_own : chorus->slow ? slow_own : 1.0;
    if (!chorus->crossing || (unsigned)__builtin_popcountll(lately) < bench->needed)
        return false;
    *ret_across = rising_confirmed(rise, lately, g->options.own * times);
    if ((unsigned)__builtin_popcountll(*ret_across) < bench->needed)
        return false;
    return !alone || !rising_is_aimed(rise, g->places[__builtin_ctzll(*ret_across)].targets);
}

/* NOLINTNEXTLINE(readability-function-size): what all its parts need */
static enum err judge(struct growth *g, const struct round *r, size_t from, size_t to,
    const struct bench *bench, struct arena *scratch, struct sink *out)
{
    uint32_t service = r->tally.groups[from].service;
    struct rising *rise = rising_of(g, service);
    struct chorus *chorus = bench->chorus;
    bool heard = look(g, r, service, bench->needed, chorus) || rise;
    if (heard)
        listen(g, r, chorus);
    double log_p = heard ? joint(chorus, bench->needed) : 0.0;
    double corrected = tail_correct(&g->tail, log_p);
    if (!rise && chorus->crossing) {
        enum err e = rising_add(g, service, &rise);
        if (e == ERR_FULL)
            g->left_out++;
        if (e)
            return e == ERR_FULL ? OK : e;
    }
    if (!rise) {
        note_score(g, NULL, chorus, false, log_p);
        return OK;
    }
    for (size_t i = from; i < to; i++)
        watch_sources(rise, r, &r->tally.groups[i]);
    note_crossings(g, rise, chorus);
    struct verdict v = {.tally = &r->tally,
        .from = from,
        .to = to,
        .live = r->live,
        .log_p = log_p,
        .learning = chorus->learning,
        .score = corrected - bench->tests[chorus->busy]};
    bool confirmed = confirm(g, rise, bench, chorus, &v.across);
    bool fires = confirmed && v.score >= 0.0;
    note_score(g, rise, chorus, confirmed, log_p);
    rise->history = (uint8_t)(rise->history << 1 | fires);
    if (!fires)
        return OK;
    if (!rise->fired)
        rise->fired = g->now;
    return growth_report(g, rise, &v, scratch, out);
}

/* A service is looked at where somebody came to a cell. */
static bool is_worth_judging(const struct round *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (r->cell_of[i])
            return true;
    return false;
}

/* Rises end six hours after the last crossing; what lasts longer than `freeze` is normal now.
 */
static void end_rises(struct growth *g)
{
    for (size_t i = g->rise_count; i-- > 0;) {
        struct rising *r = &g->rises[i];
        bool over = g->now - r->last > g->span[1];
        bool lasting = (int64_t)(g->now - r->first) * g->window > g->options.freeze;
        if (!over && !lasting)
            continue;
        if (!r->fired && r->most > 0.0F)
            tail_add(&g->tail, (double)r->most);
        rising_drop(g, r);
    }
}

enum err round_judge(struct growth *g, struct round *r, struct arena *scratch, struct sink *out)
{
    struct bench bench = bench_of(g, r, scratch);
    enum err e = bench.chorus ? OK : ERR_NOMEM;
    for (size_t at = 0; !e && at < r->tally.group_count;) {
        size_t end = tally_service_end(&r->tally, at);
        if (is_worth_judging(r, at, end))
            e = judge(g, r, at, end, &bench, scratch, out);
        at = end;
    }
    end_rises(g);
    return e;
}
