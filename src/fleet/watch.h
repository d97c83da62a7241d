#ifndef FLEET_WATCH_H
#define FLEET_WATCH_H

#include "base/clock.h"
#include "fleet/heartbeat.h"

#include <stdbool.h>
#include <stdint.h>

/* How one site is, and why: a state machine that is told of heartbeats and of the time, and
 * knows neither clock nor network. Every reason is a row with a figure, a value at which it
 * begins and a lower one at which it ends; the state is the worst of what is wrong. */

enum site_state {
    SITE_NEW, /* never heard of */
    SITE_UP,
    SITE_DEGRADED, /* works, but something needs a person */
    SITE_LATE,     /* alive, but what it sees does not arrive in time */
    SITE_DOWN,
    SITE_UNWATCHED, /* the hub was not running, or it has read its captures and is gone */
    SITE_STATES
};
const char *site_state_name(enum site_state s);
enum err site_state_parse(const char *word, enum site_state *ret_state) MUST_CHECK;

/* X(id, name, state while it holds, begins at, ends at, unit): begins when the figure is above
 * the first number, ends when it is not above the second. */
#define WATCH_REASONS(X)                                                                       \
    X(WATCH_SILENT, "silent", SITE_DOWN, 60, 0)                                                \
    X(WATCH_MISSED, "missed", SITE_LATE, 25, 0)                                                \
    X(WATCH_BEHIND, "behind", SITE_LATE, 30, 10)                                               \
    X(WATCH_QUIET, "quiet", SITE_DEGRADED, 900, 60)                                            \
    X(WATCH_OLD, "old", SITE_DEGRADED, 0, 0)                                                   \
    X(WATCH_DROPPING, "dropping", SITE_DEGRADED, 1, 0.1)                                       \
    X(WATCH_DISCARDING, "discarding", SITE_DEGRADED, 0, 0)                                     \
    X(WATCH_SPOOL, "spool", SITE_DEGRADED, 50, 40)                                             \
    X(WATCH_DISK, "disk", SITE_DEGRADED, 90, 88)                                               \
    X(WATCH_MEMORY, "memory", SITE_DEGRADED, 95, 92)                                           \
    X(WATCH_HOT, "hot", SITE_DEGRADED, 80, 75)                                                 \
    X(WATCH_SMART, "smart", SITE_DEGRADED, 0, 0)                                               \
    X(WATCH_CLOCK, "clock", SITE_DEGRADED, 1, 0.5)                                             \
    X(WATCH_SERVICE, "service", SITE_DEGRADED, 0, 0)                                           \
    X(WATCH_RESTARTS, "restarts", SITE_DEGRADED, 2, 0)                                         \
    X(WATCH_CONFIG, "config", SITE_DEGRADED, 0, 0)

enum watch_reason {
#define X(id, name, state, begins, ends) id,
    WATCH_REASONS(X)
#undef X
    WATCH_REASON_COUNT
};
const char *watch_reason_name(enum watch_reason r);

enum {
    WATCH_INTERVAL_S = 10, /* between heartbeats, unless the site says otherwise */
    WATCH_RESTARTS_KEPT = 8,
    WATCH_CLOCK_KEPT = 6,  /* heartbeats whose times are compared with the hub's clock */
    WATCH_CLOCK_LEAST = 3, /* of these before the comparison counts */
    WATCH_CLOCK_S = 5,     /* what may be the way, or a hub that is busy, is no difference */
    WATCH_CONFIG_S = 30,   /* how long a site may take to bring a document into effect */
    WATCH_SENTENCE = 240
};

struct watch {
    enum site_state state;
    int64_t
        since; /* when the state began; where silence made it: when the site was last heard */
    int64_t heard; /* when the last heartbeat came, by the hub's clock; 0: never */
    struct heartbeat last;
    double drop_percent;                   /* between the last two heartbeats */
    bool discards;                         /* the spool threw records away between them */
    int64_t restarts[WATCH_RESTARTS_KEPT]; /* when the sensor was seen restarted, newest last */
    /* "sent" less when it came, of the last heartbeats. What took its time makes it less, so
     * the greatest is the nearest to what the clocks differ by. */
    int64_t ahead[WATCH_CLOCK_KEPT];
    size_t ahead_count; /* since the sensor was started */
    int64_t kept;       /* the hub keeps packets from this time on; 0: not known */
    int64_t wanted;     /* version of the document it should have; 0: any */
    int64_t wanted_at;
    bool holds[WATCH_REASON_COUNT];
    int64_t held[WATCH_REASON_COUNT]; /* since when */
};

void watch_init(struct watch *w, int64_t now);

/* The same for a site that was known before the hub was started at `now`: it is unwatched until
 * it is heard, and down if that takes too long. */
void watch_resume(struct watch *w, int64_t now);

/* A heartbeat came at `now`. One that is older than the last heard (by "sent" of the same
 * "started") counts as a sign of life only, unless the clock there was set back. */
void watch_heartbeat(struct watch *w, const struct heartbeat *h, int64_t now);

/* The site should have this version of its document. */
void watch_wanted(struct watch *w, int64_t version, int64_t now);

/* Look at the time. True if the state is another than before. */
bool watch_look(struct watch *w, int64_t now);

/* The reason that made the state, or WATCH_REASON_COUNT when it is up or new. */
enum watch_reason watch_cause(const struct watch *w);

/* One reason told to a person, with its figure: "90.4 % of the disk are in use". */
void watch_tell(
    const struct watch *w, enum watch_reason r, int64_t now, char text[WATCH_SENTENCE]);

#endif
