#ifndef EVALUATE_BASELINE_H
#define EVALUATE_BASELINE_H

#include "evaluate/host_counts.h"
#include "evaluate/warning.h"

/* What plain host counting, and the published change detector over host counts, would have
 * warned of, at the same number of alerts: the fair opponents of an engine. A window of a
 * service at a site fires if its score reaches a threshold; all that fires for one service, at
 * any site, with no gap longer than `quiet`, is one alert, as in the product. The threshold is
 * the lowest that gives no more alerts than there were from the engines. */

enum baseline_rule {
    BASELINE_COUNT, /* score: the hosts themselves */
    BASELINE_RISE,  /* score: hosts above their mean of the 24 hours before, from then on */
    BASELINE_CHANGEFINDER, /* score: num/sdar.h over the hosts, from the second day on */
    BASELINE_RULES
};

const char *baseline_name(enum baseline_rule rule);

struct baseline_options {
    enum baseline_rule rule;
    size_t alerts; /* at most so many */
    int64_t quiet; /* us */
    uint32_t from; /* windows before this one give no alert */
};

/* The score of the service, site and window that `where` names (its hosts do not matter) if
 * `more` hosts had come to those that did. h is sorted; windows without a row are zero. */
double baseline_score(const struct host_counts *h, enum baseline_rule rule,
    const struct host_count *where, uint32_t more);

/* The highest score that a rule gives from window o->from on; 0 if none reaches its least. */
enum err baseline_highest(
    struct host_counts *h, const struct baseline_options *o, double *ret_score) MUST_CHECK;

/**
 * @param h    sorted by this function.
 * @param ret_warnings starts zeroed; the caller's.
 * @param ret_threshold what was chosen; infinity if even the highest score gives too many.
 */
enum err baseline_make(struct host_counts *h, const struct baseline_options *o,
    struct warnings *ret_warnings, double *ret_threshold) MUST_CHECK;

#endif
