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

struct writer {
    struct store *store;
    struct upkeep *upkeep;
    struct writer_events events;
    const atomic_bool *stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job queue[QUEUE_LENGTH]; /* in order; the first `writing` are on their way */
    size_t queued, writing;
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

struct batch {
    struct job jobs[QUEUE_LENGTH];
    char ids[QUEUE_LENGTH][WRITER_ID + RECORD_NAME_MAX];
    struct store_block blocks[QUEUE_LENGTH];
    size_t count;
};

/* Rows of one kind in the queue; NULL: of all. */
static size_t rows_queued(const struct writer *w, const struct record *kind)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->queued; i++)
        if (!kind || w->queue[i].block->kind == kind)
            rows += w->queue[i].block->rows;
    return rows;
}

static bool is_full(const struct writer *w)
{
    return w->queued == QUEUE_LENGTH || rows_queued(w, NULL) >= QUEUE_ROWS;
}

/* The kind of which most is queued: few large inserts cost less than many small ones. But no
 * block is passed over for ever. */
static const struct record *next_kind(const struct writer *w)
{
    const struct record *most = w->queue[0].block->kind;
    if (w->queue[0].passed >= PASSED_MOST)
        return most;
    for (size_t i = 0; i < w->queued; i++)
        if (rows_queued(w, w->queue[i].block->kind) > rows_queued(w, most))
            most = w->queue[i].block->kind;
    return most;
}

/* All that is queued of one kind goes together: the order of kinds means nothing to the store.
 * The caller holds the lock. */
static void batch_take(struct writer *w, struct batch *b)
{
    struct job rest[QUEUE_LENGTH];
    size_t left = 0;
    const struct record *kind = next_kind(w);
    b->count = 0;
    for (size_t i = 0; i < w->queued; i++) {
        const struct job *job = &w->queue[i];
        if (job->block->kind == kind) {
            b->jobs[b->count++] = *job;
            continue;
        }
        rest[left] = *job;
        rest[left++].passed++;
    }
    memcpy(w->queue, b->jobs, b->count * sizeof *w->queue);
    memcpy(w->queue + b->count, rest, left * sizeof *w->queue);
    w->writing = b->count;
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

/* A batch into the store, however long the disk stays full. */
static enum err batch_write(struct writer *w, struct batch *b, struct fault *f)
{
    bool told = false;
    batch_name(b);
    for (;;) {
        enum err e = store_append_all(w->store, b->blocks, b->count, f);
        if (e != ERR_FULL) {
            if (!e && told && w->events.trouble)
                w->events.trouble(w->events.context, &(struct fault){.code = OK}, false);
            return e;
        }
        if (!told && w->events.trouble)
            w->events.trouble(w->events.context, f, true);
        told = true;
        w->counts.retries++;
        for (int i = 0; i < RETRY_MS / 50; i++) {
            if (stopping(w))
                return e;
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        }
    }
}

/* The caller holds the lock. */
static void batch_done(struct writer *w, const struct batch *b, enum err e)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!e) {
            w->counts.blocks++;
            w->counts.rows += b->jobs[i].block->rows;
        }
        block_return(w, b->jobs[i].block);
    }
    w->queued -= b->count;
    w->writing = 0;
    memmove(w->queue, w->queue + b->count, w->queued * sizeof *w->queue);
    pthread_cond_broadcast(&w->changed);
}

static void *writer_thread(void *context)
{
    struct writer *w = context;
    struct batch b;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        if (!w->queued && w->upkeep)
            upkeep_busy(w->upkeep, false);
        while (!w->queued && !w->ending)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->queued)
            break;
        if (w->upkeep)
            upkeep_busy(w->upkeep, true);
        bool full = w->was_full;
        w->was_full = false;
        batch_take(w, &b);
        pthread_mutex_unlock(&w->lock);
        struct fault f = {0};
        if (full)
            store_hurry(w->store);
        enum err e = w->failed.code ? w->failed.code : batch_write(w, &b, &f);
        pthread_mutex_lock(&w->lock);
        if (e && !w->failed.code)
            w->failed = f.code ? f : (struct fault){.code = e};
        batch_done(w, &b, e);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
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
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    enum err e = upkeep_new(&w->upkeep, store);
    if (e || pthread_create(&w->thread, NULL, writer_thread, w) != 0) {
        upkeep_free(w->upkeep);
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->changed);
        free(w);
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
    while (w->queued)
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
    ret_counts->queued = w->queued;
    pthread_mutex_unlock(&w->lock);
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    upkeep_free(w->upkeep);
    assert(!w->queued);
    for (size_t i = 0; i < w->spares; i++)
        block_free(w->spare[i]);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}
