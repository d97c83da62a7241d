/* The end of an hour: who was nearly everywhere, and is that more than normal? */
#include "engine/counts.h"
#include "engine/reach/reach_int.h"

#include "num/order.h"
#include "num/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORTH = 2, /* networks that make a service worth a course */
    LESSON_HOURS = 24,
    ALONE_LEAST = 200, /* visits that a site must have before it can be one that shares none */
    ALONE_SHARE = 100, /* ... which is less than one in so many */
    COMMON_LEAST = 12  /* services that tell what moves all of them */
};
static const double busy_mean = 0.5;    /* networks; less is a quiet service */
static const double common_mean = 3.0;  /* of services that tell what moves all */
static const double learned_mean = 5.0; /* of services that tell the dispersion of all */
static const double own_mean = 1.0;     /* ... and of one that tells its own */
static const double outlier = 4.0;
static const double blind_ratio = 4.0;

/* A network on a service, and at how many sites; sorted so that its best comes first. */
struct crossing {
    uint32_t service, network;
    uint32_t sites;
};

static int by_service(const void *a, const void *b)
{
    const struct crossing *x = a;
    const struct crossing *y = b;
    if (x->service != y->service)
        return x->service > y->service ? 1 : -1;
    if (x->network != y->network)
        return x->network > y->network ? 1 : -1;
    return (x->sites < y->sites) - (x->sites > y->sites);
}

/* Places that see hardly anybody whom another one sees, too: their addresses are hidden by keys
 * of their own. */
static uint64_t places_alone(const struct reach *g)
{
    size_t seen[SITES_CAP] = {0};
    size_t shared[SITES_CAP] = {0};
    for (size_t i = 0; i < g->visits.room; i++) {
        uint64_t sites = visit_sites(&g->visits.slots[i]);
        bool several = sites & (sites - 1);
        for (; sites; sites &= sites - 1) {
            int k = __builtin_ctzll(sites);
            seen[k]++;
            shared[k] += several;
        }
    }
    uint64_t alone = 0;
    for (size_t k = 0; k < g->place_count; k++)
        if (seen[k] >= ALONE_LEAST && shared[k] * ALONE_SHARE < seen[k])
            alone |= UINT64_C(1) << k;
    return alone;
}

/* Places that watched three quarters of the span, and how many of them are enough: no fewer
 * than in the hours before, for of four sites two are reached by many more than three of five.
 */
static bool choose_sites(const struct reach *g, struct round *r)
{
    unsigned whole = SPAN_HOURS * (unsigned)(US_HOUR / g->window);
    for (size_t k = 0; k < g->place_count; k++) {
        unsigned watched = 0;
        for (unsigned i = 0; i < SPAN_HOURS; i++)
            watched += g->places[k].watched[i];
        if (watched * 4 >= whole * 3)
            r->live |= UINT64_C(1) << k;
    }
    r->live &= ~places_alone(g);
    unsigned live = (unsigned)__builtin_popcountll(r->live);
    unsigned most = courses_most_live(g, r->hour);
    most = most > live ? most : live;
    r->terms =
        (struct terms){(uint8_t)live, {(uint8_t)((most + 1) / 2), (uint8_t)(most - most / 8)}};
    return live >= SITES_LEAST &&
           (r->hour + 1) * US_HOUR - g->origin >= (int64_t)SPAN_HOURS * US_HOUR;
}

static uint32_t sites_of(const struct round *r, const struct visit *v)
{
    return (uint32_t)__builtin_popcountll(visit_sites(v) & r->live);
}

/* Networks by service and level, and those that are a site short of it. */
static enum err count_networks(const struct reach *g, struct round *r, struct arena *scratch)
{
    size_t count = 0;
    for (size_t i = 0; i < g->visits.room; i++)
        count += sites_of(r, &g->visits.slots[i]) + 1 >= r->terms.need[0];
    struct crossing *all = arena_room(scratch, count + 1, sizeof *all);
    r->seen = arena_room(scratch, count + 1, sizeof *r->seen);
    if (!all || !r->seen)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < g->visits.room; i++) {
        const struct visit *v = &g->visits.slots[i];
        uint32_t sites = sites_of(r, v);
        if (sites && sites + 1 >= r->terms.need[0])
            all[n++] = (struct crossing){v->service, v->network, sites};
    }
    qsort(all, n, sizeof *all, by_service);
    for (size_t i = 0; i < n; i++) {
        if (i && all[i].service == all[i - 1].service && all[i].network == all[i - 1].network)
            continue;
        if (!r->seen_count || r->seen[r->seen_count - 1].service != all[i].service)
            r->seen[r->seen_count++] = (struct seen){.service = all[i].service};
        struct seen *s = &r->seen[r->seen_count - 1];
        for (uint32_t level = 0; level < LEVELS; level++) {
            s->networks[level] += all[i].sites >= r->terms.need[level];
            s->brink[level] += all[i].sites + 1 == r->terms.need[level];
        }
    }
    return OK;
}

