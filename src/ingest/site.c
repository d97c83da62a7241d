#include "ingest/site.h"

#include "base/clock.h"
#include "ingest/ahead.h"
#include "ingest/deltas.h"
#include "ingest/hearing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SITE_BATCH = 256
};

struct site {
    char name[RECORD_NAME_MAX + 1];
    struct feed *feed;
    bool stored;         /* packets are in the store before they come, with their contacts */
    bool read_ahead;     /* asked for */
    struct ahead *ahead; /* reads the feed once it has begun; else NULL */
    const struct sensor_shared *shared;
    struct sensor *sensor;
    struct writer *writer;
    int64_t flush, seen;
    struct block *packets;  /* on their way; NULL without a writer */
    struct block *contacts; /* the same */
    struct block *dos;
    struct block *status;
    struct deltas *deltas; /* live: contacts of the packets that are being sent; else NULL */
    int64_t window;
    int64_t packets_since; /* wall clock at the first row of `packets` */
    int64_t first_seen;    /* time of the first packet; INT64_MAX: none yet */
    bool began, ended;
    struct sensor_counts last; /* at the last status row */
    struct source_counts last_source;
    uint64_t dropped_queue, last_dropped_queue;
    uint64_t lost_window; /* lost, at the last window's close */
    struct hearing hearing;
    _Atomic uint64_t addresses; /* of the telescope, as was told last */
    struct site_live live;
    struct packet batch[SITE_BATCH];
};

enum err site_new(struct site **ret_site, const char *name, struct feed *feed,
    const struct site_options *options)
{
    struct site *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->writer = options->writer;
    s->flush = options->flush;
    s->seen = options->seen;
    s->shared = options->shared;
    s->window = options->sensor.window ? options->sensor.window : 10 * US_MINUTE;
    s->first_seen = INT64_MAX;
    atomic_init(&s->addresses, options->sensor.addresses);
    enum err e = sensor_new(&s->sensor, name, options->shared, &options->sensor);
    if (e) {
        site_free(s);
        return e;
    }
    s->feed = feed;
    s->stored = feed_gives_packets(feed);
    *ret_site = s;
    return OK;
}

void site_free(struct site *s)
{
    if (!s)
        return;
    ahead_free(s->ahead);
    feed_close(s->feed);
    sensor_free(s->sensor);
    deltas_free(s->deltas);
    block_free(s->packets);
    block_free(s->contacts);
    block_free(s->dos);
    block_free(s->status);
    free(s);
}

void site_addresses(struct site *s, uint64_t addresses)
{
    atomic_store(&s->addresses, addresses);
}

const char *site_name(const struct site *s)
{
    return s->name;
}

const struct site_live *site_live(const struct site *s)
{
    return &s->live;
}

struct feed *site_feed(struct site *s)
{
    return s->feed;
}

const struct sensor *site_sensor(const struct site *s)
{
    return s->sensor;
}

/* In the window that begins at `start`, of which `slots` were heard. */
static bool is_watching(const struct site *s, int64_t start, uint64_t packets, uint64_t slots)
{
    return s->began && !s->ended && s->first_seen <= start &&
           !hearing_is_cut(&s->hearing, packets, slots);
}

bool site_watches_silence(const struct site *s, int64_t start)
{
    return is_watching(s, start, 0, 0);
}

/* The parts of a window in which there was a contact. */
static uint64_t slots_heard(const struct block *const *blocks, size_t count)
{
    uint64_t heard = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t row = 0; row < blocks[i]->rows; row++)
            heard |= block_u64(blocks[i], CONTACT_SLOTS)[row];
    return heard;
}

/* Send one gathering block and leave an empty place. Packets of a live site do not wait for a
 * full queue, they are counted as lost: waiting would lose them in the kernel instead. */
static enum err block_send(struct site *s, struct block **b, struct fault *f)
{
    if (!*b || !(*b)->rows)
        return OK;
    size_t rows = (*b)->rows;
    bool wait = !feed_can_lose(s->feed) || (*b)->kind != &record_packet;
    enum err e = writer_put(s->writer, *b, s->name, wait);
    if (e == ERR_BUSY) {
        s->dropped_queue += rows;
        block_clear(*b);
        return OK;
    }
    *b = NULL;
    return e ? fault_set(f, e, "the store takes no more blocks: %s", err_text(e)) : OK;
}

static enum err rows_keep(
    struct site *s, struct block **to, const struct block *from, struct fault *f);

