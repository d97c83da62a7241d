#include "ingest/collector_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const int64_t window_default = 10 * US_MINUTE;

static enum err batches_new(struct collector *c)
{
    for (size_t i = 0; i < BATCHES; i++) {
        c->batches[i] = calloc(1, sizeof *c->batches[i]);
        if (!c->batches[i])
            return ERR_NOMEM;
        enum err e = block_new(&c->batches[i]->packets, &record_packet, PARCEL_ROWS);
        if (e)
            return e;
    }
    return OK;
}

enum err collector_new(
    struct collector **ret_collector, const struct collector_options *options, struct fault *f)
{
    struct collector *c = calloc(1, sizeof *c);
    if (!c) {
        feed_close(options->feed);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    c->options = *options;
    c->clock = options->clock ? *options->clock : clock_system();
    c->window_start = INT64_MIN;
    if (!c->options.sensor.window)
        c->options.sensor.window = window_default;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    buf_init(&c->parcel, SPOOL_ENTRY_MAX);
    enum err e = sensor_new(&c->sensor, options->site, options->shared, &c->options.sensor);
    if (!e)
        e = parcel_writer_new(&c->writer, options->shared->fingerprints);
    if (!e)
        e = batches_new(c);
    if (!e && pthread_create(&c->thread, NULL, collector_pack, c) != 0)
        e = ERR_NOMEM;
    c->threaded = !e;
    if (e) {
        collector_free(c);
        return fault_set(f, e, "%s", err_text(e));
    }
    *ret_collector = c;
    return OK;
}

static void thread_end(struct collector *c)
{
    if (!c->threaded)
        return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    c->threaded = false;
}

static void rules_drop(struct collector *c, struct batch_rows *b)
{
    if (b && b->rules)
        c->options.ruler.drop(c->options.ruler.context, b->rules);
    if (b)
        b->rules = NULL;
}

void collector_free(struct collector *c)
{
    if (!c)
        return;
    thread_end(c);
    for (size_t i = 0; i < BATCHES; i++) {
        rules_drop(c, c->batches[i]);
        if (c->batches[i])
            block_free(c->batches[i]->packets);
        free(c->batches[i]);
    }
    parcel_writer_free(c->writer);
    buf_done(&c->parcel);
    sensor_free(c->sensor);
    feed_close(c->options.feed);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void collector_counts(struct collector *c, struct collector_counts *ret_counts)
{
    pthread_mutex_lock(&c->lock);
    *ret_counts = c->counts;
    ret_counts->queued = c->count;
    pthread_mutex_unlock(&c->lock);
}

/* ---- rules ---- */

/* A batch begins. */
static struct batch_rows *rules_take(struct collector *c, struct batch_rows *b)
{
    if (!b || !c->options.ruler.take)
        return b;
    b->rules = c->options.ruler.take(c->options.ruler.context);
    sensor_keep_payload(c->sensor, b->rules->payload);
    c->options.batch = b->rules->batch;
    return b;
}

/* ---- batches ---- */

/* The batch that is being filled: the one behind those that wait. Waits for it to be free. */
static struct batch_rows *batch_now(struct collector *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->count == BATCHES && !c->failed)
        pthread_cond_wait(&c->changed, &c->lock);
    struct batch_rows *b = c->failed ? NULL : c->batches[(c->first + c->count) % BATCHES];
    pthread_mutex_unlock(&c->lock);
    return b;
}

static uint64_t malformed_of(const struct sensor_counts *s)
{
    uint64_t sum = 0;
    for (int i = 0; i < DECODE_RESULTS; i++)
        if (i != DECODE_OK && i != DECODE_NON_IP)
            sum += s->decode[i];
    return sum;
}

static void account_fill(struct collector *c, struct batch_rows *b, bool end, int64_t until)
{
    struct source_counts now;
    feed_counts(c->options.feed, &now);
    struct parcel_account *a = &b->account;
    a->replay = !feed_is_live(c->options.feed);
    a->end = end;
    a->until = until;
    a->frames = now.frames - c->source.frames;
    a->bytes = now.bytes - c->source.bytes;
    a->dropped_kernel = now.dropped_kernel + now.dropped_interface - c->source.dropped_kernel -
                        c->source.dropped_interface;
    pthread_mutex_lock(&c->lock);
    a->dropped_queue = c->counts.dropped_queue - c->told_dropped;
    c->told_dropped = c->counts.dropped_queue;
    pthread_mutex_unlock(&c->lock);
    memcpy(a->failed, c->failed_frames, sizeof a->failed);
    memset(c->failed_frames, 0, sizeof c->failed_frames);
    c->source = now;
}

static void counts_update(struct collector *c, bool end)
{
    const struct sensor_counts *s = sensor_counts(c->sensor);
    c->counts.packets = s->packets;
    c->counts.bytes = s->bytes;
    c->counts.malformed = malformed_of(s);
    c->counts.dropped_kernel = c->source.dropped_kernel + c->source.dropped_interface;
    c->counts.newest = c->newest_taken;
    c->counts.live = feed_is_live(c->options.feed);
    c->counts.ended = end;
}

/* What an earlier run has sent: the sensor has seen it again, and that is all. */
static void batch_forget(struct collector *c)
{
    struct batch_rows *b = c->filling;
    if (!b)
        return;
    account_fill(c, b, false, 0);
    b->account = (struct parcel_account){0};
    block_clear(b->packets);
    c->batch_since = 0;
}

/* Send the batch on its way to the spool; `until`: all packets before this time are in it or
 * went before it. */
static enum err batch_send(struct collector *c, bool end, int64_t until, struct fault *f)
{
    bool past = c->frames < c->options.past.frames;
    if (past)
        batch_forget(c);
    if (past && !end)
        return OK;
    struct batch_rows *b = c->filling ? c->filling : rules_take(c, batch_now(c));
    c->filling = NULL;
    if (b) {
        account_fill(c, b, end, until);
        b->frames = c->frames;
    }
    pthread_mutex_lock(&c->lock);
    enum err e = c->failed;
    if (!e) {
        counts_update(c, end);
        c->count++;
        pthread_cond_broadcast(&c->changed);
    } else if (f)
        *f = c->fault;
    pthread_mutex_unlock(&c->lock);
    c->batch_since = 0;
    return e;
}

/* ---- packets ---- */

/* The sensor remembers by windows; its contacts are not wanted here, the hub makes them. */
static enum err window_turn(struct collector *c, int64_t ts)
{
    int64_t start = time_floor(ts, c->options.sensor.window);
    enum err e = OK;
    if (c->window_start != INT64_MIN && start > c->window_start) {
        struct window_site about;
        const struct block *const *blocks;
        const struct block *dos;
        size_t count;
        e = sensor_close_window(c->sensor, c->window_start, &about, &blocks, &count, &dos);
    }
    if (start > c->window_start)
        c->window_start = start;
    return e;
}

static bool is_full(const struct batch_rows *b)
{
    return b->packets->rows == PARCEL_ROWS ||
           b->packets->column[PACKET_PAYLOAD].heap.len > BATCH_PAYLOAD;
}

/* Packets of one window into the batch. */
static enum err group_take(struct collector *c, size_t count, struct fault *f)
{
    struct batch_rows *b = c->filling;
    size_t row = b->packets->rows;
    if (!count)
        return OK;
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = &c->group[i];
        sensor_look(c->options.shared, p, &b->looks[row + i]);
        b->icmp_seq[row + i] = p->icmp_seq;
        if (p->ts > c->newest_taken)
            c->newest_taken = p->ts;
    }
    enum err e = sensor_take_looked(c->sensor, c->group, &b->looks[row], count, b->packets);
    if (e)
        return fault_set(f, e, "packets could not be taken: %s", err_text(e));
    if (!c->batch_since)
        c->batch_since = clock_now(&c->clock);
    if (c->frames == c->options.past.frames)
        return OK; /* it ends where the earlier run did */
    return is_full(b) ? batch_send(c, false, 0, f) : OK;
}