static int seen_by_service(const void *key, const void *row)
{
    uint32_t service = *(const uint32_t *)key;
    uint32_t other = ((const struct seen *)row)->service;
    return (service > other) - (service < other);
}

static const struct seen *seen_row(const struct round *r, uint32_t service)
{
    return r->seen_count
               ? bsearch(&service, r->seen, r->seen_count, sizeof *r->seen, seen_by_service)
               : NULL;
}

static double seen_of(const struct round *r, uint32_t service, unsigned level)
{
    const struct seen *s = seen_row(r, service);
    return s ? s->networks[level] : 0.0;
}

/* By how many per cent the networks of a level would be more if all hosts went one per cent
 * faster. Who was at k of n sites is seen at each of the others at the rate -ln(1 - k / (n +
 * 1)) in the span; those that one site more brings to the level come to it by that. Where hosts
 * are of very different pace few stand at the brink; where all are alike most do. */
static double steepness(const struct round *r, uint32_t service, unsigned level)
{
    const struct seen *s = seen_row(r, service);
    double sites = (double)__builtin_popcountll(r->live);
    double at = r->terms.need[level] - 1.0;
    if (!s || s->networks[level] < 1.0)
        return 0.0;
    return s->brink[level] * (sites - at) * -log1p(-at / (sites + 1.0)) / s->networks[level];
}

static enum err add_courses(struct reach *g, const struct round *r)
{
    enum err e = OK;
    for (size_t i = 0; i < r->seen_count && !e; i++) {
        struct course *c;
        if (r->seen[i].networks[0] >= WORTH && !reach_course(g, r->seen[i].service))
            e = reach_course_add(g, r->seen[i].service, &c);
    }
    return e;
}

/* What moves all services is no news of one. */
static enum err find_common(const struct reach *g, struct round *r, struct arena *scratch)
{
    double *ratios = arena_room(scratch, g->course_count + 1, sizeof *ratios);
    if (!ratios)
        return ERR_NOMEM;
    for (unsigned level = 0; level < LEVELS; level++) {
        size_t count = 0;
        for (size_t i = 0; i < g->course_count; i++) {
            const struct course *c = &g->courses[i];
            struct normal n = course_normal(g, c, level, r->hour);
            if (!level)
                r->busy += n.mean >= busy_mean;
            if (n.mean >= common_mean)
                ratios[count++] = seen_of(r, c->service, level) / n.mean;
        }
        double common = count >= COMMON_LEAST ? median(ratios, count) : 1.0;
        r->common[level] = larger(common, 1.0);
    }
    return OK;
}

/* log10 of P(count >= networks), where the mean is not `mean` but that times the exponential of
 * a normal variable with this deviation: hosts that all go faster than they did. */
static double log_tail_paced(double networks, double mean, double dispersion, double deviation)
{
    enum {
        STEPS = 24, /* to either side; what is beyond them has a chance of 1e-9 */
        PER_DEVIATION = 4
    };
    double sum = 0.0;
    double whole = 0.0;
    if (deviation < 1e-6)
        return log_tail_negbin(networks, mean, dispersion) / M_LN10;
    for (int i = -STEPS; i <= STEPS; i++) {
        double z = (double)i / PER_DEVIATION;
        double weight = exp(-0.5 * z * z);
        whole += weight;
        sum += weight * exp(log_tail_negbin(networks, mean * exp(deviation * z), dispersion));
    }
    return log10(fmax(sum / whole, 1e-300));
}

/* The stranger of the two levels; its log_p is NAN if neither is worth a word. */
static struct verdict verdict_of(
    const struct reach *g, const struct round *r, const struct course *c)
{
    struct verdict best = {.log_p = NAN};
    double share = 1.0 / (double)(UINT64_C(1) << g->shift);
    for (unsigned level = 0; level < LEVELS; level++) {
        struct normal n = course_normal(g, c, level, r->hour);
        double networks = seen_of(r, c->service, level);
        double mean = n.mean * r->common[level];
        if (isnan(mean) || networks - mean < g->options.least * share ||
            networks < mean * (n.blind ? blind_ratio : g->options.ratio))
            continue;
        double steep = steepness(r, c->service, level);
        double log_p = -log_tail_paced(networks, mean, n.dispersion, g->options.pace * steep);
        if (isnan(best.log_p) || log_p > best.log_p)
            best = (struct verdict){.level = level,
                .networks = networks / share,
                .mean = mean / share,
                .dispersion = n.dispersion,
                .steep = steep,
                .log_p = log_p};
    }
    return best;
}

