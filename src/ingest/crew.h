#ifndef INGEST_CREW_H
#define INGEST_CREW_H

#include "engine/engine.h"

/* The engines at work: each on a thread of its own, all at the same window.
 *
 * What they find is delivered on the caller's thread, by window and then in the order of the
 * engines, so that threads change no result. A window that was recorded is looked at to the end
 * by all before the next one is shown. A live window is copied, so that an engine that needs
 * long holds up nobody: what it finds is delivered later, and from the third window on that it
 * has before it, it leaves out whole windows, which is said. */
struct crew;

enum {
    CREW_MOST = 16 /* engines */
};

struct crew_options {
    const struct engine *const *engines; /* NULL at the end; borrowed */
    const struct conf *const *confs;     /* one an engine; borrowed while the crew lives */
    int64_t window;
    size_t scratch_cap; /* bytes each engine may use for one window */
    bool alone;         /* no threads: one engine after the other on the caller's */
};

enum err crew_new(
    struct crew **ret_crew, const struct crew_options *options, struct fault *f) MUST_CHECK;
/* Waits for engines that are at work; windows that they have not begun are dropped. */
void crew_free(struct crew *c);

struct crew_show {
    bool live;
    int64_t patience; /* live: how long to wait for those that are late, us of real time */
    struct sink sink; /* findings of all windows that have been looked at by now */
    /* Live: this engine does not look at this window. May be NULL. */
    void (*skipped)(void *context, const struct window *w, const char *engine);
    /* What an engine says of the rows of the window; on the caller's thread. May be NULL. */
    enum err (*tagged)(void *context, const struct window *w, const struct tagging *tagging);
    void *context; /* of skipped() and tagged() */
};

/* Show one window. Engines that tag come first, on the caller's thread. The fault names the
 * engine that failed, and the window. */
enum err crew_show(struct crew *c, const struct window *w, const struct crew_show *how,
    struct fault *f) MUST_CHECK;

size_t crew_count(const struct crew *c);
const struct engine *crew_engine(const struct crew *c, size_t number);
/* CPU time that it has spent so far, us. */
int64_t crew_spent(struct crew *c, size_t number);
/* Its state, or NULL while it has a window before it: then there is nothing to be saved. */
struct engine_state *crew_state(struct crew *c, size_t number);

#endif
