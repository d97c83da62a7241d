#ifndef ENGINE_SURGE_SURGE_INT_H
#define ENGINE_SURGE_SURGE_INT_H

#include "base/clock.h"
#include "engine/portrait.h"
#include "engine/quiet.h"
#include "engine/surge/surge.h"
#include "engine/tail.h"
#include "num/distinct.h"

#include <math.h>

enum {
    RING = 144, /* windows kept of each series: a day of 10 minutes */
    RING_WORDS = (RING + 63) / 64,
    HORIZONS = 3, /* the window, an hour, six hours */
    HOURS = 24,
    PLACES_MOST = 12, /* windows of an hour */
    DAYS = 7,
    WEEKS_LEAST = 2, /* before the day of the week counts */
    POOLS = 3        /* quiet services are pooled by TCP, UDP, the rest */
};

/* One site and service with regular traffic. Rates are sources a window, as if nothing had been
 * sampled out. */
struct series {
    uint32_t service;
    uint16_t site;
    uint16_t idle_days;        /* in a row without a source; dropped at three */
    float ring[RING];          /* by window number; NAN: the site was not watching */
    uint64_t held[RING_WORDS]; /* bit: not normal, so not learned from */
    float hour[HOURS];         /* normal rate at this hour of the day */
    uint8_t hour_days[HOURS];  /* days that went into it */
    float week[DAYS];          /* factor of the day of the week, Monday first */
    uint8_t week_weeks[DAYS];
    float mean;                /* normal rate over days ... */
    float known;               /* ... and how many windows tell it */
    float spread[HORIZONS];    /* sum of weighted squares over the mean's, and ... */
    float weight[HORIZONS];    /* ... of the weights: dispersion = spread / weight */
    float beat[PLACES_MOST];   /* normal at this place of the hour, where that is more than at
                                  the others; else 0 */
    uint64_t gaps[RING_WORDS]; /* derived: bit: NAN in the ring */
    float rate[HOURS];         /* derived: the rhythm, shrunk; NAN: not known */
    double turn[HOURS]; /* derived: of the next hour over this one; 0: one is not known */
    uint16_t suspect;   /* number of its episode + 1; 0: none */
};

/* A series under suspicion: from the first strange window until an hour of none. */
struct episode {
    uint32_t series;
    uint32_t first;                  /* window number: when the suspicion began */
    uint32_t last;                   /* last strange window */
    uint32_t fired;                  /* first window with a finding; 0: none yet */
    uint8_t history;                 /* bit k: a finding k windows ago */
    int64_t start;                   /* estimate of when the thing began */
    uint32_t peak;                   /* sources in the strongest window */
    uint64_t targets;                /* the union of their destination maps */
    uint64_t wanted;                 /* the same of all sources since `first` */
    struct distinct hosts, networks; /* seen since `first` */
};

struct site {
    char name[RECORD_NAME_MAX + 1];
    uint32_t windows;        /* watched */
    uint32_t series_count;   /* with a rate of 0.5 or more, at the last step */
    double pool_rate[POOLS]; /* sources a window in the mean of quiet services */
    double spread[HORIZONS], weight[HORIZONS];
    struct tail tails[HORIZONS]; /* of scores of busy ports */
    struct quiet *quiet;         /* SERVICES */
    uint32_t *series_of;         /* SERVICES: number of the series + 1; 0: none */
    uint64_t targets; /* destination bits ever seen: is this a site of many addresses? */
    uint64_t addresses;
};

/* Where the middle of a window lies in day and week. */
struct slot {
    uint8_t hour, next; /* its hour, and the hour whose middle is nearer than the others' */
    uint8_t weekday;    /* Monday 0 */
    float part;         /* how far towards the middle of `next`: 0..0.5 */
};

struct surge_options {
    double min_sources; /* excess over normal that matters */
    double min_ratio;
    int64_t learn;      /* us */
    int64_t freeze;     /* us */
    unsigned leave_out; /* bits of classes */
    size_t sites_max;
    size_t series_max;
    size_t suspects_max;
};

struct surge {
    struct engine_state state; /* first */
    struct surge_options options;
    int64_t window; /* length, us */
    double powers[QUIET_POWERS];
    struct slot slots[RING]; /* derived: of the last windows, by number */
    uint32_t span[HORIZONS]; /* windows in each horizon */
    uint32_t now;            /* number of the window in hand, from 1; 0 before the first */
    int64_t origin;          /* start of window number 0, so that numbers follow from times */
    struct site *sites;      /* in order of appearance */
    size_t site_count;
    struct series *series;
    size_t series_count, series_room;
    struct episode *episodes;
    size_t episode_count;
    uint64_t left_out; /* sites, series and suspicions for which there was no room */
};

