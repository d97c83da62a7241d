/* What the hub had taken before it was killed is read from the logbook, to where it was. */
#include "ingest/intake_int.h"

#include "base/steady.h"

#include <string.h>

enum {
    READ_AT_ONCE = 64 /* messages that are read between two looks at the bus */
};

/* Rows leave the remotes within milliseconds where they can leave at all. */
static const int64_t stuck_after = 2 * US_SECOND;

void intake_past_begin(struct intake *i)
{
    struct logbook_counts c;
    if (!i->options.logbook)
        return;
    logbook_counts(i->options.logbook, &c);
    i->reading.next = c.first;
    i->reading.last = c.last;
    atomic_store(&i->reading.shared.going, c.first <= c.last);
}

static void past_end(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    atomic_store(&r->shared.over, clock_now(&i->clock));
    atomic_store(&r->shared.going, false);
    for (size_t k = 0; k < i->count; k++)
        remote_look_past(i->sites[k]->remote);
    if (i->options.events.past)
        i->options.events.past(i->options.events.context, &r->counts);
}

/* Where it is noted how far a spool of the site has been read. A site has begun more spools
 * than are remembered: the oldest gives its place. */
static uint64_t *read_of(struct intake_site *s, uint64_t spool)
{
    for (size_t k = 0; k < s->read_count; k++)
        if (s->read[k].spool == spool)
            return &s->read[k].number;
    if (s->read_count == RECEIVER_SPOOLS)
        memmove(s->read, s->read + 1, --s->read_count * sizeof *s->read);
    s->read[s->read_count].spool = spool;
    s->read[s->read_count].number = 0;
    return &s->read[s->read_count++].number;
}

/* Is it in the store, and is this the first time that it is read? A hub that was killed before
 * it had told the site gets the message again, and keeps it again. */
static bool is_due(struct intake_site *s, const struct logbook_entry *e)
{
    uint64_t *read = read_of(s, e->spool);
    if (!receiver_has(&s->receiver, e->spool, e->number) || e->number <= *read)
        return false;
    *read = e->number;
    return true;
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

/* The next message, unless it is held already. False: there is none. */
static bool entry_next(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    if (r->held)
        return true;
    if (r->next > r->last || logbook_read(i->options.logbook, r->next, &r->entry, NULL) != OK ||
        r->entry.at > r->last)
        return false;
    r->next = r->entry.at + 1;
    struct intake_site *s = intake_find(i, r->entry.site);
    r->held = s && is_due(s, &r->entry);
    r->counts.passed += !r->held;
    return true;
}

void intake_past_step(struct intake *i)
{
    struct intake_reading *r = &i->reading;
    int64_t now = atomic_load(&r->shared.now);
    for (size_t n = 0; n < READ_AT_ONCE; n++) {
        if (!entry_next(i)) {
            past_end(i);
            return;
        }
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
        now = r->entry.time > now ? r->entry.time : now;
    }
    atomic_store(&r->shared.now, now);
}
