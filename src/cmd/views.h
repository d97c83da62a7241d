#ifndef CMD_VIEWS_H
#define CMD_VIEWS_H

#include "api/api.h"

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

/* What is asked to go on working unless somebody says otherwise. */
#define VIEWS_USUAL "engines,alerts,countries"

/* All engines and views, for the portal's questionnaire; returns how many. */
size_t analyses_all(struct api_analysis ret_analyses[ANON_WISHES_MAX]);

#endif
