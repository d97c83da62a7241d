#ifndef INGEST_INTAKE_H
#define INGEST_INTAKE_H

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/receiver.h"
#include "ingest/remote.h"
#include "store/catalog_remote.h"
#include "store/store.h"

#include <stdatomic.h>

/* The hub's end of the bus: messages of sites are looked at as hostile, their packets and the
 * contacts made of them go into the store, then to the site's remote for the engines, and only
 * then the site is told that it may forget them. What comes twice is stored once: by its
 * number, and, should the hub fail between storing and noting the number, by the id that the
 * store keeps.
 *
 * One thread runs it, with another that waits for the store; it calls the events, and only from
 * these may the other functions be called. */
struct intake;

enum {
    INTAKE_SITES_MAX = 1024
};

struct intake_events {
    void *context;
    /* A heartbeat came; see intake_heard(). */
    void (*beat)(void *context, const char *site, struct bytes text);
    /* About every second, and at once when the way opens or closes (`connected`). */
    void (*tick)(void *context, bool connected);
    /* Something of a site was refused; or, from a thread that waits for the store, it does not
     * take a block now (`site` NULL; f->code OK: it does again). */
    void (*trouble)(void *context, const char *site, const struct fault *f);
};

struct intake_options {
    struct bus *bus; /* borrowed, as all of these */
    /* The store: store_append_all(), or what a test puts there. Called on a thread of the
     * intake's own, while the next messages are taken apart, and never after intake_step() has
     * returned. */
    enum err (*append)(
        void *store, const struct store_block *blocks, size_t count, struct fault *f);
    void *store;
    struct catalog *catalog;
    const struct fingerprints *set;
    int64_t window;
    const atomic_bool *stop;
    const struct clock *clock; /* NULL: the system's */
    struct intake_events events;
};

enum err intake_new(struct intake **ret_intake, const struct intake_options *options,
    struct fault *f) MUST_CHECK;
void intake_free(struct intake *i);

/* Until `stop`, or until something cannot mend: ERR_IO of the store or the catalogue. */
enum err intake_run(struct intake *i, struct fault *f) MUST_CHECK;
/* One turn of it: wait at most `wait_ms` for something, and do what there is to do. */
enum err intake_step(struct intake *i, int wait_ms, struct fault *f) MUST_CHECK;

/* Receive from a site; `remote` is borrowed. ERR_EXISTS: it is there. */
enum err intake_add(
    struct intake *i, const char *site, struct remote *remote, struct fault *f) MUST_CHECK;
/* No longer. What it sent before stays. */
void intake_remove(struct intake *i, const char *site);

/* What a site's heartbeat says of its spool. */
void intake_heard(struct intake *i, const char *site, const struct said *said, bool replay);

struct intake_counts {
    uint64_t messages, packets, bytes; /* stored */
    uint64_t copies, gaps, refused, lost;
};
/* Of one site, or, with NULL, of all. */
void intake_counts(struct intake *i, const char *site, struct intake_counts *ret_counts);

#endif