static inline int64_t window_start(const struct surge *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

static inline bool is_held(const struct series *p, uint32_t window)
{
    return p->held[window % RING / 64] >> (window % RING % 64) & 1;
}

static inline void set_bit(uint64_t words[RING_WORDS], uint32_t window, bool on)
{
    uint64_t bit = (uint64_t)1 << (window % RING % 64);
    uint64_t *word = &words[window % RING / 64];
    *word = on ? *word | bit : *word & ~bit;
}

static inline void set_held(struct series *p, uint32_t window, bool held)
{
    set_bit(p->held, window, held);
}

/* Sources of a window; NAN: the site was not watching. */
static inline void set_seen(struct series *p, uint32_t window, float seen)
{
    p->ring[window % RING] = seen;
    set_bit(p->gaps, window, isnan(seen));
}

/* --- model.c: what is normal ------------------------------------------------------------- */

/* One horizon of one series: what was seen and what was to be expected. */
struct view {
    float seen;     /* sum of the ring over the horizon; NAN: too little of it was watched */
    float expected; /* mean under the model; NAN: the model does not know yet */
    float dispersion;
};

/* A series whose past is `rate`, as known from `windows` windows of `days` days. */
void model_begin(
    const struct surge *s, struct series *p, double rate, double windows, uint32_t days);
/* The mean over days, never zero: no source in n windows does not mean that there is none. */
double model_mean(const struct series *p);
/* A rate that `sum` sources in `windows` windows tell, when the mean is all that is known
 * before and weighs as much as one source. */
static inline double model_shrunk(double mean, double sum, double windows)
{
    return (sum + 1.0) / (windows + 1.0 / mean);
}
/* Factor of a day of the week, once it is known. */
static inline double model_week(const struct series *p, unsigned weekday)
{
    return p->week_weeks[weekday] >= WEEKS_LEAST ? (double)p->week[weekday] : 1.0;
}
/* Normal rate at window `number` as far as hours and days of the week tell; NAN if they do not.
 */
double model_rhythm(const struct surge *s, const struct series *p, uint32_t number);
/* Learn from the window in hand, which was normal. */
void model_learn(struct surge *s, struct series *p, const struct view views[HORIZONS]);
/* At the start of an hour: the rhythm learns an hour of the day before. */
void model_close_hour(const struct surge *s, struct series *p);
/* What lasted is the new normal. */
void model_accept(const struct surge *s, struct series *p);
/* What follows from the rest and is not saved: the place of window `number` in day and week,
 * and the rates of the hours of one series. */
void model_slot(struct surge *s, uint32_t number);
void model_refresh(const struct surge *s, struct series *p);

/* --- beat.c: what returns every hour ------------------------------------------------------ */

/* From the ring, once an hour. A place counts if the hosts there, in three hours or more, are
 * 8 and four standard deviations more than at the others, and 1.5 times as many. Cost: two
 * quantiles of each place. */
void beat_learn(const struct surge *s, struct series *p);
/* Has any place of the hour more than the others? */
bool beat_is_told(const struct series *p);

/* --- report.c ------------------------------------------------------------------------------
 */

struct reason {
    const struct tally *tally;
    size_t group;     /* of the tally; group_count: none in this window */
    unsigned horizon; /* the one that speaks loudest */
    struct view view; /* its */
    double score;
    double log_p;  /* -log10 of the model's own p-value */
    double excess; /* distinct sources beyond normal */
    bool learning;
};

enum err surge_report(const struct surge *s, const struct series *p, const struct episode *e,
    const struct reason *why, struct arena *scratch, struct sink *out) MUST_CHECK;

/* --- state.c --------------------------------------------------------------------------------
 */

enum err surge_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err surge_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;

/* --- surge.c --------------------------------------------------------------------------------
 */

/* A new site, or ERR_FULL, ERR_NOMEM. */
enum err surge_site_add(struct surge *s, const char *name, struct site **ret_site) MUST_CHECK;
enum err surge_series_room(struct surge *s) MUST_CHECK;
/* Free everything but the options. */
void surge_clear(struct surge *s);

#endif
