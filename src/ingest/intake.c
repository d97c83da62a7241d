#include "ingest/intake_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAIT_MS = 100,
    READ_WAIT_MS = 5,  /* while the logbook is read, and there is no room */
    WATCH_AT_ONCE = 32 /* sites that the bus is told of in one turn: each takes some ms */
};
static const int64_t tell_after = 10 * US_SECOND; /* a server that starts again is no news */

enum err intake_new(
    struct intake **ret_intake, const struct intake_options *options, struct fault *f)
{
    struct intake *i = calloc(1, sizeof *i);
    if (!i || deltas_new(&i->deltas, PARCEL_ROWS) != OK) {
        free(i);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    i->options = *options;
    i->clock = options->clock ? *options->clock : clock_system();
    i->filling = &i->batches[0];
    if (intake_storer_begin(i) != OK) {
        deltas_free(i->deltas);
        free(i);
        return fault_set(f, ERR_NOMEM, "no thread for the store");
    }
    intake_past_begin(i);
    *ret_intake = i;
    return OK;
}

struct intake_site *intake_find(const struct intake *i, const char *name)
{
    for (size_t k = 0; k < i->count; k++)
        if (strcmp(i->sites[k]->name, name) == 0)
            return i->sites[k];
    return NULL;
}

static void site_drop_held(struct intake *i, struct intake_site *s)
{
    while (s->held_count) {
        bus_release(i->options.bus, &s->held[s->held_first], false);
        s->held_first = (s->held_first + 1) % INTAKE_HELD;
        s->held_count--;
    }
}

static void site_done(struct intake *i, struct intake_site *s)
{
    site_drop_held(i, s);
    free(s->held);
    free(s);
}

void intake_free(struct intake *i)
{
    if (!i)
        return;
    intake_drop(i);
    intake_storer_end(i);
    for (size_t k = 0; k < i->count; k++)
        site_done(i, i->sites[k]);
    deltas_free(i->deltas);
    free(i);
}

static enum err position_restore(void *context, const struct catalog_position *p)
{
    struct position position = {p->spool, p->committed, p->lost};
    receiver_restore(context, &position);
    return OK;
}

/* Tell the bus; what fails now is tried again with the next tick. That it goes on failing is
 * told once. */
static void site_watch(struct intake *i, struct intake_site *s)
{
    struct fault f = {0};
    int64_t now = clock_now(&i->clock);
    s->watched = bus_watch(i->options.bus, s->name, &f) == OK;
    if (s->watched) {
        s->refused_at = 0;
        s->told = false;
        return;
    }
    s->refused_at = s->refused_at ? s->refused_at : now;
    if (s->told || now - s->refused_at < tell_after)
        return;
    s->told = true;
    if (i->options.events.deaf)
        i->options.events.deaf(i->options.events.context, s->name, &f);
}

enum err intake_add(struct intake *i, const char *site, struct remote *remote, struct fault *f)
{
    if (!bus_site_fits(site))
        return fault_set(f, ERR_BAD, "\"%.64s\" is no name for a site on the bus", site);
    if (intake_find(i, site))
        return fault_set(f, ERR_EXISTS, "%s is there already", site);
    if (i->count == INTAKE_SITES_MAX)
        return fault_set(f, ERR_FULL, "more than %d sites", INTAKE_SITES_MAX);
    struct intake_site *s = calloc(1, sizeof *s);
    struct bus_event *held = calloc(INTAKE_HELD, sizeof *held);
    if (!s || !held) {
        free(s);
        free(held);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    snprintf(s->name, sizeof s->name, "%s", site);
    s->held = held;
    s->remote = remote;
    receiver_init(&s->receiver, clock_now(&i->clock));
    enum err e = catalog_positions(i->options.catalog, site, position_restore, &s->receiver);
    if (e) {
        site_done(i, s);
        return fault_set(f, e, "the catalogue cannot be read: %s", err_text(e));
    }
    i->sites[i->count++] = s;
    if (intake_past_goes(i))
        intake_past_add(i, s);
    if (i->connected)
        site_watch(i, s);
    return OK;
}

void intake_remove(struct intake *i, const char *site)
{
    for (size_t k = 0; k < i->count; k++) {
        if (strcmp(i->sites[k]->name, site) != 0)
            continue;
        bus_unwatch(i->options.bus, site);
        site_done(i, i->sites[k]);
        i->sites[k] = i->sites[--i->count];
        return;
    }
}

void intake_heard(struct intake *i, const char *site, const struct said *said, bool replay)
{
    struct commitment word;
    struct intake_site *s = intake_find(i, site);
    if (!s || !said->spool)
        return;
    remote_alive(s->remote, replay);
    int64_t now = clock_now(&i->clock);
    bool idle = !s->held_count && !i->filling->count && !i->waiting;
    receiver_beat(&s->receiver, said, idle, now, &word);
    /* What the bus should have brought and has not: ask it, too. */
    if (word.want)
        site_watch(i, s);
    intake_say(i, s, &word);
}

void intake_counts(struct intake *i, const char *site, struct intake_counts *ret_counts)
{
    struct intake_counts sum = {0};
    for (size_t k = 0; k < i->count; k++) {
        const struct intake_counts *c = &i->sites[k]->counts;
        if (site && strcmp(i->sites[k]->name, site) != 0)
            continue;
        sum.messages += c->messages;
        sum.packets += c->packets;
        sum.bytes += c->bytes;
        sum.copies += c->copies;
        sum.gaps += c->gaps;
        sum.refused += c->refused;
        sum.lost += c->lost;
    }
    *ret_counts = sum;
}

/* ---- the loop ---- */

/* What comes while the logbook is read goes there first. */
static bool has_room(const struct intake *i, const struct intake_site *s)
{
    return intake_past_goes(i) || remote_has_room(s->remote, s->parcels, s->rows);
}

/* Messages that waited for room, as far as there is some. */
static enum err held_take(struct intake *i, struct intake_site *s, struct fault *f)
{
    enum err e = OK;
    while (!e && s->held_count && has_room(i, s)) {
        struct bus_event event = s->held[s->held_first];
        s->held_first = (s->held_first + 1) % INTAKE_HELD;
        if (!--s->held_count)
            s->held_first = 0; /* a ring that is used from its begin touches little memory */
        if (!intake_take(i, s, &event))
            bus_release(i->options.bus, &event, true);
        else if (i->filling->count == INTAKE_BATCH || i->filling->rows >= INTAKE_ROWS)
            e = intake_store(i, f);
    }
    return e;
}

static void block_hold(struct intake *i, struct bus_event *event)
{
    struct intake_site *s = intake_find(i, event->site);
    if (!s || s->held_count == INTAKE_HELD) {
        /* Nobody's, or more than the bus may bring unasked: the site will be asked again. */
        bus_release(i->options.bus, event, !s);
        return;
    }
    s->held[(s->held_first + s->held_count++) % INTAKE_HELD] = *event;
}

/* Sites that the bus does not know of, or that failed before the last tick. */
static void watch_some(struct intake *i)
{
    size_t told = 0;
    for (; i->watch_next < i->count && i->connected && told < WATCH_AT_ONCE; i->watch_next++) {
        if (i->sites[i->watch_next]->watched)
            continue;
        site_watch(i, i->sites[i->watch_next]);
        told++;
    }
}

static void logbook_look(struct intake *i)
{
    struct logbook_counts c;
    if (!i->options.logbook)
        return;
    logbook_tidy(i->options.logbook);
    logbook_counts(i->options.logbook, &c);
    if (c.cut != i->cut && i->options.events.cut)
        i->options.events.cut(i->options.events.context, c.cut);
    i->cut = c.cut;
}

static void tick(struct intake *i)
{
    int64_t now = clock_now(&i->clock);
    if (i->ticked && now - i->ticked < US_SECOND && now >= i->ticked)
        return;
    i->ticked = now;
    i->watch_next = 0;
    logbook_look(i);
    if (i->options.events.tick)
        i->options.events.tick(i->options.events.context, i->connected);
}

static void connection_changed(struct intake *i, bool connected)
{
    i->connected = connected;
    for (size_t k = 0; k < i->count; k++) {
        i->sites[k]->watched = false;
        i->sites[k]->refused_at = 0;
    }
    i->ticked = 0;
    if (!i->waiting)
        tick(i); /* at once: it may be otherwise again before the next turn */
}

static void event_take(struct intake *i, struct bus_event *event)
{
    switch (event->kind) {
    case BUS_BLOCK:
        block_hold(i, event);
        return;
    case BUS_BEAT:
        if (i->options.events.beat)
            i->options.events.beat(i->options.events.context, event->site, event->data);
        break;
    case BUS_CONNECTED:
    case BUS_DISCONNECTED:
        connection_changed(i, event->kind == BUS_CONNECTED);
        break;
    default:
        break;
    }
    bus_release(i->options.bus, event, true);
}

/* Is anything held that could be taken? */
static bool can_take(const struct intake *i)
{
    for (size_t k = 0; k < i->count; k++)
        if (i->sites[k]->held_count && has_room(i, i->sites[k]))
            return true;
    return false;
}

void intake_events(struct intake *i, int wait_ms)
{
    for (int n = 0; n < INTAKE_EVENTS; n++, wait_ms = 0) {
        struct bus_event event;
        bus_next(i->options.bus, wait_ms, &event);
        if (event.kind == BUS_NOTHING)
            return;
        event_take(i, &event);
    }
}

/* Wait for something, then take what is there: so that it is stored together. */
static void events_drain(struct intake *i, int wait_ms)
{
    int wait = can_take(i) ? 0 : wait_ms;
    if (intake_past_goes(i) && wait > READ_WAIT_MS)
        wait = i->reading.blocked ? READ_WAIT_MS : 0;
    intake_events(i, wait);
}

enum err intake_step(struct intake *i, int wait_ms, struct fault *f)
{
    enum err e = OK;
    events_drain(i, wait_ms);
    for (size_t k = 0; k < i->count && !e; k++)
        e = held_take(i, i->sites[k], f);
    if (!e)
        e = intake_settle(i, f);
    tick(i);
    watch_some(i);
    if (!e && intake_past_goes(i))
        intake_past_step(i);
    return e;
}

enum err intake_run(struct intake *i, struct fault *f)
{
    enum err e = OK;
    while (!e && !atomic_load(i->options.stop))
        e = intake_step(i, WAIT_MS, f);
    return e;
}