/* Decode frames until the group is full or the next one is of another window. */
static size_t group_fill(
    struct collector *c, const struct frame *frames, size_t count, size_t *ret_packets)
{
    const struct collector_rules *rules = c->filling->rules;
    size_t room = PARCEL_ROWS - c->filling->packets->rows;
    size_t packets = 0, i = 0;
    for (; i < count && packets < room && packets < GROUP_MOST; i++) {
        const struct frame *frame = &frames[i];
        struct packet *p = &c->group[packets];
        if (packets && time_floor(frame->ts, c->options.sensor.window) > c->window_start)
            break;
        if (rules && !rules->frame_passes(rules->context, frame))
            continue;
        enum decode_result r =
            decode_packet(frame->link, bytes_over(frame->data, frame->len), frame->wire_len, p);
        if (r != DECODE_OK) {
            sensor_frames_failed(c->sensor, r, 1);
            c->failed_frames[r]++;
            continue;
        }
        if (rules && !rules->source_passes(rules->context, &p->src))
            continue;
        p->ts = frame->ts;
        if (!packets && window_turn(c, p->ts) != OK)
            break;
        packets++;
    }
    *ret_packets = packets;
    return i;
}

static enum err run_take(
    struct collector *c, const struct frame *frames, size_t count, struct fault *f)
{
    enum err e = OK;
    for (size_t at = 0; at < count && !e;) {
        size_t packets;
        size_t left = count - at;
        if (c->frames < c->options.past.frames && left > c->options.past.frames - c->frames)
            left = (size_t)(c->options.past.frames - c->frames);
        if (!c->filling)
            c->filling = rules_take(c, batch_now(c));
        if (!c->filling)
            return batch_send(c, false, 0, f);
        size_t used = group_fill(c, frames + at, left, &packets);
        if (!used)
            return fault_set(f, ERR_NOMEM, "out of memory");
        at += used;
        c->frames += used;
        bool past = c->frames <= c->options.past.frames;
        e = group_take(c, packets, f);
        if (past && c->frames == c->options.past.frames)
            batch_forget(c);
    }
    return e;
}

