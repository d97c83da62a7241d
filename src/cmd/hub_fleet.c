#include "cmd/hub_fleet.h"

#include "base/log.h"
#include "cmd/version.h"

#include <stdio.h>
#include <string.h>

/* ---- what changed ---- */

static void on_changed(void *context, const struct fleet_change *change)
{
    struct hub_fleet *h = context;
    const char *state = site_state_name(change->after);
    struct api *api = atomic_load(&h->api);
    log_event(change->after == SITE_DOWN ? LOG_WARN : LOG_NOTE, "site.state",
        "site=%s state=%s before=%s reason=%s text=\"%s\"", change->site, state,
        site_state_name(change->before), change->reason[0] ? change->reason : "-",
        change->detail);
    if (!api)
        return;
    json_t *data = json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "site", change->site, "state",
        state, "before", site_state_name(change->before), "since", json_time(change->since),
        "reason", change->reason, "text", json_text(change->detail, strlen(change->detail)));
    if (!data || api_publish(api, "fleet", data) != OK)
        log_event(LOG_DEBUG, "fleet.publish", "site=%s", change->site);
    json_decref(data);
}

enum err hub_fleet_open(
    struct hub_fleet *h, struct catalog *c, int64_t packets, int64_t now, struct fault *f)
{
    h->started = now;
    enum err e = fleet_open(&h->fleet, c, &(struct fleet_events){h, on_changed}, now, f);
    if (!e)
        fleet_keeps(h->fleet, packets);
    return e;
}

void hub_fleet_close(struct hub_fleet *h, int64_t now)
{
    fleet_close(h->fleet, now);
    h->fleet = NULL;
}

/* ---- what sites say ---- */

/* An interface of the hub's own machine speaks through the hub. */
static void beat_of(
    const struct hub_site *site, int64_t started, int64_t now, struct heartbeat *ret_beat)
{
    const struct site_live *live = site_live(site->site);
    struct heartbeat b;
    heartbeat_init(&b);
    snprintf(b.site, sizeof b.site, "%s", site_name(site->site));
    snprintf(b.version, sizeof b.version, "%s", KIZASHI_VERSION);
    b.sent = now;
    b.started = started;
    b.interval = WATCH_INTERVAL_S;
    b.received = (int64_t)atomic_load(&live->packets);
    b.bytes = (int64_t)atomic_load(&live->bytes);
    b.dropped_kernel = (int64_t)atomic_load(&live->dropped_kernel);
    b.dropped_queue = (int64_t)atomic_load(&live->dropped_queue);
    b.malformed = (int64_t)atomic_load(&live->malformed);
    b.newest = atomic_load(&live->newest) ? atomic_load(&live->newest) : HEARTBEAT_UNKNOWN;
    *ret_beat = b;
}

static bool speaks(const struct hub_site *site)
{
    return feed_is_live(site_feed(site->site)) && !atomic_load(&site_live(site->site)->ended);
}

static enum err speak(struct hub_fleet *h, const struct hub_site *sites, size_t count,
    int64_t now, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++) {
        struct heartbeat beat;
        if (!speaks(&sites[i]))
            continue;
        beat_of(&sites[i], h->started, now, &beat);
        e = fleet_heartbeat(h->fleet, &beat, now, f);
    }
    return e;
}

void hub_fleet_look(
    struct hub_fleet *h, const struct hub_site *sites, size_t count, int64_t now)
{
    struct fault f = {0};
    enum err e = OK;
    if (now - h->spoken >= WATCH_INTERVAL_S * US_SECOND) {
        h->spoken = now;
        e = speak(h, sites, count, now, &f);
    }
    if (!e)
        e = fleet_look(h->fleet, now, &f);
    if (e && e != h->trouble.code)
        log_event(LOG_ERROR, "fleet.look", "error=\"%s\"", f.text);
    h->trouble.code = e;
}
