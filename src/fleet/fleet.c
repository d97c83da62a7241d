#include "fleet/fleet_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOTE_EVERY_S = 15,
    REMEMBER_DAYS = 31
};

/* ---- members ---- */

/* The place of a name, or where it belongs. */
static size_t place_of(const struct fleet *fleet, const char *site)
{
    size_t low = 0;
    size_t high = fleet->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(fleet->members[middle]->name, site) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fleet_member *fleet_find(const struct fleet *fleet, const char *site)
{
    size_t at = place_of(fleet, site);
    bool is = at < fleet->count && strcmp(fleet->members[at]->name, site) == 0;
    return is ? fleet->members[at] : NULL;
}

static enum err member_add(struct fleet *fleet, const char *site, int64_t now,
    struct fleet_member **ret_member, struct fault *f)
{
    if (fleet->count == FLEET_SITES)
        return fault_set(f, ERR_FULL, "there are %d sites; no more fit", FLEET_SITES);
    struct fleet_member *m = calloc(1, sizeof *m);
    if (!m)
        return fault_set(f, ERR_NOMEM, "out of memory");
    snprintf(m->name, sizeof m->name, "%s", site);
    watch_init(&m->watch, now);
    history_init(&m->history);
    size_t at = place_of(fleet, site);
    memmove(fleet->members + at + 1, fleet->members + at,
        (fleet->count - at) * sizeof(struct fleet_member *));
    fleet->members[at] = m;
    fleet->count++;
    *ret_member = m;
    return OK;
}

static void member_free(struct fleet_member *m)
{
    history_done(&m->history);
    free(m);
}

/* ---- what changed ---- */

static void event_fill(
    const struct fleet_member *m, int64_t now, struct catalog_site_event *ret_event)
{
    enum watch_reason cause = watch_cause(&m->watch);
    struct catalog_site_event e = {.time = now, .since = m->watch.since};
    snprintf(e.site, sizeof e.site, "%s", m->name);
    snprintf(e.state, sizeof e.state, "%s", site_state_name(m->watch.state));
    if (cause != WATCH_REASON_COUNT) {
        snprintf(e.reason, sizeof e.reason, "%s", watch_reason_name(cause));
        watch_tell(&m->watch, cause, now, e.detail);
    }
    *ret_event = e;
}

/* Into the catalogue, and into the history once it is there. The lock is held. */
static enum err member_note(struct fleet *fleet, struct fleet_member *m, int64_t now,
    struct catalog_site_event *ret_event, struct fault *f)
{
    event_fill(m, now, ret_event);
    enum err e = catalog_site_event_add(fleet->catalog, ret_event, f);
    return e ? e : history_add(&m->history, m->watch.since, m->watch.state);
}

/* Look at one member; when its state changed, note it and tell. `ret_told` false: nothing to
 * tell. The lock is held. */
static enum err member_look(struct fleet *fleet, struct fleet_member *m, int64_t now,
    struct catalog_site_event *ret_event, bool *ret_told, struct fault *f)
{
    struct watch before = m->watch;
    *ret_told = watch_look(&m->watch, now);
    if (!*ret_told)
        return OK;
    enum err e = member_note(fleet, m, now, ret_event, f);
    if (e) { /* not noted, so not yet true: the next look tries again */
        m->watch.state = before.state;
        m->watch.since = before.since;
        *ret_told = false;
    }
    return e;
}

static void tell(
    const struct fleet *fleet, enum site_state before, const struct catalog_site_event *e)
{
    enum site_state after = SITE_NEW;
    if (!fleet->events.changed || site_state_parse(e->state, &after) != OK)
        return;
    fleet->events.changed(fleet->events.context,
        &(struct fleet_change){e->site, before, after, e->since, e->reason, e->detail});
}

/* ---- opening ---- */

struct reading {
    struct fleet *fleet;
    int64_t now, watched;
    struct fault *fault;
};

static enum err take_event(void *context, const struct catalog_site_event *e)
{
    struct history *history = context;
    enum site_state state;
    return site_state_parse(e->state, &state) == OK ? history_add(history, e->since, state)
                                                    : OK;
}

/* Nobody expects it to speak: it was never heard, or has read its captures and is gone, of
 * which no sentence is told without a reason, unlike of a time without a hub. It stays that
 * until it does. */
static bool is_at_rest(enum site_state state, const struct catalog_site_event *e)
{
    return state == SITE_NEW || (state == SITE_UNWATCHED && (!e->detail[0] || e->reason[0]));
}

static enum err take_site(void *context, const struct catalog_site_event *e)
{
    struct reading *r = context;
    struct fleet_member *m;
    enum site_state state;
    enum err err = member_add(r->fleet, e->site, r->now, &m, r->fault);
    if (err)
        return err;
    if (site_state_parse(e->state, &state) == OK && is_at_rest(state, e)) {
        m->watch.state = state;
        m->watch.since = e->since;
    } else {
        watch_resume(&m->watch, r->now);
    }
    return OK;
}

static enum err take_heard(void *context, const struct catalog_heard *h)
{
    struct fleet_member *m = fleet_find(context, h->site);
    if (m)
        m->heard = m->heard_noted = h->time;
    return OK;
}

/* Since somebody last watched, nobody knows. */
static enum err member_resume(
    struct fleet *fleet, struct fleet_member *m, const struct reading *r)
{
    enum err e = catalog_site_events(fleet->catalog, m->name,
        r->now - (int64_t)REMEMBER_DAYS * US_DAY, take_event, &m->history);
    struct catalog_site_event event = {.time = r->now,
        .since = r->watched ? r->watched : r->now,
        .state = "unwatched",
        .detail = "the hub was not running"};
    snprintf(event.site, sizeof event.site, "%s", m->name);
    if (e || !m->watch.heard) /* nobody waits for it, with or without a hub */
        return e;
    m->watch.since = event.since;
    e = catalog_site_event_add(fleet->catalog, &event, r->fault);
    return e ? e : history_add(&m->history, event.since, SITE_UNWATCHED);
}

static enum err read_all(struct fleet *fleet, int64_t now, struct fault *f)
{
    struct reading r = {.fleet = fleet, .now = now, .fault = f};
    enum err e = catalog_fleet_watched(fleet->catalog, &r.watched);
    if (!e)
        e = catalog_site_states(fleet->catalog, take_site, &r);
    if (!e)
        e = catalog_sites_heard(fleet->catalog, take_heard, fleet);
    for (size_t i = 0; i < fleet->count && !e; i++)
        e = member_resume(fleet, fleet->members[i], &r);
    return e ? e : fleet_ways_read(fleet, now);
}

enum err fleet_open(struct fleet **ret_fleet, struct catalog *c,
    const struct fleet_events *events, int64_t now, struct fault *f)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return fault_set(f, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&fleet->lock, NULL);
    pthread_mutex_init(&fleet->configuring, NULL);
    fleet->catalog = c;
    if (events)
        fleet->events = *events;
    enum err e = read_all(fleet, now, f);
    if (e) {
        fleet_close(fleet, 0);
        return fault_set(f, e, "the sites cannot be read from the catalogue: %s", err_text(e));
    }
    *ret_fleet = fleet;
    return OK;
}

