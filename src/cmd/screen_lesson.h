#ifndef CMD_SCREEN_LESSON_H
#define CMD_SCREEN_LESSON_H

#include "cmd/output.h"
#include "cmd/screen_data.h"

/* What screening rules are learned from, and tried on: the sources of captures, with what is
 * known of each. */
struct lesson {
    const struct conf *conf; /* borrowed */
    struct screen_data data;
    struct profiles profiles;
    struct learn_source *sources; /* owned */
    uint16_t *truth; /* label by source, also of those taken as unlabelled; owned */
    const char *names[LEARN_LABELS_MAX];
    uint16_t number_of[MARK_LABELS_MAX + 1]; /* of a mark's label among `names` */
    struct learn_task task;
    struct output features; /* of --features */
};

/* Read the captures and labels, and write --features if they are asked for. The truth of every
 * source is known then, but no label is given to the learner. */
enum err lesson_open(struct lesson **ret_lesson, const struct conf *conf, size_t count,
    char **operands, struct fault *f) MUST_CHECK;

/* At the end of a run that came to `run`, which is returned unless closing fails: as
 * output_close(). */
enum err lesson_close(struct lesson *l, enum err run, struct fault *f) MUST_CHECK;

/* Give the learner the labels that it may know, and hold some of them out: by --per-label,
 * --hold-out and --seed. */
void lesson_draw(struct lesson *l);

#endif
