#ifndef INGEST_ANALYSIS_H
#define INGEST_ANALYSIS_H

#include "alert/lead.h"
#include "engine/engine.h"

/* The engines that look at closed windows, what joins their findings over time and sites, and
 * the book in which they become alerts. */
struct analysis;

struct analysis_options {
    const struct engine *const *engines; /* NULL at the end; borrowed */
    const struct conf *const *confs;     /* one an engine; borrowed while the analysis lives */
    int64_t window;
    struct alert_options alerts;
    struct lead_options lead;
    size_t scratch_cap; /* bytes an engine may use for one window; 0: 512 MiB */
    bool alone;         /* no threads of its own */
    int64_t
        patience; /* us that a live window waits for late engines; 0: a quarter of a window */
};

enum err analysis_new(struct analysis **ret_analysis, const struct analysis_options *options,
    struct fault *f) MUST_CHECK;
void analysis_free(struct analysis *a);

/* Who hears of it; NULL: nobody. */
struct analysis_events {
    void *context;
    /* An alert is new, grew or closed. */
    enum err (*alert)(void *context, const struct alert *a);
    /* A forecast is new, was revised or settled; after the alerts of the window. */
    enum err (*forecast)(void *context, const struct forecast *f);
    /* Live: this engine is so far behind that it leaves out this window. */
    void (*skipped)(void *context, const struct window *w, const char *engine);
    /* What screening says of the rows of the window. */
    enum err (*tagged)(void *context, const struct window *w, const struct tagging *tagging);
};

/* Show one window to the engines, side by side (ingest/crew.h), then turn the book. A recorded
 * window is finished by all; of a live one, what an engine finds late goes into the book with a
 * later window. */
enum err analysis_step(struct analysis *a, const struct window *w, bool live,
    const struct analysis_events *events, struct fault *f) MUST_CHECK;

/* What a restart needs, part by part: "surge", "growth", ..., "lead", and "alerts" for the
 * book. */
size_t analysis_parts(const struct analysis *a);
const char *analysis_part_name(const struct analysis *a, size_t part);
/* Has it seen all that was shown? Else there is no state to be saved now: after a restart it
 * goes on from the last that was, with a gap. */
bool analysis_is_settled(const struct analysis *a, size_t part);
/* Of a settled part. */
enum err analysis_save(const struct analysis *a, size_t part, struct buf *out) MUST_CHECK;
enum err analysis_load(
    struct analysis *a, size_t part, struct bytes saved, struct fault *f) MUST_CHECK;

/* CPU time spent in each part so far, us. */
int64_t analysis_spent(const struct analysis *a, size_t part);

#endif
