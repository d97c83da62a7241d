#ifndef EVALUATE_PLANT_INT_H
#define EVALUATE_PLANT_INT_H

#include "evaluate/plant.h"

/* Where a crowd is planted. */
struct trial {
    size_t window;
    struct host_count where; /* protocol, port, site and window, as the counts know them */
    uint32_t site;           /* number in the window's sites */
    uint64_t seed;
};

/* A crowd of a trial. */
struct crowd {
    const struct trial *trial;
    uint32_t size, slots;
    size_t look; /* number of the window with it */
};

/* A byte a row of every window that is looked at: those of the tape as they are, then those of
 * each trial and cell. */
struct plant_tags {
    uint8_t **looks; /* NULL: nobody tagged it; owned */
    size_t count;
};

struct plant {
    struct tape *tape;
    struct host_counts *counts;
    const struct plant_options *o;
    struct plant_result *result;
    struct trial *trials; /* by window */
    struct arena scratch;
    struct arena shown; /* what goes with a window beside its rows */
    struct plant_tags tags;
    size_t done, of; /* windows shown, for progress */
};

enum err plant_tags_open(struct plant_tags *k, const struct plant *p) MUST_CHECK;
void plant_tags_close(struct plant_tags *k);
/* Keep what an engine has said of a window; let another see it, in memory of the arena. */
enum err plant_tags_keep(struct plant_tags *k, size_t look, const struct window *w,
    const struct tagging *tagging) MUST_CHECK;
enum err plant_tags_show(
    const struct plant_tags *k, size_t look, struct window *w, struct arena *a) MUST_CHECK;

/* Draw the trials, from window `first` on, in order of their windows. */
enum err plant_draw(struct plant *p, size_t first, struct fault *f) MUST_CHECK;
/* Fill an empty block with a crowd: `size` contacts. */
enum err plant_crowd(struct block *b, const struct window *w, const struct crowd *c) MUST_CHECK;

#endif
