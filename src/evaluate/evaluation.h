#ifndef EVALUATE_EVALUATION_H
#define EVALUATE_EVALUATION_H

#include "base/json.h"
#include "evaluate/baseline.h"
#include "evaluate/plant.h"
#include "evaluate/score.h"

/* Runs of the whole system on captures whose truth is known, scored and compared with plain
 * host counting; and what a person reads of it. */

enum {
    EVALUATION_RUNS = 256,
    EVALUATION_ALONE = 16,      /* engines that are judged alone, too */
    EVALUATION_BYTES = 64 << 20 /* longest report */
};

struct evaluation_run {
    char name[96];
    struct truth *truth; /* owned, as all below */
    struct warnings warnings;
    struct score score;
    bool compared; /* host counts were given */
    double threshold[BASELINE_RULES];
    struct warnings baseline[BASELINE_RULES];
    struct score baseline_score[BASELINE_RULES];
};

/* The engines against one opponent, over events of one kind in the same runs. */
struct duel {
    uint64_t both, ours, theirs; /* events found by both, by one only */
    struct delays lead; /* where both did: by how much the engines were first (less than zero:
                           last) */
};

struct evaluation_options {
    struct score_options score;
    enum severity least; /* alerts below it are not looked at */
    int64_t quiet;       /* of the baseline's alerts, us; 0: six hours */
};

struct evaluation {
    char name[32];       /* of the engine, if it is judged alone */
    size_t engine_count; /* that gave the alerts together; 0: not known, taken for one */
    struct evaluation_options options;
    struct evaluation_run *runs; /* owned */
    size_t run_count;
    struct summary engines;                  /* runs with events */
    struct summary shuffled;                 /* windows in which nothing happens together */
    struct summary null;                     /* runs without any */
    struct summary baseline[BASELINE_RULES]; /* runs with events and host counts */
    uint64_t compared;                       /* how many those are */
    struct summary engines_compared;         /* the engines on those same runs */
    struct duel duels[BASELINE_RULES][SUMMARY_KINDS]; /* by place in engines_compared.kinds */
    struct evaluation *alone[EVALUATION_ALONE];       /* owned */
    size_t alone_count;
    struct plant_result *planted; /* owned; NULL: nothing was planted */
};

enum err evaluation_new(
    struct evaluation **ret_evaluation, const struct evaluation_options *o) MUST_CHECK;
void evaluation_free(struct evaluation *ev);

/**
 * Score a run. A run whose truth has no event tells only of false alarms.
 *
 * @param truth    taken, also on failure.
 * @param warnings taken: emptied.
 * @param counts   NULL: no comparison. Borrowed; sorted.
 */
enum err evaluation_add(struct evaluation *ev, const char *name, struct truth *truth,
    struct warnings *warnings, struct host_counts *counts) MUST_CHECK;

/* What the engines said of windows that were shuffled: every alert is false. Both are taken. */
enum err evaluation_add_shuffled(
    struct evaluation *ev, struct truth *truth, struct warnings *warnings) MUST_CHECK;

/* The evaluation of one engine alone, made when it is first asked for; borrowed. NULL: no room
 * or no memory. */
struct evaluation *evaluation_alone(struct evaluation *ev, const char *engine);

/* Share of all events that host counts can show that were found, and of the others. */
struct tally {
    uint64_t hits, of;
};
struct tally summary_shown(const struct summary *s);
struct tally summary_hidden(const struct summary *s);

/* What an engine states of itself: at most so many alerts a day, over all sites, where nothing
 * happens together. A score is minus the logarithm of that number; a finding has 0 or more, a
 * notice 1 or more (docs/formats/alert.md). */
double evaluation_level(enum severity least);
/* The sum of those of all its engines. */
double evaluation_level_together(const struct evaluation *ev);

/* The reports: for a terminal, for programs, and a page with everything in it. */
void report_text(struct evaluation *ev, struct buf *out);
json_t *report_json(struct evaluation *ev);
void report_html(struct evaluation *ev, struct buf *out);

#endif
