#include "base/chore.h"

#include "base/steady.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct chore {
    chore_turn turn;
    void *context;
    int64_t pause; /* before the next turn */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    atomic_bool stop; /* changed under the lock, so that no pause misses it */
};

/* False: it is time to stop. */
static bool pause_end(struct chore *c)
{
    int64_t until = steady_now() + c->pause;
    bool paused = c->pause > 0;
    pthread_mutex_lock(&c->lock);
    while (paused && !atomic_load(&c->stop))
        paused = steady_wait(&c->stopped, &c->lock, until);
    pthread_mutex_unlock(&c->lock);
    return !atomic_load(&c->stop);
}

static void *run(void *context)
{
    struct chore *c = context;
    while (pause_end(c))
        c->pause = c->turn(c->context, &c->stop);
    return NULL;
}

static void chore_free(struct chore *c)
{
    pthread_cond_destroy(&c->stopped);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

enum err chore_start(struct chore **ret_chore, chore_turn turn, void *context, int64_t pause)
{
    struct chore *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->turn = turn;
    c->context = context;
    c->pause = pause;
    pthread_mutex_init(&c->lock, NULL);
    steady_cond_init(&c->stopped);
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        chore_free(c);
        return ERR_NOMEM;
    }
    *ret_chore = c;
    return OK;
}

void chore_stop(struct chore *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->stop, true);
    pthread_cond_signal(&c->stopped);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    chore_free(c);
}
