#ifndef CMD_TRIAL_H
#define CMD_TRIAL_H

#include "cmd/contest.h"
#include "sim/telescope.h"

/* One simulated run of the whole system: captures are made, replayed by this program's own
 * `replay` in a process of its own, and its alerts scored; or, with a contest, recorded for it.
 */

enum {
    TRIAL_PATH = 1200
};

struct trial {
    struct telescope_options options;
    char name[96];
    const char *keep;   /* folder that keeps what is made, in one of its own; NULL: temporary */
    const char *replay; /* more options for replay, separated by spaces; NULL: none */
    struct contest *contest;       /* borrowed; NULL: replay */
    char folder[TRIAL_PATH - 128]; /* filled in by trial_run() */
    bool made;                     /* `keep`, by trial_run() */
};

/* Run it and add its score. A temporary folder is removed in any case. */
enum err trial_run(struct trial *t, struct evaluation *ev, struct fault *f) MUST_CHECK;

#endif
