#ifndef ENGINE_REACH_REACH_INT_H
#define ENGINE_REACH_REACH_INT_H

#include "base/clock.h"
#include "engine/reach/reach.h"
#include "engine/tail.h"
#include "engine/tally.h"

enum {
    SPAN_HOURS = 6,   /* within which a source must be seen at the sites */
    PAST_HOURS = 168, /* a week */
    SITES_CAP = 64,   /* bits of a mask */
    LEVELS = 2,       /* half of the sites, nearly all sites */
    SITES_LEAST = 3,  /* with fewer, everything that is seen twice is seen everywhere */
    SHIFT_MAX = 20    /* halvings of the sample of sources */
};

/* One source on one service, one cache line. */
struct visit {
    uint64_t source; /* ip_hash() */
    uint32_t service;
    uint32_t network;           /* hash of its /24 or /48 */
    uint64_t sites[SPAN_HOURS]; /* by hour mod 6: at which places; all 0: no visit */
};

/* Open addressing, at most three quarters full. */
struct visits {
    struct visit *slots;
    size_t room; /* a power of two, or 0 */
    size_t count;
    size_t most; /* visits, ever */
};

struct place {
    char name[RECORD_NAME_MAX + 1];
    uint8_t watched[SPAN_HOURS]; /* windows, by hour mod 6 */
};

/* One service. */
struct course {
    uint32_t service;
    uint32_t idle;        /* hours in a row in which nobody reached half of the sites */
    uint32_t first, last; /* hours of its rise, 0: it does not rise */
    uint8_t history;      /* bit k: k hours ago it fired */
    float seen[LEVELS][PAST_HOURS];       /* networks, by hour mod 168; NAN: not known */
    float spread[LEVELS], weight[LEVELS]; /* dispersion of its own */
    bool strange[PAST_HOURS];             /* that hour was part of a rise: not what is normal */
};

/* How an hour was judged. */
struct terms {
    uint8_t live;         /* sites that watched; 0: it was not judged */
    uint8_t need[LEVELS]; /* of them a source must have been at */
};

struct reach_options {
    double least; /* networks above what is normal */
    double ratio;
    double pace; /* by which the hosts of a service may go faster than normal, a share */
    int64_t learn, freeze;
    unsigned leave_out;
    size_t sites_max, visits_max, courses_max;
};

struct reach {
    struct engine_state state; /* first */
    struct reach_options options;
    int64_t window;
    int64_t origin; /* start of the first window */
    int64_t start;  /* of the window that was looked at last */
    uint32_t now;   /* windows looked at; 0: none */
    unsigned shift; /* one source in 2^shift counts */
    struct place places[SITES_CAP];
    size_t place_count;
    struct visits visits;
    struct course *courses;
    size_t course_count;
    uint32_t *course_of;                   /* derived, by service: number + 1; 0: none */
    struct terms terms[PAST_HOURS];        /* by hour mod 168 */
    double spread[LEVELS], weight[LEVELS]; /* dispersion, over all services */
    struct tail tail;                      /* of the scores of busy services */
    uint64_t left_out;                     /* sites and services without room */
};

/* Hours since 1970. */
static inline int64_t hour_of(int64_t time)
{
    return time_floor(time, US_HOUR) / US_HOUR;
}

static inline unsigned hour_slot(int64_t hour, unsigned slots)
{
    return (unsigned)((hour % slots + slots) % slots);
}

/* --- visits.c ---------------------------------------------------------------------------- */

/* The source was at that place in this hour. ERR_FULL: there is no room for a new visit. */
enum err visits_note(
    struct visits *t, const struct visit *v, unsigned slot, size_t place) MUST_CHECK;
/* Forget these hours (bits of their slots) and, if there is a shift, sources that it leaves
 * out. */
enum err visits_forget(struct visits *t, unsigned slots, unsigned shift) MUST_CHECK;
const struct visit *visits_find(const struct visits *t, uint64_t source, uint32_t service);
void visits_done(struct visits *t);

static inline bool sample_has(uint64_t source, unsigned shift)
{
    return !shift || source >> (64 - shift) == 0;
}

static inline uint64_t visit_sites(const struct visit *v)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < SPAN_HOURS; i++)
        all |= v->sites[i];
    return all;
}

/* --- course.c ---------------------------------------------------------------------------- */

/* What is normal for a service at this hour. */
struct normal {
    double mean;       /* networks; NAN: not known */
    double dispersion; /* variance = mean + dispersion mean^2 */
    bool blind;        /* no earlier day has this hour */
};

struct course *reach_course(const struct reach *g, uint32_t service);
/* *ret_course is NULL if there is no room. */
enum err reach_course_add(
    struct reach *g, uint32_t service, struct course **ret_course) MUST_CHECK;
/* At the hour in hand, or one of the week before it, from hours that no fewer sites watched and
 * that asked for no more of them: others tell too little, as after a site's outage, or nothing.
 */
struct normal course_normal(
    const struct reach *g, const struct course *c, unsigned level, int64_t hour);
/* The most sites that watched in an hour that recent levels come from. */
unsigned courses_most_live(const struct reach *g, int64_t hour);
/* Services that nobody reached for three days go. */
void courses_thin(struct reach *g);
/* Half as many sources count from now on. */
void courses_halve(struct reach *g);
/* Nothing is known of this hour. */
void courses_forget(struct reach *g, int64_t hour);

/* --- judge.c ----------------------------------------------------------------------------- */

/* An hour as it is judged; lists in the scratch arena. */
struct seen {
    uint32_t service;
    double networks[LEVELS];
    double brink[LEVELS]; /* that one site more would bring there */
};

struct round {
    const struct window *window;
    struct tally tally;
    uint8_t *place_of; /* window's site -> place + 1; 0: no room */
    int64_t hour;
    uint64_t live;      /* places that watched most of the span */
    struct terms terms; /* how many they are, and at how many a source must have been */
    struct seen *seen;  /* by service */
    size_t seen_count;
    double common[LEVELS]; /* now over normal, of the busy services together; 1 and more */
    size_t busy;
};

struct verdict {
    unsigned level;
    double networks, mean, dispersion, steep, log_p, score;
    bool learning;
};

enum err reach_judge(
    struct reach *g, struct round *r, struct arena *scratch, struct sink *out) MUST_CHECK;

/* --- report.c ---------------------------------------------------------------------------- */

enum err reach_report(const struct reach *g, const struct round *r, const struct course *c,
    const struct verdict *v, struct arena *scratch, struct sink *out) MUST_CHECK;

/* --- state.c ----------------------------------------------------------------------------- */

enum err reach_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err reach_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;
void reach_clear(struct reach *g);

#endif
