#ifndef ENGINE_GRAPH_GRAPH_INT_H
#define ENGINE_GRAPH_GRAPH_INT_H

#include "base/clock.h"
#include "engine/graph/graph.h"
#include "engine/portrait.h"
#include "engine/tail.h"
#include "num/bipartite.h"
#include "num/sdar.h"

enum {
    RING = 144,        /* windows kept of each feature: a day of 10 minutes */
    CAUSES = 16,       /* ports that may explain a change, at most */
    CALM = 6,          /* windows without a finding end an alarm */
    CROWDS = 64,       /* services with more sources than usual that a window remembers */
    CROWD_WINDOWS = 36 /* three hours of 5 minutes */
};

/* X(id, name, unit, scale, text, more, less): what is measured of a window's graph, and what it
 * means that there is more or less of it. The scale is that on which the feature is predicted:
 * log counts, logit shares, plain bits. */
#define FEATURE_LIST(X)                                                                        \
    X(FEATURE_SOURCES, "sources", "sources", SCALE_LOG, "sources with a contact",              \
        "more sources", "fewer sources")                                                       \
    X(FEATURE_SERVICES, "services", "services", SCALE_LOG, "services with a contact",          \
        "more ports are asked for", "fewer ports are asked for")                               \
    X(FEATURE_EDGES, "edges", "edges", SCALE_LOG, "pairs of source and service",               \
        "more pairs of source and port", "fewer pairs of source and port")                     \
    X(FEATURE_DEGREE, "degree", "services", SCALE_LOG, "services a source, mean",              \
        "sources ask for more ports each", "sources ask for fewer ports each")                 \
    X(FEATURE_PORT_ENTROPY, "port_entropy", "bits", SCALE_PLAIN,                               \
        "how evenly edges spread over services", "sources spread over more ports",             \
        "sources gather on fewer ports")                                                       \
    X(FEATURE_DEGREE_ENTROPY, "degree_entropy", "bits", SCALE_PLAIN,                           \
        "how unlike the sources' numbers of services are",                                     \
        "sources differ more in how many ports they ask for",                                  \
        "sources are more alike in how many ports they ask for")                               \
    X(FEATURE_COMPONENT, "component", "", SCALE_LOGIT,                                         \
        "share of all nodes in the largest connected part",                                    \
        "more sources share ports with others", "fewer sources share ports with others")       \
    X(FEATURE_BUTTERFLIES, "butterflies", "pairs", SCALE_LOG,                                  \
        "pairs of sources that share two services", "more sources share two ports",            \
        "fewer sources share two ports")                                                       \
    X(FEATURE_CLUSTERING, "clustering", "", SCALE_LOGIT,                                       \
        "share of paths of three edges that close",                                            \
        "sources ask for more alike sets of ports",                                            \
        "sources ask for less alike sets of ports")                                            \
    X(FEATURE_DRIFT, "drift", "", SCALE_LOG,                                                   \
        "1 - cosine between the principal directions of this window and the last",             \
        "the mix of networks and ports is another one",                                        \
        "the mix of networks and ports stays the same")                                        \
    X(FEATURE_SURPRISE, "surprise", "nats", SCALE_LOG,                                         \
        "sources beyond the usual at services with traffic, as deviance",                      \
        "more sources than usual on busy ports", "no more sources than usual on busy ports")   \
    X(FEATURE_NOVELTY, "novelty", "nats", SCALE_LOG,                                           \
        "the same at services that hardly anybody asks for",                                   \
        "sources on ports that hardly anybody asks for",                                       \
        "nobody on ports that hardly anybody asks for")                                        \
    X(FEATURE_TARGETS, "targets", "addresses", SCALE_LOG,                                      \
        "addresses that a source reaches, mean of estimates from 64-bit maps",                 \
        "sources reach more addresses each", "sources reach fewer addresses each")             \
    X(FEATURE_SINGLE, "single", "", SCALE_LOGIT, "share of sources that reach one address",    \
        "more sources reach one address only", "fewer sources reach one address only")         \
    X(FEATURE_SPREAD, "spread", "bits", SCALE_PLAIN,                                           \
        "how evenly sources spread over the 64 places of the target map",                      \
        "sources spread more evenly over the addresses", "sources gather on fewer addresses")

enum feature_scale {
    SCALE_LOG,
    SCALE_LOGIT,
    SCALE_PLAIN
};

enum feature_id {
#define X(id, name, unit, scale, text, more, less) id,
    FEATURE_LIST(X)
#undef X
    FEATURES
};

struct feature_row {
    const char *name, *unit;
    enum feature_scale scale;
    const char *text;
    const char *more, *less; /* in words, if it is not as expected */
};
extern const struct feature_row feature_rows[FEATURES];

/* One feature at one site. */
struct feature {
    struct sdar model;
    double variance; /* of its errors one window ahead, held to four deviations */
    uint32_t age;    /* windows learned from, few again after a change */
    struct changefinder finder;
    float ring[RING],
        expected[RING];     /* on the feature's own scale; NAN: not watched, not known */
    double value, guess, z; /* of the window in hand */
    bool stays;             /* it has been off by much for two windows, to the same side */
};

/* What the last alarm was about. It lasts while a service that explains it goes on to do so,
 * and until CALM windows after. */
struct alarm {
    uint32_t first, last; /* windows of its first and last finding; 0: there was none */
    int64_t start; /* when the evidence began to rise, CALM windows before the first at most */
    double score;  /* the highest */
    uint8_t history; /* bit k: a finding k windows ago */
    uint32_t services[CAUSES];
    uint32_t count; /* of the services; 0: nothing has explained it yet */
};

