#ifndef TESTS_UNIT_INGEST_STAGE_H
#define TESTS_UNIT_INGEST_STAGE_H

#include "test.h"

#include "link.h"

#include "bus/sender.h"
#include "ingest/intake.h"

/* The whole way from a site's spool to the hub's store, with the real spool, sender, receiver,
 * intake and catalogue, over a link that fails as it is told to. Plays are lines of text:
 *
 *     append N        the site appends N parcels
 *     run S           S seconds pass, in steps of 100 ms
 *     site down|up    the site's link            hub down|up    the hub's
 *     wipe            the message server forgets everything it had
 *     kill site|hub   the process ends here and now, and is started again
 *     kill hub late   it ends after the store has the blocks and before it has noted that
 *     tear            kill site, in the middle of an append
 *     renew           the site has a new certificate
 *     lose|twice|swap P   of 100 messages
 *     dead S          the hub ends here and now, and is started again S seconds later
 *     expect N        parcels are in the store
 *
 * What the engines see is what the site's feed gives, window by window; a window counts once it
 * is kept, a step after it was closed. */

enum {
    STORED_MAX = 8192,
    STEP_MS = 100
};

#define STEP_US   (STEP_MS * INT64_C(1000))
#define WINDOW_US (30 * US_SECOND)

/* A window as the engines see it: the numbers of its parcels, in their order. */
struct view {
    int64_t start; /* 0: none */
    size_t first, count;
};

struct stage {
    struct link link;
    struct clock clock;
    char folder[64], catalog_path[96];
    struct fingerprints *set;
    struct parcel_writer *writer;
    /* The site. */
    struct spool *spool;
    struct sender *sender;
    int64_t spoken;
    uint64_t appended;
    /* The hub. */
    struct catalog *catalog;
    struct intake *intake;
    struct remote *remote;
    struct logbook *logbook; /* NULL in plays about the store alone */
    uint64_t logbook_cap;    /* 0: none is reached */
    struct told {
        unsigned full, mended, deaf, cut, whole, past; /* how often each was said */
        struct intake_past read;                       /* what was, the last time */
        char text[480];                                /* of what was full, or deaf */
    } told;
    char ballast[96]; /* what fills the logbook's disk; "" when nothing does */
    bool stop_when_full;
    bool full_until_heard; /* a heartbeat that comes meanwhile gives the disk room */
    atomic_bool full;      /* as far as was told */
    bool watched;          /* by engines, that is */
    struct feed *feed;
    struct view open, closed; /* the window that fills, and the one that is not kept yet */
    size_t open_seen[STORED_MAX], closed_seen[STORED_MAX];
    int64_t kept;                 /* end of the last window that is */
    uint64_t kept_in[STORED_MAX]; /* of each parcel, the start of the window in which it was */
    uint64_t last_kept;           /* parcel, in the order of the engines */
    int64_t made[STORED_MAX];     /* when each parcel was */
    atomic_bool stop;
    bool late; /* the next append to the store is the last thing that this hub does */
    char ids[2 * STORED_MAX][64];
    size_t id_count;
    uint64_t times[STORED_MAX]; /* of the one packet of each */
    size_t stored;
    size_t contacts;
};

int stage_make(void **state);
int stage_drop(void **state);
/* Both begin with nothing. */
void stage_open(struct stage *s, uint64_t seed);
void stage_close(struct stage *s);

/* One line of a play. */
void stage_play(struct stage *s, const char *line);
/* Both ends do what they do for so long, in steps. */
void stage_run(struct stage *s, int64_t ms);
/* Nothing fails any more; then everything that was appended is in the store, once, and the
 * spool may forget it. */
void stage_heal(struct stage *s, const char *what);
void stage_folder_empty(const char *folder);

/* The site (stage_site.c). Killed with `tear`: in the middle of an append. */
void stage_site_start(struct stage *s);
void stage_site_end(struct stage *s);
void stage_site_kill(struct stage *s, bool tear);
/* A new certificate is another way to the server; the spool stays open. */
void stage_site_renew(struct stage *s);
void stage_site_step(struct stage *s);
/* A parcel with one packet, whose time is the parcel's number. */
void stage_append(struct stage *s);

/* The hub (stage_hub.c). */
void stage_hub_start(struct stage *s);
void stage_hub_end(struct stage *s);
void stage_hub_kill(struct stage *s);
void stage_engines_step(struct stage *s);
/* All that was made in windows that are over. */
void stage_expect_seen(const struct stage *s, const char *what);

#endif
