#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "ingest/feed.h"
#include "sim/telescope.h"

/* A demonstration: simulated telescopes with some days of history up to now, at full speed, and
 * then at the pace of the clock. */
struct demo;

struct demo_options {
    size_t sites;
    int64_t history; /* us before now */
    int64_t now;     /* where the history ends and the pace of the clock begins */
    double scale;    /* of the traffic's volume */
    uint64_t seed;
    const char *geoip; /* ranges of countries for the sources; NULL: made up */
};

enum err demo_open(
    struct demo **ret_demo, const struct demo_options *options, struct fault *f) MUST_CHECK;
void demo_close(struct demo *d);

const struct truth *demo_truth(const struct demo *d);
enum err demo_surveys(const struct demo *d, struct buf *out) MUST_CHECK;

/* The feed of one site; all feeds are closed before the demo. */
enum err demo_feed(struct demo *d, size_t site, struct feed **ret_feed) MUST_CHECK;

#endif
