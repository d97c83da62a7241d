#include "ingest/writer.h"

#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUEUE_LENGTH = 6,
    SPARE_BLOCKS = 8,
    RETRY_MS = 1000,
    WRITER_ID = 64
};

struct job {
    struct block *block;
    char site[RECORD_NAME_MAX + 1];
};

struct writer {
    struct store *store;
    struct writer_events events;
    const atomic_bool *stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job queue[QUEUE_LENGTH]; /* a ring */
    size_t head, queued;
    bool writing, ending;
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

/* One block into the store, however long the disk stays full. */
static enum err job_write(struct writer *w, const struct job *job, struct fault *f)
{
    char id[WRITER_ID + RECORD_NAME_MAX];
    /* The site's part is cut so that an id never passes the store's limit. */
    snprintf(id, sizeof id, "%.24s.%s.%016llx", job->site, job->block->kind->name,
        (unsigned long long)block_digest(job->block));
    bool told = false;
    for (;;) {
        enum err e = store_append(w->store, job->block, id, f);
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

static void *writer_thread(void *context)
{
    struct writer *w = context;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->queued && !w->ending)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->queued)
            break;
        struct job job = w->queue[w->head];
        w->writing = true;
        pthread_mutex_unlock(&w->lock);
        struct fault f = {0};
        enum err e = w->failed.code ? w->failed.code : job_write(w, &job, &f);
        pthread_mutex_lock(&w->lock);
        if (e && !w->failed.code)
            w->failed = f.code ? f : (struct fault){.code = e};
        if (!e) {
            w->counts.blocks++;
            w->counts.rows += job.block->rows;
        }
        block_return(w, job.block);
        w->head = (w->head + 1) % QUEUE_LENGTH;
        w->queued--;
        w->writing = false;
        pthread_cond_broadcast(&w->changed);
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
    if (pthread_create(&w->thread, NULL, writer_thread, w) != 0) {
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->changed);
        free(w);
        return ERR_NOMEM;
    }
    *ret_writer = w;
    return OK;
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
    while (wait && w->queued == QUEUE_LENGTH && !w->failed.code)
        pthread_cond_wait(&w->changed, &w->lock);
    enum err e = w->failed.code;
    if (!e && w->queued == QUEUE_LENGTH)
        e = ERR_BUSY;
    if (!e) {
        struct job *job = &w->queue[(w->head + w->queued) % QUEUE_LENGTH];
        job->block = b;
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
    assert(!w->queued);
    for (size_t i = 0; i < w->spares; i++)
        block_free(w->spare[i]);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}
