#include "ingest/pipeline.h"

#include "base/clock.h"
#include "ingest/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After a longer silence of all sites the windows in between are not shown one by one. */
enum {
    GAP_WINDOWS = 288
};

struct turn {
    struct window_site about;
    const struct block *const *blocks;
    size_t block_count;
    enum err err;
    struct fault fault;
};

struct pipeline {
    struct pipeline_options options;
    struct site **sites;
    struct turn *turns; /* one a site */
    size_t count;
    struct pool *pool;
    int64_t end;   /* of the last window; 0: none yet */
    int64_t start; /* of the window that is open */
    struct window_site *about;
    const struct block **blocks; /* all sites' together */
    size_t block_room;
};

static int by_name(const void *a, const void *b)
{
    const struct site *const *x = a;
    const struct site *const *y = b;
    return strcmp(site_name(*x), site_name(*y));
}

static size_t threads_wanted(struct site **sites, size_t count, size_t asked)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = asked ? asked : processors > 0 ? (size_t)processors : 1;
    size_t live = 0;
    for (size_t i = 0; i < count; i++)
        live += feed_may_wait(site_feed(sites[i]));
    return live > threads ? live : threads;
}

enum err pipeline_new(struct pipeline **ret_pipeline, struct site **sites, size_t count,
    const struct pipeline_options *options, struct fault *f)
{
    assert(options->window > 0 && options->stop);
    if (count < 1 || count > WINDOW_SITES_MAX)
        return fault_set(
            f, ERR_RANGE, "%zu sites; 1 to %d are allowed", count, WINDOW_SITES_MAX);
    qsort(sites, count, sizeof *sites, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(site_name(sites[i - 1]), site_name(sites[i])) == 0)
            return fault_set(f, ERR_EXISTS, "two sites are called %s", site_name(sites[i]));
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    *p = (struct pipeline){.options = *options, .sites = sites, .count = count};
    p->turns = calloc(count, sizeof *p->turns);
    p->about = calloc(count, sizeof *p->about);
    enum err e = p->turns && p->about ? OK : ERR_NOMEM;
    if (!e)
        e = pool_new(&p->pool, threads_wanted(sites, count, options->threads));
    if (e) {
        pipeline_free(p);
        return fault_set(f, e, "%s", err_text(e));
    }
    *ret_pipeline = p;
    return OK;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    pool_free(p->pool);
    free(p->turns);
    free(p->about);
    free(p->blocks);
    free(p);
}

int64_t pipeline_time(const struct pipeline *p)
{
    return p->end;
}

static void advance_job(void *context, size_t number)
{
    struct pipeline *p = context;
    struct turn *t = &p->turns[number];
    struct site *s = p->sites[number];
    t->block_count = 0;
    t->err = site_advance(s, p->start + p->options.window, p->options.stop,
        p->options.events.trouble, p->options.events.context, &t->fault);
    if (t->err == OK)
        t->err =
            site_close_window(s, p->start, &t->about, &t->blocks, &t->block_count, &t->fault);
}

static enum err blocks_gather(struct pipeline *p, size_t *ret_count)
{
    size_t total = 0;
    for (size_t i = 0; i < p->count; i++)
        total += p->turns[i].block_count;
    if (total > p->block_room) {
        const struct block **more = realloc(p->blocks, total * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        p->blocks = more;
        p->block_room = total;
    }
    size_t at = 0;
    for (size_t i = 0; i < p->count; i++) {
        p->about[i] = p->turns[i].about;
        for (size_t k = 0; k < p->turns[i].block_count; k++)
            p->blocks[at++] = p->turns[i].blocks[k];
    }
    *ret_count = total;
    return OK;
}

static enum err window_show(
    struct pipeline *p, int64_t start, size_t block_count, struct fault *f)
{
    const struct window w = {
        .start = start,
        .length = p->options.window,
        .sites = p->about,
        .site_count = p->count,
        .kind = &record_contact,
        .blocks = p->blocks,
        .block_count = block_count,
    };
    const struct pipeline_events *events = &p->options.events;
    enum err e = OK;
    if (p->options.analysis)
        e = analysis_step(p->options.analysis, &w, events->alert, events->context, f);
    if (!e && events->window)
        e = events->window(events->context, &w);
    return e;
}

/* Windows between the last and the next in which no site saw anything. */
static enum err gap_show(struct pipeline *p, int64_t until, struct fault *f)
{
    int64_t length = p->options.window;
    if (!p->end || until - p->end > GAP_WINDOWS * length)
        return OK;
    enum err e = OK;
    for (int64_t start = p->end; start < until && !e; start += length) {
        for (size_t i = 0; i < p->count; i++) {
            p->about[i].watching = site_watching(p->sites[i], start);
            p->about[i].packets = 0;
            p->about[i].lost = 0;
        }
        e = window_show(p, start, 0, f);
    }
    return e;
}

static enum err flush_all(struct pipeline *p, struct fault *f)
{
    enum err first = OK;
    for (size_t i = 0; i < p->count; i++) {
        enum err e = site_flush(p->sites[i], f);
        if (!first)
            first = e;
    }
    return first;
}

enum err pipeline_step(struct pipeline *p, struct fault *f)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < p->count; i++) {
        int64_t peek = feed_peek(site_feed(p->sites[i]));
        next = peek < next ? peek : next;
    }
    if (next == INT64_MAX) {
        enum err e = flush_all(p, f);
        return e ? e : ERR_NOTFOUND;
    }
    int64_t start = time_floor(next, p->options.window);
    if (p->end && start < p->end)
        start = p->end; /* late frames are counted into the window that is open */
    enum err e = gap_show(p, start, f);
    if (e)
        return e;
    p->start = start;
    pool_run(p->pool, p->count, advance_job, p);
    for (size_t i = 0; i < p->count && !e; i++) {
        e = p->turns[i].err;
        if (e && e != ERR_STOPPED && f)
            *f = p->turns[i].fault;
    }
    if (e == ERR_STOPPED) {
        enum err flushed = flush_all(p, f);
        return flushed ? flushed : e;
    }
    size_t block_count = 0;
    if (!e)
        e = blocks_gather(p, &block_count);
    if (!e)
        e = window_show(p, start, block_count, f);
    if (!e)
        p->end = start + p->options.window;
    return e;
}

enum err pipeline_run(struct pipeline *p, struct fault *f)
{
    for (;;) {
        enum err e = pipeline_step(p, f);
        if (e)
            return e == ERR_NOTFOUND ? OK : e;
    }
}
