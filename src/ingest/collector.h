#ifndef INGEST_COLLECTOR_H
#define INGEST_COLLECTOR_H

#include "anon/anon.h"
#include "base/clock.h"
#include "bus/spool.h"
#include "ingest/feed.h"
#include "sensor/sensor.h"

#include <stdatomic.h>

/* The work of a site: frames are decoded and looked at, rows anonymised after the site's
 * policy, packed into parcels and put into the spool. Two threads: the caller's reads and
 * looks, one of the collector's own anonymises, packs and writes. What leaves by the spool is
 * all that leaves; sending it is another's work (bus/sender.h). */
struct collector;

struct collector_options {
    const char *site;
    struct feed *feed;                  /* taken */
    const struct sensor_shared *shared; /* borrowed, as what follows */
    struct sensor_options sensor;
    struct anon *anon; /* NULL: nothing is anonymised */
    struct spool *spool;
    int64_t batch; /* us: live packets are in the spool after this at the latest */
    bool refuse;   /* the spool refuses when it is full: captures wait for it, live
                      packets are dropped and counted */
    const atomic_bool *stop;
    const struct clock *clock; /* NULL: the system's */
    struct {
        void *context;
        /* A capture broke; the spool does not take a parcel now (f->code OK: it does again). */
        void (*trouble)(void *context, const struct fault *f);
        /* It is alive: called many times a second, for a watchdog. */
        void (*alive)(void *context);
    } events;
};

enum err collector_new(struct collector **ret_collector,
    const struct collector_options *options, struct fault *f) MUST_CHECK;
void collector_free(struct collector *c);

/* Until the captures end or `stop`. All that was read is in the spool when it returns. OK at
 * the end, ERR_STOPPED on request; else what makes going on impossible. */
enum err collector_run(struct collector *c, struct fault *f) MUST_CHECK;

struct collector_counts {
    uint64_t packets, bytes, malformed;
    uint64_t dropped_kernel, dropped_queue;
    uint64_t parcels, parcel_bytes;
    int64_t newest; /* capture time of the newest packet; 0: none yet */
    size_t queued;  /* batches that wait to be packed */
    bool live;
    bool ended;
};
/* From any thread. */
void collector_counts(struct collector *c, struct collector_counts *ret_counts);

/* Another policy from the next batch on; the old one may be freed when this returns. */
void collector_anon_set(struct collector *c, struct anon *a);

#endif
