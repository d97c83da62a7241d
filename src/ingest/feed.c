#include "ingest/feed.h"

#include "base/clock.h"
#include "ingest/capture_list.h"
#include "ingest/misdated.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FEED_BATCH = 512,
    FEED_WAIT_MS = 200
};

/* One capture of a site. A regular file is closed again after a look at its first frame, until
 * the time of that frame comes. */
struct capture {
    char *path;
    struct source *source; /* NULL: not open */
    struct frame *frames;  /* while open: room for FEED_BATCH and MISDATED_MOST */
    struct misdated misdated;
    size_t at, count;
    int64_t first; /* time of the next frame; INT64_MAX when it has ended */
    bool ended;
    bool regular;        /* a file, not a pipe */
    struct fault broken; /* before its first frame; told once */
    uint64_t size;
    struct source_counts counts; /* at its close */
};

struct feed {
    struct capture *captures; /* sorted by first */
    size_t capture_count;
    struct source *live;
    struct frame *live_frames;
    size_t live_at, live_count;
    int64_t grace;
    struct feed_maker maker;
};

/* ---- one capture ---- */

static void capture_counts(const struct capture *c, struct source_counts *ret_counts)
{
    *ret_counts = c->counts;
    if (c->source) {
        source_counts(c->source, ret_counts);
        ret_counts->misdated = c->misdated.mended;
    }
}

static void capture_shut(struct capture *c)
{
    capture_counts(c, &c->counts);
    if (c->source)
        source_close(c->source);
    misdated_done(&c->misdated);
    free(c->frames);
    c->source = NULL;
    c->frames = NULL;
    c->at = c->count = 0;
}

static void capture_end(struct capture *c)
{
    capture_shut(c);
    c->ended = true;
    c->first = INT64_MAX;
}

static enum err capture_fill(struct capture *c, struct fault *f)
{
    struct misdated *m = &c->misdated;
    c->at = c->count = 0;
    while (!c->count) {
        size_t held = m->held_count;
        size_t fresh = 0;
        memcpy(c->frames, m->held, held * sizeof *c->frames);
        enum err e = source_next(c->source, c->frames + held, FEED_BATCH, 0, &fresh, f);
        if (e || !fresh)
            fresh = 0;
        if (!held && !fresh) {
            capture_end(c);
            return e == ERR_NOTFOUND ? OK : e;
        }
        e = misdated_mend(m, c->frames, held + fresh, fresh == 0, &c->count);
        if (e)
            return fault_set(f, e, "%s: out of memory", c->path);
    }
    c->first = c->frames[0].ts;
    return OK;
}

static enum err capture_open(struct capture *c, struct fault *f)
{
    enum err e = source_open_file(&c->source, c->path, f);
    if (e) {
        capture_end(c);
        return e;
    }
    c->frames = malloc((FEED_BATCH + MISDATED_MOST) * sizeof *c->frames);
    misdated_init(&c->misdated);
    if (!c->frames) {
        capture_end(c);
        return fault_set(f, ERR_NOMEM, "%s: out of memory", c->path);
    }
    return capture_fill(c, f);
}

/* Learn the time of the first frame. A capture that breaks before it, or is none, is told when
 * the feed is read, so that one such file of many stops nobody; what cannot be opened is told
 * at once. */
static enum err capture_look(struct capture *c, struct fault *f)
{
    struct stat st = {0};
    struct fault broken = {0};
    c->regular = strcmp(c->path, "-") != 0 && stat(c->path, &st) == 0 && S_ISREG(st.st_mode);
    enum err e = capture_open(c, &broken);
    if (e == ERR_SHORT || e == ERR_BAD) {
        c->broken = broken;
        return OK;
    }
    if (e) {
        if (f)
            *f = broken;
        return e;
    }
    if (!c->regular || c->ended)
        return OK;
    c->size = (uint64_t)st.st_size;
    int64_t first = c->first;
    capture_shut(c);
    c->counts = (struct source_counts){0};
    c->first = first;
    return OK;
}

