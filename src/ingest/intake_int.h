#ifndef INGEST_INTAKE_INT_H
#define INGEST_INTAKE_INT_H

#include "bus/receiver.h"
#include "ingest/deltas.h"
#include "ingest/intake.h"

#include <pthread.h>

enum {
    INTAKE_HELD = 512,   /* messages of one site that wait for room among its windows */
    INTAKE_EVENTS = 256, /* that are taken from the bus in one turn */
    INTAKE_BATCH = 128,  /* messages that are stored together */
    INTAKE_ROWS = 1 << 18
};

/* A site as the intake knows it. */
struct intake_site {
    char name[BUS_SITE_MAX + 1];
    struct remote *remote;
    struct receiver receiver;
    struct intake_counts counts;
    bool moved;             /* its position is to be written */
    bool watched;           /* the bus has been told */
    int64_t refused_at;     /* since when the bus cannot receive from it; 0: it can */
    bool told;              /* that it cannot */
    struct bus_event *held; /* INTAKE_HELD of them, in a ring */
    size_t held_first, held_count;
    size_t parcels, rows; /* taken apart, and not yet with the remote */
    /* What was in the store when the intake began, and how far the logbook has been read. */
    struct {
        uint64_t spool, stored, read;
    } past[RECEIVER_SPOOLS];
    size_t past_count;
};

/* A message on its way into the store. */
struct intake_item {
    struct intake_site *site;
    struct bus_event event;
    uint64_t spool, number;
    struct bytes data; /* of the entry; the event's */
    uint64_t at;       /* in the logbook; 0: not there */
    size_t bytes;
    bool readable;           /* else it was refused, and only counts */
    struct parcel_rows rows; /* of one that is */
    size_t row_count;
    struct block *contacts;
};

/* Messages that are stored together. */
struct intake_batch {
    struct intake_item items[INTAKE_BATCH];
    size_t count, rows;
};

/* The thread that waits for the store, so that the next batch is taken apart meanwhile. */
struct intake_storer {
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct intake_batch *batch; /* to be stored; NULL: nothing is */
    bool stored;                /* it has been, with this result */
    enum err result;
    struct fault fault;
    bool ending;
    bool told; /* of the store's trouble; the thread's own */
};

/* The logbook that is being read. */
struct intake_reading {
    struct remote_past shared;  /* what remotes know of it */
    uint64_t next, last;        /* numbers: of the next message, and of the last to be read */
    uint64_t old;               /* of the last that was there when the intake began */
    struct logbook_entry entry; /* what was read and for which there was no room yet */
    bool held;                  /* there is such a one */
    int64_t time;               /* when the newest that was read had come */
    int64_t blocked;            /* steady clock: since when nothing has moved; 0: it does */
    size_t waiting;             /* rows of all sites at that time */
    struct intake_past counts;
};

struct intake {
    struct intake_options options;
    struct clock clock;
    struct intake_site *sites[INTAKE_SITES_MAX];
    size_t count;
    struct intake_batch batches[2];
    struct intake_batch *filling; /* the other one is with the storer, or empty */
    struct intake_storer storer;
    struct deltas *deltas;
    struct intake_reading reading;
    bool cut; /* what was told of the logbook last */
    bool connected;
    int64_t ticked;
    size_t watch_next; /* of the sites, the first that is looked at */
    bool waiting;      /* for the storer: sites neither come nor go meanwhile */
};

/* Take a message apart and put it into the batch (intake_take.c). True: the event is kept. */
bool intake_take(struct intake *i, struct intake_site *s, struct bus_event *e);

/* Begin and end the storer (intake_store.c). */
enum err intake_storer_begin(struct intake *i) MUST_CHECK;
void intake_storer_end(struct intake *i);

/* Hand the batch to the storer, once the one before is in the store and its sites are told. */
enum err intake_store(struct intake *i, struct fault *f) MUST_CHECK;
/* Until everything that was taken apart is in the store and told. */
enum err intake_settle(struct intake *i, struct fault *f) MUST_CHECK;
/* Let go of all that was taken apart without having noted that it is stored. */
void intake_drop(struct intake *i);

/* Begin to read the logbook; read some of it (intake_past.c). */
void intake_past_begin(struct intake *i);
void intake_past_add(struct intake *i, struct intake_site *s);
void intake_past_step(struct intake *i);
static inline bool intake_past_goes(const struct intake *i)
{
    return atomic_load(&i->reading.shared.going);
}

/* Take what the bus has, at most INTAKE_EVENTS; the first of it is waited for (intake.c). */
void intake_events(struct intake *i, int wait_ms);

struct intake_site *intake_find(const struct intake *i, const char *name);

/* Say something to a site. */
void intake_say(struct intake *i, struct intake_site *s, const struct commitment *c);

#endif
