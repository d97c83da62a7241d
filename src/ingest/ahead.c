#include "ingest/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD_FRAMES = 512, /* in one batch */
    AHEAD_BATCHES = 32,
    AHEAD_RESUME = 8,       /* batches that are left when a thread that was stopped goes on */
    AHEAD_PAYLOAD = 1 << 18 /* bytes after which a batch is closed */
};

/* What became of a frame. */
struct fate {
    int64_t ts;
    enum decode_result result;
};

/* Frames that were read together. Packets stand without gaps, in the order of their frames. */
struct batch {
    struct fate fates[AHEAD_FRAMES];
    size_t frames;
    struct packet packets[AHEAD_FRAMES];
    struct sensor_look looks[AHEAD_FRAMES];
    size_t packet_count;
    uint8_t *payload; /* room for AHEAD_PAYLOAD and a frame more */
    size_t payload_len;
    bool ended; /* nothing comes after it */
    struct source_counts counts;
};

struct ahead {
    struct feed *feed;
    struct ahead_options options;
    /* The thread's side: frames that were read and are in no batch yet. */
    const struct frame *pending;
    size_t pending_count;
    bool feed_ended;
    /* Between the two. */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t given, taken; /* batches so far: filled by the thread, let go by the site */
    bool stop;
    /* The site's side: where it is in the oldest batch that it has not let go. */
    size_t frame, packet;
    struct source_counts counts;
    struct batch batches[AHEAD_BATCHES];
};

/* ---- the thread ---- */

/* A packet borrows its payload from a frame that the next read overwrites. */
static void payload_keep(struct batch *b, struct packet *p)
{
    uint8_t *to = b->payload + b->payload_len;
    if (p->payload.left)
        memcpy(to, p->payload.at, p->payload.left);
    p->payload.at = to;
    b->payload_len += p->payload.left;
}

static void frame_take(const struct ahead *a, struct batch *b, const struct frame *frame)
{
    struct packet *p = &b->packets[b->packet_count];
    enum decode_result result =
        decode_packet(frame->link, bytes_over(frame->data, frame->len), frame->wire_len, p);
    if (result == DECODE_OK) {
        p->ts = frame->ts;
        sensor_look(a->options.shared, p, &b->looks[b->packet_count]);
        payload_keep(b, p);
        b->packet_count++;
    }
    b->fates[b->frames++] = (struct fate){frame->ts, result};
}

/* Have frames pending, or the feed ended. */
static void frames_get(struct ahead *a)
{
    while (!a->pending_count && !a->feed_ended) {
        enum feed_state state = FEED_ENDED;
        struct fault broken = {0};
        enum err e =
            feed_next(a->feed, INT64_MAX, &state, &a->pending, &a->pending_count, &broken);
        if (e)
            a->options.trouble(a->options.context, a->options.site, &broken);
        else if (state != FEED_FRAMES)
            a->feed_ended = true;
    }
}

static void batch_fill(struct ahead *a, struct batch *b)
{
    b->frames = b->packet_count = b->payload_len = 0;
    while (b->frames < AHEAD_FRAMES && b->payload_len < AHEAD_PAYLOAD) {
        frames_get(a);
        if (!a->pending_count)
            break;
        frame_take(a, b, a->pending);
        a->pending++;
        a->pending_count--;
    }
    b->ended = a->feed_ended;
    feed_counts(a->feed, &b->counts);
}

/* Wait until a batch may be filled; false: stop. When there was no place it waits for several,
 * as being woken for each costs more than what a batch saves. */
static bool room_wait(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    bool full = a->given - a->taken == AHEAD_BATCHES;
    while (!a->stop && full && a->given - a->taken > AHEAD_RESUME)
        pthread_cond_wait(&a->changed, &a->lock);
    bool go_on = !a->stop;
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static void *ahead_thread(void *context)
{
    struct ahead *a = context;
    bool ended = false;
    while (!ended && room_wait(a)) {
        struct batch *b = &a->batches[a->given % AHEAD_BATCHES];
        batch_fill(a, b);
        ended = b->ended;
        pthread_mutex_lock(&a->lock);
        a->given++;
        pthread_cond_broadcast(&a->changed);
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

/* ---- the site's side ---- */

enum err ahead_new(
    struct ahead **ret_ahead, struct feed *feed, const struct ahead_options *options)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->feed = feed;
    a->options = *options;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    enum err e = OK;
    for (size_t i = 0; i < AHEAD_BATCHES && !e; i++) {
        a->batches[i].payload = malloc(AHEAD_PAYLOAD + FRAME_MAX);
        e = a->batches[i].payload ? OK : ERR_NOMEM;
    }
    if (!e && pthread_create(&a->thread, NULL, ahead_thread, a) != 0)
        e = ERR_NOMEM;
    a->running = !e;
    if (e) {
        ahead_free(a);
        return e;
    }
    *ret_ahead = a;
    return OK;
}

void ahead_free(struct ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    if (a->running)
        pthread_join(a->thread, NULL);
    for (size_t i = 0; i < AHEAD_BATCHES; i++)
        free(a->batches[i].payload);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
}

static void batch_let_go(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    a->taken++;
    if (a->given - a->taken == AHEAD_RESUME)
        pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    a->frame = a->packet = 0;
}

/* The oldest batch that has frames left, or the last one. */
static struct batch *batch_wait(struct ahead *a)
{
    for (;;) {
        pthread_mutex_lock(&a->lock);
        while (a->given == a->taken)
            pthread_cond_wait(&a->changed, &a->lock);
        pthread_mutex_unlock(&a->lock);
        struct batch *b = &a->batches[a->taken % AHEAD_BATCHES];
        if (a->frame < b->frames || b->ended)
            return b;
        batch_let_go(a);
    }
}

enum feed_state ahead_next(struct ahead *a, int64_t until, struct ahead_run *ret_run)
{
    const struct batch *b = batch_wait(a);
    *ret_run = (struct ahead_run){0};
    a->counts = b->counts;
    if (a->frame == b->frames)
        return FEED_ENDED;
    if (b->fates[a->frame].ts >= until)
        return FEED_WINDOW;
    ret_run->packets = b->packets + a->packet;
    ret_run->looks = b->looks + a->packet;
    ret_run->first = b->fates[a->frame].ts;
    for (; a->frame < b->frames && b->fates[a->frame].ts < until; a->frame++) {
        const struct fate *fate = &b->fates[a->frame];
        if (fate->result == DECODE_OK)
            ret_run->count++;
        else
            ret_run->failed[fate->result]++;
        ret_run->last = fate->ts;
    }
    a->packet += ret_run->count;
    return FEED_FRAMES;
}

int64_t ahead_peek(struct ahead *a)
{
    const struct batch *b = batch_wait(a);
    return a->frame < b->frames ? b->fates[a->frame].ts : INT64_MAX;
}

void ahead_counts(const struct ahead *a, struct source_counts *ret_counts)
{
    *ret_counts = a->counts;
}
