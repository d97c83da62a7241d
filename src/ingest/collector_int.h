#ifndef INGEST_COLLECTOR_INT_H
#define INGEST_COLLECTOR_INT_H

#include "bus/parcel.h"
#include "ingest/collector.h"

#include <pthread.h>

enum {
    BATCHES = 4,
    GROUP_MOST = 240,                          /* packets that the sensor takes together */
    BATCH_PAYLOAD = PARCEL_PAYLOAD - 512 * 256 /* a batch goes when it has so much */
};

/* Packets on their way into a parcel. */
struct batch_rows {
    struct block *packets;
    struct sensor_look looks[PARCEL_ROWS];
    uint16_t icmp_seq[PARCEL_ROWS];
    struct parcel_account account;
    uint64_t frames;                     /* of the feed, up to its last row */
    const struct collector_rules *rules; /* that it is made by; NULL: the options' */
};

struct collector {
    struct collector_options options;
    struct clock clock;
    struct sensor *sensor;
    /* Between the threads: a ring; those in it from `first` on wait to be packed. */
    struct batch_rows *batches[BATCHES];
    size_t first, count;
    bool ending;
    enum err failed;
    struct fault fault;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool threaded;
    /* The packing thread's. */
    struct parcel_writer *writer;
    struct buf parcel;
    bool told;
    bool gave_up; /* it was stopped while the spool had no room */
    /* The caller's. */
    struct batch_rows *filling; /* NULL: the next one has not been taken yet */
    struct packet group[GROUP_MOST];
    int64_t batch_since;  /* wall clock at the first row of the batch; 0: none */
    int64_t window_start; /* of the window that is open; INT64_MIN: none */
    struct source_counts source;
    uint64_t frames;       /* that were taken from the feed */
    uint64_t told_dropped; /* packets dropped here, as far as parcels have told */
    uint32_t failed_frames[DECODE_RESULTS];
    int64_t newest_taken;
    struct collector_counts counts; /* with the lock */
};

/* Pack what comes, until the end (collector_pack.c). */
void *collector_pack(void *context);

#endif
