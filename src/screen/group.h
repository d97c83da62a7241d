#ifndef SCREEN_GROUP_H
#define SCREEN_GROUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Groups of sources that move together: that were active in the same windows of the last day,
 * whatever they sent. Two sources are near when the windows that they share are a large part of
 * the windows of either (Jaccard). Near ones are found by MinHash in bands (Broder, "On the
 * resemblance and containment of documents", SEQUENCES 1997; Indyk, Motwani, STOC 1998), each
 * pair then checked exactly, and grouped by density (Ester, Kriegel, Sander, Xu, "A
 * density-based algorithm for discovering clusters", KDD 1996: DBSCAN, but that a source is
 * dense by the networks that are near it, not by machines of one network).
 *
 * The null: every source's windows are moved in time together, by one to four hours of its own
 * either way, several times over. What groups there are then is chance, with everybody's rhythm
 * and the hours of the day as they are. Of who was first seen within the day, what came after
 * that moves within the time since: that many are new at once is no group. A group counts if it
 * has more networks than the largest of all rounds. */

enum {
    GROUP_WINDOWS = 192, /* at most */
    GROUP_WINDOWS_LEAST = 24,
    GROUP_MEMBERS_MAX = 1 << 20,
    GROUP_ROUNDS_MAX = 9999,
    GROUP_NEAR_MOST = 256 /* of those alike by one band, with which a source is compared */
};
#define GROUP_NONE UINT32_MAX

struct group_member {
    uint64_t active[GROUP_WINDOWS / 64]; /* bit k: in the k-th window before the present one */
    uint64_t network;                    /* hash of its network */
    uint32_t span; /* windows since it was seen first; 0: all that there are */
};

struct group_options {
    uint32_t windows; /* that there are; others are ignored */
    uint32_t least;   /* windows in which a source was active, for it to be looked at */
    double most;     /* and share of all windows, at most: who is always there moves with all */
    double similar;  /* Jaccard from which on two are near */
    uint32_t shared; /* windows that half of a group's members have in common, at least: one
                        that hangs together by neighbours of neighbours alone is none */
    uint32_t near;   /* other networks near a source that is dense */
    unsigned rounds; /* of the null; the level is 1 / (rounds + 1) */
    uint32_t shift;  /* windows by which they are moved in a round, at least; at most four
                        times as many */
    uint64_t seed;
};

struct group_found {
    uint32_t members, networks;
    double similar;                    /* mean Jaccard of the pairs that are near */
    uint64_t core[GROUP_WINDOWS / 64]; /* windows in which half of its members were active */
};

struct groups_result {
    uint32_t *of;             /* group of each member, or GROUP_NONE; the caller frees both */
    struct group_found *list; /* most networks first */
    size_t count;
    size_t looked_at; /* members active neither too little nor too much */
};

/* What the rounds of the null had. */
struct groups_chance {
    uint32_t networks; /* of the largest group */
    unsigned rounds;   /* that were run */
};

/**
 * All groups, also those that chance has. Members may come in any order: only the numbers of
 * groups with equally many networks depend on it. ERR_RANGE: too many members, or options out
 * of range; ERR_NOMEM.
 *
 * Cost: for 16,384 members that come ten times 6 to 7 ms; 177 bytes a member, 285 at most
 * where all of them are in groups, and for pairs that are near 128 MB at most.
 */
enum err groups_find(const struct group_member *members, size_t count,
    const struct group_options *options, struct groups_result *ret_result) MUST_CHECK;

/**
 * The largest group in rounds of the null, each of which costs what groups_find() does. Stops
 * when one has as many as `networks`: a group of that size is chance then, and if `rounds` of
 * them have none, its p-value is at most 1 / (rounds + 1).
 */
enum err groups_chance(const struct group_member *members, size_t count,
    const struct group_options *options, uint32_t networks,
    struct groups_chance *ret_chance) MUST_CHECK;

/* Without what is before the last `windows`. */
void group_member_cut(struct group_member *m, uint32_t windows);
/* Windows in which it came. */
unsigned group_windows(const uint64_t active[GROUP_WINDOWS / 64]);
/* Are there windows enough to look for groups? GROUP_WINDOWS_LEAST, and more than a source is
 * moved by at most in the null. */
bool group_windows_suffice(uint32_t windows, uint32_t shift);
/* Came it neither too seldom nor too often? */
bool group_is_looked_at(const struct group_member *m, const struct group_options *o);

static inline double group_similarity(
    const uint64_t a[GROUP_WINDOWS / 64], const uint64_t b[GROUP_WINDOWS / 64])
{
    int both = 0;
    int either = 0;
    for (unsigned i = 0; i < GROUP_WINDOWS / 64; i++) {
        both += __builtin_popcountll(a[i] & b[i]);
        either += __builtin_popcountll(a[i] | b[i]);
    }
    return either ? (double)both / either : 0.0;
}

#endif
