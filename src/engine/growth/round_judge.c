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

/* The stranger of the two spans; .seen is NAN if neither can be told. */
static struct sight best_sight(const struct growth *g, const struct cell *c)
{
    struct sight best = {.seen = NAN};
    for (unsigned span = 0; span < SPANS; span++) {
        struct sight s = cell_sight(g, c, span);
        if (!isnan(s.seen) && (isnan(best.seen) || s.log_p > best.log_p))
            best = s;
    }
    return best;
}

static bool crosses(const struct growth *g, const struct cell *c, const struct sight *s)
{
    double ratio =
        is_learning(g, c->site) ? fmax(learning_ratio, g->options.ratio) : g->options.ratio;
    return !isnan(s->seen) && g->places[c->site].windows > WINDOWS_LEAST &&
           (double)s->log_p >= cross_log_p && (double)s->seen >= ratio * (double)s->expected &&
           (double)(s->seen - s->expected) >= g->options.own;
}

/* Only a cell with more than its usual traffic is looked at closely. */
static bool is_worth(const struct growth *g, const struct cell *c)
{
    return c->recent[g->now % RECENT] > 0.0F;
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
        rising_source(
            rise, source->hash, network_of(&block_ip(b, CONTACT_SRC)[row]), (unsigned)(k - 1));
    }
}

/* --- one service ---------------------------------------------------------------------------
 */

/* All sites' p-values of one service now, as natural logarithms; those that see nothing say one
 * half. */
struct chorus {
    double log_p[SITES_CAP];
    unsigned count;
    double expected; /* sources a window, over all sites */
    uint64_t crossing;
    bool learning; /* one of those that cross is young */
    struct sight sights[SITES_CAP];
};

static void listen(
    const struct growth *g, const struct round *r, uint32_t service, struct chorus *ret_chorus)
{
    struct chorus c = {.count = 0};
    for (size_t k = 0; k < g->place_count; k++) {
        c.sights[k] = (struct sight){.seen = NAN, .expected = NAN};
        if (!(r->live >> k & 1))
            continue;
        const struct cell *cell = growth_cell(g, service, (uint16_t)k);
        c.sights[k] = cell ? best_sight(g, cell) : c.sights[k];
        bool known = cell && !isnan(c.sights[k].seen);
        c.log_p[c.count++] = known ? -(double)c.sights[k].log_p * M_LN10 : -M_LN2;
        if (!known)
            continue;
        c.expected += (double)c.sights[k].expected / g->span[c.sights[k].span];
        if (crosses(g, cell, &c.sights[k])) {
            c.crossing |= (uint64_t)1 << k;
            c.learning |= is_learning(g, k) || c.sights[k].blind;
        }
    }
    *ret_chorus = c;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
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
    qsort(c->log_p, c->count, sizeof *c->log_p, by_size);
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

/* How many sites must confirm. */
static unsigned sites_needed(const struct growth *g, uint64_t live)
{
    unsigned all = (unsigned)__builtin_popcountll(live);
    unsigned needed = (unsigned)ceil(g->options.share * all);
    if (needed < g->options.least_sites)
        needed = (unsigned)g->options.least_sites;
    if (needed > all)
        needed = all;
    return needed < 2 ? 2 : needed;
}

static double tests_a_day(const struct growth *g, double busy_services, bool busy)
{
    (void)g;
    /* An hour is looked at about 48 times a day anew, six hours 12 times. */
    return log10(60.0 * (busy ? busy_services : (double)SERVICES));
}

/* NOLINTNEXTLINE(readability-function-size): what all its parts need */
static enum err judge(struct growth *g, const struct round *r, size_t from, size_t to,
    double busy_services, struct arena *scratch, struct sink *out)
{
    uint32_t service = r->tally.groups[from].service;
    struct chorus chorus;
    listen(g, r, service, &chorus);
    if (!chorus.count)
        return OK;
    unsigned needed = sites_needed(g, r->live);
    double log_p = joint(&chorus, needed);
    bool busy = chorus.expected >= 0.5;
    struct rising *rise = rising_of(g, service);
    double corrected = tail_correct(&g->tail, log_p);
    if (busy && !chorus.learning && !(rise && rise->fired))
        tail_add(&g->tail, log_p);
    if (!rise && chorus.crossing) {
        enum err e = rising_add(g, service, &rise);
        if (e == ERR_FULL)
            g->left_out++;
        if (e)
            return e == ERR_FULL ? OK : e;
    }
    if (!rise)
        return OK;
    for (size_t i = from; i < to; i++)
        watch_sources(rise, r, &r->tally.groups[i]);
    note_crossings(g, rise, &chorus);
    struct verdict v = {.tally = &r->tally,
        .from = from,
        .to = to,
        .live = r->live,
        .log_p = log_p,
        .learning = chorus.learning,
        .score = corrected - tests_a_day(g, busy_services, busy)};
    uint64_t lately = crossed_lately(g, rise);
    bool fires =
        chorus.crossing && v.score >= 0.0 && (unsigned)__builtin_popcountll(lately) >= needed;
    if (fires) {
        v.across = rising_confirmed(rise, lately, g->options.own);
        fires = (unsigned)__builtin_popcountll(v.across) >= needed;
    }
    rise->history = (uint8_t)(rise->history << 1 | fires);
    if (!fires)
        return OK;
    if (!rise->fired)
        rise->fired = g->now;
    return growth_report(g, rise, &v, scratch, out);
}

/* A service is looked at where somebody came to a cell that knows a past. */
static bool is_worth_judging(
    const struct growth *g, const struct round *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        size_t k = r->place_of[r->tally.groups[i].site];
        const struct cell *c =
            k ? growth_cell(g, r->tally.groups[i].service, (uint16_t)(k - 1)) : NULL;
        if (c && is_worth(g, c))
            return true;
    }
    return false;
}

static double count_busy(const struct growth *g)
{
    double busy = 1.0;
    for (size_t i = 0; i < g->cell_count; i++) {
        double recent = 0.0;
        for (uint32_t k = 0; k < g->span[0] && k < g->now; k++)
            recent += fmax(0.0, (double)g->cells[i].recent[(g->now - k) % RECENT]);
        busy += recent >= 3.0;
    }
    return busy;
}

/* Rises end six hours after the last crossing; what lasts longer than `freeze` is normal now.
 */
static void end_rises(struct growth *g)
{
    for (size_t i = g->rise_count; i-- > 0;) {
        struct rising *r = &g->rises[i];
        bool over = g->now - r->last > g->span[1];
        bool lasting = (int64_t)(g->now - r->first) * g->window > g->options.freeze;
        if (over || lasting)
            rising_drop(g, r);
    }
}

enum err round_judge(struct growth *g, struct round *r, struct arena *scratch, struct sink *out)
{
    double busy = count_busy(g);
    enum err e = OK;
    for (size_t at = 0; !e && at < r->tally.group_count;) {
        size_t end = tally_service_end(&r->tally, at);
        if (is_worth_judging(g, r, at, end))
            e = judge(g, r, at, end, busy, scratch, out);
        at = end;
    }
    end_rises(g);
    return e;
}
