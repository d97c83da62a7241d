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

/* What is collected and how it is hidden, where that may change while packets come. A batch is
 * made by one set of rules from its first packet to its anonymisation. */
struct collector_rules {
    void *context; /* of the two questions; from the thread that captures */
    bool (*frame_passes)(void *context, const struct frame *frame);
    bool (*source_passes)(void *context, const struct ip *source);
    size_t payload;    /* bytes of each payload that are kept */
    int64_t batch;     /* as collector_options has it */
    struct anon *anon; /* NULL: nothing is anonymised */
};

/* Who makes the rules. `take` gives those in effect from here on, `drop` gives them back, from
 * either thread, once; both are NULL where the options hold for ever. */
struct collector_ruler {
    void *context;
    bool (*news)(void *context); /* are there others than those taken last? */
    const struct collector_rules *(*take)(void *context);
    void (*drop)(void *context, const struct collector_rules *rules);
};

/* Captures of which an earlier run has sent a part. Their frames come in the same order again:
 * the first `frames` of them are looked at, so that the sensor knows what it knew, and not
 * sent.
 */
struct collector_past {
    uint64_t frames;
    void *context;
    /* Entry `number` of the spool is about to be written: when it is there, so many frames in
     * all are in the spool or went before it. On the packing thread; NULL: nobody asks. */
    enum err (*note)(void *context, uint64_t number, uint64_t frames, struct fault *f);
};

struct collector_options {
    const char *site;
    struct feed *feed;                  /* taken */
    const struct sensor_shared *shared; /* borrowed, as what follows */
    struct sensor_options sensor;
    struct anon *anon; /* NULL: nothing is anonymised */
    struct spool *spool;
    int64_t batch; /* us: live packets are in the spool after this at the latest */
    struct collector_ruler ruler; /* instead of anon, batch and the sensor's payload */
    bool refuse; /* packets for which the spool has no room are dropped and counted; else
                    they wait for it */
    struct collector_past past;
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

#endif
