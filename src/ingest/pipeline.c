#include "ingest/pipeline.h"

#include "base/clock.h"
#include "ingest/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After a longer silence of all sites the windows in between are not shown one by one. */
enum {
    GAP_WINDOWS = 288,
    BEHIND_WINDOWS = 2 /* a live window that ended longer ago than this is not shown */
};

struct turn {
    struct window_site about;
    const struct block *const *blocks;
    size_t block_count;
    enum err err;
    struct fault fault;
};

/* A window that is closed and not yet shown. Its blocks belong to the sensors, which keep them
 * until they close the window after it. */
struct shown {
    bool waiting;
    bool live; /* a site saw it as it happened */
    int64_t start;
    struct window_site *about;   /* one a site */
    const struct block **blocks; /* all sites' together */
    size_t block_count, block_room;
};

struct pipeline {
    struct pipeline_options options;
    struct clock clock;
    struct site **sites; /* by name; owned is the list, not what is in it */
    size_t room;         /* places in the list, and in those that have one row a site */
    pthread_mutex_t lock;
    struct site **joining; /* those that were added since the last window; with the lock */
    size_t joining_count;
    struct turn *turns; /* one a site */
    size_t count;
    struct pool *pool;
    int64_t end;   /* of the last window that was closed; 0: none yet */
    int64_t start; /* of the window that is open */
    struct shown shown;
    struct window_site *silent; /* the sites in windows in which none saw anything */
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
        live += feed_may_wait(site_feed(sites[i])) && !feed_gives_packets(site_feed(sites[i]));
    return live + 1 > threads ? live + 1 : threads; /* and the caller's, for the engines */
}

enum err pipeline_new(struct pipeline **ret_pipeline, struct site **sites, size_t count,
    const struct pipeline_options *options, struct fault *f)
{
    assert(options->window > 0 && options->stop);
    size_t room = count + options->room;
    if (room < 1 || room > WINDOW_SITES_MAX)
        return fault_set(
            f, ERR_RANGE, "%zu sites; 1 to %d are allowed", count, WINDOW_SITES_MAX);
    if (count)
        qsort(sites, count, sizeof *sites, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(site_name(sites[i - 1]), site_name(sites[i])) == 0)
            return fault_set(f, ERR_EXISTS, "two sites are called %s", site_name(sites[i]));
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    *p = (struct pipeline){.options = *options,
        .clock = options->clock ? *options->clock : clock_system(),
        .room = room,
        .count = count};
    pthread_mutex_init(&p->lock, NULL);
    p->sites = calloc(room, sizeof *p->sites);
    p->joining = calloc(room, sizeof *p->joining);
    p->turns = calloc(room, sizeof *p->turns);
    p->shown.about = calloc(room, sizeof *p->shown.about);
    p->silent = calloc(room, sizeof *p->silent);
    bool got = p->sites && p->joining && p->turns && p->shown.about && p->silent;
    enum err e = got ? OK : ERR_NOMEM;
    if (!e && count)
        memcpy(p->sites, sites, count * sizeof *sites);
    size_t threads = threads_wanted(sites, count, options->threads);
    if (!e)
        e = pool_new(&p->pool, threads, room);
    for (size_t i = 0; i < count && threads > count; i++)
        site_read_ahead(sites[i]);
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
    pthread_mutex_destroy(&p->lock);
    free(p->sites);
    free(p->joining);
    free(p->turns);
    free(p->shown.about);
    free(p->shown.blocks);
    free(p->silent);
    free(p);
}

void pipeline_poke(struct pipeline *p)
{
    pool_poke(p->pool);
}

int64_t pipeline_time(const struct pipeline *p)
{
    return p->end;
}

/* False: a site elsewhere has nothing now, and its window is open. */
static bool advance_job(void *context, size_t number)
{
    struct pipeline *p = context;
    struct turn *t = &p->turns[number];
    struct site *s = p->sites[number];
    t->block_count = 0;
    const struct pipeline_events *events = &p->options.events;
    const struct site_trouble trouble = {events->trouble, events->context};
    t->err =
        site_advance(s, p->start + p->options.window, p->options.stop, &trouble, &t->fault);
    if (t->err == ERR_BUSY)
        return false;
    if (t->err == OK)
        t->err =
            site_close_window(s, p->start, &t->about, &t->blocks, &t->block_count, &t->fault);
    return true;
}

/* Take note of what the sites have closed, to be shown while they go on. */
static enum err window_gather(struct pipeline *p)
{
    struct shown *s = &p->shown;
    size_t total = 0;
    for (size_t i = 0; i < p->count; i++)
        total += p->turns[i].block_count;
    if (total > s->block_room) {
        const struct block **more = realloc(s->blocks, total * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        s->blocks = more;
        s->block_room = total;
    }
    s->block_count = 0;
    s->live = false;
    for (size_t i = 0; i < p->count; i++) {
        s->about[i] = p->turns[i].about;
        s->live |= s->about[i].watching && feed_is_live(site_feed(p->sites[i]));
        p->silent[i] = s->about[i];
        for (size_t k = 0; k < p->turns[i].block_count; k++)
            s->blocks[s->block_count++] = p->turns[i].blocks[k];
    }
    s->start = p->start;
    s->waiting = true;
    p->end = p->start + p->options.window;
    return OK;
}

static enum err window_show(struct pipeline *p, const struct window *w, struct fault *f)
{
    const struct pipeline_events *events = &p->options.events;
    const struct analysis_events heard = {
        events->context, events->alert, events->forecast, events->skipped, events->tagged};
    enum err e = OK;
    if (window_end(w) <= p->options.seen)
        return OK;
    if (p->options.analysis)
        e = analysis_step(p->options.analysis, w, p->shown.live, &heard, f);
    if (!e && events->window)
        e = events->window(events->context, w);
    return e;
}

/* Before the sites go on: what they are in the windows in which none saw anything. */
static void silence_note(struct pipeline *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->silent[i].watching = site_watches_silence(p->sites[i], p->end);
        p->silent[i].packets = 0;
        p->silent[i].lost = 0;
    }
}

