#include "ingest/upkeep.h"

#include "base/steady.h"
#include "store/store.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LOOK_MS = 500,   /* between looks at how busy the writer is */
    BUSY_MOST = 25,  /* per cent of the time since the last look, for a step to begin */
    AGAIN_LOOKS = 60 /* after a step that failed: the disk may be full */
};

struct upkeep {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy, ending;
    bool due;        /* something may have to be done */
    int64_t since;   /* the writer has been as busy as it is, or the last look */
    int64_t busy_us; /* since the last look */
    int64_t looked;
};

/* Per cent of the time since the last look. The caller holds the lock. */
static int64_t busy_share(struct upkeep *u)
{
    int64_t now = steady_now();
    int64_t busy = u->busy_us + (u->busy ? now - u->since : 0);
    int64_t length = now - u->looked;
    u->busy_us = 0;
    u->since = u->looked = now;
    return length > 0 ? busy * 100 / length : 0;
}

/* Until the time has passed or the end has come. The caller holds the lock. */
static void pause_for(struct upkeep *u, int64_t ms)
{
    int64_t until = steady_now() + ms * 1000;
    while (!u->ending && steady_wait(&u->changed, &u->lock, until))
        ;
}

/* Nobody waits for the result: a step that fails is tried again. */
static void *run(void *context)
{
    struct upkeep *u = context;
    unsigned again = 0;
    pthread_mutex_lock(&u->lock);
    while (!u->ending) {
        pause_for(u, LOOK_MS);
        bool quiet = busy_share(u) <= BUSY_MOST;
        again -= again > 0;
        while (u->due && quiet && !again && !u->ending) {
            bool more = false;
            u->due = false;
            pthread_mutex_unlock(&u->lock);
            enum err e = store_upkeep(u->store, &more, NULL);
            pthread_mutex_lock(&u->lock);
            u->due = u->due || more || e;
            again = e ? AGAIN_LOOKS : 0;
            quiet = busy_share(u) <= BUSY_MOST;
        }
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

enum err upkeep_new(struct upkeep **ret_upkeep, struct store *store)
{
    struct upkeep *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->store = store;
    u->due = true;
    u->since = u->looked = steady_now();
    pthread_mutex_init(&u->lock, NULL);
    steady_cond_init(&u->changed);
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
        int64_t now = steady_now();
        u->busy_us += u->busy ? now - u->since : 0;
        u->since = now;
        u->busy = busy;
        u->due = true;
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
