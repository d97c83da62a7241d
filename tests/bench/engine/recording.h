#ifndef TESTS_BENCH_ENGINE_RECORDING_H
#define TESTS_BENCH_ENGINE_RECORDING_H

/* The windows that replay would make of captures, kept in memory, for programs that show them
 * to engines more than once. */
#include "cmd/setup.h"
#include "cmd/site_list.h"
#include "ingest/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOWS_MAX = 8192
};

/* All windows, with blocks of their own. */
struct recording {
    struct window windows[WINDOWS_MAX];
    size_t count;
    size_t contacts;
};

static inline enum err keep_window(void *context, const struct window *w)
{
    struct recording *r = context;
    if (r->count == WINDOWS_MAX)
        return ERR_FULL;
    for (size_t i = 0; i < w->block_count; i++)
        r->contacts += w->blocks[i]->rows;
    enum err e = window_copy(&r->windows[r->count], w);
    r->count += !e;
    return e;
}

static inline void recording_done(struct recording *r)
{
    for (size_t i = 0; i < r->count; i++)
        window_done(&r->windows[i]);
    free(r);
}

static inline void trouble(void *context, const char *site, const struct fault *f)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", site, f->text);
}

/* --- captures ------------------------------------------------------------------------------
 */

static inline enum err site_make(struct site **ret_site, const struct setup *setup,
    const struct site_captures *captures, size_t sites, struct fault *f)
{
    struct site_options options = {.shared = &setup->shared};
    struct feed *feed;
    enum err e = setup_sensor_options(setup, captures->name, sites, &options.sensor, f);
    if (!e)
        e = feed_open_files(&feed, captures->paths, captures->count, f);
    if (e)
        return e;
    e = site_new(ret_site, captures->name, feed, &options);
    if (e)
        feed_close(feed);
    return e;
}

static inline enum err record_captures(struct recording *r, const struct setup *setup,
    const struct site_list *list, struct fault *f)
{
    atomic_bool stop = false;
    struct pipeline *pipeline = NULL;
    size_t count = 0;
    enum err e = OK;
    struct site **sites = calloc(list->count, sizeof *sites);
    if (!sites)
        return fault_set(f, ERR_NOMEM, "out of memory");
    while (!e && count < list->count) {
        e = site_make(&sites[count], setup, &list->sites[count], list->count, f);
        count += !e;
    }
    struct pipeline_options options = {.window = setup->window,
        .stop = &stop,
        .events = {.context = r, .window = keep_window, .trouble = trouble}};
    if (!e)
        e = pipeline_new(&pipeline, sites, count, &options, f);
    if (!e)
        e = pipeline_run(pipeline, f);
    pipeline_free(pipeline);
    for (size_t i = 0; i < count; i++)
        site_free(sites[i]);
    free(sites);
    return e;
}

#endif
