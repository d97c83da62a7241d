#ifndef ENGINE_GROWTH_STEP_INT_H
#define ENGINE_GROWTH_STEP_INT_H

#include "engine/growth/growth_int.h"

/* One window on its way through the engine, in the scratch arena. */
struct round {
    const struct window *window;
    struct tally tally;
    uint16_t *place_of; /* window's site -> place + 1; 0: no room */
    uint64_t live;      /* places that watched the whole window */
    double kept[SITES_CAP];
    uint32_t *cell_of; /* group of the tally -> its cell, number + 1; 0: none */
    size_t busy;       /* cells that many sources reached in the last hour */
};

/* Count the window into cells. */
enum err round_count(struct growth *g, struct round *r, struct arena *scratch) MUST_CHECK;
/* Compare with the past, note who crosses, report what rises at enough sites. */
enum err round_judge(
    struct growth *g, struct round *r, struct arena *scratch, struct sink *out) MUST_CHECK;

#endif
