#include "engine/graph/graph_int.h"

#include "num/edetector.h"
#include "num/tail.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    WEDGES = 1 << 18, /* of a site and window; more are sampled */
    TURNS = 30,       /* of the power iteration */
    CROWD = 3,
    FEW = 50,    /* paths of three edges that weigh as much as the past */
    BEGUN = 6,   /* windows after which errors of predictions are counted ... */
    SETTLED = 18 /* ... and after which they are worth a comparison */
};
static const double usual_decay = 0.995;      /* a window: half in a day of 10 minutes */
static const float nothing = 1e-9F;           /* a decayed sum that small is zero */
static const double least_gain = 1.0 / 288.0; /* of what is learned of a feature's course */
static const double moved = 2.0; /* deviations by which a feature took part in a change */
static const double least_variance = 1e-8; /* of a feature that hardly ever moves */
static const double quiet = 1.0;           /* usual sources a window of services that are */
static const double held = 4.0;            /* deviations that one error may count */
static const double beginning = 10.0;      /* evidence below it comes and goes */
static const double most_evidence = 1e10;
static const double direction_least = 1e-6; /* smaller parts of a direction are zero */

const struct feature_row feature_rows[FEATURES] = {
#define X(id, name, unit, scale, text, more, less) {name, unit, scale, text, more, less},
    FEATURE_LIST(X)
#undef X
};

/* --- what is usual -------------------------------------------------------------------------
 */

/* What turns decayed sums into rates; the same for all services of a site. */
static double norm_of(const struct site *site)
{
    return (1.0 - pow(usual_decay, site->windows)) / (1.0 - usual_decay) + 5.0;
}

/* None seen is not never. */
static double usual_of(const struct site *site, uint32_t service, double norm)
{
    return ((double)site->usual[service] + 0.5) / norm;
}

double usual_sources(const struct site *site, uint32_t service)
{
    return usual_of(site, service, norm_of(site));
}

double usual_dispersion(const struct site *site)
{
    return site->weight > 0.0 ? site->spread / site->weight : 0.0;
}

void usual_learn(struct view *v)
{
    struct site *site = v->site;
    const double norm = norm_of(site);
    const double forget = 0.002;
    double d = usual_dispersion(site);
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i];
        double m = usual_of(site, service, norm), x = v->graph.right[i].degree / v->kept;
        if (m < 3.0)
            continue;
        double most = 2.5 * sqrt(m + d * m * m + m);
        double error = fmin(fabs(x - m), most);
        site->spread += forget * ((error * error - m) / m - site->spread);
        site->weight += forget * (m - site->weight);
    }
    float *usual = site->usual;
    const float decay = (float)usual_decay;
    for (uint32_t i = 0; i < SERVICES; i++)
        usual[i] = usual[i] < nothing ? 0.0F : usual[i] * decay;
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        usual[v->graph.used[i]] += (float)(v->graph.right[i].degree / v->kept);
    }
}

/* --- measures ------------------------------------------------------------------------------
 */

/* Deviance of a Poisson count with the site's dispersion, over the services that a crowd, if a
 * small one, asks for: single sources stray everywhere, and there are many of them. */
static void surprise_of(const struct view *v, double *ret_surprise, double *ret_novelty)
{
    const struct site *site = v->site;
    const double norm = norm_of(site);
    double d = fmax(usual_dispersion(site), 0.0);
    *ret_surprise = *ret_novelty = 0.0;
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i];
        double m = usual_of(site, service, norm), x = v->graph.right[i].degree / v->kept;
        if (x <= m || x < CROWD)
            continue;
        double deviance = (x * log(x / m) - (x - m)) / (1.0 + d * m);
        *ret_surprise += deviance * m / (quiet + m);
        *ret_novelty += deviance * quiet / (quiet + m);
    }
}

/* The angle between the principal directions of this window and the last that had one. */
static double drift_of(struct view *v, struct measuring *m)
{
    float *last = m->last, *direction = v->site->direction;
    if (!v->graph.edges)
        return 0.0;
    memcpy(last, direction, SERVICES * sizeof *last);
    bipartite_principal(&v->graph, direction, 1e-7, TURNS, &m->work);
    double cosine = 0.0;
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i];
        if ((double)direction[service] < direction_least)
            direction[service] = 0.0F;
        cosine += (double)direction[service] * (double)last[service];
    }
    return fmax(1.0 - cosine, 0.0);
}

struct reach {
    double mean;   /* targets a source */
    double single; /* share of sources with one */
    double spread; /* entropy of the map's places, bits */
};

/* Linear counting (Whang, Vander-Zanden, Taylor, ACM TODS 15(2), 1990) in 64 bits; a full map
 * counts as if one bit were half empty. */
