#include "ingest/upkeep.h"

#include "base/chore.h"
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
    struct chore *chore;
    unsigned again;       /* looks until a step is tried again */
    pthread_mutex_t lock; /* of all below */
    bool busy;
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

/* Is there a step to do, and time for it? */
static bool step_begin(struct upkeep *u)
{
    pthread_mutex_lock(&u->lock);
    bool quiet = busy_share(u) <= BUSY_MOST;
    bool begin = u->due && quiet && !u->again;
    if (begin)
        u->due = false;
    pthread_mutex_unlock(&u->lock);
    return begin;
}

/* Nobody waits for the result: a step that fails is tried again. */
static void step(struct upkeep *u)
{
    bool more = false;
    enum err e = store_upkeep(u->store, &more, NULL);
    u->again = e ? AGAIN_LOOKS : 0;
    pthread_mutex_lock(&u->lock);
    u->due = u->due || more || e;
    pthread_mutex_unlock(&u->lock);
}

static int64_t look(void *context, const atomic_bool *stop)
{
    struct upkeep *u = context;
    u->again -= u->again > 0;
    while (!atomic_load(stop) && step_begin(u))
        step(u);
    return LOOK_MS * INT64_C(1000);
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
    enum err e = chore_start(&u->chore, look, u, LOOK_MS * INT64_C(1000));
    if (e) {
        pthread_mutex_destroy(&u->lock);
        free(u);
        return e;
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
    chore_stop(u->chore);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
