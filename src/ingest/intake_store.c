/* What was taken apart goes into the store, and the sites are told. */
#include "ingest/intake_int.h"

#include "base/steady.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ID_MAX = 64,
    RETRY_MS = 1000,
    PATIENCE_MS = 1000, /* that a batch may take before the bus is looked at meanwhile */
    LOOK_MS = 100
};

static void item_done(struct intake_item *item)
{
    if (item->readable) {
        item->site->rows -= item->row_count;
        item->site->parcels--;
    }
    parcel_rows_done(&item->rows);
    block_free(item->contacts);
    *item = (struct intake_item){0};
}

static bool stopping(const struct intake *i)
{
    return atomic_load(i->options.stop);
}

static void tell_trouble(struct intake *i, const struct fault *f)
{
    i->storer.told = f->code != OK;
    if (i->options.events.trouble)
        i->options.events.trouble(i->options.events.context, NULL, f);
}

/* One thing that is done with a batch. */
typedef enum err batch_step(struct intake *i, struct intake_batch *batch, struct fault *f);

/* Do it, however long the disk stays full. */
static enum err with_room(
    struct intake *i, struct intake_batch *batch, batch_step *step, struct fault *f)
{
    for (;;) {
        enum err e = step(i, batch, f);
        if (e != ERR_FULL) {
            if (!e && i->storer.told)
                tell_trouble(i, &(struct fault){.code = OK});
            return e;
        }
        if (!i->storer.told)
            tell_trouble(i, f);
        for (int k = 0; k < RETRY_MS / 50; k++) {
            if (stopping(i))
                return ERR_STOPPED;
            nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        }
    }
}

/* What the engines will be given, as it came. A message that is too long for the logbook is not
 * kept: no sensor's is. */
static enum err items_keep(struct intake *i, struct intake_batch *batch, struct fault *f)
{
    for (size_t k = 0; k < batch->count; k++) {
        struct intake_item *item = &batch->items[k];
        struct logbook_entry entry = {.spool = item->spool,
            .number = item->number,
            .rows = (uint32_t)item->row_count,
            .data = item->data};
        if (!item->readable || item->at)
            continue;
        memcpy(entry.site, item->site->name, sizeof entry.site);
        enum err e = logbook_add(i->options.logbook, &entry, &item->at, f);
        if (e == ERR_FULL || e == ERR_IO)
            return e;
    }
    return OK;
}

/* The blocks of a batch, the packets of all before the contacts: the store takes neighbours of
 * one kind in together. */
static enum err items_append(struct intake *i, struct intake_batch *batch, struct fault *f)
{
    char ids[2 * INTAKE_BATCH][ID_MAX];
    struct store_block blocks[2 * INTAKE_BATCH];
    size_t count = 0;
    for (size_t b = 0; b < 2; b++)
        for (size_t k = 0; k < batch->count; k++) {
            const struct intake_item *item = &batch->items[k];
            const struct block *block = b ? item->contacts : item->rows.packets;
            if (!block || !block->rows)
                continue;
            snprintf(ids[count], sizeof ids[count], "bus.%016" PRIx64 ".%" PRIu64 ".%c",
                item->spool, item->number, b ? 'c' : 'p');
            blocks[count] = (struct store_block){block, ids[count]};
            count++;
        }
    return count ? i->options.append(i->options.store, blocks, count, f) : OK;
}

/* Into the logbook and into the store; safe in both when it returns. */
static enum err items_store(struct intake *i, struct intake_batch *batch, struct fault *f)
{
    enum err e = i->options.logbook ? with_room(i, batch, items_keep, f) : OK;
    if (!e)
        e = with_room(i, batch, items_append, f);
    return !e && i->options.logbook ? logbook_sync(i->options.logbook, f) : e;
}

