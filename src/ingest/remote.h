#ifndef INGEST_REMOTE_H
#define INGEST_REMOTE_H

#include "bus/parcel.h"
#include "ingest/feed.h"

#include <stdatomic.h>
#include <stddef.h>

/* A site of which parcels come over the bus: what has been stored waits here until the pipeline
 * takes it, as packets that were looked at already. One thread puts, one thread (the feed's)
 * takes.
 *
 * A site with a wire is live: a window is closed when the site says that it has sent all of it,
 * or REMOTE_GRACE after its end by the hub's clock, whatever the site does. What comes later is
 * in the store, and the engines do not see it: an hour of backlog after an outage is no surge.
 * Of windows that ended before the hub began, the grace is counted from the last that came of
 * what the site had kept, or REMOTE_BACKLOG after the hub's begin.
 * A site that replays captures sets the time itself: its windows wait for it. */
struct remote;

/* What a hub had taken before it was killed comes through its remotes again, and meanwhile the
 * time is what it was then. One for all remotes of an intake, which writes it. */
struct remote_past {
    atomic_bool going;     /* more of it is to come */
    atomic_bool stuck;     /* but not before windows end of those of whom nothing has come */
    _Atomic int64_t now;   /* when what came last had come first; 0: nothing has come */
    _Atomic int64_t lived; /* how much of that time a hub was there, us */
    _Atomic int64_t born;  /* `lived` when it had not been there last */
    _Atomic int64_t
        over; /* by the hub's clock, since when there is no more; 0: never was any */
};

enum {
    REMOTE_ROWS = 1 << 19,    /* that wait, at most; more stay with the bus */
    REMOTE_ROWS_ALL = 1 << 21 /* of all sites that share a count, one parcel a site aside */
};
#define REMOTE_GRACE   (10 * INT64_C(1000000))
#define REMOTE_BACKLOG (120 * INT64_C(1000000))

struct remote_options {
    int64_t window;            /* us */
    int64_t seen;              /* end of the last window that the engines have seen; 0: none */
    const atomic_bool *stop;   /* borrowed; ends waits */
    const struct clock *clock; /* borrowed; NULL: the system's */
    atomic_size_t *rows_all;   /* that wait, of all sites; borrowed; NULL: there is but one */
    struct {
        void *context;
        void (*tell)(void *context); /* something has come; NULL: nobody wants to know */
    } news;
};

enum err remote_new(
    struct remote **ret_remote, const struct remote_options *options) MUST_CHECK;
/* After its feed has been closed. */
void remote_free(struct remote *r);

/* The feed over it; feed_close() leaves the remote as it is. */
enum err remote_feed(struct remote *r, struct feed **ret_feed) MUST_CHECK;

/* Is there room for another parcel, beside `parcels` with `rows` that are on their way here?
 * One that has more rows than there is room is let in when nothing waits. */
bool remote_has_room(struct remote *r, size_t parcels, size_t rows);

/* A parcel, which is taken. ERR_NOMEM: it stays the caller's. */
enum err remote_put(struct remote *r, struct parcel_rows *p) MUST_CHECK;

/* Part of the past; borrowed while the feed is read. */
void remote_begin_past(struct remote *r, const struct remote_past *past);
/* The past has changed. */
void remote_look_past(struct remote *r);

/* The site is alive: it replays captures, or watches a wire. */
void remote_alive(struct remote *r, bool replay);

struct remote_counts {
    uint64_t unseen;                   /* packets that came after their windows were closed */
    int64_t unseen_first, unseen_last; /* their times; 0: there are none */
    size_t waiting;
    bool heard; /* since the remote was made */
};
void remote_counts(struct remote *r, struct remote_counts *ret_counts);

#endif