/* Send the packets gathered so far; live, their contacts go with them. */
static enum err packets_send(struct site *s, struct fault *f)
{
    const struct block *contacts = NULL;
    enum err e = OK;
    if (s->deltas && s->packets && s->packets->rows) {
        e = deltas_make(s->deltas, s->packets, s->window, &contacts);
        if (e)
            return fault_set(f, e, "%s: contacts could not be made: %s", s->name, err_text(e));
        e = rows_keep(s, &s->contacts, contacts, f);
    }
    if (!e)
        e = block_send(s, &s->packets, f);
    return !e && contacts ? block_send(s, &s->contacts, f) : e;
}

static enum err block_have(
    struct site *s, struct block **b, const struct record *kind, struct fault *f)
{
    if (!*b && s->writer)
        *b = writer_block(s->writer, kind);
    return *b || !s->writer
               ? OK
               : fault_set(f, ERR_NOMEM, "out of memory for a block of %s", kind->name);
}

/* `looks` NULL: nobody has looked at them yet. */
static enum err sensor_feed(struct site *s, const struct ahead_run *run)
{
    return run->looks ? sensor_take_placed(s->sensor, run->packets, run->looks, run->places,
                            run->count, s->packets)
                      : sensor_take(s->sensor, run->packets, run->count, s->packets);
}

static enum err packets_take(struct site *s, const struct ahead_run *run, struct fault *f)
{
    struct clock wall = clock_system();
    enum err e = s->stored ? OK : block_have(s, &s->packets, &record_packet, f);
    if (e)
        return e;
    if (s->packets && s->packets->rows == 0)
        s->packets_since = clock_now(&wall);
    e = sensor_feed(s, run);
    if (e == ERR_FULL && s->packets && s->packets->rows) {
        e = packets_send(s, f);
        if (!e)
            e = block_have(s, &s->packets, &record_packet, f);
        if (!e)
            e = sensor_feed(s, run);
        s->packets_since = clock_now(&wall);
    }
    return e ? fault_set(f, e, "%s: packets could not be taken: %s", s->name, err_text(e)) : OK;
}

static enum err frames_take(
    struct site *s, const struct frame *frames, size_t count, struct fault *f)
{
    size_t filled = 0;
    enum err e = OK;
    for (size_t i = 0; i < count && !e; i++) {
        const struct frame *frame = &frames[i];
        struct packet *p = &s->batch[filled];
        enum decode_result r =
            decode_packet(frame->link, bytes_over(frame->data, frame->len), frame->wire_len, p);
        if (r != DECODE_OK) {
            sensor_frames_failed(s->sensor, r, 1);
            continue;
        }
        p->ts = frame->ts;
        if (++filled == SITE_BATCH) {
            e = packets_take(s, &(struct ahead_run){.packets = s->batch, .count = filled}, f);
            filled = 0;
        }
    }
    if (filled && !e)
        e = packets_take(s, &(struct ahead_run){.packets = s->batch, .count = filled}, f);
    return e;
}

/* What one turn of the feed brought. */
struct arrival {
    enum feed_state state;
    int64_t first, last; /* times of the first and the last frame, if there were any */
};

static enum err take_from_feed(struct site *s, int64_t end, struct arrival *ret_arrival,
    const struct site_trouble *trouble, struct fault *f)
{
    const struct frame *frames;
    size_t count;
    struct fault broken = {0};
    enum err e = feed_next(s->feed, end, &ret_arrival->state, &frames, &count, &broken);
    if (e) {
        trouble->tell(trouble->context, s->name, &broken);
        ret_arrival->state = FEED_QUIET;
        return OK;
    }
    if (ret_arrival->state != FEED_FRAMES)
        return OK;
    ret_arrival->first = frames[0].ts;
    ret_arrival->last = frames[count - 1].ts;
    return frames_take(s, frames, count, f);
}

/* What was looked at before: by a thread of its own, or at a site far away. */
static enum err take_looked(
    struct site *s, int64_t end, struct arrival *ret_arrival, struct fault *f)
{
    struct ahead_run run;
    ret_arrival->state =
        s->ahead ? ahead_next(s->ahead, end, &run) : feed_run(s->feed, end, &run);
    if (ret_arrival->state != FEED_FRAMES)
        return OK;
    ret_arrival->first = run.first;
    ret_arrival->last = run.last;
    for (int i = 0; i < DECODE_RESULTS; i++)
        sensor_frames_failed(s->sensor, (enum decode_result)i, run.failed[i]);
    return run.count ? packets_take(s, &run, f) : OK;
}

static uint64_t malformed_of(const struct sensor_counts *c)
{
    uint64_t sum = 0;
    for (int i = 0; i < DECODE_RESULTS; i++)
        if (i != DECODE_OK && i != DECODE_NON_IP)
            sum += c->decode[i];
    return sum;
}

