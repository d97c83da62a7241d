#ifndef SCREEN_PATTERN_H
#define SCREEN_PATTERN_H

#include "engine/quiet.h"
#include "engine/tail.h"
#include "screen/profile.h"

#include <stdbool.h>

/* What many sources have in common, without labels. A source's string is the set of things that
 * it sent within the last hour. Strings that several networks share become patterns; a pattern
 * holds every string that is a part of it, as a telescope sees only some of what a source
 * sends. How often each string was seen before is kept in a table of fixed size, so that a new
 * one can be told from one that was merely rare. */

enum {
    PATTERN_KEYS = 8,     /* things; sources that sent more are broad, and have no string */
    PATTERN_NETWORKS = 3, /* that share a string in one window, for it to become a pattern */
    PATTERNS_MAX = 4096,
    PATTERN_DAY = 144,                 /* windows of ten minutes or more in a day */
    AMOUNT_PAST = 3 * PATTERN_DAY / 2, /* a day and a half */
    SEEN_SLOTS = 1 << 18
};
#define PATTERN_NONE UINT32_MAX

/* A count that is compared with itself: what is known is known in some amount. */
struct amount {
    uint32_t past[AMOUNT_PAST]; /* by window mod the windows of a day and a half */
    uint32_t seen;              /* windows so far */
    uint32_t most;              /* in any window of the day that ended half a day ago */
};

/* Count the window `now`; true if it is a surge: more than one and a half times the most of any
 * window of the day that ended half a day before, and ten. A slow growth is seen by that as
 * well: what doubles in half a day. */
bool amount_take(struct amount *a, uint32_t now, uint32_t day, uint32_t count);
/* What the window that was taken last may have without being a surge. */
double amount_usual(const struct amount *a);
/* The count `back` windows before `now`, less than a day and a half. */
static inline uint32_t amount_at(
    const struct amount *a, uint32_t now, uint32_t back, uint32_t day)
{
    return a->past[(now - back) % (day + day / 2)];
}
void amount_save(const struct amount *a, uint32_t day, struct buf *out);
bool amount_load(struct amount *a, uint32_t day, uint32_t now, struct bytes *in);

struct pattern {
    uint32_t id; /* rises; never given twice */
    uint32_t born, last;
    uint8_t key_count;
    thing_key key[PATTERN_KEYS]; /* rising */
    bool novel;                  /* born after the time of learning, and not yet a day old */
    uint8_t history;             /* bit k: a finding k windows ago */
    double rate;                 /* networks a window that were to be expected at its birth */
    double hits;                 /* and how many that is known from */
    uint64_t nets[2][2];  /* linear-counting maps of networks: this hour, the one before */
    uint32_t fired;       /* first window of a finding; 0: none yet */
    struct amount amount; /* networks */
    /* In the present window: */
    uint32_t sources, networks;
};

struct pattern_book {
    struct pattern *list; /* PATTERNS_MAX; owned */
    size_t count;
    uint32_t next_id;
    struct quiet *seen; /* SEEN_SLOTS, by hash of the string; owned */
    struct tail tail;   /* of the scores of all strings */
    uint32_t hour, day; /* windows in one */
    uint32_t learn;     /* windows until patterns are news */
    uint64_t left_out;  /* patterns that made room for others */
};

enum err patterns_init(struct pattern_book *b, int64_t window, int64_t learn) MUST_CHECK;
void patterns_done(struct pattern_book *b);

/* One active source of the window. */
struct pattern_string {
    uint64_t hash;
    uint64_t network;
    uint32_t profile;
    uint32_t pattern; /* number in the book, or PATTERN_NONE */
    uint8_t key_count;
    thing_key key[PATTERN_KEYS];
};

struct pattern_strings {
    struct pattern_string *list; /* by hash, network, profile; in the arena */
    size_t count;
    size_t groups; /* different strings */
};

/* Count the sources of a window, which profiles_take() has just taken. */
enum err patterns_take(struct pattern_book *b, const struct profiles *t,
    const struct profile_rows *rows, uint32_t now, struct arena *scratch,
    struct pattern_strings *ret_strings) MUST_CHECK;

/* How strange it is that so many networks share a novel pattern. */
struct novelty {
    double networks; /* different ones in the last one to two hours, estimated */
    double expected;
    double log10_p; /* corrected by what the scores of all strings really are */
};
void pattern_novelty(
    const struct pattern_book *b, const struct pattern *p, uint32_t now, struct novelty *ret);

void patterns_save(const struct pattern_book *b, struct buf *out);
/* Into an empty book. */
enum err patterns_load(struct pattern_book *b, const struct words *words, struct bytes *in,
    uint32_t now) MUST_CHECK;

#endif
