#ifndef CMD_ENGINES_H
#define CMD_ENGINES_H

#include "engine/engine.h"

/* Which engines there are, and the choice and settings of those that run. */

enum {
    ENGINES_MAX = 16
};

struct engine_choice {
    const struct engine *engines[ENGINES_MAX + 1]; /* NULL at the end */
    struct conf *confs[ENGINES_MAX];               /* owned */
    size_t count;
};

/* All engines, NULL at the end. */
const struct engine *const *engines_all(void);

/**
 * Choose engines and set their options.
 *
 * @param names    "surge,growth", "all" or "none".
 * @param settings "surge.alpha=0.01", `setting_count` of them; one of an engine that was not
 *                 chosen is checked, and changes nothing.
 * @return OK; the fault names the option as a person gave it. ERR_NOTFOUND: there is no such
 *         engine, or it has no such option.
 */
enum err engines_choose(struct engine_choice *ret_choice, const char *names,
    const char *const *settings, size_t setting_count, struct fault *f) MUST_CHECK;
void engines_done(struct engine_choice *c);

/* Do windows of this length (us) fit all that were chosen? Else ERR_RANGE; the fault names
 * those that they do not fit, what these need, and what --engines may say instead. */
enum err engines_window_check(
    const struct engine_choice *c, int64_t window, struct fault *f) MUST_CHECK;

#endif
