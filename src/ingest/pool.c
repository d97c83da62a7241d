#include "ingest/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    POOL_THREADS_MAX = 256
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t done;
    void (*job)(void *context, size_t number);
    void *context;
    size_t next, count; /* jobs not yet begun: next..count-1 */
    size_t busy;        /* threads inside a job */
    bool stop;
    size_t thread_count;
    pthread_t threads[POOL_THREADS_MAX];
};

/* Take and do jobs until none is left. Called with the lock held; returns with it held. */
static void jobs_do(struct pool *p)
{
    while (p->next < p->count) {
        size_t number = p->next++;
        p->busy++;
        pthread_mutex_unlock(&p->lock);
        p->job(p->context, number);
        pthread_mutex_lock(&p->lock);
        p->busy--;
    }
    if (!p->busy)
        pthread_cond_broadcast(&p->done);
}

static void *pool_thread(void *context)
{
    struct pool *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        jobs_do(p);
        if (!p->stop && p->next >= p->count)
            pthread_cond_wait(&p->work, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum err pool_new(struct pool **ret_pool, size_t threads)
{
    assert(threads >= 1);
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    size_t most = threads - 1 < POOL_THREADS_MAX ? threads - 1 : POOL_THREADS_MAX;
    while (p->thread_count < most) {
        if (pthread_create(&p->threads[p->thread_count], NULL, pool_thread, p) != 0) {
            pool_free(p);
            return ERR_NOMEM;
        }
        p->thread_count++;
    }
    *ret_pool = p;
    return OK;
}

void pool_start(
    struct pool *p, size_t count, void (*job)(void *context, size_t number), void *context)
{
    pthread_mutex_lock(&p->lock);
    assert(!p->busy && p->next == p->count);
    p->job = job;
    p->context = context;
    p->next = 0;
    p->count = count;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void pool_wait(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    jobs_do(p);
    while (p->busy || p->next < p->count)
        pthread_cond_wait(&p->done, &p->lock);
    p->count = p->next = 0;
    pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    free(p);
}
