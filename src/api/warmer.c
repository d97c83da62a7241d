#include "api/warmer_int.h"

#include "api/api_int.h"
#include "api/handler_int.h"
#include "api/question_int.h"
#include "base/chore.h"

#include <stdlib.h>

enum {
    PAUSE_S = 30
};

struct warmer {
    struct api *api;
    struct chore *chore;
    uint64_t packets; /* in the store when it last asked */
};

/* Nobody gets the answer: what it is made of stays in api->kept. What fails here fails when a
 * person asks, and is told then. */
static int64_t warm(void *context, const atomic_bool *stop)
{
    struct warmer *w = context;
    struct request *r;
    struct held_span held;
    if (request_new(&r, w->api) != OK)
        return PAUSE_S * US_SECOND;
    r->method = "GET";
    r->target = API_ROOT "/overview";
    r->now = clock_now(&w->api->clock);
    r->stop = stop;
    if (question_held(r, &held) == OK && held.packets != w->packets && request_parse(r) == OK &&
        r->route->run(r) == OK)
        w->packets = held.packets;
    request_free(r);
    return PAUSE_S * US_SECOND;
}

enum err warmer_start(struct warmer **ret_warmer, struct api *a)
{
    struct warmer *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->api = a;
    enum err e = chore_start(&w->chore, warm, w, 0);
    if (e) {
        free(w);
        return e;
    }
    *ret_warmer = w;
    return OK;
}

void warmer_stop(struct warmer *w)
{
    if (!w)
        return;
    chore_stop(w->chore);
    free(w);
}
