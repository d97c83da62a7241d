#ifndef ENGINE_SURGE_STEP_INT_H
#define ENGINE_SURGE_STEP_INT_H

#include "engine/surge/surge_int.h"

/* One window on its way through the engine; everything here lives in the scratch arena. */

#define NO_GROUP UINT32_MAX

struct step {
    const struct window *window;
    struct tally tally;
    uint16_t *site_of;                  /* window's site -> engine's site + 1; 0: no room */
    const struct window_site **site_at; /* engine's site -> window's site; NULL: not in it */
    uint32_t *series_of;                /* group of the tally -> series + 1; 0: none */
    uint32_t *group_of;                 /* series -> group of the tally, or NO_GROUP */
    struct view (*views)[HORIZONS];     /* series -> its views */
};

/* step_count.c: count the window into rings and rates; bring forth and drop series. */
enum err step_count(struct surge *s, struct step *step, struct arena *scratch) MUST_CHECK;
/* step_compare.c: what was to be expected of every series, and what the whole site shares. */
enum err step_compare(struct surge *s, struct step *step, struct arena *scratch) MUST_CHECK;
/* step_judge.c: score, suspect, report; learn from what is normal. */
enum err step_judge(
    struct surge *s, struct step *step, struct arena *scratch, struct sink *out) MUST_CHECK;

#endif
