#include "api/hub_int.h"

#include "api/api_int.h"
#include "api/events_int.h"
#include "api/handler_int.h"
#include "api/pack_int.h"
#include "api/question_int.h"

#include <string.h>

/* Version, store, data sets, losses, health, figures for Prometheus. */

json_t *hub_datasets(struct request *r)
{
    const struct api_live *live = &r->api->parts.live;
    return live->datasets ? live->datasets(live->context) : json_array();
}

enum err hub_store_usage(struct request *r, json_t **ret_usage)
{
    const struct api_store *s = &r->api->parts.store;
    struct store_usage u = {0};
    enum err e = s->usage(s->context, &u, &r->fault);
    if (e)
        return e;
    json_t *usage = json_pack("{s:s, s:I, s:I, s:I, s:I}", "engine", u.version, "disk_bytes",
        (json_int_t)u.disk_bytes, "disk_free", (json_int_t)u.disk_free, "packets",
        (json_int_t)u.packets, "contacts", (json_int_t)u.contacts);
    if (!usage)
        return ERR_NOMEM;
    *ret_usage = usage;
    return OK;
}

enum err handle_datasets(struct request *r)
{
    reply_json(r, 200, json_pack("{s:o}", "rows", hub_datasets(r)));
    return OK;
}

static json_t *losses_json(struct request *r)
{
    static const char *const names[] = {
        "received", "dropped", "sampled_out", "malformed", "unseen"};
    const struct api_live *live = &r->api->parts.live;
    json_t *sites = live->sites ? live->sites(live->context) : json_array();
    json_t *losses = json_object();
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        json_int_t sum = 0;
        size_t i;
        json_t *site;
        json_array_foreach(sites, i, site)
        {
            sum += json_integer_value(json_object_get(site, names[n]));
        }
        json_object_set_new(losses, names[n], json_integer(sum));
    }
    json_decref(sites);
    return losses;
}

static json_t *held_json(const struct held_span *held)
{
    return json_pack("{s:o, s:o, s:I}", "first",
        held->first ? json_time(held->first) : json_null(), "last",
        held->last ? json_time(held->last) : json_null(), "packets", (json_int_t)held->packets);
}

enum err handle_status(struct request *r)
{
    const struct api *a = r->api;
    const struct api_options *o = &a->options;
    struct held_span held;
    json_t *usage;
    enum err e = question_held(r, &held);
    if (!e)
        e = hub_store_usage(r, &usage);
    if (e)
        return e;
    json_t *retention =
        json_pack("{s:I, s:I, s:I}", "packets_s", (json_int_t)(o->keep_packets / US_SECOND),
            "contacts_s", (json_int_t)(o->keep_contacts / US_SECOND), "rollups_s",
            (json_int_t)(o->keep_rollups / US_SECOND));
    struct events_usage events = events_usage(a->events);
    json_t *clients = json_pack("{s:I, s:I}", "events", (json_int_t)events.clients,
        "events_cut_off", (json_int_t)events.cut_off);
    reply_json(r, 200,
        json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "version", a->version, "now",
            json_time(r->now), "started", json_time(a->started), "uptime_s",
            (json_int_t)((r->now - a->started) / US_SECOND), "held", held_json(&held), "store",
            usage, "retention", retention, "losses", losses_json(r), "clients", clients));
    return OK;
}

enum err handle_openapi(struct request *r)
{
    struct packed file;
    if (!pack_find(pack_openapi(), "/openapi.json", &file))
        return ERR_NOTFOUND;
    buf_put(&r->reply.body, file.data, file.len);
    return OK;
}

static void put_figure(
    struct buf *out, const char *name, const char *type, const char *text, double value)
{
    buf_printf(out, "# HELP kizashi_%s %s\n# TYPE kizashi_%s %s\nkizashi_%s %.15g\n", name,
        text, name, type, name, value);
}

static void put_requests(struct buf *out, const struct counters *c)
{
    buf_str(out, "# HELP kizashi_api_requests_total Requests answered, by class of status.\n"
                 "# TYPE kizashi_api_requests_total counter\n");
    for (int i = 2; i <= 5; i++)
        buf_printf(out, "kizashi_api_requests_total{status=\"%dxx\"} %llu\n", i,
            (unsigned long long)atomic_load(&c->requests[i]));
}

enum err handle_metrics(struct request *r)
{
    const struct api *a = r->api;
    const struct counters *c = &a->counters;
    struct buf *out = &r->reply.body;
    struct events_usage events = events_usage(a->events);
    struct store_usage u = {0};
    r->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    buf_printf(out,
        "# HELP kizashi_build_info Version.\n# TYPE kizashi_build_info gauge\n"
        "kizashi_build_info{version=\"%s\"} 1\n",
        a->version);
    put_figure(
        out, "start_time_seconds", "gauge", "When the hub started.", (double)a->started / 1e6);
    put_requests(out, c);
    put_figure(out, "api_seconds_total", "counter", "Time spent answering.",
        (double)atomic_load(&c->seconds_us) / 1e6);
    put_figure(out, "api_throttled_total", "counter", "Requests refused for their rate.",
        (double)atomic_load(&c->throttled));
    put_figure(out, "api_logins_total", "counter", "Logins.", (double)atomic_load(&c->logins));
    put_figure(out, "api_logins_refused_total", "counter", "Logins with a wrong password.",
        (double)atomic_load(&c->logins_refused));
    put_figure(
        out, "api_exports", "gauge", "Exports that run now.", (double)atomic_load(&c->exports));
    put_figure(
        out, "api_event_readers", "gauge", "Readers of /events.", (double)events.clients);
    put_figure(out, "api_event_readers_cut_off_total", "counter",
        "Readers of /events that were cut off for being slow.", (double)events.cut_off);
    if (a->parts.store.usage(a->parts.store.context, &u, NULL) == OK) {
        put_figure(out, "store_disk_bytes", "gauge", "Disk that the store takes.",
            (double)u.disk_bytes);
        put_figure(out, "store_disk_free_bytes", "gauge", "Disk that is free for the store.",
            (double)u.disk_free);
        put_figure(
            out, "store_packets", "gauge", "Packet records in the store.", (double)u.packets);
        put_figure(out, "store_contacts", "gauge", "Contact records in the store.",
            (double)u.contacts);
    }
    if (a->parts.live.metrics)
        a->parts.live.metrics(a->parts.live.context, out);
    return OK;
}

static void add_reason(json_t *reasons, const char *part, const char *detail)
{
    json_array_append_new(reasons, json_pack("{s:s, s:s}", "part", part, "detail", detail));
}

/* The reasons name parts only in general words: anybody may ask. */
enum err handle_healthz(struct request *r)
{
    struct api *a = r->api;
    const struct api_live *live = &a->parts.live;
    struct store_usage u;
    uint64_t users;
    json_t *reasons = live->health ? live->health(live->context) : json_array();
    if (!reasons)
        return ERR_NOMEM;
    if (a->parts.store.usage(a->parts.store.context, &u, NULL) != OK)
        add_reason(reasons, "store", "the store does not answer");
    if (catalog_user_count(a->parts.catalog, &users) != OK)
        add_reason(reasons, "catalogue", "the catalogue does not answer");
    bool well = json_array_size(reasons) == 0;
    r->reply.no_store = true;
    reply_json(r, well ? 200 : 503,
        json_pack("{s:s, s:o}", "status", well ? "ok" : "failing", "reasons", reasons));
    return OK;
}
