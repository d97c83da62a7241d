#include "ingest/writer.h"

#include "ingest/upkeep.h"
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUEUE_LENGTH = 64,
    QUEUE_ROWS = 5 << 17, /* five full blocks of packets */
    PASSED_MOST = 8,      /* batches of another kind before it is a block's turn */
    SPARE_BLOCKS = 12,
    RETRY_MS = 1000,
    WRITER_ID = 64
};

struct job {
    struct block *block;
    char site[RECORD_NAME_MAX + 1];
    unsigned passed;
};

/* Blocks that go to the store together. */
struct batch {
    struct job jobs[QUEUE_LENGTH];
    char ids[QUEUE_LENGTH][WRITER_ID + RECORD_NAME_MAX];
    struct store_block blocks[QUEUE_LENGTH];
    size_t count; /* 0: none on their way */
};

/* A thread for packets, and one for all the rest: the store takes both at once, and while one
 * is written the other is made ready. */
struct lane {
    struct writer *writer;
    bool packets;
    bool running;
    pthread_t thread;
    struct batch batch;
};

enum {
    LANES = 2
};

struct writer {
    struct store *store;
    struct upkeep *upkeep;
    struct writer_events events;
    const atomic_bool *stop;
    struct lane lanes[LANES];
    pthread_mutex_t telling; /* of `waiting`, and while trouble is told */
    unsigned waiting;        /* lanes that wait for room on the disk */
    pthread_mutex_t lock;    /* of all below, and of the lanes' batches */
    pthread_cond_t changed;
    struct job queue[QUEUE_LENGTH]; /* in order; without those that are on their way */
    size_t queued;
    bool ending;
    bool was_full;       /* somebody had to wait, or could not */
    struct fault failed; /* code OK: well */
    struct block *spare[SPARE_BLOCKS];
    size_t spares;
    struct writer_counts counts;
};

static void block_return(struct writer *w, struct block *b)
{
    if (w->spares < SPARE_BLOCKS) {
        block_clear(b);
        w->spare[w->spares++] = b;
    } else
        block_free(b);
}

static bool stopping(const struct writer *w)
{
    return w->stop && atomic_load(w->stop);
}

static bool takes(const struct lane *l, const struct block *b)
{
    return l->packets == (b->kind == &record_packet);
}

/* Rows of one kind in the queue. */
static size_t rows_queued(const struct writer *w, const struct record *kind)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->queued; i++)
        if (w->queue[i].block->kind == kind)
            rows += w->queue[i].block->rows;
    return rows;
}

static size_t blocks_held(const struct writer *w)
{
    size_t blocks = w->queued;
    for (size_t i = 0; i < LANES; i++)
        blocks += w->lanes[i].batch.count;
    return blocks;
}

static bool is_full(const struct writer *w)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->queued; i++)
        rows += w->queue[i].block->rows;
    for (size_t i = 0; i < LANES; i++)
        for (size_t k = 0; k < w->lanes[i].batch.count; k++)
            rows += w->lanes[i].batch.jobs[k].block->rows;
    return blocks_held(w) == QUEUE_LENGTH || rows >= QUEUE_ROWS;
}

/* The kind of the lane's of which most is queued, NULL if none is: few large inserts cost less
 * than many small ones. But no block is passed over for ever. */
static const struct record *next_kind(const struct lane *l)
{
    const struct writer *w = l->writer;
    const struct record *most = NULL;
    for (size_t i = 0; i < w->queued; i++) {
        const struct block *b = w->queue[i].block;
        if (!takes(l, b))
            continue;
        if (!most && w->queue[i].passed >= PASSED_MOST)
            return b->kind;
        if (!most || rows_queued(w, b->kind) > rows_queued(w, most))
            most = b->kind;
    }
    return most;
}

/* All that is queued of one kind goes together: the order of kinds means nothing to the store.
 * The caller holds the lock. */
static void batch_take(struct lane *l, const struct record *kind)
{
    struct writer *w = l->writer;
    struct batch *b = &l->batch;
    size_t left = 0;
    for (size_t i = 0; i < w->queued; i++) {
        struct job job = w->queue[i];
        if (job.block->kind == kind) {
            b->jobs[b->count++] = job;
            continue;
        }
        job.passed += takes(l, job.block);
        w->queue[left++] = job;
    }
    w->queued = left;
}

static void batch_name(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct job *job = &b->jobs[i];
        /* The site's part is cut so that an id never passes the store's limit. */
        snprintf(b->ids[i], sizeof b->ids[i], "%.24s.%s.%016llx", job->site,
            job->block->kind->name, (unsigned long long)block_digest(job->block));
        b->blocks[i] = (struct store_block){job->block, b->ids[i]};
    }
}

/* A lane begins, or no longer has, to wait for the disk; one tale for both. */
static void waiting_note(struct writer *w, bool waits, const struct fault *f)
{
    pthread_mutex_lock(&w->telling);
    bool tell = waits ? !w->waiting++ : !--w->waiting;
    if (tell && w->events.trouble)
        w->events.trouble(w->events.context, f, waits);
    pthread_mutex_unlock(&w->telling);
}

/* Is there nothing to wait for? After a failure, of the other lane that is, nothing is written.
 */
static bool gives_up(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool failed = w->failed.code != OK;
    pthread_mutex_unlock(&w->lock);
    return failed || stopping(w);
}

