#include "api/warmer_int.h"

#include "api/api_int.h"
#include "api/handler_int.h"
#include "api/question_int.h"
#include "base/steady.h"

#include <stdlib.h>

enum {
    PAUSE_S = 30
};

struct warmer {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    atomic_bool stopping;
    uint64_t packets; /* in the store when it last asked */
};

/* Nobody gets the answer: what it is made of stays in api->kept. What fails here fails when a
 * person asks, and is told then. */
static void warm(struct warmer *w)
{
    struct request *r;
    struct held_span held;
    if (request_new(&r, w->api) != OK)
        return;
    r->method = "GET";
    r->target = API_ROOT "/overview";
    r->now = clock_now(&w->api->clock);
    r->stop = &w->stopping;
    if (question_held(r, &held) == OK && held.packets != w->packets && request_parse(r) == OK &&
        r->route->run(r) == OK)
        w->packets = held.packets;
    request_free(r);
}

/* True: time to stop. */
static bool wait_pause(struct warmer *w)
{
    int64_t until = steady_now() + PAUSE_S * US_SECOND;
    pthread_mutex_lock(&w->lock);
    while (!atomic_load(&w->stopping) && steady_wait(&w->stop, &w->lock, until))
        ;
    bool stopping = atomic_load(&w->stopping);
    pthread_mutex_unlock(&w->lock);
    return stopping;
}

static void *run(void *context)
{
    do
        warm(context);
    while (!wait_pause(context));
    return NULL;
}

enum err warmer_start(struct warmer **ret_warmer, struct api *a)
{
    struct warmer *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->api = a;
    pthread_mutex_init(&w->lock, NULL);
    steady_cond_init(&w->stop);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        pthread_cond_destroy(&w->stop);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return ERR_NOMEM;
    }
    *ret_warmer = w;
    return OK;
}

void warmer_stop(struct warmer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_signal(&w->stop);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->stop);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
