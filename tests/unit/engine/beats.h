#ifndef TESTS_UNIT_ENGINE_BEATS_H
#define TESTS_UNIT_ENGINE_BEATS_H

#include "base/rng.h"
#include "record/window.h"

/* A made-up world in which it matters when, within a window, a source acts. The background acts
 * at random times: brief sources, some that come again after seconds, scanners that are always
 * there; all follow the activity of their site, which changes within the window. A group acts
 * in the same slots; shuffled, its hosts act as often, but each at times of its own. */

enum {
    BEATS_SITES = 8,
    BEATS_PORTS = 400,
    BEATS_EVENTS = 4,
    BEATS_HOSTS = 1024
};

struct beats_event {
    uint16_t ports[4];
    unsigned port_count;
    uint8_t proto;
    unsigned hosts; /* in the group */
    unsigned first; /* window */
    unsigned last;  /* window; 0: for ever */
    unsigned every; /* windows from one time to the next; 0: each */
    unsigned slots; /* shared in such a window; 0: one */
    double visits;  /* chance that a host comes to a site in a slot; 0: 0.1 */
    bool any_port;  /* each host has a port of its own */
    bool shuffled;  /* no host knows of the others */
    bool crowded;   /* each comes in one window of eight, chosen by itself, and not in others */
    bool one_target;
    bool one_network; /* all in one /16 */
};

struct beats_options {
    uint64_t seed;
    size_t sites;
    size_t ports;
    double busiest; /* sources a window and site of the busiest port; the k-th has 1 / k^0.9 */
    double stray;   /* sources a window and site on ports that nobody else asks */
    double unrest;  /* how much a site's activity changes within the window, 0..1 */
    bool outage;    /* one site is dark for half of every window */
};

struct beats {
    struct beats_options options;
    struct rng rng;
    struct beats_event events[BEATS_EVENTS];
    uint32_t hosts[BEATS_EVENTS][BEATS_HOSTS];
    size_t event_count;
    struct window_site sites[BEATS_SITES];
    struct block *block;
    const struct block *blocks[1];
    struct window window;
    unsigned number; /* of the next window */
};

struct beats_options beats_usual(uint64_t seed);
struct beats *beats_new(const struct beats_options *options);
void beats_free(struct beats *b);
void beats_event(struct beats *b, struct beats_event e);

/* The next window of ten minutes; valid until the next call. */
const struct window *beats_next(struct beats *b);

#endif