/* A batch into the store, however long the disk stays full. */
static enum err batch_write(struct lane *l, struct fault *f)
{
    struct writer *w = l->writer;
    bool told = false;
    batch_name(&l->batch);
    for (;;) {
        enum err e = store_append_all(w->store, l->batch.blocks, l->batch.count, f);
        if (e != ERR_FULL) {
            if (!e && told)
                waiting_note(w, false, &(struct fault){.code = OK});
            return e;
        }
        if (!told)
            waiting_note(w, true, f);
        told = true;
        pthread_mutex_lock(&w->lock);
        w->counts.retries++;
        pthread_mutex_unlock(&w->lock);
        for (int i = 0; i < RETRY_MS / 50; i++) {
            if (gives_up(w))
                return e;
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        }
    }
}

/* The caller holds the lock. */
static void batch_done(struct lane *l, enum err e)
{
    struct writer *w = l->writer;
    for (size_t i = 0; i < l->batch.count; i++) {
        if (!e) {
            w->counts.blocks++;
            w->counts.rows += l->batch.jobs[i].block->rows;
        }
        block_return(w, l->batch.jobs[i].block);
    }
    l->batch.count = 0;
    if (!blocks_held(w) && w->upkeep)
        upkeep_busy(w->upkeep, false);
    pthread_cond_broadcast(&w->changed);
}

static void *lane_thread(void *context)
{
    struct lane *l = context;
    struct writer *w = l->writer;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        const struct record *kind = next_kind(l);
        if (!kind && w->ending)
            break;
        if (!kind) {
            pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        if (w->upkeep)
            upkeep_busy(w->upkeep, true);
        bool full = w->was_full;
        w->was_full = false;
        batch_take(l, kind);
        enum err e = w->failed.code;
        pthread_mutex_unlock(&w->lock);
        struct fault f = {0};
        if (full)
            store_hurry(w->store);
        e = e ? e : batch_write(l, &f);
        pthread_mutex_lock(&w->lock);
        if (e && !w->failed.code)
            w->failed = f.code ? f : (struct fault){.code = e};
        batch_done(l, e);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void lanes_end(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < LANES; i++)
        if (w->lanes[i].running)
            pthread_join(w->lanes[i].thread, NULL);
}

static enum err lanes_begin(struct writer *w)
{
    for (size_t i = 0; i < LANES; i++) {
        struct lane *l = &w->lanes[i];
        l->writer = w;
        l->packets = i == 0;
        if (pthread_create(&l->thread, NULL, lane_thread, l) != 0)
            return ERR_NOMEM;
        l->running = true;
    }
    return OK;
}

enum err writer_new(struct writer **ret_writer, struct store *store,
    const struct writer_events *events, const atomic_bool *stop)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->store = store;
    w->stop = stop;
    if (events)
        w->events = *events;
    pthread_mutex_init(&w->telling, NULL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    enum err e = upkeep_new(&w->upkeep, store);
    if (!e)
        e = lanes_begin(w);
    if (e) {
        writer_free(w);
        return ERR_NOMEM;
    }
    *ret_writer = w;
    return OK;
}

void writer_hurry(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    struct upkeep *upkeep = w->upkeep;
    w->upkeep = NULL;
    pthread_mutex_unlock(&w->lock);
    upkeep_free(upkeep);
    store_hurry(w->store);
}

struct block *writer_block(struct writer *w, const struct record *kind)
{
    struct block *found = NULL;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->spares && !found; i++)
        if (w->spare[i]->kind == kind) {
            found = w->spare[i];
            w->spare[i] = w->spare[--w->spares];
        }
    pthread_mutex_unlock(&w->lock);
    if (!found && block_new(&found, kind, kind->max_rows) != OK)
        return NULL;
    return found;
}

enum err writer_put(struct writer *w, struct block *b, const char *site, bool wait)
{
    pthread_mutex_lock(&w->lock);
    w->was_full = w->was_full || is_full(w);
    while (wait && is_full(w) && !w->failed.code)
        pthread_cond_wait(&w->changed, &w->lock);
    enum err e = w->failed.code;
    if (!e && is_full(w))
        e = ERR_BUSY;
    if (!e) {
        struct job *job = &w->queue[w->queued];
        job->block = b;
        job->passed = 0;
        snprintf(job->site, sizeof job->site, "%s", site);
        w->queued++;
        pthread_cond_broadcast(&w->changed);
    } else if (e != ERR_BUSY)
        block_free(b);
    pthread_mutex_unlock(&w->lock);
    return e;
}

enum err writer_flush(struct writer *w, struct fault *f)
{
    pthread_mutex_lock(&w->lock);
    while (blocks_held(w))
        pthread_cond_wait(&w->changed, &w->lock);
    enum err e = w->failed.code;
    if (e && f)
        *f = w->failed;
    pthread_mutex_unlock(&w->lock);
    return e;
}

void writer_counts(struct writer *w, struct writer_counts *ret_counts)
{
    pthread_mutex_lock(&w->lock);
    *ret_counts = w->counts;
    ret_counts->queued = blocks_held(w);
    pthread_mutex_unlock(&w->lock);
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    lanes_end(w);
    upkeep_free(w->upkeep);
    assert(!w->queued);
    for (size_t i = 0; i < w->spares; i++)
        block_free(w->spare[i]);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->telling);
    pthread_cond_destroy(&w->changed);
    free(w);
}
