#ifndef SIM_TIMETABLE_H
#define SIM_TIMETABLE_H

#include "sim/world_int.h"

/* Hosts that a timer starts: they come at the same minute of every hour, from before the watch
 * begins to after it ends. Nobody leads them, and no count of theirs changes from day to day,
 * but from minute to minute they stand out like a crowd that acts in step. */

struct timetables;

/* Plan them by seed and write them into truth->nuisances. */
enum err timetables_open(struct timetables **ret_timetables, const struct world *w,
    uint64_t seed, struct truth *truth) MUST_CHECK;
void timetables_close(struct timetables *t);
void timetables_tick(void *timetables, const struct world *w, struct outbox *o);

#endif
