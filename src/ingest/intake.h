#ifndef INGEST_INTAKE_H
#define INGEST_INTAKE_H

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/receiver.h"
#include "ingest/logbook.h"
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
 * With a logbook, what was taken is kept there, too, until the engines' kept states have seen
 * it. An intake that begins with a logbook in which there is something reads it to the remotes
 * of the sites that have been added by the end of its first step, while the store and the sites
 * go on; what comes meanwhile goes the way of the logbook, so that the order stays.
 *
 * One thread runs it, with another that waits for the store; it calls the events, and only from
 * these may the other functions be called. */
struct intake;

enum {
    INTAKE_SITES_MAX = 1024
};

/* What was read of a logbook. */
struct intake_past {
    uint64_t messages, packets;
    uint64_t passed; /* over: of sites that are no more, or not in the store yet */
    uint64_t
        damaged; /* messages, at least, that the disk did not give back; the store has them */
};

struct intake_events {
    void *context;
    /* A heartbeat came; see intake_heard(). */
    void (*beat)(void *context, const char *site, struct bytes text);
    /* About every second, and at once when the way opens or closes (`connected`); not while
     * the store or the logbook takes nothing. */
    void (*tick)(void *context, bool connected);
    /* Something of a site was refused; or, from a thread that waits for the store, it does not
     * take a block now (`site` NULL; f->code OK: it does again). */
    void (*trouble)(void *context, const char *site, const struct fault *f);
    /* For ten seconds the bus could not be made to receive from a site; said once, and tried
     * again and again. */
    void (*deaf)(void *context, const char *site, const struct fault *f);
    /* The logbook has been read to its end. */
    void (*past)(void *context, const struct intake_past *p);
    /* The logbook's cap has cost what no kept state covers, or no longer. */
    void (*cut)(void *context, bool cut);
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
    struct logbook *logbook; /* NULL: none is kept */
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
