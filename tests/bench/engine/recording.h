#ifndef TESTS_BENCH_ENGINE_RECORDING_H
#define TESTS_BENCH_ENGINE_RECORDING_H

/* The windows that replay would make of captures, kept in memory, for programs that show them
 * to engines more than once; and what those programs have in common. */
#include "cmd/options.h"
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

/* --- programs ------------------------------------------------------------------------------
 */

struct bench_program {
    struct command command;
    /* Windows without captures; NULL: captures are needed. */
    enum err (*make)(struct recording *r, const struct conf *conf);
    /* What is done with each engine that was chosen. */
    enum err (*engine)(const struct recording *r, const struct setup *setup, size_t number,
        const struct conf *conf, struct fault *f);
};

static inline enum err bench_run(
    const struct bench_program *p, const struct conf *conf, struct fault *f)
{
    struct setup setup;
    struct site_list list = {0};
    const char *const *pairs;
    size_t pair_count = conf_list(conf, "site", &pairs);
    enum err e = setup_open(&setup, conf, f);
    if (e)
        return e;
    struct recording *r = calloc(1, sizeof *r);
    e = r ? site_list_pairs(&list, pairs, pair_count, f) : ERR_NOMEM;
    if (!e && pair_count)
        e = record_captures(r, &setup, &list, f);
    else if (!e)
        e = p->make ? p->make(r, conf) : fault_set(f, ERR_RANGE, "no --site NAME=FILE");
    if (!e)
        printf("%zu windows, %zu contacts: %.0f a window, %zu sites\n", r->count, r->contacts,
            (double)r->contacts / (double)r->count, r->windows[0].site_count);
    for (size_t i = 0; !e && i < setup.engines.count; i++)
        e = p->engine(r, &setup, i, conf, f);
    if (r)
        recording_done(r);
    site_list_done(&list);
    setup_close(&setup);
    return e;
}

static inline int bench_main(const struct bench_program *p, int argc, char **argv)
{
    struct conf *conf;
    struct fault f = {0};
    int operands;
    if (conf_new(&conf, p->command.items) != OK)
        return 1;
    enum err e = options_read(conf, &p->command, argc - 1, argv + 1, &operands, &f);
    if (e == ERR_STOPPED)
        options_help(stdout, &p->command);
    else if (!e)
        e = bench_run(p, conf, &f);
    if (e && e != ERR_STOPPED)
        fprintf(stderr, "%s: %s\n", p->command.name, f.text);
    conf_free(conf);
    return e && e != ERR_STOPPED;
}

#endif
