#include "ingest/upkeep.h"

#include "store/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUIET_MS = 300, /* without blocks before a step begins */
    AGAIN_S = 60    /* after a step that failed: the disk may be full */
};

struct upkeep {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy, ending;
    bool due; /* something may have to be done */
};

/* True: the time has passed and nothing has changed. The caller holds the lock. */
static bool wait_quiet(struct upkeep *u, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int e = 0;
    while (!u->ending && !u->busy && e == 0)
        e = pthread_cond_timedwait(&u->changed, &u->lock, &until);
    return !u->ending && !u->busy;
}

/* Nobody waits for the result: a step that fails is tried again. */
static void *run(void *context)
{
    struct upkeep *u = context;
    int64_t pause_ms = QUIET_MS;
    pthread_mutex_lock(&u->lock);
    while (!u->ending) {
        if (u->busy || !u->due) {
            pthread_cond_wait(&u->changed, &u->lock);
            continue;
        }
        if (!wait_quiet(u, pause_ms))
            continue;
        bool more = false;
        u->due = false;
        pthread_mutex_unlock(&u->lock);
        enum err e = store_upkeep(u->store, &more, NULL);
        pthread_mutex_lock(&u->lock);
        u->due = u->due || more || e;
        pause_ms = e ? AGAIN_S * 1000 : more ? 0 : QUIET_MS;
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

enum err upkeep_new(struct upkeep **ret_upkeep, struct store *store)
{
    pthread_condattr_t monotonic;
    struct upkeep *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->store = store;
    u->due = true;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&u->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&u->thread, NULL, run, u) != 0) {
        pthread_cond_destroy(&u->changed);
        pthread_mutex_destroy(&u->lock);
        free(u);
        return ERR_NOMEM;
    }
    *ret_upkeep = u;
    return OK;
}

void upkeep_busy(struct upkeep *u, bool busy)
{
    pthread_mutex_lock(&u->lock);
    if (u->busy != busy) {
        u->busy = busy;
        u->due = true;
        pthread_cond_signal(&u->changed);
    }
    pthread_mutex_unlock(&u->lock);
}

void upkeep_free(struct upkeep *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    u->ending = true;
    pthread_cond_signal(&u->changed);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
