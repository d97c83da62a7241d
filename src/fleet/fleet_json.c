#include "fleet/fleet_int.h"

#include <stdio.h>
#include <string.h>

/* The fleet as the API shows it. */

enum {
    STRIP_CELLS = 48,
    EVENTS_SHOWN = 200
};

static json_t *text(const char *s)
{
    return json_text(s, strlen(s));
}

static json_t *time_or_null(int64_t us)
{
    return us > 0 ? json_time(us) : json_null();
}

static json_t *whole_seconds(int64_t us)
{
    return json_integer(us / US_SECOND);
}

static json_t *strip_json(const struct history *h, int64_t from, int64_t to)
{
    char cells[STRIP_CELLS + 1];
    history_strip(h, from, to, STRIP_CELLS, cells);
    return json_pack("{s:o, s:o, s:s}", "from", json_time(from), "step",
        whole_seconds((to - from) / STRIP_CELLS), "cells", cells);
}

static json_t *figures_json(const struct history *h, int64_t from, int64_t to)
{
    struct history_figures f;
    history_figures(h, from, to, &f);
    return json_pack("{s:o, s:o, s:f, s:f, s:i, s:i, s:o, s:o, s:o}", "watched",
        whole_seconds(f.watched), "down", whole_seconds(f.in[SITE_DOWN]), "available",
        f.available, "healthy", f.healthy, "outages", (int)f.outages, "repaired",
        (int)f.repaired, "repair_mean", f.repaired ? whole_seconds(f.repair_mean) : json_null(),
        "repair_longest", f.repaired ? whole_seconds(f.repair_longest) : json_null(), "late",
        whole_seconds(f.in[SITE_LATE]));
}

/* What is wrong, the cause of the state first. */
static json_t *reasons_json(const struct watch *w, int64_t now)
{
    json_t *array = json_array();
    enum watch_reason cause = watch_cause(w);
    for (size_t r = 0; r < WATCH_REASON_COUNT; r++) {
        char sentence[WATCH_SENTENCE];
        if (!w->holds[r] || (r == WATCH_MISSED && w->holds[WATCH_SILENT]))
            continue;
        watch_tell(w, (enum watch_reason)r, now, sentence);
        json_t *row =
            json_pack("{s:s, s:o, s:o}", "reason", watch_reason_name((enum watch_reason)r),
                "since", json_time(w->held[r]), "text", text(sentence));
        if (r == cause)
            json_array_insert_new(array, 0, row);
        else
            json_array_append_new(array, row);
    }
    return array;
}

static json_t *row_json(const struct fleet_member *m, int64_t now)
{
    const struct watch *w = &m->watch;
    json_t *row = json_object();
    json_object_set_new(row, "site", json_string(m->name));
    json_object_set_new(row, "state", json_string(site_state_name(w->state)));
    json_object_set_new(row, "since", json_time(w->since));
    json_object_set_new(row, "heard", time_or_null(m->heard));
    json_object_set_new(row, "reasons", reasons_json(w, now));
    json_object_set_new(
        row, "heartbeat", w->last.site[0] ? heartbeat_json(&w->last) : json_null());
    json_object_set_new(row, "config", fleet_way_json(m));
    json_object_set_new(row, "day", figures_json(&m->history, now - US_DAY, now));
    json_object_set_new(row, "month", figures_json(&m->history, now - 30 * US_DAY, now));
    json_object_set_new(row, "strip", strip_json(&m->history, now - US_DAY, now));
    return row;
}

json_t *fleet_rows(struct fleet *fleet, int64_t now)
{
    json_t *rows = json_array();
    pthread_mutex_lock(&fleet->lock);
    for (size_t i = 0; i < fleet->count; i++)
        json_array_append_new(rows, row_json(fleet->members[i], now));
    pthread_mutex_unlock(&fleet->lock);
    return rows;
}

struct telling {
    struct history history;
    json_t *events; /* newest first */
    int64_t to;
};

static enum err take_event(void *context, const struct catalog_site_event *e)
{
    struct telling *t = context;
    enum site_state state;
    if (e->time >= t->to || site_state_parse(e->state, &state) != OK)
        return OK;
    json_array_insert_new(t->events, 0,
        json_pack("{s:o, s:o, s:s, s:s, s:o}", "time", json_time(e->time), "since",
            json_time(e->since), "state", e->state, "reason", e->reason, "text",
            text(e->detail)));
    if (json_array_size(t->events) > EVENTS_SHOWN)
        json_array_remove(t->events, EVENTS_SHOWN);
    return history_add(&t->history, e->since, state);
}

enum err fleet_site(struct fleet *fleet, const char *site, int64_t from, int64_t to,
    int64_t now, json_t **ret_site)
{
    struct telling t = {.events = json_array(), .to = to};
    history_init(&t.history);
    enum err e = catalog_site_events(fleet->catalog, site, from, take_event, &t);
    pthread_mutex_lock(&fleet->lock);
    const struct fleet_member *m = fleet_find(fleet, site);
    json_t *row = m && !e ? row_json(m, now) : NULL;
    pthread_mutex_unlock(&fleet->lock);
    if (row) {
        json_object_set_new(row, "range", figures_json(&t.history, from, to));
        json_object_set_new(row, "history", strip_json(&t.history, from, to));
        json_object_set(row, "events", t.events);
        *ret_site = row;
    }
    json_decref(t.events);
    history_done(&t.history);
    return row ? OK : e ? e : ERR_NOTFOUND;
}
