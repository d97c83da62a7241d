#include "api/ticker_int.h"

#include "api/api_int.h"
#include "api/connections_int.h"
#include "api/events_int.h"
#include "base/steady.h"

#include <stdlib.h>
#include <string.h>

struct ticker {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    json_t *states; /* site: state */
};

static json_t *tick_json(struct api *a, json_t *sites)
{
    double pps = 0;
    int64_t newest = 0;
    size_t i;
    json_t *site;
    json_array_foreach(sites, i, site)
    {
        const char *last = json_string_value(json_object_get(site, "last"));
        int64_t time;
        pps += json_number_value(json_object_get(site, "pps"));
        if (last && time_parse(last, &time) == OK && time > newest)
            newest = time;
    }
    return json_pack("{s:o, s:o, s:f, s:O}", "now", json_time(clock_now(&a->clock)),
        "data_time", newest ? json_time(newest) : json_null(), "pps", pps, "sites", sites);
}

/* What cannot be sent for lack of memory comes with the next tick. */
static void send(struct api *a, const char *name, json_t *data)
{
    if (data && events_publish(a->events, name, data) != OK)
        atomic_fetch_add(&a->counters.events_lost, 1);
}

static void send_changes(struct ticker *t, const json_t *sites)
{
    size_t i;
    json_t *site;
    json_array_foreach(sites, i, site)
    {
        const char *name = json_string_value(json_object_get(site, "site"));
        json_t *state = json_object_get(site, "state");
        json_t *before = name ? json_object_get(t->states, name) : NULL;
        if (!name || !state || (before && json_equal(before, state)))
            continue;
        if (before)
            send(t->api, "site", site);
        json_object_set(t->states, name, state);
    }
}

static void tick(struct ticker *t)
{
    const struct api_live *live = &t->api->parts.live;
    json_t *sites = live->sites ? live->sites(live->context) : json_array();
    if (!sites)
        return;
    send_changes(t, sites);
    json_t *data = tick_json(t->api, sites);
    send(t->api, "tick", data);
    json_decref(data);
    json_decref(sites);
}

/* True: time to stop. */
static bool wait_second(struct ticker *t)
{
    int64_t until = steady_now() + US_SECOND;
    pthread_mutex_lock(&t->lock);
    while (!t->stopping && steady_wait(&t->stop, &t->lock, until))
        ;
    bool stopping = t->stopping;
    pthread_mutex_unlock(&t->lock);
    return stopping;
}

static void *run(void *context)
{
    struct ticker *t = context;
    for (unsigned second = 0; !wait_second(t); second++) {
        connections_sweep(t->api->connections, steady_now());
        if (second % 2)
            tick(t);
    }
    return NULL;
}

enum err ticker_start(struct ticker **ret_ticker, struct api *a)
{
    struct ticker *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->api = a;
    t->states = json_object();
    pthread_mutex_init(&t->lock, NULL);
    steady_cond_init(&t->stop);
    if (!t->states || pthread_create(&t->thread, NULL, run, t) != 0) {
        json_decref(t->states);
        free(t);
        return ERR_NOMEM;
    }
    *ret_ticker = t;
    return OK;
}

void ticker_stop(struct ticker *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->stop);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->stop);
    pthread_mutex_destroy(&t->lock);
    json_decref(t->states);
    free(t);
}
