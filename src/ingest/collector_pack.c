/* The collector's second thread: batches become parcels in the spool. */
#include "ingest/collector_int.h"

#include <string.h>
#include <time.h>

static bool stopping(const struct collector *c)
{
    return atomic_load(c->options.stop);
}

static void tell(struct collector *c, const struct fault *f)
{
    c->told = f->code != OK;
    if (c->options.events.trouble)
        c->options.events.trouble(c->options.events.context, f);
}

/* Who keeps how far captures have been read hears of an entry before it is written. */
static enum err parcel_announce(struct collector *c, uint64_t frames, struct fault *f)
{
    const struct collector_past *past = &c->options.past;
    struct spool_counts s;
    if (!past->note)
        return OK;
    spool_counts(c->options.spool, &s);
    return past->note(past->context, s.next, frames, f);
}

/* Into the spool. A full disk is waited for, unless packets are to be dropped: live, those
 * behind wait in the batches, and are then dropped and counted by the kernel. */
static enum err parcel_spool(struct collector *c, const struct batch_rows *b, struct fault *f)
{
    uint64_t number;
    while (!c->gave_up) {
        enum err e = parcel_announce(c, b->frames, f);
        if (!e)
            e = spool_append(c->options.spool, "packet",
                bytes_over(c->parcel.data, c->parcel.len), (uint32_t)b->packets->rows, &number,
                f);
        if (!e && c->told)
            tell(c, &(struct fault){.code = OK});
        if (e != ERR_FULL)
            return e;
        if (!c->told)
            tell(c, f);
        /* Of captures nothing may follow what was left out: the next run goes on there. */
        c->gave_up = stopping(c) && c->options.past.note;
        if (stopping(c) || c->options.refuse)
            return e;
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    }
    return ERR_FULL;
}

static enum err batch_pack(struct collector *c, struct batch_rows *b, struct fault *f)
{
    struct parcel p = {.packets = b->packets,
        .looks = b->looks,
        .icmp_seq = b->icmp_seq,
        .account = b->account};
    struct anon *anon = b->rules ? b->rules->anon : c->options.anon;
    enum err e = anon && b->packets->rows ? anon_block(anon, b->packets, f) : OK;
    /* What no column has goes the way of the numbers that are columns. */
    if (anon && anon_policy_of(anon)->rule[ANON_NUMBERS].method != ANON_KEEP)
        memset(b->icmp_seq, 0, sizeof b->icmp_seq);
    p.account.masked = anon && anon_policy_of(anon)->rule[ANON_SOURCE].method != ANON_KEEP;
    if (anon && p.account.until)
        p.account.until = anon_time(anon, p.account.until);
    if (e)
        return e;
    buf_clear(&c->parcel);
    e = parcel_write(c->writer, &p, &c->parcel);
    if (e)
        return fault_set(f, e, "packets could not be packed: %s", err_text(e));
    return parcel_spool(c, b, f);
}

/* The batch at the front is done with. With the lock held. */
static void batch_leave(struct collector *c, enum err e, const struct fault *f)
{
    struct batch_rows *b = c->batches[c->first];
    if (!e) {
        c->counts.parcels++;
        c->counts.parcel_bytes += c->parcel.len;
    } else if (e == ERR_FULL)
        c->counts.dropped_queue += b->packets->rows;
    else if (!c->failed) {
        c->failed = e;
        c->fault = *f;
    }
    if (b->rules)
        c->options.ruler.drop(c->options.ruler.context, b->rules);
    b->rules = NULL;
    block_clear(b->packets);
    b->account = (struct parcel_account){0};
    c->first = (c->first + 1) % BATCHES;
    c->count--;
    pthread_cond_broadcast(&c->changed);
}

void *collector_pack(void *context)
{
    struct collector *c = context;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->count && !c->ending)
            pthread_cond_wait(&c->changed, &c->lock);
        if (!c->count)
            break;
        struct fault f = {0};
        struct batch_rows *b = c->batches[c->first];
        pthread_mutex_unlock(&c->lock);
        enum err e = batch_pack(c, b, &f);
        pthread_mutex_lock(&c->lock);
        batch_leave(c, e, &f);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}
