#ifndef FLEET_HISTORY_H
#define FLEET_HISTORY_H

#include "fleet/watch.h"

#include <stddef.h>
#include <stdint.h>

/* How a site was over time: when which state began, and the figures that operators are measured
 * by. */

enum {
    HISTORY_MOST = 20001, /* states kept; the oldest half goes when there are more */
    HISTORY_CELLS = 1440
};

struct history_state {
    int64_t start;
    enum site_state state;
};

struct history {
    struct history_state *states; /* in order of time; owned */
    size_t count, room;
};

void history_init(struct history *h);
void history_done(struct history *h);

/* A state began at `since`; what was said of later times no longer holds (an outage is noticed
 * after it began). */
enum err history_add(struct history *h, int64_t since, enum site_state state) MUST_CHECK;

struct history_figures {
    int64_t in[SITE_STATES]; /* us in each state */
    int64_t watched;         /* us that count: in none of new and unwatched */
    double available;        /* percent of those in which it was not down; 100 for none */
    double healthy;          /* percent in which it was up */
    unsigned outages;        /* that touch the range */
    unsigned repaired;       /* of these, those whose end is known */
    int64_t repair_mean;     /* us, from begin to end of those; 0: none */
    int64_t repair_longest;
};

/* Over [from, to). An outage goes on through a time in which nobody watched, if the site was
 * still down after it; was it not, nobody knows when it was repaired. */
void history_figures(
    const struct history *h, int64_t from, int64_t to, struct history_figures *ret_figures);

/* The worst state in each of `count` equal parts of [from, to), one letter each: u up, g
 * degraded, l late, d down, '.' not watched or not there yet. `cells` has room for a NUL. */
void history_strip(
    const struct history *h, int64_t from, int64_t to, size_t count, char *cells);

#endif
