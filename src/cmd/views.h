#ifndef CMD_VIEWS_H
#define CMD_VIEWS_H

#include "anon/propose.h"

/* What is shown and sent beside the engines' findings, and what each needs of the data that a
 * site lets out. */
struct view {
    const char *name; /* "sources" */
    const char *text; /* one sentence */
    const struct need *needs;
};

/* All views, one without a name at the end. */
extern const struct view views[];

/**
 * Engines and views by name: "surge,victims", "engines", "views" or "all".
 *
 * @param ret_wishes room for ANON_WISHES_MAX.
 * @return OK; ERR_NOTFOUND: the fault lists the names there are.
 */
enum err wishes_read(const char *names, struct anon_wish *ret_wishes, size_t *ret_count,
    struct fault *f) MUST_CHECK;

/* "the value itself, within 10s"; returns `text`. */
const char *need_format(const struct need *need, char text[128]);

#endif
