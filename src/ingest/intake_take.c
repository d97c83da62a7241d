/* Messages taken apart. */
#include "ingest/intake_int.h"

#include <string.h>

/* A packet that says it was captured so long after now is no packet of ours. */
static const int64_t ahead_most = US_DAY;

static enum err times_check(const struct intake *i, const struct block *b, struct fault *f)
{
    int64_t most = clock_now(&i->clock) + ahead_most;
    const int64_t *ts = block_time(b, PACKET_TS);
    for (size_t row = 0; row < b->rows; row++)
        if (ts[row] > most)
            return fault_set(f, ERR_RANGE, "packets of a time that is not yet");
    return OK;
}

static enum err contacts_make(struct intake *i, struct intake_item *item, struct fault *f)
{
    const struct block *made;
    size_t rows = item->rows.packets->rows;
    enum err e =
        rows ? deltas_make(i->deltas, item->rows.packets, i->options.window, &made) : OK;
    if (!e && rows)
        e = block_new(&item->contacts, &record_contact, made->rows);
    if (!e && rows)
        e = block_append(item->contacts, made, 0, made->rows);
    return e ? fault_set(f, e, "contacts: %s", err_text(e)) : OK;
}

static enum err payload_read(
    struct intake *i, struct intake_item *item, const struct envelope *e, struct fault *f)
{
    if (strcmp(e->kind, "packet") != 0)
        return fault_set(f, ERR_BAD, "a message of a kind that this hub does not know");
    enum err r = parcel_read(&item->rows, item->site->name, i->options.set, e->data, f);
    if (!r)
        r = times_check(i, item->rows.packets, f);
    if (!r)
        r = contacts_make(i, item, f);
    if (r)
        parcel_rows_done(&item->rows);
    return r;
}

static void refuse(struct intake *i, struct intake_site *s, const struct fault *f)
{
    s->counts.refused++;
    if (i->options.events.trouble)
        i->options.events.trouble(i->options.events.context, s->name, f);
}

bool intake_take(struct intake *i, struct intake_site *s, struct bus_event *event)
{
    struct envelope e;
    struct commitment word;
    struct fault f = {0};
    uint64_t lost;
    int64_t now = clock_now(&i->clock);
    if (envelope_read(event->data, &e) != OK) {
        fault_set(&f, ERR_BAD, "a message that is none");
        refuse(i, s, &f);
        return false;
    }
    enum verdict_kind verdict = receiver_look(&s->receiver, &e, now, &lost);
    s->counts.copies += verdict == VERDICT_COPY;
    s->counts.gaps += verdict == VERDICT_GAP;
    s->counts.lost += lost;
    if (verdict != VERDICT_NEW) {
        if (receiver_word(&s->receiver, e.spool, verdict == VERDICT_GAP, now, &word))
            intake_say(i, s, &word);
        return false;
    }
    struct intake_item *item = &i->filling->items[i->filling->count++];
    *item = (struct intake_item){.site = s,
        .event = *event,
        .spool = e.spool,
        .number = e.number,
        .data = e.data,
        .bytes = event->data.left};
    /* What cannot be read now never will: it counts as stored, or the site would send it for
     * ever. */
    if (payload_read(i, item, &e, &f) != OK)
        refuse(i, s, &f);
    else {
        item->readable = true;
        item->row_count = item->rows.packets->rows;
        i->filling->rows += item->row_count;
        s->rows += item->row_count;
        s->parcels++;
    }
    return true;
}
