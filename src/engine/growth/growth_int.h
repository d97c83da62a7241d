#ifndef ENGINE_GROWTH_GROWTH_INT_H
#define ENGINE_GROWTH_GROWTH_INT_H

#include "base/clock.h"
#include "engine/growth/growth.h"
#include "engine/portrait.h"
#include "engine/quiet.h"
#include "engine/tail.h"
#include "num/distinct.h"

enum {
    PAST_HOURS = 168, /* a week */
    RECENT = 72,      /* windows: six hours of five minutes */
    DAY_HOURS = 24,
    SPANS = 3,      /* an hour, six hours, ... */
    SPAN_DAY = 2,   /* ... and a day, against days: what grows slowly */
    SITES_CAP = 64, /* bits of a mask */
    NETWORKS = 512  /* of a rise, kept to tell whose they are; three sites need far fewer */
};

/* One service at one site. */
struct cell {
    uint32_t service;
    uint16_t site;
    uint16_t idle_hours;         /* in a row without a source */
    uint32_t next;               /* derived: the service's next cell, number + 1; 0: none */
    float recent[RECENT];        /* sources in each of the last windows; NAN: not watched */
    float before[SPANS];         /* derived: median of the hours before each span ... */
    uint8_t before_hours[SPANS]; /* ... and of how many hours, ... */
    uint32_t before_at[SPANS];   /* ... at the beginning of this hour, + 1; 0: never */
    float peak;                  /* derived: no hour of the past has more */
    float past[PAST_HOURS]; /* sources in each hour, by number of the hour; NAN: not known, or
                               not normal */
    float day[DAY_HOURS];   /* the same of the last day, normal or not */
    float day_seen, day_usual; /* derived: of the last day, and median of those before it ... */
    uint8_t day_count;         /* ... of which so many are known, ... */
    uint32_t day_at;           /* ... at the beginning of this hour, + 1; 0: never */
};

/* Hours in a span. */
static inline unsigned span_hours(unsigned span)
{
    return span == SPAN_DAY ? DAY_HOURS : span ? 6 : 1;
}

/* The sources of a rise, as networks (/24, /48), and the sites each was seen at. */
struct network {
    uint64_t hash;
    uint64_t sites; /* bits; 0: empty */
    uint64_t dsts;  /* addresses that it reached, as bits of their hashes */
};

struct rise_site {
    uint32_t first; /* window in which the site first crossed; 0: not yet */
    uint32_t last;  /* ... and last */
    float seen, expected;
    float log_p;
};

/* A service that crosses at some site, until six hours of nothing. */
struct rising {
    uint32_t service;
    uint32_t first; /* window of the first crossing */
    uint32_t last;
    uint32_t fired; /* first window with a finding; 0: none */
    uint8_t history;
    float most; /* largest joint score that its sites confirmed without a finding */
    struct rise_site sites[SITES_CAP];
    struct network networks[NETWORKS];
    uint32_t network_count;
    struct distinct hosts;
};

struct place {
    char name[RECORD_NAME_MAX + 1];
    uint32_t windows;     /* watched */
    uint64_t targets;     /* addresses that were ever reached, as bits of their hashes */
    double least;         /* derived: rate of a service that nobody has reached */
    double shared[SPANS]; /* derived: what most services of a site without an earlier day rise
                             by, 1 or more */
    struct quiet *quiet;
    double spread[SPANS], weight[SPANS]; /* dispersion, over all its services */
};

struct growth_options {
    double ratio;
    double own;   /* networks that each site must have for itself */
    double share; /* of the live sites that must see it */
    uint64_t least_sites;
    int64_t learn;
    int64_t freeze;
    unsigned leave_out;
    size_t sites_max, cells_max, rises_max;
};

struct growth {
    struct engine_state state; /* first */
    struct growth_options options;
    int64_t window;
    uint32_t span[SPANS]; /* windows in each */
    double powers[QUIET_POWERS];
    uint32_t now;   /* number of the window in hand, from 1 */
    uint32_t hour;  /* derived: its hour, from that of window number 0 */
    double into;    /* derived: how far into this hour it reaches, 0..1 */
    int64_t origin; /* start of window number 0 */
    struct place *places;
    size_t place_count;
    struct cell *cells; /* in order of birth */
    size_t cell_count, cell_room;
    uint32_t *cell_of; /* derived, by service: number + 1 of one of its cells; 0: none */
    struct rising *rises;
    size_t rise_count;
    uint16_t *rise_of; /* derived, by service: number of its rise + 1; 0: none */
    struct tail tail;  /* of the joint scores of busy services */
    uint64_t left_out;
};