static void learn_dispersion(
    struct reach *g, struct course *c, unsigned level, const struct normal *n, double networks)
{
    double m = n->mean;
    double bound = outlier * sqrt(m + n->dispersion * m * m);
    double error = larger(smaller(networks - m, bound), -bound);
    double d = (error * error - m) / (m * m);
    double weight = m / (m + 10.0) * (m / (m + 10.0));
    if (m >= learned_mean) {
        g->spread[level] += weight * d;
        g->weight[level] += weight;
    }
    if (c->weight[level] > 500.0F) {
        c->weight[level] *= 0.5F;
        c->spread[level] *= 0.5F;
    }
    c->weight[level] += 1.0F;
    c->spread[level] += (float)d;
}

/* What an hour teaches about chance is learned a day later, unless a rise has come of it: else
 * the first hours of a worm would teach that worms are chance. */
static void learn_chance(struct reach *g, const struct round *r, struct course *c)
{
    int64_t hour = r->hour - LESSON_HOURS;
    unsigned at = hour_slot(hour, PAST_HOURS);
    for (unsigned level = 0; level < LEVELS; level++) {
        double networks = (double)c->seen[level][at];
        struct normal n = course_normal(g, c, level, hour);
        if (c->first || c->strange[at] || isnan(networks) || n.blind || isnan(n.mean))
            continue;
        if (!level && n.mean >= busy_mean)
            tail_add(&g->tail, networks > n.mean
                                   ? -log_tail_negbin(networks, n.mean, n.dispersion) / M_LN10
                                   : 0.0);
        if (n.mean >= own_mean)
            learn_dispersion(g, c, level, &n, networks);
    }
}

static double score_of(
    const struct reach *g, const struct round *r, const struct course *c, double log_p)
{
    bool busy = course_normal(g, c, 0, r->hour).mean >= busy_mean;
    double tests = 24.0 * LEVELS * (busy ? (double)r->busy : (double)SERVICE_ICMP);
    return (busy ? tail_correct(&g->tail, log_p) : log_p) - log10(tests);
}

/* Sets the course's rise; true if it is to be reported. */
static bool fires(
    const struct reach *g, const struct round *r, struct course *c, struct verdict *v)
{
    *v = verdict_of(g, r, c);
    if (!isnan(v->log_p))
        v->score = score_of(g, r, c, v->log_p);
    v->learning = (r->hour + 1) * US_HOUR - g->origin < g->options.learn;
    bool fired = !isnan(v->log_p) && v->score >= 0.0;
    uint32_t hour = (uint32_t)r->hour;
    c->history = (uint8_t)(c->history << 1 | fired);
    if (fired) {
        c->last = hour;
        c->first = c->first ? c->first : hour;
    } else if (c->first && hour - c->last >= SPAN_HOURS) {
        c->first = c->last = 0;
    }
    return fired;
}

static void keep(struct reach *g, const struct round *r, struct course *c)
{
    uint32_t hour = (uint32_t)r->hour;
    unsigned at = hour_slot(r->hour, PAST_HOURS);
    bool strange = c->first && (hour - c->first) * US_HOUR < g->options.freeze;
    c->strange[at] = strange;
    for (unsigned level = 0; level < LEVELS; level++)
        c->seen[level][at] = (float)seen_of(r, c->service, level);
    c->idle = seen_of(r, c->service, 0) > 0.0 ? 0 : c->idle + 1;
}

static void keep_all(struct reach *g, const struct round *r)
{
    for (size_t i = 0; i < g->course_count; i++)
        keep(g, r, &g->courses[i]);
    for (unsigned level = 0; level < LEVELS; level++)
        if (g->weight[level] > 1e5) {
            g->weight[level] *= 0.5;
            g->spread[level] *= 0.5;
        }
    if (r->hour % 24 == 0) {
        tail_decay(&g->tail);
        courses_thin(g);
    }
}

enum err reach_judge(struct reach *g, struct round *r, struct arena *scratch, struct sink *out)
{
    if (!choose_sites(g, r))
        return OK;
    g->terms[hour_slot(r->hour, PAST_HOURS)] = r->terms;
    enum err e = count_networks(g, r, scratch);
    if (!e)
        e = add_courses(g, r);
    if (!e)
        e = find_common(g, r, scratch);
    for (size_t i = 0; i < g->course_count && !e; i++)
        learn_chance(g, r, &g->courses[i]);
    for (size_t i = 0; i < g->course_count && !e; i++) {
        struct verdict v;
        if (fires(g, r, &g->courses[i], &v))
            e = reach_report(g, r, &g->courses[i], &v, scratch, out);
    }
    if (!e)
        keep_all(g, r);
    return e;
}