static void live_update(struct site *s, int64_t newest)
{
    const struct sensor_counts *c = sensor_counts(s->sensor);
    struct source_counts source;
    site_source_counts(s, &source);
    atomic_store(&s->live.offset, source.offset);
    atomic_store(&s->live.size, source.size);
    atomic_store(&s->live.packets, c->packets);
    atomic_store(&s->live.bytes, c->bytes);
    atomic_store(&s->live.frames, source.frames);
    atomic_store(&s->live.dropped_kernel, source.dropped_kernel + source.dropped_interface);
    atomic_store(&s->live.dropped_queue, s->dropped_queue);
    atomic_store(&s->live.sampled_out, c->sampled_out);
    atomic_store(&s->live.malformed, malformed_of(c));
    atomic_store(&s->live.non_ip, c->decode[DECODE_NON_IP]);
    atomic_store(&s->live.snapped, c->snapped);
    if (newest)
        atomic_store(&s->live.newest, newest);
}

static enum err flush_when_old(struct site *s, struct fault *f)
{
    struct clock wall = clock_system();
    if (!s->packets || !s->packets->rows || !feed_is_live(s->feed) ||
        clock_now(&wall) - s->packets_since < s->flush)
        return OK;
    /* A feed that has just become live still has the contacts of its past to send. */
    return s->deltas ? packets_send(s, f) : site_flush(s, f);
}