static inline int64_t growth_time(const struct growth *g, uint32_t number)
{
    return g->origin + (int64_t)number * g->window;
}

static inline uint32_t growth_hour(const struct growth *g, uint32_t number)
{
    return (uint32_t)((time_floor(growth_time(g, number), US_HOUR) -
                          time_floor(g->origin, US_HOUR)) /
                      US_HOUR);
}

/* After `now` has changed: what follows from it. */
static inline void growth_turn(struct growth *g)
{
    int64_t hour = time_floor(growth_time(g, g->now), US_HOUR);
    g->hour = growth_hour(g, g->now);
    g->into = (double)(growth_time(g, g->now + 1) - hour) / (double)US_HOUR;
}

/* What one site sees of one service now, against its past. */
struct sight {
    float seen, expected, dispersion; /* NAN: not known */
    float log_p;                      /* -log10; 0: not asked for */
    double sources, mean, spread;     /* the same before rounding, for the p-value */
    unsigned span;
    bool blind; /* no earlier day has these hours */
};

/* --- cell.c ----------------------------------------------------------------------------------
 */

struct cell *growth_cell(const struct growth *g, uint32_t service, uint16_t place);
enum err growth_cell_add(struct growth *g, uint32_t service, uint16_t place, double rate,
    struct cell **ret_cell) MUST_CHECK;
/* Open the window in hand; where an hour began, the last goes into the past, unless `strange`.
 */
void cell_advance(const struct growth *g, struct cell *c, bool watching, uint32_t skipped);
void cell_close_hour(const struct growth *g, struct cell *c, uint32_t last_hour, bool strange);
/* Work out `before`, or what there is of days, for the hour that it is. */
void cell_refresh(const struct growth *g, struct cell *c, unsigned span);
void cell_refresh_days(const struct growth *g, struct cell *c);
/* Sources of `count` windows up to and with window `to`, as far as they were watched, and how
 * many of them were. */
double cell_sum(const struct cell *c, uint32_t to, uint32_t count, unsigned *ret_known);
/* Cells that nobody reached for three days go. */
void cells_thin(struct growth *g);

/* --- sight.c ---------------------------------------------------------------------------------
 */

/* Sum of the last windows of the span and what the same hours of earlier days, or the hours
 * before, make one expect; of a day, the days before the last. Without the p-value. */
struct sight cell_sight(const struct growth *g, struct cell *c, unsigned span);
/* Is more seen than expected? Only then there is a p-value below one half. */
bool sight_is_raised(const struct sight *s);
void sight_judge(struct sight *s);
/* Work out `shared` of all places; before any other sight of the window. */
enum err places_share(struct growth *g, struct arena *scratch) MUST_CHECK;
void cells_learn(struct growth *g);

/* --- rising.c --------------------------------------------------------------------------------
 */

struct rising *rising_of(struct growth *g, uint32_t service);
enum err rising_add(struct growth *g, uint32_t service, struct rising **ret_rising) MUST_CHECK;
void rising_drop(struct growth *g, struct rising *r);
void rising_source(struct rising *r, uint64_t host, const struct network *seen, unsigned place);
/* Of the sites in `among`, those to each of which `own` networks can be given that are given to
 * no other. */
uint64_t rising_confirmed(const struct rising *r, uint64_t among, double own);
/* Do most of its networks reach one and the same address, of a site that has many? */
bool rising_is_aimed(const struct rising *r, uint64_t targets);

/* --- report.c --------------------------------------------------------------------------------
 */

struct verdict {
    const struct tally *tally;
    size_t from, to; /* groups of the service; equal if nobody came in this window */
    uint64_t live;   /* places that are watching */
    uint64_t across; /* places that crossed within six hours and are confirmed */
    double score, log_p;
    bool learning;
};

enum err growth_report(const struct growth *g, const struct rising *r, const struct verdict *v,
    struct arena *scratch, struct sink *out) MUST_CHECK;

/* --- state.c ---------------------------------------------------------------------------------
 */

enum err growth_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err growth_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;
void growth_clear(struct growth *g);
enum err growth_place_add(struct growth *g, const char *name, size_t *ret_place) MUST_CHECK;

#endif
