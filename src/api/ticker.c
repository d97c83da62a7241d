#include "api/ticker_int.h"

#include "api/api_int.h"
#include "api/connections_int.h"
#include "api/events_int.h"
#include "base/chore.h"
#include "base/steady.h"

#include <stdlib.h>
#include <string.h>

struct ticker {
    struct api *api;
    struct chore *chore;
    unsigned seconds;
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

static int64_t second(void *context, const atomic_bool *stop)
{
    struct ticker *t = context;
    (void)stop;
    connections_sweep(t->api->connections, steady_now());
    if (t->seconds++ % 2)
        tick(t);
    return US_SECOND;
}

enum err ticker_start(struct ticker **ret_ticker, struct api *a)
{
    struct ticker *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->api = a;
    t->states = json_object();
    enum err e = t->states ? chore_start(&t->chore, second, t, US_SECOND) : ERR_NOMEM;
    if (e) {
        json_decref(t->states);
        free(t);
        return e;
    }
    *ret_ticker = t;
    return OK;
}

void ticker_stop(struct ticker *t)
{
    if (!t)
        return;
    chore_stop(t->chore);
    json_decref(t->states);
    free(t);
}
