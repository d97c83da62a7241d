/* What was taken apart goes into the store, and the sites are told. */
#include "ingest/intake_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ID_MAX = 64,
    RETRY_MS = 1000
};

static void item_done(struct intake_item *item)
{
    parcel_rows_done(&item->rows);
    block_free(item->contacts);
    item->contacts = NULL;
}

/* Let go of all items without having stored them: the sites will be asked for them again. */
void intake_drop(struct intake *i)
{
    for (size_t k = 0; k < i->item_count; k++) {
        receiver_reset(&i->items[k].site->receiver);
        bus_release(i->options.bus, &i->items[k].event, false);
        item_done(&i->items[k]);
    }
    i->item_count = i->item_rows = 0;
}

static bool stopping(const struct intake *i)
{
    return atomic_load(i->options.stop);
}

static void tell_trouble(struct intake *i, const struct fault *f)
{
    i->told = f->code != OK;
    if (i->options.events.trouble)
        i->options.events.trouble(i->options.events.context, NULL, f);
}

/* However long the disk stays full. */
static enum err append_all(
    struct intake *i, const struct store_block *blocks, size_t count, struct fault *f)
{
    for (;;) {
        enum err e = i->options.append(i->options.store, blocks, count, f);
        if (e != ERR_FULL) {
            if (!e && i->told)
                tell_trouble(i, &(struct fault){.code = OK});
            return e;
        }
        if (!i->told)
            tell_trouble(i, f);
        for (int k = 0; k < RETRY_MS / 50; k++) {
            if (stopping(i))
                return ERR_STOPPED;
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        }
    }
}

static enum err items_append(struct intake *i, struct fault *f)
{
    char ids[2 * INTAKE_BATCH][ID_MAX];
    struct store_block blocks[2 * INTAKE_BATCH];
    size_t count = 0;
    for (size_t k = 0; k < i->item_count; k++) {
        const struct intake_item *item = &i->items[k];
        const struct block *const both[] = {item->rows.packets, item->contacts};
        for (size_t b = 0; b < 2; b++) {
            if (!both[b] || !both[b]->rows)
                continue;
            snprintf(ids[count], sizeof ids[count], "bus.%016" PRIx64 ".%" PRIu64 ".%c",
                item->spool, item->number, b ? 'c' : 'p');
            blocks[count] = (struct store_block){both[b], ids[count]};
            count++;
        }
    }
    return count ? append_all(i, blocks, count, f) : OK;
}

/* Note how far we are: losing this note costs nothing, what comes again is known by its id. */
static enum err positions_write(struct intake *i, struct fault *f)
{
    struct catalog_position rows[INTAKE_BATCH];
    size_t count = 0;
    for (size_t k = 0; k < i->item_count; k++) {
        struct intake_site *s = i->items[k].site;
        receiver_stored(&s->receiver, i->items[k].spool, i->items[k].number);
        s->moved = true;
    }
    for (size_t k = 0; k < i->item_count; k++) {
        struct intake_site *s = i->items[k].site;
        if (!s->moved)
            continue;
        s->moved = false;
        const struct position *p = &s->receiver.positions[0];
        struct catalog_position *row = &rows[count++];
        *row = (struct catalog_position){.spool = p->spool,
            .committed = p->committed,
            .lost = p->lost,
            .used = clock_now(&i->clock)};
        memcpy(row->site, s->name, sizeof row->site);
    }
    return catalog_positions_put(i->options.catalog, rows, count, f);
}

void intake_say(struct intake *i, struct intake_site *s, const struct commitment *c)
{
    struct buf text;
    buf_init(&text, BUS_TEXT_MAX);
    commitment_write(c, &text);
    if (!text.err)
        bus_say(i->options.bus, s->name, bytes_over(text.data, text.len));
    buf_done(&text);
}

/* The items leave: rows to the engines, the message to the bus as done, the word to the site.
 */
static void items_hand_on(struct intake *i)
{
    for (size_t k = 0; k < i->item_count; k++) {
        struct intake_item *item = &i->items[k];
        struct intake_site *s = item->site;
        s->counts.messages++;
        s->counts.bytes += item->bytes;
        if (item->rows.packets) {
            s->counts.packets += item->rows.packets->rows;
            /* Out of memory only: the store has them, the engines do not. */
            (void)!remote_put(s->remote, &item->rows);
        }
        bus_release(i->options.bus, &item->event, true);
        item_done(item);
        bool last = true;
        for (size_t n = k + 1; n < i->item_count; n++)
            last = last && i->items[n].site != s;
        struct commitment word = {.spool = s->receiver.positions[0].spool,
            .committed = s->receiver.positions[0].committed};
        if (last)
            intake_say(i, s, &word);
    }
    i->item_count = i->item_rows = 0;
}

enum err intake_store(struct intake *i, struct fault *f)
{
    if (!i->item_count)
        return OK;
    enum err e = items_append(i, f);
    if (!e)
        e = positions_write(i, f);
    if (e) {
        intake_drop(i);
        return e == ERR_STOPPED ? OK : e;
    }
    items_hand_on(i);
    return OK;
}
