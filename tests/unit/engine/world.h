#ifndef TESTS_UNIT_ENGINE_WORLD_H
#define TESTS_UNIT_ENGINE_WORLD_H

#include "base/rng.h"
#include "record/window.h"

/* A small made-up world for engines: windows of contacts without packets. Counts are mixed
 * Poisson with a daily rhythm, a level that wanders over hours and differs from day to day, and
 * extra noise in each window; a few ports have most of the sources; nuisances come by chance.
 * Every parameter is there to be varied, so that no engine is tuned to one of them. */

enum {
    WORLD_SITES = 16,
    WORLD_EVENTS = 16,
    WORLD_PORTS = 4096,
    WORLD_BLOCKS = 64
};

struct world_event {
    uint16_t port;
    uint8_t proto;
    double hours;     /* since the start of the world */
    double first;     /* sources a window when it begins, at a site of size 1 */
    double doubling;  /* hours; 0: all at once */
    double most;      /* sources a window where it stops growing */
    double last;      /* hours that it lasts; 0: for ever */
    unsigned sites;   /* bit k: site k takes part */
    double lag;       /* hours each further site is later */
    uint16_t network; /* 0: anywhere; else all sources lie in so many /24 */
    const char *class;
    const char *country; /* NULL: any */
    bool one_target;
    bool everywhere; /* the same hosts at all sites that take part */
    unsigned every; /* windows from one time that it comes to the next; 0: it is always there */
    double hosts;   /* there are for one that is seen in a window; 0: three */
};

struct world_options {
    uint64_t seed;
    size_t sites;
    double size_spread; /* sigma of the logarithm of the sites' sizes */
    size_t ports;       /* with regular traffic */
    double busiest;     /* sources a window at the busiest port of a site of size 1 */
    double zipf;        /* the k-th port has busiest / k^zipf */
    double stray;       /* sources a window on any of the other 130,000 services */
    double amplitude;   /* of the daily rhythm, 0..1: at most */
    bool in_phase;      /* all ports have this amplitude, and are lowest at midnight */
    double noise;       /* dispersion of each window */
    double wander;      /* sigma of the logarithm of the level over hours */
    double day_to_day;  /* the same from day to day */
    double common;      /* the same, shared by all ports of a site */
    double uneven;      /* 0: hosts of a port are alike; else a few send most, the more so */
    double nuisances;   /* bursts a day and site: surveys, backscatter, wrong settings */
};

struct world_port {
    uint16_t port;
    uint8_t proto;
    double rate;
    double phase;
    double amplitude;
    double wander[WORLD_SITES];
    double day[WORLD_SITES];
};

struct world {
    struct world_options options;
    struct rng rng;
    struct world_event events[WORLD_EVENTS];
    size_t event_count;
    double size[WORLD_SITES];
    double common[WORLD_SITES];
    struct world_port ports[WORLD_PORTS];
    struct window_site sites[WORLD_SITES];
    struct block *blocks[WORLD_BLOCKS];
    size_t block_count;
    struct window window; /* the last that was made */
    uint32_t number;
};

/* Parameters that stand for a common day; change what the test is about. */
struct world_options world_usual(uint64_t seed);
struct world *world_new(const struct world_options *options);
void world_free(struct world *w);
void world_event(struct world *w, struct world_event e);

/* The next window of ten minutes; valid until the next call. The first begins on a Monday at
 * midnight. */
const struct window *world_next(struct world *w);

#endif
