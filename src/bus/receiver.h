#ifndef BUS_RECEIVER_H
#define BUS_RECEIVER_H

#include "bus/bus.h"
#include "bus/envelope.h"

/* The hub's half of delivery, for one site: which entries are new, which are copies, whether
 * one is missing, and what the site is told. Entries are taken in the order of their numbers,
 * each once. Pure: no thread, no clock, no disk. */

enum {
    RECEIVER_SPOOLS = 4 /* of one site that are remembered: a site begins a new one rarely */
};

/* How far the hub is with one spool: what it keeps across restarts. */
struct position {
    uint64_t spool;
    uint64_t committed; /* in the store up to here */
    uint64_t lost;      /* entries that the site had to give up before they were sent */
};

struct receiver {
    struct position positions[RECEIVER_SPOOLS]; /* the one used last first */
    size_t count;
    uint64_t taken[RECEIVER_SPOOLS]; /* and given to the caller up to here */
    int64_t moved;                   /* when something new came last */
    int64_t asked;                   /* when the hub said last what it waits for */
    uint64_t copies, gaps, refused;
};

enum verdict_kind {
    VERDICT_NEW,  /* take it */
    VERDICT_COPY, /* it is here already: let go of it, and say how far we are */
    VERDICT_GAP,  /* one before it is missing: let go of it, and say which */
};

void receiver_init(struct receiver *r, int64_t now);

/* What was kept: before anything is received; one that is more than RECEIVER_SPOOLS is left
 * out.
 */
void receiver_restore(struct receiver *r, const struct position *p);

/* Look at an entry. One that is new counts as taken from now on; *ret_lost is how many entries
 * before it the site no longer has. */
enum verdict_kind receiver_look(
    struct receiver *r, const struct envelope *e, int64_t now, uint64_t *ret_lost);

/* The entry is in the store (or was refused for what is in it, which counts the same). */
void receiver_stored(struct receiver *r, uint64_t spool, uint64_t number);

/* Forget what was taken and not stored: it will be asked for again. */
void receiver_reset(struct receiver *r);

/* What a site says of itself: the bus has everything of this spool up to `sent`, and it knows
 * that the hub has stored everything up to `committed`. */
struct said {
    uint64_t spool, sent, committed;
};

/* The site has said so, and is always answered: after a break it waits for this word. If the
 * hub has waited for some of it for so long that it must be lost, `ret_word` asks for it again.
 * `idle`: the hub has looked at all that the bus gave it. */
void receiver_beat(struct receiver *r, const struct said *said, bool idle, int64_t now,
    struct commitment *ret_word);

/* What to tell a site after a copy or a gap; false: it was told a moment ago. */
bool receiver_word(
    struct receiver *r, uint64_t spool, bool gap, int64_t now, struct commitment *ret_word);

#endif