/* From the window on in which the feed is live, contacts go with their packets. */
static enum err live_begin(struct site *s, struct fault *f)
{
    if (s->deltas || !s->writer || s->stored || !feed_is_live(s->feed))
        return OK;
    enum err e = site_flush(s, f);
    if (!e && deltas_new(&s->deltas, record_packet.max_rows) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    return e;
}

void site_read_ahead(struct site *s)
{
    s->read_ahead = true;
}

int64_t site_peek(struct site *s)
{
    return s->ahead ? ahead_peek(s->ahead) : feed_peek(s->feed);
}

void site_source_counts(const struct site *s, struct source_counts *ret_counts)
{
    if (s->ahead)
        ahead_counts(s->ahead, ret_counts);
    else
        feed_counts(s->feed, ret_counts);
}

static enum err ahead_begin(struct site *s, const struct site_trouble *trouble, struct fault *f)
{
    if (!s->read_ahead || s->ahead || !feed_reads_files(s->feed))
        return OK;
    struct ahead_options options = {.shared = s->shared,
        .site = s->name,
        .trouble = trouble->tell,
        .context = trouble->context};
    return ahead_new(&s->ahead, s->feed, &options) ? fault_set(f, ERR_NOMEM, "out of memory")
                                                   : OK;
}

enum err site_advance(struct site *s, int64_t end, const atomic_bool *stop,
    const struct site_trouble *trouble, struct fault *f)
{
    struct arrival arrival = {.state = FEED_QUIET};
    enum err e = live_begin(s, f);
    if (s->stored && s->ended && feed_peek(s->feed) < end) {
        s->ended = false; /* a site far away that had read its captures has come back */
        atomic_store(&s->live.ended, false);
    }
    if (!e)
        e = ahead_begin(s, trouble, f);
    while (!e && !s->ended && arrival.state != FEED_WINDOW) {
        if (atomic_load(stop))
            return ERR_STOPPED;
        arrival = (struct arrival){.first = INT64_MAX};
        e = s->ahead || s->stored ? take_looked(s, end, &arrival, f)
                                  : take_from_feed(s, end, &arrival, trouble, f);
        if (arrival.state == FEED_FRAMES && !s->began) {
            s->first_seen = arrival.first;
            s->began = true;
        }
        if (arrival.state == FEED_ENDED) {
            s->ended = true;
            atomic_store(&s->live.ended, true);
        }
        if (!e)
            e = flush_when_old(s, f);
        if (!e)
            live_update(s, arrival.last);
        if (!e && s->stored && arrival.state == FEED_QUIET)
            return ERR_BUSY;
    }
    return e;
}

/* Append rows of any number, over as many blocks as it takes. */
static enum err rows_keep(
    struct site *s, struct block **to, const struct block *from, struct fault *f)
{
    for (size_t at = 0; at < from->rows;) {
        enum err e = block_have(s, to, from->kind, f);
        if (e)
            return e;
        assert(*to);
        size_t room = (*to)->cap - (*to)->rows;
        size_t step = from->rows - at < room ? from->rows - at : room;
        e = step ? block_append(*to, from, at, at + step) : ERR_FULL;
        if (e == ERR_FULL && (*to)->rows)
            e = block_send(s, to, f);
        else if (!e)
            at += step;
        if (e)
            return fault_set(f, e, "%s: rows could not be gathered: %s", s->name, err_text(e));
    }
    return OK;
}

/* What the next status row is counted from. */
static void status_note(struct site *s)
{
    s->last = *sensor_counts(s->sensor);
    site_source_counts(s, &s->last_source);
    s->last_dropped_queue = s->dropped_queue;
}

static enum err status_row(struct site *s, int64_t start, struct fault *f)
{
    enum err e = block_have(s, &s->status, &record_site_status, f);
    if (e)
        return e;
    struct block *b = s->status;
    assert(b);
    if (b->rows == b->cap) {
        e = block_send(s, &s->status, f);
        return e ? e : status_row(s, start, f);
    }
    const struct sensor_counts *c = sensor_counts(s->sensor);
    struct source_counts source;
    site_source_counts(s, &source);
    uint16_t word;
    e = block_word(b, STATUS_SITE, s->name, &word);
    if (e)
        return fault_set(f, e, "\"%s\" is no name for a site", s->name);
    size_t row = b->rows++;
    block_time(b, STATUS_START)[row] = start;
    block_name(b, STATUS_SITE)[row] = word;
    block_u64(b, STATUS_RECEIVED)[row] = c->packets - s->last.packets;
    block_u64(b, STATUS_BYTES)[row] = c->bytes - s->last.bytes;
    block_u64(b, STATUS_DROPPED_KERNEL)[row] =
        source.dropped_kernel + source.dropped_interface - s->last_source.dropped_kernel -
        s->last_source.dropped_interface;
    block_u64(b, STATUS_DROPPED_QUEUE)[row] = s->dropped_queue - s->last_dropped_queue;
    block_u64(b, STATUS_SAMPLED_OUT)[row] = c->sampled_out - s->last.sampled_out;
    block_u64(b, STATUS_SNAPPED)[row] = c->snapped - s->last.snapped;
    block_u64(b, STATUS_MALFORMED)[row] = malformed_of(c) - malformed_of(&s->last);
    block_u64(b, STATUS_NON_IP)[row] = c->decode[DECODE_NON_IP] - s->last.decode[DECODE_NON_IP];
    status_note(s);
    return OK;
}

static enum err window_keep(struct site *s, int64_t start, const struct block *const *blocks,
    size_t count, const struct block *dos, struct fault *f)
{
    enum err e = OK;
    if (start + s->window <= s->seen) { /* by the run before this one */
        status_note(s);
        return OK;
    }
    for (size_t i = 0; i < count && !e && !s->deltas && !s->stored; i++)
        e = rows_keep(s, &s->contacts, blocks[i], f);
    if (!e && dos)
        e = rows_keep(s, &s->dos, dos, f);
    if (!e && s->began) /* before its first packet nobody knows that it watched */
        e = status_row(s, start, f);
    /* The run before may have sent its first window, too: as the same block it is kept once. */
    if (!e && (feed_is_live(s->feed) || (s->seen && start == s->seen)))
        e = site_flush(s, f);
    return e;
}

enum err site_close_window(struct site *s, int64_t start, struct window_site *ret_about,
    const struct block *const **ret_blocks, size_t *ret_count, struct fault *f)
{
    const struct block *dos = NULL;
    memset(ret_about, 0, sizeof *ret_about);
    enum err e = sensor_close_window(s->sensor, start, ret_about, ret_blocks, ret_count, &dos);
    if (e)
        return fault_set(f, e, "%s: window could not be closed: %s", s->name, err_text(e));
    if (atomic_load(&s->addresses) != ret_about->addresses)
        sensor_addresses(s->sensor, atomic_load(&s->addresses));
    snprintf(ret_about->name, sizeof ret_about->name, "%s", s->name);
    uint64_t heard = slots_heard(*ret_blocks, *ret_count);
    ret_about->watching = is_watching(s, start, ret_about->packets, heard);
    hearing_learn(&s->hearing, ret_about->packets, heard);
    struct source_counts source;
    site_source_counts(s, &source);
    uint64_t lost = source.dropped_kernel + source.dropped_interface;
    ret_about->lost = lost - s->lost_window;
    s->lost_window = lost;
    return s->writer ? window_keep(s, start, *ret_blocks, *ret_count, dos, f) : OK;
}

enum err site_flush(struct site *s, struct fault *f)
{
    struct block **const all[] = {&s->contacts, &s->dos, &s->status};
    enum err e = s->writer ? packets_send(s, f) : OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && !e && s->writer; i++)
        e = block_send(s, all[i], f);
    return e;
}