static double targets_of(int bits)
{
    return -64.0 * log((bits < 64 ? 64 - bits : 0.5) / 64.0);
}

static struct reach reach_of(const struct view *v)
{
    uint64_t places[64] = {0}, sizes[65] = {0}, all = 0, total = 0;
    struct reach r = {0};
    for (uint32_t l = 0; l < v->graph.lefts; l++) {
        uint64_t map = v->targets[l];
        sizes[__builtin_popcountll(map)]++;
        all |= map;
        for (; map; map &= map - 1)
            places[__builtin_ctzll(map)]++;
    }
    v->site->targets |= all;
    for (int i = 0; i < 64; i++)
        total += places[i];
    for (int i = 0; i < 64; i++)
        if (places[i])
            r.spread -=
                (double)places[i] / (double)total * log2((double)places[i] / (double)total);
    double lefts = v->graph.lefts ? v->graph.lefts : 1.0;
    for (int i = 1; i <= 64; i++)
        r.mean += (double)sizes[i] * targets_of(i) / lefts;
    r.single = (double)(sizes[0] + sizes[1]) / lefts;
    return r;
}

static double scaled(enum feature_id id, double value, double lefts)
{
    switch (feature_rows[id].scale) {
    case SCALE_LOG:
        return id == FEATURE_DRIFT ? log(value + 1e-4) : log(value + 1.0);
    case SCALE_LOGIT: {
        double p = (value * lefts + 0.5) / (lefts + 1.0);
        return log(p / (1.0 - p));
    }
    case SCALE_PLAIN:
        break;
    }
    return value;
}

double feature_unscale(enum feature_id id, double value)
{
    switch (feature_rows[id].scale) {
    case SCALE_LOG:
        return id == FEATURE_DRIFT ? fmax(exp(value) - 1e-4, 0.0) : fmax(exp(value) - 1.0, 0.0);
    case SCALE_LOGIT:
        return 1.0 / (1.0 + exp(-value));
    case SCALE_PLAIN:
        break;
    }
    return value;
}

enum err measuring_init(struct measuring *m, struct arena *scratch)
{
    m->last = arena_take(scratch, SERVICES, sizeof *m->last);
    enum err e = bipartite_work_init(&m->work, SERVICES, WEDGES, scratch);
    return m->last ? e : ERR_NOMEM;
}

void features_measure(struct view *v, struct measuring *m)
{
    struct bipartite_shape s;
    bipartite_measure(&v->graph, &m->work, &s);
    struct reach r = reach_of(v);
    double surprise, novelty;
    surprise_of(v, &surprise, &novelty);
    /* Few paths tell little: the share is drawn towards what was expected of the last window.
     */
    const struct feature *closed = &v->site->features[FEATURE_CLUSTERING];
    double expected =
        v->site->windows ? feature_unscale(FEATURE_CLUSTERING, closed->guess) : 0.0;
    double clustering = (s.clustering * s.paths + FEW * expected) / (s.paths + FEW);
    const double values[FEATURES] = {
        [FEATURE_SOURCES] = s.lefts / v->kept,
        [FEATURE_SERVICES] = s.rights,
        [FEATURE_EDGES] = s.edges / v->kept,
        [FEATURE_DEGREE] = s.mean_degree,
        [FEATURE_PORT_ENTROPY] = s.right_entropy,
        [FEATURE_DEGREE_ENTROPY] = s.left_entropy,
        [FEATURE_COMPONENT] = s.largest,
        [FEATURE_BUTTERFLIES] = s.butterflies / (v->kept * v->kept),
        [FEATURE_CLUSTERING] = clustering,
        [FEATURE_DRIFT] = drift_of(v, m),
        [FEATURE_SURPRISE] = surprise,
        [FEATURE_NOVELTY] = novelty,
        [FEATURE_TARGETS] = r.mean,
        [FEATURE_SINGLE] = r.single,
        [FEATURE_SPREAD] = r.spread,
    };
    for (unsigned i = 0; i < FEATURES; i++)
        v->site->features[i].value = scaled((enum feature_id)i, values[i], s.lefts);
}

/* --- evidence ------------------------------------------------------------------------------
 */

/* No count is steadier than Poisson's; other features are never held to be quite constant. */
static double least_variance_of(const struct site *site, enum feature_id id, double guess)
{
    switch (id) {
    case FEATURE_CLUSTERING: /* rests on as many butterflies as are expected */
        return 1.0 / (exp(fmax(site->features[FEATURE_BUTTERFLIES].guess, 0.0)) - 0.75);
    case FEATURE_SOURCES:
    case FEATURE_SERVICES:
    case FEATURE_EDGES:
    case FEATURE_BUTTERFLIES:
        return exp(-fmax(guess, 0.0));
    default:
        return least_variance;
    }
}

