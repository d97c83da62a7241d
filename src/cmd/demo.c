#include "cmd/demo.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DEMO_BATCH = 1024,
    DEMO_QUEUE_BYTES = 256 << 20,
    DEMO_WAIT_MS = 200
};

/* Frames of one site: one side is being filled while the other is being read. */
struct demo_side {
    struct frame *frames; /* data is an offset into `bytes` until it is read */
    size_t count, room;
    struct buf bytes;
};

struct demo_site {
    struct demo *demo;
    struct demo_side sides[2];
    int filling;
    size_t given; /* frames of the read side that were given */
    uint64_t frames, octets;
};

struct demo {
    pthread_mutex_t lock;
    struct telescope *telescope;
    int64_t start;
    int64_t present;        /* where history ends */
    _Atomic int64_t filled; /* everything before this has been made */
    bool ended;
    enum err err;
    size_t count;
    struct demo_site sites[TELESCOPE_SITES_MAX];
};

enum err demo_open(struct demo **ret_demo, const struct demo_options *options, struct fault *f)
{
    struct demo *d = calloc(1, sizeof *d);
    if (!d)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct telescope_options t;
    telescope_options_init(&t);
    t.seed = options->seed;
    t.sites = options->sites;
    t.scale = options->scale;
    t.length = options->history;
    t.start = time_floor(options->now - options->history, US_MINUTE);
    t.endless = true;
    t.geoip = options->geoip;
    enum err e = telescope_open(&d->telescope, &t, f);
    if (e) {
        free(d);
        return e;
    }
    pthread_mutex_init(&d->lock, NULL);
    d->start = t.start;
    d->present = options->now;
    d->filled = t.start;
    d->count = options->sites;
    for (size_t i = 0; i < d->count; i++) {
        d->sites[i].demo = d;
        buf_init(&d->sites[i].sides[0].bytes, DEMO_QUEUE_BYTES);
        buf_init(&d->sites[i].sides[1].bytes, DEMO_QUEUE_BYTES);
    }
    *ret_demo = d;
    return OK;
}

void demo_close(struct demo *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        for (int k = 0; k < 2; k++) {
            free(d->sites[i].sides[k].frames);
            buf_done(&d->sites[i].sides[k].bytes);
        }
    telescope_close(d->telescope);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const struct truth *demo_truth(const struct demo *d)
{
    return telescope_truth(d->telescope);
}

enum err demo_surveys(const struct demo *d, struct buf *out)
{
    return telescope_surveys(d->telescope, out);
}

static enum err side_add(struct demo_side *side, const struct frame *frame)
{
    if (side->count == side->room) {
        size_t room = side->room ? side->room * 2 : 1024;
        struct frame *more = realloc(side->frames, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        side->frames = more;
        side->room = room;
    }
    struct frame *copy = &side->frames[side->count];
    *copy = *frame;
    copy->data = NULL;
    buf_put(&side->bytes, frame->data, frame->len);
    if (!side->bytes.err)
        side->count++;
    return side->bytes.err;
}

/* Make everything before `until`; called with the lock held. */
static enum err demo_fill(struct demo *d, int64_t until)
{
    struct telescope_frame frames[DEMO_BATCH];
    while (!d->err && !d->ended && d->filled < until) {
        size_t count = 0;
        enum err e = telescope_next(d->telescope, until, frames, DEMO_BATCH, &count);
        if (e == ERR_NOTFOUND)
            d->ended = true;
        else if (e)
            d->err = e;
        for (size_t i = 0; i < count && !d->err; i++) {
            struct demo_site *s = &d->sites[frames[i].site];
            d->err = side_add(&s->sides[s->filling], &frames[i].frame);
        }
        if (count == 0)
            break;
    }
    if (!d->err && d->filled < until)
        d->filled = until;
    return d->err;
}

/* Let the reader have what was filled; called with the lock held. */
static void site_turn(struct demo_site *s)
{
    struct demo_side *old = &s->sides[!s->filling];
    old->count = 0;
    buf_clear(&old->bytes);
    s->filling = !s->filling;
    s->given = 0;
    struct demo_side *side = &s->sides[!s->filling];
    const uint8_t *at = side->bytes.data;
    for (size_t i = 0; i < side->count; i++) {
        side->frames[i].data = at;
        at += side->frames[i].len;
        s->octets += side->frames[i].len;
    }
    s->frames += side->count;
}

static enum err site_next(void *context, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    struct demo_site *s = context;
    struct demo *d = s->demo;
    struct clock wall = clock_system();
    struct demo_side *side = &s->sides[!s->filling];
    bool wait = false;
    if (s->given == side->count) {
        int64_t now = clock_now(&wall);
        int64_t limit = until <= d->present || until < now ? until : now;
        pthread_mutex_lock(&d->lock);
        enum err e = demo_fill(d, limit);
        site_turn(s);
        pthread_mutex_unlock(&d->lock);
        if (e)
            return fault_set(
                f, e, "the demonstration's traffic cannot be made: %s", err_text(e));
        side = &s->sides[!s->filling];
        wait = limit < until;
    }
    size_t i = s->given;
    while (i < side->count && side->frames[i].ts < until)
        i++;
    *ret_frames = side->frames + s->given;
    *ret_count = i - s->given;
    s->given = i;
    *ret_state = *ret_count ? FEED_FRAMES : wait ? FEED_QUIET : FEED_WINDOW;
    if (*ret_state == FEED_QUIET)
        nanosleep(&(struct timespec){.tv_nsec = DEMO_WAIT_MS * 1000000L}, NULL);
    return OK;
}

static int64_t site_peek(void *context)
{
    struct demo_site *s = context;
    const struct demo_side *side = &s->sides[!s->filling];
    return s->given < side->count ? side->frames[s->given].ts : atomic_load(&s->demo->filled);
}

static void site_counts(void *context, struct source_counts *ret_counts)
{
    struct demo_site *s = context;
    ret_counts->frames = s->frames;
    ret_counts->bytes = s->octets;
}

static bool site_live_now(void *context)
{
    const struct demo_site *s = context;
    return atomic_load(&s->demo->filled) >= s->demo->present;
}

static void site_close(void *context)
{
    (void)context; /* the demo owns its sites */
}

enum err demo_feed(struct demo *d, size_t site, struct feed **ret_feed)
{
    const struct feed_maker maker = {.next = site_next,
        .peek = site_peek,
        .counts = site_counts,
        .close = site_close,
        .live = site_live_now,
        .context = &d->sites[site]};
    return feed_open_maker(ret_feed, &maker);
}
