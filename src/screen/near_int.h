#ifndef SCREEN_NEAR_INT_H
#define SCREEN_NEAR_INT_H

#include "screen/group.h"

/* Pairs of members of different networks that came in the same windows: candidates by MinHash
 * in bands, each then checked exactly. Neighbours in its own network say nothing of a source.
 */

struct near_pair {
    uint32_t a, b; /* numbers of the members, a < b */
};

struct near; /* room for searches, and the orders of the windows */

/* Room for searches among `most` members; the seed draws the orders. ERR_NOMEM. */
enum err near_new(struct near **ret_near, size_t most, uint64_t seed) MUST_CHECK;
void near_free(struct near *n);

/**
 * Pairs with a Jaccard of `similar` or more, each once, in the order of their ends; they stay
 * until the next search. `count` is at most what there is room for. Not all pairs are found: of
 * a member GROUP_NEAR_MOST are compared in a band, and there are 2^23 pairs in all at most.
 * ERR_NOMEM.
 */
enum err near_find(struct near *n, const struct group_member *members, size_t count,
    double similar, const struct near_pair **ret_pairs, size_t *ret_count) MUST_CHECK;

#endif