/* A service that had more sources than usual in a window. */
struct crowd {
    uint32_t service;
    float more; /* sources */
};
struct crowds {
    uint32_t count;
    struct crowd rows[CROWDS]; /* most first */
};

struct site {
    char name[RECORD_NAME_MAX + 1];
    uint32_t windows; /* watched */
    double evidence;  /* of the e-detector */
    double evalue;    /* of the window in hand: what it adds */
    uint32_t since;   /* window number: when the evidence last began to rise; 0: it has not */
    struct alarm alarm;
    uint64_t targets;      /* destination bits ever seen */
    double spread, weight; /* dispersion of counts of busy services = spread / weight */
    struct feature features[FEATURES];
    struct crowds *crowds; /* CROWD_WINDOWS, by window number */
    float *usual;          /* SERVICES: decayed sums of sources */
    float *direction;      /* SERVICES: the principal direction of the last window */
};

enum detector {
    DETECTOR_EVIDENCE,
    DETECTOR_CHANGEFINDER
};

struct graph_options {
    double min_sources;
    double min_ratio;
    int64_t learn;
    unsigned leave_out;
    size_t sites_max;
    enum detector detector;
};

struct graph {
    struct engine_state state; /* first */
    struct graph_options options;
    int64_t window;              /* length, us */
    int64_t origin;              /* start of window number 0 */
    uint32_t now;                /* number of the window in hand, from 1; 0 before the first */
    struct tail tails[FEATURES]; /* of the scores that really come, over all sites */
    struct site *sites;          /* in order of appearance */
    size_t site_count;
    uint64_t left_out; /* sites for which there was no room */
};

static inline int64_t window_start(const struct graph *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

/* --- build.c: contacts to graphs --------------------------------------------------------- */

/* The graph of one site in the window in hand. */
struct view {
    struct site *site;
    const struct window_site *about; /* of the window */
    struct bipartite graph;
    uint64_t *targets; /* destination map of each left node */
    double kept;
};

/* One view for each site of the window that there is room for, in the order of the window;
 * `ret_views` has room for all sites. */
enum err graph_build(struct graph *s, const struct window *w, struct arena *scratch,
    struct view *ret_views, size_t *ret_count) MUST_CHECK;

/* --- features.c: graphs to numbers, numbers to evidence ---------------------------------- */

/* Room for what measuring takes, for all sites one after the other. */
struct measuring {
    struct bipartite_work work;
    float *last; /* SERVICES */
};
enum err measuring_init(struct measuring *m, struct arena *scratch) MUST_CHECK;
/* Measure the closed graph into site->features[].value, on each feature's scale; the principal
 * direction is remembered. */
void features_measure(struct view *v, struct measuring *m);
/* Compare with what was predicted, learn, and take the site's evidence one step further.
 * Returns the score: -log10 of how often chance gives such evidence in a day, over all sites.
 */
double features_judge(struct graph *s, struct site *site);
double feature_unscale(enum feature_id id, double value);

/* Sources a window that are usual at a service. */
double usual_sources(const struct site *site, uint32_t service);
/* Of counts of sources about it; noise may bring it below 0, and a test asks for the least. */
double usual_dispersion(const struct site *site);
#define LEAST_DISPERSION 0.02
/* The site's graph is another from now on: what moved is learned anew. */
void features_restart(struct site *site);
/* Learn the window's degrees. */
void usual_learn(struct view *v);

/* --- causes.c: what explains a change ---------------------------------------------------- */

struct cause {
    uint32_t services[CAUSES]; /* of one protocol, reached by the same sources; least p first */
    size_t count;
    uint32_t seen; /* at the first */
    double usual;
    double log_p; /* natural logarithm, before correction for the number of services */
};

/* Services with improbably many sources, those with the same sources together; the least
 * probable first. At most CAUSES; returns how many. */
size_t causes_find(const struct graph *s, const struct view *v, struct cause *causes);

/* --- crowds.c: what comes every hour ------------------------------------------------------ */

void crowds_forget(struct site *site, uint32_t window);
/* The services of the window in hand with more sources than usual; before it is learned. */
void crowds_note(const struct graph *s, const struct view *v);
/* Has the service more sources than usual at this place of every hour only? */
bool crowds_hourly(const struct graph *s, const struct site *site, uint32_t service);

/* --- report.c ---------------------------------------------------------------------------- */

/* The window in hand, and where what is said of it goes. */
struct present {
    const struct window *window;
    struct arena *scratch;
    struct sink *out;
    struct measuring measuring;
    struct tally tally; /* of the window, made when it is first asked for */
    bool tallied;
};

/* Say that the site's graph changed, and that `cause` explains it; NULL: nothing does. */
enum err graph_report(const struct graph *s, const struct view *v, struct present *at,
    const struct cause *cause) MUST_CHECK;

/* --- alarm.c ----------------------------------------------------------------------------- */

/* Is the site being learned still? */
bool graph_learns(const struct graph *s, const struct site *site);
/* Begin an alarm if the score is high enough, go on with one that lasts, and report. */
enum err alarm_step(
    const struct graph *s, struct view *v, struct present *at, double score) MUST_CHECK;

/* --- state.c ----------------------------------------------------------------------------- */

enum err graph_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err graph_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;

/* --- graph.c ----------------------------------------------------------------------------- */

/* A new site, or ERR_FULL, ERR_NOMEM. */
enum err graph_site_add(struct graph *s, const char *name, struct site **ret_site) MUST_CHECK;
/* Free everything but the options. */
void graph_clear(struct graph *s);

#endif