static int by_first(const void *a, const void *b)
{
    const struct capture *x = a;
    const struct capture *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* ---- the list of captures ---- */

/* The paths become the captures'. */
static enum err captures_make(struct feed *d, struct capture_list *l, struct fault *f)
{
    d->captures = calloc(l->count + 1, sizeof *d->captures);
    if (!d->captures)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < l->count; i++) {
        d->captures[d->capture_count++].path = l->paths[i];
        l->paths[i] = NULL;
    }
    return OK;
}

enum err feed_open_files(
    struct feed **ret_feed, const char *const *paths, size_t count, struct fault *f)
{
    struct feed *d = calloc(1, sizeof *d);
    if (!d)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct capture_list list = {0};
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++)
        e = capture_list_add(&list, paths[i], f);
    if (!e)
        e = captures_make(d, &list, f);
    capture_list_done(&list);
    for (size_t i = 0; i < d->capture_count && !e; i++)
        e = capture_look(&d->captures[i], f);
    if (e) {
        feed_close(d);
        return e;
    }
    bool any = d->capture_count == 0;
    for (size_t i = 0; i < d->capture_count; i++)
        any = any || !d->captures[i].broken.code;
    if (!any) {
        if (f)
            *f = d->captures[0].broken;
        e = d->captures[0].broken.code;
        feed_close(d);
        return e;
    }
    if (d->capture_count)
        qsort(d->captures, d->capture_count, sizeof *d->captures, by_first);
    *ret_feed = d;
    return OK;
}

/* The capture with the earliest frame, and the time at which another one must take over. */
static struct capture *earliest(struct feed *d, int64_t *ret_other)
{
    struct capture *best = NULL;
    int64_t other = INT64_MAX;
    for (size_t i = 0; i < d->capture_count; i++) {
        struct capture *c = &d->captures[i];
        if (c->ended)
            continue;
        if (!best || c->first < best->first) {
            if (best && best->first < other)
                other = best->first;
            best = c;
        } else if (c->first < other)
            other = c->first;
    }
    *ret_other = other;
    return best;
}

/* Frames of a run: up to the first that is not before `until`, or is after another capture's
 * next. */
static size_t run_length(const struct capture *c, int64_t until, int64_t other)
{
    size_t i = c->at;
    while (i < c->count && c->frames[i].ts < until && c->frames[i].ts <= other)
        i++;
    return i - c->at;
}

static enum err files_next(struct feed *d, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    for (size_t i = 0; i < d->capture_count; i++)
        if (d->captures[i].broken.code) {
            enum err e = d->captures[i].broken.code;
            if (f)
                *f = d->captures[i].broken;
            d->captures[i].broken.code = OK;
            return e;
        }
    for (;;) {
        int64_t other;
        struct capture *c = earliest(d, &other);
        if (!c || c->first >= until) {
            *ret_state = c ? FEED_WINDOW : FEED_ENDED;
            return OK;
        }
        enum err e = OK;
        if (!c->source)
            e = capture_open(c, f);
        else if (c->at == c->count)
            e = capture_fill(c, f);
        if (e)
            return e;
        size_t run = c->ended ? 0 : run_length(c, until, other);
        if (!run)
            continue;
        *ret_frames = c->frames + c->at;
        *ret_count = run;
        *ret_state = FEED_FRAMES;
        c->at += run;
        if (c->at < c->count)
            c->first = c->frames[c->at].ts;
        return OK;
    }
}

/* ---- live ---- */

enum err feed_open_live(struct feed **ret_feed, struct source *live, int64_t grace)
{
    struct feed *d = calloc(1, sizeof *d);
    struct frame *frames = calloc(FEED_BATCH, sizeof *frames);
    if (!d || !frames) {
        free(d);
        free(frames);
        return ERR_NOMEM;
    }
    d->live = live;
    d->live_frames = frames;
    d->grace = grace;
    *ret_feed = d;
    return OK;
}

