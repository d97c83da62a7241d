#ifndef EVALUATE_SCORE_H
#define EVALUATE_SCORE_H

#include "base/clock.h"
#include "evaluate/foresight.h"
#include "sim/truth.h"

#include <stdbool.h>

/* How good a set of alerts is, against what the captures are known to hold.
 *
 * An alert is about an event if it has the event's protocol and one of its ports, was raised
 * from the start of the event to `slack` after its end, and, if it names sites, names one that
 * the event reaches. An alert that is about no event is a false alarm; if it fits a nuisance,
 * that is its cause. */

struct score_options {
    int64_t slack; /* us */
};

#define SCORE_SLACK (30 * US_MINUTE)

/* What became of one event. */
struct score_event {
    const struct truth_event *event; /* borrowed from the truth */
    int64_t start;                   /* of its first packet; planned start if there is none */
    int64_t raised;                  /* first alert about it; INT64_MAX: none */
    uint32_t alerts;
    int64_t site_raised[TRUTH_SITES]; /* by place in event.sites: first alert about the event
                                         that names the site; INT64_MAX: none */
};

struct score_alarm {
    const struct warning *warning; /* borrowed */
    int32_t event;                 /* the first event it is about; -1: a false alarm */
    int32_t nuisance;              /* cause of a false alarm; -1: none known */
};

struct score {
    const struct truth *truth; /* borrowed */
    double days;
    struct score_event events[TRUTH_EVENTS];
    struct score_alarm *alarms; /* owned; one for each warning */
    size_t alarm_count;
    size_t false_alarms;
};

enum err score_run(struct score *ret_score, const struct truth *t, const struct warnings *w,
    const struct score_options *o) MUST_CHECK;
void score_done(struct score *s);

bool score_is_about(const struct warning *w, const struct truth *t, const struct truth_event *e,
    const struct score_options *o);

/* Many runs of one method together. */
enum {
    SUMMARY_KINDS = 16,
    SUMMARY_CAUSES = 24,
    SUMMARY_DELAYS = 4096
};

struct delays {
    double *hours; /* owned */
    size_t count;
};

struct summary_kind {
    char kind[TRUTH_WORD];
    uint64_t events, found;
    uint64_t shown, shown_found; /* of those that host counts can show */
    struct delays delay;         /* first alert after the event's start */
    struct delays site_delay;    /* and after its onset at each site that was named */
    uint64_t later_sites;        /* sites with an onset after the event's start */
    uint64_t warned_sites;       /* of those: first alert before that onset */
    struct delays lead;          /* by how much */
    uint64_t foretold_sites;     /* of the later ones: a forecast named them before the onset */
    struct foresight foresight;  /* of alerts about such events */
};

struct summary_cause {
    char kind[TRUTH_WORD]; /* "" for none known */
    uint64_t alarms;
};

struct summary {
    uint64_t runs;
    double days;
    uint64_t alarms, false_alarms;
    struct summary_kind kinds[SUMMARY_KINDS];
    size_t kind_count;
    struct summary_cause causes[SUMMARY_CAUSES];
    size_t cause_count;
    struct foresight foresight; /* all forecasts, those of false alarms too */
};

/* Add a run; the summary starts zeroed. */
enum err summary_add(struct summary *all, const struct score *s) MUST_CHECK;
void summary_done(struct summary *all);

enum err delays_add(struct delays *d, int64_t us) MUST_CHECK;
/* Quantile of sorted-on-demand delays; NaN if there are none. */
double delays_quantile(struct delays *d, double q);

#endif