/* Only more of these is news. */
static bool is_one_sided(enum feature_id id)
{
    return id == FEATURE_SURPRISE || id == FEATURE_NOVELTY || id == FEATURE_DRIFT;
}

/* -log10 of the p-value of a deviation under the model. */
static double strangeness(enum feature_id id, double z)
{
    double log_p = is_one_sided(id) ? log_tail_normal(z) : log_tail_normal(fabs(z)) + M_LN2;
    return fmin(fmax(-log_p / M_LN10, 0.0), 300.0);
}

/* Windows before the one in hand that the site missed: those since the last that was watched.
 */
static unsigned missed_of(const struct graph *s, const struct feature *f)
{
    unsigned missed = 0;
    while (missed < RING && missed + 1 < s->now && isnan(f->ring[(s->now - 1 - missed) % RING]))
        missed++;
    return missed;
}

/* Natural logarithm of the p-value of the feature's error, corrected by the errors that really
 * come; 0 while it is not known what to expect. The window is learned. After windows that were
 * missed less is expected of it, and of the direction nothing: the last one is hours old. */
static double feature_step(struct graph *s, struct site *site, enum feature_id id)
{
    struct feature *f = &site->features[id];
    double unused, log_p = 0.0;
    double gain = fmax(1.0 / (++f->age + 1.0), least_gain);
    double before = f->z;
    unsigned missed = site->windows > 1 ? missed_of(s, f) : 0;
    double doubt = sdar_skip(&f->model, missed);
    f->guess = sdar_predict(&f->model, &unused);
    f->value = missed && id == FEATURE_DRIFT ? f->guess : f->value;
    double error = f->value - f->guess;
    double least = fmax(least_variance_of(site, id, f->guess), least_variance);
    double deviation = sqrt(fmax(f->variance * doubt, least));
    bool known = site->windows > SETTLED;
    f->z = error / deviation;
    f->stays = f->z > moved ? before > moved : f->z < -moved && before < -moved;
    if (known) {
        double strange = strangeness(id, f->z);
        log_p = -tail_correct(&s->tails[id], strange) * M_LN10;
        tail_add(&s->tails[id], strange);
        error = fmax(fmin(error, held * deviation), -held * deviation);
    }
    f->ring[s->now % RING] = (float)f->value;
    f->expected[s->now % RING] = known ? (float)f->guess : NAN;
    if (site->windows > BEGUN)
        f->variance += fmax(1.0 / (site->windows - BEGUN), least_gain) *
                       (error * error / doubt - f->variance);
    f->model.forget = fmin(gain, 0.5);
    sdar_learn(&f->model, site->windows > 1 ? f->guess + error : f->value);
    return log_p;
}

/* A level that has stayed is the level from now on; what may have been a spike is not. */
void features_restart(struct site *site)
{
    for (unsigned i = 0; i < FEATURES; i++) {
        struct feature *f = &site->features[i];
        if (!f->stays)
            continue;
        f->age = f->age < BEGUN ? f->age : BEGUN;
        f->model.mean = f->value;
        for (unsigned k = 0; k < SDAR_ORDER_MAX; k++)
            f->model.past[k] = f->value;
    }
}

static double finder_step(struct site *site)
{
    double most = -INFINITY;
    for (unsigned i = 0; i < FEATURES; i++) {
        double change = changefinder_step(&site->features[i].finder, site->features[i].value);
        most = isnan(change) ? most : fmax(most, change);
    }
    return most;
}

/* The mean of the features' e-values is weighted: most changes that matter bring new sources to
 * services. Weights sum to one. */
static double weight_of(enum feature_id id)
{
    const double surprise = 0.2, novelty = 0.3;
    if (id == FEATURE_SURPRISE)
        return surprise;
    if (id == FEATURE_NOVELTY)
        return novelty;
    return (1.0 - surprise - novelty) / (FEATURES - 2);
}

double features_judge(struct graph *s, struct site *site)
{
    site->evalue = 0.0;
    for (unsigned i = 0; i < FEATURES; i++)
        site->evalue += weight_of((enum feature_id)i) *
                        evalue_from_p(feature_step(s, site, (enum feature_id)i));
    bool settled = site->windows > SETTLED;
    if (settled && site->evidence < beginning)
        site->since = s->now;
    site->evidence =
        settled ? edetector_step(site->evidence, site->evalue, most_evidence) : 0.0;
    if (s->options.detector == DETECTOR_CHANGEFINDER) {
        site->evalue = INFINITY; /* its score alone decides */
        return finder_step(site) - 3.0;
    }
    if (!(site->evidence > 0.0))
        return -INFINITY;
    double a_day = (double)US_DAY / (double)s->window * (double)s->site_count;
    return log10(site->evidence) - log10(a_day);
}
