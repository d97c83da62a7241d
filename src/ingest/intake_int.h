#ifndef INGEST_INTAKE_INT_H
#define INGEST_INTAKE_INT_H

#include "bus/receiver.h"
#include "ingest/deltas.h"
#include "ingest/intake.h"

enum {
    INTAKE_HELD = 512, /* messages of one site that wait for room among its windows */
    INTAKE_BATCH = 32, /* messages that are stored together */
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
    struct bus_event *held; /* INTAKE_HELD of them, in a ring */
    size_t held_first, held_count;
};

/* A message on its way into the store. */
struct intake_item {
    struct intake_site *site;
    struct bus_event event;
    uint64_t spool, number;
    size_t bytes;
    struct parcel_rows rows; /* packets NULL: it was refused, and only counts */
    struct block *contacts;
};

struct intake {
    struct intake_options options;
    struct clock clock;
    struct intake_site *sites[INTAKE_SITES_MAX];
    size_t count;
    struct intake_item items[INTAKE_BATCH];
    size_t item_count, item_rows;
    struct deltas *deltas;
    bool connected;
    bool told; /* of the store's trouble */
    int64_t ticked;
};

/* Take a message apart and put it among the items (intake_take.c). True: the event is kept. */
bool intake_take(struct intake *i, struct intake_site *s, struct bus_event *e);

/* Store the items, hand them on and tell the sites (intake_store.c). */
enum err intake_store(struct intake *i, struct fault *f) MUST_CHECK;
void intake_drop(struct intake *i);

/* Say something to a site. */
void intake_say(struct intake *i, struct intake_site *s, const struct commitment *c);

#endif
