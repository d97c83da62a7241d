#ifndef INGEST_AHEAD_H
#define INGEST_AHEAD_H

#include "ingest/feed.h"
#include "sensor/sensor.h"

/* A feed of files that is read, decoded and looked at ahead of its site, on a thread of its
 * own, so that the site's thread has only to count. What comes out is what the feed would have
 * given, in the same order. */
struct ahead;

struct ahead_options {
    const struct sensor_shared *shared; /* borrowed */
    const char *site;                   /* borrowed */
    /* Called on the thread for each capture that breaks; it goes on with the others. */
    void (*trouble)(void *context, const char *site, const struct fault *f);
    void *context;
};

/* What became of frames that follow each other. */
struct ahead_run {
    const struct packet *packets;      /* borrowed until the next call, with their payload */
    const struct sensor_look *looks;   /* one a packet */
    const struct sensor_place *places; /* the same; NULL: nobody has told any */
    size_t count;
    uint32_t failed[DECODE_RESULTS]; /* frames that gave no packet, by cause */
    int64_t first, last;             /* times of the first and the last frame */
};

/* Begin to read a feed, which is borrowed and nobody else's from now on; it must be one that
 * feed_reads_files(). */
enum err ahead_new(struct ahead **ret_ahead, struct feed *feed,
    const struct ahead_options *options) MUST_CHECK;
/* Ends the thread. */
void ahead_free(struct ahead *a);

/* The next run of frames before `until`, as feed_next(): FEED_FRAMES, FEED_WINDOW or
 * FEED_ENDED. Waits until something is there. */
enum feed_state ahead_next(struct ahead *a, int64_t until, struct ahead_run *ret_run);

/* Time of the next frame, INT64_MAX if there is none. Waits until it is known. */
int64_t ahead_peek(struct ahead *a);

/* The feed's counters when the run that was given last had been read. */
void ahead_counts(const struct ahead *a, struct source_counts *ret_counts);

#endif
