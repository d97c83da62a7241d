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
};

struct plant {
    struct tape *tape;
    struct host_counts *counts;
    const struct plant_options *o;
    struct plant_result *result;
    struct trial *trials; /* by window */
    struct arena scratch;
    size_t done, of; /* windows shown, for progress */
};

/* Draw the trials, from window `first` on, in order of their windows. */
enum err plant_draw(struct plant *p, size_t first, struct fault *f) MUST_CHECK;
/* Fill an empty block with a crowd: `size` contacts. */
enum err plant_crowd(struct block *b, const struct window *w, const struct crowd *c) MUST_CHECK;

#endif
