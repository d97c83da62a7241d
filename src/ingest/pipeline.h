#ifndef INGEST_PIPELINE_H
#define INGEST_PIPELINE_H

#include "base/clock.h"
#include "ingest/analysis.h"
#include "ingest/site.h"

#include <stdatomic.h>

/* The way of all traffic: sites advance side by side to the end of a window; then the window of
 * all sites is shown to the engines, and alerts come out. Replay, live capture and the
 * demonstration are this one loop over different feeds. */

struct pipeline_events {
    void *context;
    /* An alert is new, grew or closed. */
    enum err (*alert)(void *context, const struct alert *a);
    /* A forecast is new, was revised or settled; NULL: nobody wants to know. */
    enum err (*forecast)(void *context, const struct forecast *f);
    /* A window has been looked at; NULL: not wanted. */
    enum err (*window)(void *context, const struct window *w);
    /* Live: this engine, or if NULL all of them, is so far behind that this window is not shown
     * to it, as a whole. NULL: nobody wants to know. */
    void (*skipped)(void *context, const struct window *w, const char *engine);
    /* What screening says of the rows of a window; NULL: nobody wants to know. */
    enum err (*tagged)(void *context, const struct window *w, const struct tagging *tagging);
    /* A capture broke; from any thread. */
    void (*trouble)(void *context, const char *site, const struct fault *f);
};

struct pipeline_options {
    int64_t window; /* us */
    size_t threads; /* 0: one a processor; sites with a wire get one each, those elsewhere
                       share all of them */
    size_t room;    /* for so many sites more, by pipeline_add() */
    struct analysis *analysis; /* borrowed; NULL: no engines */
    int64_t seen; /* end of the last window that the engines have seen already: it, and those
                     before it, are not shown; 0: none */
    struct pipeline_events events;
    const atomic_bool *stop;   /* borrowed */
    const struct clock *clock; /* borrowed; NULL: the system's */
};

struct pipeline;

/* The sites are borrowed and sorted by name in place; no two may have the same name. There may
 * be none if there is room for some. */
enum err pipeline_new(struct pipeline **ret_pipeline, struct site **sites, size_t count,
    const struct pipeline_options *options, struct fault *f) MUST_CHECK;
void pipeline_free(struct pipeline *p);

/* Take in a site, borrowed, from the next window on. From any thread. ERR_FULL: no room;
 * ERR_EXISTS: there is one of this name. */
enum err pipeline_add(struct pipeline *p, struct site *s) MUST_CHECK;

/* Something has come for a site elsewhere. From any thread. */
void pipeline_poke(struct pipeline *p);

/* Run one window of the sites, and meanwhile, on the caller's thread, show the one before it to
 * the engines. ERR_NOTFOUND: all feeds have ended and every window has been shown; ERR_STOPPED:
 * stopped on request, what had been gathered is on its way to the store, and all windows that
 * the sites have closed have been shown. */
enum err pipeline_step(struct pipeline *p, struct fault *f) MUST_CHECK;

/* Until the end. OK when all feeds have ended, ERR_STOPPED on request. */
enum err pipeline_run(struct pipeline *p, struct fault *f) MUST_CHECK;

/* End of the last window that was closed; 0 before the first. After pipeline_run() it has been
 * shown. */
int64_t pipeline_time(const struct pipeline *p);

#endif
