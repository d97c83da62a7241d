#ifndef SIM_WORLD_INT_H
#define SIM_WORLD_INT_H

#include "base/clock.h"
#include "sim/place.h"
#include "sim/probe.h"
#include "sim/telescope.h"

#include <stdbool.h>

/* What every part of the traffic sees of the world, for the minute that is being made. */

enum {
    TICK = 60 * 1000000, /* us made at a time */
    PROBES_MAX = 1 << 24 /* most probes in one tick */
};

/* The IPv4 space that scanners draw from. */
#define SPACE 4294967296.0

struct world_site {
    uint32_t base; /* first address of the darknet */
    uint32_t addresses;
    double strength; /* of what reaches it now: 1 as a rule, changed by a volume step */
};

struct world {
    const struct places *places;
    struct world_site sites[TELESCOPE_SITES_MAX];
    size_t site_count;
    double addresses; /* of all sites */
    double scale;
    int64_t start, end; /* of the run: events and nuisances are placed within it */
    int64_t now;        /* start of the tick */
    double day[PLACES]; /* places_day() now */
    bool weekend;
};

/* Where probes are put; those of later ticks wait in it. Errors stick. */
struct outbox {
    struct probe *now; /* of this tick, in no order; owned */
    size_t now_count, now_room;
    struct probe *later; /* owned */
    size_t later_count, later_room;
    int64_t end; /* of the tick */
    enum err err;
};

void outbox_put(struct outbox *o, const struct probe *p);

/* Begin the tick that ends at `end`: what waited for it becomes `now`. */
void outbox_turn(struct outbox *o, int64_t end);
void outbox_done(struct outbox *o);

/* Cumulative weights of the sites, for drawing one. */
struct spread {
    double until[TELESCOPE_SITES_MAX];
    size_t count;
    double sum;
};

/* Sites by their addresses and strength, each times `bias` (NULL: 1). */
void spread_make(struct spread *s, const struct world *w, const double *bias);
uint8_t spread_pick(const struct spread *s, struct rng *r);

/* An address of a site. */
uint32_t world_target(const struct world *w, uint8_t site, struct rng *r);

/* A time within the tick. */
int64_t world_moment(const struct world *w, struct rng *r);

/* One part of the traffic: makes all its probes of the tick. Each has a stream of random
 * numbers of its own, so that leaving one out changes no other. */
struct part {
    void *state;
    void (*tick)(void *state, const struct world *w, struct outbox *o);
};

/* A gamma-distributed factor of mean 1 that changes slowly: the autoregressive gamma process
 * of first order (Gourieroux, Jasiak, "Autoregressive gamma processes", J. Forecasting 25,
 * 2006). `shape` 20 means a standard deviation of 1/sqrt(20); `memory` is the correlation
 * between steps. */
struct swing {
    double shape, memory, value;
};
void swing_start(struct swing *s, double shape, double memory, struct rng *r);
void swing_step(struct swing *s, struct rng *r);

#endif
