/* What the hub had taken before it was killed is read from the logbook, to where it was. */
#include "ingest/intake_int.h"

#include "base/steady.h"

#include <string.h>

enum {
    READ_AT_ONCE = 64 /* messages that are read between two looks at the bus */
};

/* No site is silent for so long that has anything to say: there was no hub. */
static const int64_t dead_after = 3 * US_SECOND;

/* Rows leave the remotes within milliseconds where they can leave at all. */
static const int64_t stuck_after = 2 * US_SECOND;

void intake_past_begin(struct intake *i)
{
    struct logbook_counts c;
    if (!i->options.logbook)
        return;
    logbook_counts(i->options.logbook, &c);
    i->reading.next = c.first;
    i->reading.last = i->reading.old = c.last;
    atomic_store(&i->reading.shared.going, c.first <= c.last);
}

static void past_end(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    struct logbook_counts c;
    logbook_counts(i->options.logbook, &c);
    r->counts.damaged = c.damaged;
    atomic_store(&r->shared.over, clock_now(&i->clock));
    atomic_store(&r->shared.going, false);
    for (size_t k = 0; k < i->count; k++)
        remote_look_past(i->sites[k]->remote);
    if (i->options.events.past)
        i->options.events.past(i->options.events.context, &r->counts);
}

void intake_past_add(struct intake *i, struct intake_site *s)
{
    const struct receiver *r = &s->receiver;
    for (size_t k = 0; k < r->count; k++) {
        s->past[k].spool = r->positions[k].spool;
        s->past[k].stored = r->positions[k].committed;
        s->past[k].read = 0;
    }
    s->past_count = r->count;
    remote_begin_past(s->remote, &i->reading.shared);
}

/* Is it to be read? Of what the hub before had kept, that which was noted to be in the store,
 * once: the rest comes again, and is kept again. What this hub keeps is noted before it is
 * read. */
static bool is_due(const struct intake *i, struct intake_site *s, const struct logbook_entry *e)
{
    if (e->at > i->reading.old)
        return true;
    for (size_t k = 0; k < s->past_count; k++) {
        if (s->past[k].spool != e->spool)
            continue;
        bool due = e->number <= s->past[k].stored && e->number > s->past[k].read;
        s->past[k].read = due ? e->number : s->past[k].read;
        return due;
    }
    return false;
}

static void entry_put(struct intake *i, struct intake_site *s, const struct logbook_entry *e)
{
    struct parcel_rows rows;
    struct fault f = {0};
    struct intake_past *counts = &i->reading.counts;
    if (parcel_read(&rows, s->name, i->options.set, e->data, &f) != OK) {
        counts->passed++;
        return;
    }
    counts->messages++;
    counts->packets += rows.packets->rows;
    if (remote_put(s->remote, &rows) != OK)
        parcel_rows_done(&rows);
}

/* There is no room for the next message: perhaps because its site is ahead of another one, of
 * which the logbook has nothing for a long time. */
static void blocked(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    size_t waiting = 0;
    for (size_t k = 0; k < i->count; k++) {
        struct remote_counts c;
        remote_counts(i->sites[k]->remote, &c);
        waiting += c.waiting;
    }
    int64_t now = steady_now();
    if (!r->blocked || waiting != r->waiting) {
        r->blocked = now;
        r->waiting = waiting;
    }
    if (now - r->blocked < stuck_after || atomic_load(&r->shared.stuck))
        return;
    atomic_store(&r->shared.stuck, true);
    for (size_t k = 0; k < i->count; k++)
        remote_look_past(i->sites[k]->remote);
}

/* The time of the past goes on to the message that was read. */
static void time_pass(struct intake_reading *r)
{
    int64_t passed = r->entry.time - r->time;
    if (passed > dead_after || !r->time)
        atomic_store(&r->shared.born, atomic_load(&r->shared.lived));
    else if (passed > 0)
        atomic_fetch_add(&r->shared.lived, passed);
    r->time = passed > 0 ? r->entry.time : r->time;
}

/* The next message, unless it is held already. ERR_NOTFOUND: there is none; what else goes
 * wrong may pass. */
static enum err entry_next(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    if (r->held)
        return OK;
    if (r->next > r->last)
        return ERR_NOTFOUND;
    enum err e = logbook_read(i->options.logbook, r->next, &r->entry, NULL);
    if (e || r->entry.at > r->last)
        return e ? e : ERR_NOTFOUND;
    r->next = r->entry.at + 1;
    time_pass(r);
    struct intake_site *s = intake_find(i, r->entry.site);
    r->held = s && is_due(i, s, &r->entry);
    r->counts.passed += !r->held;
    return OK;
}

void intake_past_step(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    for (size_t n = 0; n < READ_AT_ONCE; n++) {
        enum err e = entry_next(i);
        if (e == ERR_NOTFOUND) {
            past_end(i);
            return;
        }
        if (e)
            break;
        struct intake_site *s = r->held ? intake_find(i, r->entry.site) : NULL;
        if (s && !remote_has_room(s->remote, 0, r->entry.rows)) {
            blocked(i);
            break;
        }
        if (s)
            entry_put(i, s, &r->entry);
        r->held = false;
        r->blocked = 0;
        atomic_store(&r->shared.stuck, false);
    }
    atomic_store(&r->shared.now, r->time);
}
