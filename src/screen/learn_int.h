#ifndef SCREEN_LEARN_INT_H
#define SCREEN_LEARN_INT_H

#include "screen/learn.h"

/* Sources as learning sees them, made once. */
struct learn_sample {
    struct suspect suspect;
    uint16_t label; /* known to the learner: not of those held out */
};

/* Traits in a list of edges: sample i has traits [first[i], first[i + 1]). */
struct learn_traits {
    uint32_t *first; /* count + 1; owned */
    uint32_t *trait; /* owned */
    float *weight;   /* of each edge: the things of a source share one vote; owned */
    size_t trait_count, edge_count;
};

enum err learn_traits_make(const struct learn_sample *samples, size_t count,
    struct learn_traits *ret_traits) MUST_CHECK;
void learn_traits_done(struct learn_traits *t);

/* Spread the labels; ret_label has room for `count`. */
enum err learn_spread(const struct learn_sample *samples, size_t count, size_t labels,
    double confidence, uint16_t *ret_label, double *ret_sure) MUST_CHECK;

/* Grow rules from sources with (known or taken over) labels; LEARN_UNKNOWN are left out. */
enum err learn_grow(const struct learn_task *task, const struct learn_sample *samples,
    size_t count, const uint16_t *label, struct rules *ret_rules) MUST_CHECK;

#endif
