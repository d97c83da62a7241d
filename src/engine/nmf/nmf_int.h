#ifndef ENGINE_NMF_NMF_INT_H
#define ENGINE_NMF_NMF_INT_H

#include "engine/nmf/nmf.h"
#include "engine/picture.h"
#include "engine/pulse.h"
#include "engine/tail.h"
#include "engine/tally.h"

enum {
    WINDOWS = 3, /* half an hour of 10 minutes, as published */
    SLOTS = WINDOWS * PULSE_SLOTS,
    REST = 3,        /* slots without a sign, after which a host's next sign is a new visit */
    VISITS_MAX = 12, /* a host with more is a steady one, and proves nothing */
    TIMES_MAX = 12,  /* moments of one part */
    SEEDS = 4,       /* parts beside the background */
    PASTS = 36,      /* windows whose strongest parts are remembered: six hours of 10 minutes */
    PAST_HOSTS = 64, /* of each, those with the smallest ids */
    GROUPS_MAX = 256,
    GROUP_SERVICES = 8
};

/* One host asking one service in one window. */
struct act {
    uint64_t host; /* hash of its network (host-bits) */
    uint64_t slots;
    uint32_t service;
    uint32_t wide; /* hash of its /16 or IPv6 /32 */
};

/* One window's acts, by host, then service. */
struct acts {
    uint32_t window; /* number; 0: none */
    size_t count;
    struct act *list; /* acts-max; owned */
};

/* Where the acts of a host begin. */
static inline size_t acts_of(const struct acts *a, uint64_t host)
{
    size_t low = 0;
    size_t high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->list[middle].host < host)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What was found before, by its main service: an alarm that lasts says since when. */
struct group {
    uint32_t service; /* SERVICES: no service in common */
    uint32_t fired, last;
    int64_t start;
    uint8_t history; /* bit k: a finding k windows ago */
};

/* Hosts of the strongest part of a window, whether it was worth a finding or not. */
struct past {
    uint32_t window; /* number; 0: none */
    uint16_t count;
    uint64_t host[PAST_HOSTS]; /* rising */
};

struct nmf_settings {
    unsigned prefix;
    double min_hosts;
    double port_share;
    unsigned leave_out;
    int64_t freeze;
    size_t acts_max;
};

struct nmf_state {
    struct engine_state state; /* first */
    struct nmf_settings options;
    int64_t window;
    uint32_t now;
    int64_t origin;
    struct tail tail; /* of the strongest pair of slots, as it is and with shifted hosts */
    struct acts acts[WINDOWS];
    struct past pasts[PASTS]; /* by window number */
    struct group *groups;     /* GROUPS_MAX */
    size_t group_count;
    uint64_t left_out; /* acts and groups for which there was no room */
};

static inline int64_t window_start(const struct nmf_state *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

/* --- lines.c: hosts and when their visits begin ------------------------------------------- */

struct line {
    uint64_t host;
    uint64_t starts[WINDOWS]; /* bit k of word w: a visit begins in slot k of window w, the
                                 oldest first */
    uint32_t wide;
    uint16_t visits;
};

struct lines {
    struct line *list; /* of hosts with 2 to VISITS_MAX visits; by host */
    size_t count;
    double share[SLOTS]; /* of all their visits that begin in the slot */
    double visits;
};

/* Takes the window's acts into the memory. */
enum err nmf_remember(
    struct nmf_state *s, const struct tally *t, struct arena *scratch) MUST_CHECK;
enum err nmf_lines(
    const struct nmf_state *s, struct arena *scratch, struct lines *ret_lines) MUST_CHECK;

static inline bool line_starts(const struct line *l, unsigned slot)
{
    return l->starts[slot / PULSE_SLOTS] >> (slot % PULSE_SLOTS) & 1;
}

/* --- pairs.c: slots that share too many hosts --------------------------------------------- */

/* One slot, or two that follow each other: what happens at once may fall on a border. */
struct beat {
    uint8_t slot, span;
};

struct pair {
    struct beat first, second;
    uint32_t hosts;
    double expected;
    double log10_p; /* of this pair */
};

/* Hosts that begin a visit in both slots, and how many would by chance: as many as at the same
 * distance elsewhere, by how much is going on in the two slots. */
struct pairs {
    uint32_t shared[SLOTS][SLOTS]; /* first < second */
    double expected[SLOTS][SLOTS];
    struct pair best[SEEDS]; /* strongest first, no slot twice */
    size_t best_count;
};

/* `shift` 0: the hosts as they are. Else each host's visits are moved together by a time of its
 * own, drawn by `shift`: what chance alone makes of the same hosts. */
void nmf_pairs(const struct lines *l, uint64_t shift, struct pairs *ret_pairs);

/* log10 of how many sets of so many moments there are. */
double nmf_sets_log10(size_t moments);

/* --- parts.c: the factorisation ------------------------------------------------------------
 */

/* The hosts that were factorised, those that share the seed, and how much the group's part has
 * of each. */
struct members {
    uint64_t *host; /* ids, rising; in the arena */
    double *weight; /* the largest is 1; in the arena */
    size_t count;
};

/* A part: hosts that begin visits in at least two of its moments. */
struct part {
    struct beat moment[TIMES_MAX]; /* rising */
    size_t moments;
    uint64_t *hosts; /* ids, rising; in the arena */
    size_t host_count;
    uint32_t wide;   /* different /16 among them */
    double expected; /* by chance */
    double log10_p;
    double alone;   /* -log10 p, all sets of slots considered */
    double again;   /* -log10 p of how many of its hosts were together before this half hour */
    uint32_t known; /* those hosts */
    double score;
    double weight[SLOTS]; /* its rhythm as factorised; the largest is 1 */
    struct members factorised;
};

enum err nmf_parts(const struct nmf_state *s, const struct lines *l, const struct pairs *p,
    struct arena *scratch, struct part ret_parts[SEEDS], size_t *ret_count) MUST_CHECK;

/* --- past.c: have they been together before? -----------------------------------------------
 */

/* Sets again and known. */
enum err nmf_compare(const struct nmf_state *s, const struct lines *l, struct arena *scratch,
    struct part *p) MUST_CHECK;
void nmf_keep(struct nmf_state *s, const struct part *p);

/* --- picture.c: the part's hosts by port and by moment ------------------------------------ */

/* What the hosts of a part ask for in its slots. */
struct claim {
    uint32_t service[GROUP_SERVICES]; /* most hosts first */
    uint32_t hosts[GROUP_SERVICES];
    size_t count;
};

enum err nmf_picture(const struct nmf_state *s, const struct lines *l, const struct part *p,
    const struct claim *c, struct arena *scratch, struct picture *ret_picture) MUST_CHECK;

/* --- report.c ------------------------------------------------------------------------------
 */

/* A part that is to be told. */
struct verdict {
    const struct part *part;
    struct claim claim;
    const struct group *group;
};

/* What the window shows. */
struct scene {
    const struct tally *tally;
    struct lines lines;
};

void nmf_claim(const struct nmf_state *s, const struct part *p, struct claim *ret_claim);
enum err nmf_report(const struct nmf_state *s, const struct scene *scene,
    const struct verdict *v, struct arena *scratch, struct sink *out) MUST_CHECK;

/* --- state.c, nmf.c ------------------------------------------------------------------------
 */

enum err nmf_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err nmf_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;
enum err nmf_step(struct engine_state *st, const struct window *w, struct arena *scratch,
    struct sink *out) MUST_CHECK;
enum err nmf_room(struct nmf_state *s) MUST_CHECK;
void nmf_clear(struct nmf_state *s);

#endif
