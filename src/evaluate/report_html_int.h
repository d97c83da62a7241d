#ifndef EVALUATE_REPORT_HTML_INT_H
#define EVALUATE_REPORT_HTML_INT_H

#include "evaluate/evaluation.h"

/* Pieces of the page; each writes into `out`. */

enum {
    HTML_WIDE = 960
};

/* "5 of 6 (57-100 %)" */
void html_share(struct buf *out, uint64_t hits, uint64_t of);
/* "41 min", "6.2 h", or a dash for NaN. */
void html_hours(struct buf *out, double hours);

/* report_html_forecast.c */
void html_forecasts(struct buf *out, const struct evaluation *ev);

/* report_html_contest.c */
void html_null(struct buf *out, const struct evaluation *ev);
void html_alone(struct buf *out, struct evaluation *ev);
void html_planted(struct buf *out, const struct plant_result *p);

#endif
