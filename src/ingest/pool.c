#include "ingest/pool.h"

#include "base/steady.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_THREADS_MAX = 256
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is work, or there is none left */
    bool (*job)(void *context, size_t number);
    void *context;
    size_t *turn; /* jobs of this turn; those from `next` on have not been begun */
    size_t next, count;
    size_t *again; /* jobs that wait for the next one */
    size_t again_count;
    int64_t due; /* when it comes, steady */
    bool poked;  /* it comes at once */
    size_t busy; /* threads inside a job */
    size_t room; /* jobs */
    bool stop;
    size_t thread_count;
    pthread_t threads[POOL_THREADS_MAX];
};

/* All these are called, and return, with the lock held. */

static void turn_begin(struct pool *p)
{
    size_t *last = p->turn;
    p->turn = p->again;
    p->again = last;
    p->count = p->again_count;
    p->next = p->again_count = 0;
    p->poked = false;
    p->due = steady_now() + POOL_AGAIN_MS * INT64_C(1000);
    pthread_cond_broadcast(&p->changed);
}

/* Take and do jobs until none of this turn is left. */
static void jobs_do(struct pool *p)
{
    while (p->next < p->count) {
        size_t number = p->turn[p->next++];
        p->busy++;
        pthread_mutex_unlock(&p->lock);
        bool done = p->job(p->context, number);
        pthread_mutex_lock(&p->lock);
        p->busy--;
        if (!done)
            p->again[p->again_count++] = number;
    }
}

static bool is_over(const struct pool *p)
{
    return p->next == p->count && !p->busy && !p->again_count;
}

/* Wait for a turn, or for its time to begin the next one. While a thread is inside a job the
 * others go on with those that wait: it may be a site with a wire, which takes its time. */
static void turn_wait(struct pool *p)
{
    if (!p->again_count)
        pthread_cond_wait(&p->changed, &p->lock);
    else if (!p->poked && steady_now() < p->due)
        steady_wait(&p->changed, &p->lock, p->due);
    if (p->again_count && p->next == p->count && (p->poked || steady_now() >= p->due))
        turn_begin(p);
}

static void *pool_thread(void *context)
{
    struct pool *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        jobs_do(p);
        if (is_over(p))
            pthread_cond_broadcast(&p->changed);
        if (!p->stop && p->next == p->count)
            turn_wait(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum err pool_new(struct pool **ret_pool, size_t threads, size_t jobs)
{
    assert(threads >= 1);
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    pthread_mutex_init(&p->lock, NULL);
    steady_cond_init(&p->changed);
    p->room = jobs ? jobs : 1;
    p->turn = calloc(p->room, sizeof *p->turn);
    p->again = calloc(p->room, sizeof *p->again);
    enum err e = p->turn && p->again ? OK : ERR_NOMEM;
    size_t most = threads - 1 < POOL_THREADS_MAX ? threads - 1 : POOL_THREADS_MAX;
    while (!e && p->thread_count < most) {
        if (pthread_create(&p->threads[p->thread_count], NULL, pool_thread, p) != 0)
            e = ERR_NOMEM;
        else
            p->thread_count++;
    }
    if (e) {
        pool_free(p);
        return e;
    }
    *ret_pool = p;
    return OK;
}

void pool_start(
    struct pool *p, size_t count, bool (*job)(void *context, size_t number), void *context)
{
    pthread_mutex_lock(&p->lock);
    assert(is_over(p) && count <= p->room);
    p->job = job;
    p->context = context;
    for (size_t i = 0; i < count; i++)
        p->again[i] = i;
    p->again_count = count;
    turn_begin(p);
    pthread_mutex_unlock(&p->lock);
}

void pool_wait(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    for (;;) {
        jobs_do(p);
        if (is_over(p))
            break;
        turn_wait(p);
    }
    p->count = p->next = 0;
    pthread_mutex_unlock(&p->lock);
}

void pool_poke(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->poked = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p->turn);
    free(p->again);
    free(p);
}
