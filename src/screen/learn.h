#ifndef SCREEN_LEARN_H
#define SCREEN_LEARN_H

#include "screen/rule.h"

/* From few labelled sources and many unlabelled ones to an ordered list of rules.
 *
 * First the labels spread: sources are tied by what they have in common (things, windows,
 * tools, numbers in broad classes), and each such trait passes on the labels of those that have
 * it, the more the purer it is; after Zhu, Ghahramani, "Learning from labeled and unlabeled
 * data with label propagation", CMU-CALD-02-107, 2002, on the bipartite graph of sources and
 * traits, which takes time linear in its edges. A source takes a label over if it is as sure as
 * those labelled sources are of which `confidence` are right when each is judged by the others
 * alone.
 *
 * Then rules are grown greedily, one after the other, for the class that has the best one, by
 * gain of information (Quinlan, "Learning logical definitions from relations", Machine Learning
 * 5, 1990), until none is precise enough; what a rule fits is taken out before the next, so
 * that the list is ordered. Deterministic. */

enum {
    LEARN_LABELS_MAX = 64,
    LEARN_SOURCES_MAX = 200000,
    LEARN_UNKNOWN = 0xffff
};

struct learn_source {
    uint32_t profile; /* number */
    uint16_t label;   /* LEARN_UNKNOWN: unlabelled */
    bool held_out;    /* its label is kept back, to try the rules on */
};

struct learn_options {
    double confidence;   /* of labels that are taken over, and least precision of a rule */
    unsigned conditions; /* of one rule, at most */
    uint32_t support;    /* sources that a rule fits, at least */
    bool tools;          /* rules may name the tools that signatures name */
};

struct learn_task {
    const struct profiles *profiles;
    uint32_t now;
    const struct learn_source *sources;
    size_t source_count;
    const char *const *labels; /* their names: words */
    size_t label_count;
    struct learn_options options;
};

/* What came of it. */
struct learn_result {
    size_t taken_over; /* unlabelled sources that took over a label */
    double sure;       /* how sure they had to be, 0..1 */
    uint16_t *spread;  /* label by source, LEARN_UNKNOWN where unsure; the caller frees it */
};

/**
 * Append rules for all labels; name, label, conditions, support and held_out are set.
 *
 * @return OK; ERR_RANGE: more labels or sources than allowed, or no labelled source; ERR_NOMEM.
 * Cost: for 20,000 sources and 15 labels about 2 s.
 */
enum err learn_rules(const struct learn_task *task, struct rules *ret_rules,
    struct learn_result *ret_result, struct fault *f) MUST_CHECK;

/* How rules do on labelled sources: the first rule that fits gives the label. */
struct learn_score {
    double precision[LEARN_LABELS_MAX], recall[LEARN_LABELS_MAX], f1[LEARN_LABELS_MAX];
    size_t sources[LEARN_LABELS_MAX]; /* with the label */
    double macro_f1;                  /* mean of f1 over labels with sources */
    double accuracy;                  /* share of all that got their label */
};
/* Over the sources with a label, or of those only the ones held out. */
enum err learn_score(const struct learn_task *task, const struct rules *rules,
    bool held_out_only, struct learn_score *ret_score) MUST_CHECK;

/* How many sources each rule is the first to fit; ret_counts has room for one more than there
 * are rules, for those that none fits. */
enum err learn_count(
    const struct learn_task *task, const struct rules *rules, size_t *ret_counts) MUST_CHECK;

#endif