static enum err live_next(struct feed *d, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    struct clock wall = clock_system();
    if (d->live_at == d->live_count) {
        d->live_at = d->live_count = 0;
        enum err e =
            source_next(d->live, d->live_frames, FEED_BATCH, FEED_WAIT_MS, &d->live_count, f);
        if (e == ERR_NOTFOUND)
            *ret_state = FEED_ENDED;
        if (e)
            return e == ERR_NOTFOUND ? OK : e;
    }
    size_t i = d->live_at;
    while (i < d->live_count && d->live_frames[i].ts < until)
        i++;
    *ret_frames = d->live_frames + d->live_at;
    *ret_count = i - d->live_at;
    if (*ret_count)
        *ret_state = FEED_FRAMES;
    else if (d->live_at < d->live_count || clock_now(&wall) >= until + d->grace)
        *ret_state = FEED_WINDOW;
    else
        *ret_state = FEED_QUIET;
    d->live_at = i;
    return OK;
}

/* ---- any ---- */

enum err feed_open_maker(struct feed **ret_feed, const struct feed_maker *maker)
{
    struct feed *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->maker = *maker;
    *ret_feed = d;
    return OK;
}

enum err feed_next(struct feed *d, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    *ret_count = 0;
    if (d->maker.next)
        return d->maker.next(d->maker.context, until, ret_state, ret_frames, ret_count, f);
    if (d->live)
        return live_next(d, until, ret_state, ret_frames, ret_count, f);
    return files_next(d, until, ret_state, ret_frames, ret_count, f);
}

int64_t feed_peek(struct feed *d)
{
    if (d->maker.peek)
        return d->maker.peek(d->maker.context);
    if (d->live) {
        struct clock wall = clock_system();
        return d->live_at < d->live_count ? d->live_frames[d->live_at].ts : clock_now(&wall);
    }
    int64_t other;
    const struct capture *c = earliest(d, &other);
    return c ? c->first : INT64_MAX;
}

bool feed_is_live(const struct feed *d)
{
    return d->live || (d->maker.live && d->maker.live(d->maker.context));
}

bool feed_reads_files(const struct feed *d)
{
    if (d->live || d->maker.next || d->maker.run)
        return false;
    for (size_t i = 0; i < d->capture_count; i++)
        if (!d->captures[i].regular)
            return false;
    return true;
}

bool feed_gives_packets(const struct feed *d)
{
    return d->maker.run != NULL;
}

enum feed_state feed_run(struct feed *d, int64_t until, struct ahead_run *ret_run)
{
    return d->maker.run(d->maker.context, until, ret_run);
}

bool feed_can_lose(const struct feed *d)
{
    return d->live != NULL;
}

bool feed_may_wait(const struct feed *d)
{
    return d->live || d->maker.live;
}

void feed_counts(const struct feed *d, struct source_counts *ret_counts)
{
    struct source_counts sum = {0};
    if (d->maker.counts)
        d->maker.counts(d->maker.context, &sum);
    if (d->live)
        source_counts(d->live, &sum);
    for (size_t i = 0; i < d->capture_count; i++) {
        const struct capture *c = &d->captures[i];
        struct source_counts one;
        capture_counts(c, &one);
        sum.frames += one.frames;
        sum.bytes += one.bytes;
        sum.misdated += one.misdated;
        sum.offset += one.offset;
        sum.size += one.size > c->size ? one.size : c->size;
    }
    *ret_counts = sum;
}

void feed_close(struct feed *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->capture_count; i++) {
        capture_shut(&d->captures[i]);
        free(d->captures[i].path);
    }
    free(d->captures);
    if (d->live)
        source_close(d->live);
    free(d->live_frames);
    if (d->maker.close)
        d->maker.close(d->maker.context);
    free(d);
}