/* Live packets do not wait for a full batch. */
static enum err batch_due(struct collector *c, struct fault *f)
{
    int64_t now = clock_now(&c->clock);
    if (!c->batch_since || now - c->batch_since < c->options.batch ||
        !feed_is_live(c->options.feed))
        return OK;
    return batch_send(c, false, c->newest_taken, f);
}

/* Other rules are in effect from here on: what was captured by the old ones goes its way, and
 * where nothing comes the new ones are taken all the same. */
static enum err rules_look(struct collector *c, struct fault *f)
{
    if (!c->options.ruler.news || !c->options.ruler.news(c->options.ruler.context))
        return OK;
    const struct collector_ruler *ruler = &c->options.ruler;
    enum err e = c->filling && c->filling->packets->rows ? batch_send(c, false, 0, f) : OK;
    rules_drop(c, c->filling);
    if (c->filling)
        rules_take(c, c->filling);
    else
        ruler->drop(ruler->context, ruler->take(ruler->context));
    return e;
}

static enum err all_wait(struct collector *c, struct fault *f)
{
    pthread_mutex_lock(&c->lock);
    while (c->count && !c->failed)
        pthread_cond_wait(&c->changed, &c->lock);
    enum err e = c->failed;
    if (e && f)
        *f = c->fault;
    pthread_mutex_unlock(&c->lock);
    return e;
}

/* Bytes that are wrong are told and left; what the system keeps back may come another time. */
static bool keeps_rest(const struct collector *c, enum err e)
{
    return !feed_is_live(c->options.feed) && e != ERR_BAD && e != ERR_SHORT && e != ERR_FULL &&
           e != ERR_STOPPED;
}

/* What went wrong with a capture; an error where its rest is to be read another time. */
static enum err trouble_take(struct collector *c, const struct fault *broken, struct fault *f)
{
    if (!keeps_rest(c, broken->code)) {
        if (c->options.events.trouble)
            c->options.events.trouble(c->options.events.context, broken);
        return OK;
    }
    enum err e = c->batch_since ? batch_send(c, false, 0, f) : OK;
    if (!e)
        e = all_wait(c, f);
    if (!e && f)
        *f = *broken;
    return e ? e : broken->code;
}

enum err collector_run(struct collector *c, struct fault *f)
{
    enum feed_state state = FEED_QUIET;
    enum err e = OK;
    while (!e && state != FEED_ENDED && !atomic_load(c->options.stop)) {
        const struct frame *frames;
        size_t count = 0;
        struct fault broken = {0};
        if (c->options.events.alive)
            c->options.events.alive(c->options.events.context);
        e = rules_look(c, f);
        if (e)
            break;
        e = feed_next(c->options.feed, INT64_MAX / 2, &state, &frames, &count, &broken);
        if (e) {
            e = trouble_take(c, &broken, f);
            continue;
        }
        e = run_take(c, frames, count, f);
        if (!e)
            e = batch_due(c, f);
    }
    bool ended = state == FEED_ENDED;
    if (!e && (ended || c->batch_since))
        e = batch_send(c, ended, ended ? c->newest_taken : 0, f);
    if (!e)
        e = all_wait(c, f);
    return e ? e : ended && !c->gave_up ? OK : ERR_STOPPED;
}