/* Note how far we are: losing this note costs nothing, what comes again is known by its id. */
static enum err positions_write(
    struct intake *i, const struct intake_batch *batch, struct fault *f)
{
    struct catalog_position rows[INTAKE_BATCH];
    size_t count = 0;
    for (size_t k = 0; k < batch->count; k++) {
        const struct intake_item *item = &batch->items[k];
        receiver_stored(&item->site->receiver, item->spool, item->number);
        item->site->moved = true;
    }
    for (size_t k = 0; k < batch->count; k++) {
        struct intake_site *s = batch->items[k].site;
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
static void items_hand_on(struct intake *i, struct intake_batch *batch)
{
    for (size_t k = 0; k < batch->count; k++) {
        struct intake_item *item = &batch->items[k];
        struct intake_site *s = item->site;
        s->counts.messages++;
        s->counts.bytes += item->bytes;
        if (item->readable) {
            s->counts.packets += item->row_count;
            /* What is in the logbook is read from there, in its turn. What fails otherwise is
             * memory: the store has the rows then, the engines do not. */
            if (intake_past_goes(i))
                i->reading.last = item->at ? item->at : i->reading.last;
            else
                (void)!remote_put(s->remote, &item->rows);
        }
        bus_release(i->options.bus, &item->event, true);
        item_done(item);
        bool last = true;
        for (size_t n = k + 1; n < batch->count; n++)
            last = last && batch->items[n].site != s;
        struct commitment word = {.spool = s->receiver.positions[0].spool,
            .committed = s->receiver.positions[0].committed};
        if (last)
            intake_say(i, s, &word);
    }
    batch->count = batch->rows = 0;
}

/* ---- the storer ---- */

static void *storer_thread(void *context)
{
    struct intake *i = context;
    struct intake_storer *t = &i->storer;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        while ((!t->batch || t->stored) && !t->ending)
            pthread_cond_wait(&t->changed, &t->lock);
        if (!t->batch || t->stored)
            break;
        struct intake_batch *batch = t->batch;
        struct fault f = {0};
        pthread_mutex_unlock(&t->lock);
        enum err e = items_store(i, batch, &f);
        pthread_mutex_lock(&t->lock);
        t->result = e;
        t->fault = f;
        t->stored = true;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

enum err intake_storer_begin(struct intake *i)
{
    struct intake_storer *t = &i->storer;
    pthread_mutex_init(&t->lock, NULL);
    steady_cond_init(&t->changed);
    t->threaded = pthread_create(&t->thread, NULL, storer_thread, i) == 0;
    if (!t->threaded)
        intake_storer_end(i);
    return t->threaded ? OK : ERR_NOMEM;
}

void intake_storer_end(struct intake *i)
{
    struct intake_storer *t = &i->storer;
    pthread_mutex_lock(&t->lock);
    t->ending = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    if (t->threaded)
        pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

/* Wait until the storer has nothing, and take back what it had. NULL: nothing. */
static struct intake_batch *storer_wait(struct intake *i, enum err *ret_result, struct fault *f)
{
    struct intake_storer *t = &i->storer;
    pthread_mutex_lock(&t->lock);
    while (t->batch && !t->stored)
        pthread_cond_wait(&t->changed, &t->lock);
    struct intake_batch *batch = t->batch;
    *ret_result = batch ? t->result : OK;
    if (*ret_result && f)
        *f = t->fault;
    t->batch = NULL;
    t->stored = false;
    pthread_mutex_unlock(&t->lock);
    return batch;
}

/* Wait for so long at most; false: the storer is still at it. */
static bool storer_wait_for(struct intake *i, int ms)
{
    struct intake_storer *t = &i->storer;
    int64_t until = steady_now() + ms * INT64_C(1000);
    pthread_mutex_lock(&t->lock);
    while (t->batch && !t->stored && steady_wait(&t->changed, &t->lock, until))
        ;
    bool done = !t->batch || t->stored;
    pthread_mutex_unlock(&t->lock);
    return done;
}

/* A full disk may take hours, and the sites are heard all the same: their heartbeats count, and
 * their messages are held as those are for which there is no room. */
static void storer_outlast(struct intake *i)
{
    bool done = storer_wait_for(i, PATIENCE_MS);
    while (!done) {
        i->waiting = true;
        intake_events(i, 0);
        i->waiting = false;
        done = storer_wait_for(i, LOOK_MS);
    }
}

static void storer_give(struct intake *i, struct intake_batch *batch)
{
    struct intake_storer *t = &i->storer;
    pthread_mutex_lock(&t->lock);
    t->batch = batch;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void batch_drop(struct intake *i, struct intake_batch *batch)
{
    for (size_t k = 0; k < batch->count; k++) {
        receiver_reset(&batch->items[k].site->receiver);
        bus_release(i->options.bus, &batch->items[k].event, false);
        item_done(&batch->items[k]);
    }
    batch->count = batch->rows = 0;
}

/* What follows what was dropped goes with it: entries are stored in order. */
void intake_drop(struct intake *i)
{
    enum err ignored;
    (void)!storer_wait(i, &ignored, NULL);
    batch_drop(i, &i->batches[0]);
    batch_drop(i, &i->batches[1]);
}

/* The batch that was being stored, if there was one, is noted and handed on. */
static enum err storing_finish(struct intake *i, struct fault *f)
{
    enum err e;
    storer_outlast(i);
    struct intake_batch *batch = storer_wait(i, &e, f);
    if (!batch)
        return OK;
    if (!e)
        e = positions_write(i, batch, f);
    if (e) {
        intake_drop(i);
        return e;
    }
    items_hand_on(i, batch);
    return OK;
}

enum err intake_store(struct intake *i, struct fault *f)
{
    enum err e = storing_finish(i, f);
    if (e || !i->filling->count)
        return e == ERR_STOPPED ? OK : e;
    struct intake_batch *full = i->filling;
    i->filling = full == &i->batches[0] ? &i->batches[1] : &i->batches[0];
    storer_give(i, full);
    return OK;
}

enum err intake_settle(struct intake *i, struct fault *f)
{
    enum err e = intake_store(i, f);
    if (!e)
        e = storing_finish(i, f);
    return e == ERR_STOPPED ? OK : e;
}