/* That we watched until now, and who spoke since the last note. */
static enum err watched_note(struct fleet *fleet, int64_t now)
{
    size_t count = 0;
    pthread_mutex_lock(&fleet->lock);
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_member *m = fleet->members[i];
        if (m->heard == m->heard_noted)
            continue;
        struct catalog_heard *h = &fleet->heard[count++];
        memcpy(h->site, m->name, sizeof h->site);
        h->time = m->heard;
    }
    pthread_mutex_unlock(&fleet->lock);
    enum err e = catalog_fleet_watched_put(fleet->catalog, now, fleet->heard, count);
    pthread_mutex_lock(&fleet->lock);
    for (size_t i = 0; i < count && !e; i++) {
        struct fleet_member *m = fleet_find(fleet, fleet->heard[i].site);
        if (m)
            m->heard_noted = fleet->heard[i].time;
    }
    pthread_mutex_unlock(&fleet->lock);
    return e;
}

void fleet_close(struct fleet *f, int64_t now)
{
    if (!f)
        return;
    /* Not written: then the time since the last note counts as unwatched, 15 s at most. */
    enum err e = now ? watched_note(f, now) : OK;
    (void)e;
    for (size_t i = 0; i < f->count; i++)
        member_free(f->members[i]);
    pthread_mutex_destroy(&f->configuring);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* ---- what comes in ---- */

void fleet_keeps(struct fleet *fleet, int64_t packets)
{
    pthread_mutex_lock(&fleet->lock);
    fleet->keep = packets;
    pthread_mutex_unlock(&fleet->lock);
}

/* What the hub still keeps is seen from the newest packet of all sites. The lock is held. */
static void keep_look(struct fleet *fleet, struct fleet_member *m, int64_t now)
{
    int64_t newest = m->watch.last.newest;
    if (newest != HEARTBEAT_UNKNOWN && newest <= now && newest > fleet->newest)
        fleet->newest = newest;
    if (fleet->keep && fleet->newest)
        m->watch.kept = fleet->newest - fleet->keep;
}

enum err fleet_expect(struct fleet *fleet, const char *site, int64_t now, struct fault *f)
{
    struct fleet_member *m;
    struct catalog_site_event event;
    pthread_mutex_lock(&fleet->lock);
    enum err e = OK;
    if (!fleet_find(fleet, site)) {
        e = member_add(fleet, site, now, &m, f);
        if (!e)
            e = member_note(fleet, m, now, &event, f);
    }
    pthread_mutex_unlock(&fleet->lock);
    return e;
}

void fleet_forget(struct fleet *fleet, const char *site)
{
    pthread_mutex_lock(&fleet->lock);
    size_t at = place_of(fleet, site);
    if (at < fleet->count && strcmp(fleet->members[at]->name, site) == 0) {
        member_free(fleet->members[at]);
        fleet->count--;
        memmove(fleet->members + at, fleet->members + at + 1,
            (fleet->count - at) * sizeof(struct fleet_member *));
    }
    pthread_mutex_unlock(&fleet->lock);
}

enum err fleet_heartbeat(
    struct fleet *fleet, const struct heartbeat *h, int64_t now, struct fault *f)
{
    struct catalog_site_event event;
    bool changed = false;
    enum site_state before = SITE_NEW;
    pthread_mutex_lock(&fleet->lock);
    struct fleet_member *m = fleet_find(fleet, h->site);
    enum err e = m ? OK : member_add(fleet, h->site, now, &m, f);
    if (!e) {
        before = m->watch.state;
        m->heard = now;
        watch_heartbeat(&m->watch, h, now);
        keep_look(fleet, m, now);
        e = fleet_way_answer(fleet, m, h, now, f);
    }
    if (!e) {
        e = member_look(fleet, m, now, &event, &changed, f);
    }
    pthread_mutex_unlock(&fleet->lock);
    if (changed)
        tell(fleet, before, &event);
    return e;
}

enum site_state fleet_state(struct fleet *fleet, const char *site)
{
    pthread_mutex_lock(&fleet->lock);
    const struct fleet_member *m = fleet_find(fleet, site);
    enum site_state state = m ? m->watch.state : SITE_NEW;
    pthread_mutex_unlock(&fleet->lock);
    return state;
}

static enum err look_at(struct fleet *fleet, size_t i, int64_t now, struct fault *f)
{
    struct catalog_site_event event;
    bool changed = false;
    enum site_state before = SITE_NEW;
    enum err e = OK;
    pthread_mutex_lock(&fleet->lock);
    if (i < fleet->count) {
        before = fleet->members[i]->watch.state;
        e = member_look(fleet, fleet->members[i], now, &event, &changed, f);
        if (!e)
            e = fleet_action_expire(fleet, fleet->members[i], now);
    }
    pthread_mutex_unlock(&fleet->lock);
    if (changed)
        tell(fleet, before, &event);
    return e;
}

enum err fleet_look(struct fleet *fleet, int64_t now, struct fault *f)
{
    enum err e = OK;
    for (size_t i = 0; i < FLEET_SITES && !e; i++) {
        pthread_mutex_lock(&fleet->lock);
        bool end = i >= fleet->count;
        pthread_mutex_unlock(&fleet->lock);
        if (end)
            break;
        e = look_at(fleet, i, now, f);
    }
    fleet_push_pending(fleet, now);
    if (!e && now - fleet->noted >= NOTE_EVERY_S * US_SECOND) {
        fleet->noted = now;
        e = watched_note(fleet, now);
    }
    return e;
}