/* Engines that cannot keep up with what happens leave out whole windows, never parts of one. */
static bool is_behind(const struct pipeline *p, const struct window *w)
{
    return p->shown.live &&
           clock_now(&p->clock) - window_end(w) > BEHIND_WINDOWS * p->options.window;
}

/* The window that waits, and those after it up to `until` in which no site saw anything. */
static enum err windows_show(struct pipeline *p, int64_t until, struct fault *f)
{
    if (!p->shown.waiting)
        return OK;
    int64_t length = p->options.window;
    struct window w = {
        .start = p->shown.start,
        .length = length,
        .sites = p->shown.about,
        .site_count = p->count,
        .kind = &record_contact,
        .blocks = p->shown.blocks,
        .block_count = p->shown.block_count,
    };
    p->shown.waiting = false;
    if (is_behind(p, &w)) {
        if (p->options.events.skipped)
            p->options.events.skipped(p->options.events.context, &w, NULL);
        return OK;
    }
    enum err e = window_show(p, &w, f);
    w.sites = p->silent;
    w.block_count = 0;
    if (until - window_end(&w) > GAP_WINDOWS * length)
        return e;
    for (w.start += length; w.start < until && !e; w.start += length)
        e = window_show(p, &w, f);
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

/* The window in which the sites' next packet is; ERR_NOTFOUND if there is none. */
static enum err window_next(const struct pipeline *p, int64_t *ret_start)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < p->count; i++) {
        int64_t peek = site_peek(p->sites[i]);
        next = peek < next ? peek : next;
    }
    if (next == INT64_MAX)
        return ERR_NOTFOUND;
    int64_t start = time_floor(next, p->options.window);
    /* Late frames are counted into the window that is open. */
    *ret_start = p->end && start < p->end ? p->end : start;
    return OK;
}

/* All that is on the way is shown and sent to the store; the first failure is the result. */
static enum err all_settle(struct pipeline *p, struct fault *f)
{
    struct fault other = {0};
    enum err shown = windows_show(p, p->end, f);
    enum err flushed = flush_all(p, shown ? &other : f);
    return shown ? shown : flushed;
}

static bool is_named(struct site *const *sites, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(site_name(sites[i]), name) == 0)
            return true;
    return false;
}

enum err pipeline_add(struct pipeline *p, struct site *s)
{
    pthread_mutex_lock(&p->lock);
    enum err e = p->count + p->joining_count < p->room ? OK : ERR_FULL;
    if (is_named(p->sites, p->count, site_name(s)) ||
        is_named(p->joining, p->joining_count, site_name(s)))
        e = ERR_EXISTS;
    if (!e)
        p->joining[p->joining_count++] = s;
    pthread_mutex_unlock(&p->lock);
    return e;
}

/* Sites that were added become part of the windows, once those that are closed are shown. */
static enum err sites_join(struct pipeline *p, struct fault *f)
{
    pthread_mutex_lock(&p->lock);
    bool any = p->joining_count > 0;
    pthread_mutex_unlock(&p->lock);
    enum err e = any ? windows_show(p, p->end, f) : OK;
    if (e || !any)
        return e;
    pthread_mutex_lock(&p->lock);
    memcpy(p->sites + p->count, p->joining, p->joining_count * sizeof *p->sites);
    p->count += p->joining_count;
    p->joining_count = 0;
    qsort(p->sites, p->count, sizeof *p->sites, by_name);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->count; i++) {
        p->silent[i] = (struct window_site){.kept = 1};
        snprintf(p->silent[i].name, sizeof p->silent[i].name, "%s", site_name(p->sites[i]));
    }
    return OK;
}

enum err pipeline_step(struct pipeline *p, struct fault *f)
{
    int64_t start;
    enum err e = sites_join(p, f);
    if (e)
        return e;
    e = window_next(p, &start);
    if (e) {
        enum err settled = all_settle(p, f);
        return settled ? settled : e;
    }
    p->start = start;
    silence_note(p);
    pool_start(p->pool, p->count, advance_job, p);
    enum err shown = windows_show(p, start, f);
    pool_wait(p->pool);
    if (shown)
        return shown;
    for (size_t i = 0; i < p->count && !e; i++) {
        e = p->turns[i].err;
        if (e && e != ERR_STOPPED && f)
            *f = p->turns[i].fault;
    }
    if (e == ERR_STOPPED) {
        enum err flushed = flush_all(p, f);
        return flushed ? flushed : e;
    }
    return e ? e : window_gather(p);
}

enum err pipeline_run(struct pipeline *p, struct fault *f)
{
    for (;;) {
        enum err e = pipeline_step(p, f);
        if (e)
            return e == ERR_NOTFOUND ? OK : e;
    }
}
