#include "bus/sender.h"

#include "bus/envelope.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGES_DEFAULT = 128,
    MESSAGES_MAX = 4096,
    ROUND_BITS = 20 /* of a tag; the rest is the number */
};

static const uint64_t bytes_default = UINT64_C(32) << 20;
static const int64_t word_wait = 2 * US_SECOND;   /* after connecting, for the hub's word */
static const int64_t want_apart = US_SECOND;      /* between going back for the hub's sake */
static const int64_t taken_wait = 10 * US_SECOND; /* for the bus to say that it has something */
static const int64_t refused_wait = US_SECOND / 5; /* after the bus refused something */

/* An entry that is published and not committed. */
struct flight {
    uint64_t number;
    uint64_t bytes;
    int64_t time;   /* when it was put into the spool */
    uint32_t round; /* in which it was published last */
    bool taken;     /* the bus has said that it has it */
    int64_t since;  /* when it was published last */
};

struct sender {
    struct sender_options options;
    struct flight *flights; /* by number */
    size_t count;
    uint64_t under_way; /* bytes */
    uint64_t next;      /* number to publish */
    uint64_t newest;    /* highest number that was ever published */
    uint32_t round;
    int64_t hold_until; /* nothing is published before */
    bool unheard;       /* of the hub since the bus was connected */
    int64_t wanted;     /* when the hub's want was followed last */
    struct sender_counts counts;
    struct buf message;
};

static int64_t sender_now(const struct sender *s)
{
    return clock_now(s->options.clock);
}

enum err sender_new(struct sender **ret_sender, const struct sender_options *options)
{
    struct spool_counts spool;
    struct sender *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->options = *options;
    if (!s->options.messages_max)
        s->options.messages_max = MESSAGES_DEFAULT;
    if (s->options.messages_max > MESSAGES_MAX)
        s->options.messages_max = MESSAGES_MAX;
    if (!s->options.bytes_max)
        s->options.bytes_max = bytes_default;
    s->flights = calloc(s->options.messages_max, sizeof *s->flights);
    if (!s->flights) {
        free(s);
        return ERR_NOMEM;
    }
    buf_init(&s->message, ENVELOPE_HEADER + SPOOL_ENTRY_MAX);
    spool_counts(options->spool, &spool);
    s->counts.committed = spool.committed;
    /* A spool that is open for longer than this sender knows what was committed before. */
    s->next = spool.committed >= spool.first ? spool.committed + 1 : spool.first;
    s->wanted = INT64_MIN / 2;
    *ret_sender = s;
    return OK;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    buf_done(&s->message);
    free(s->flights);
    free(s);
}

static struct flight *flight_of(const struct sender *s, uint64_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->flights[i].number == number)
            return &s->flights[i];
    return NULL;
}

/* Publish again from this number on. */
static void rewind_to(struct sender *s, uint64_t number)
{
    if (number <= s->counts.committed)
        number = s->counts.committed + 1;
    if (number >= s->next)
        return;
    s->next = number;
    s->round++;
    s->counts.rewinds++;
}

/* Everything up to `number` is in the hub's store. */
static void commit_to(struct sender *s, uint64_t number)
{
    size_t gone = 0;
    if (number <= s->counts.committed)
        return;
    spool_commit(s->options.spool, number);
    s->counts.committed = number;
    if (s->next <= number)
        s->next = number + 1;
    while (gone < s->count && s->flights[gone].number <= number)
        s->under_way -= s->flights[gone++].bytes;
    s->count -= gone;
    memmove(s->flights, s->flights + gone, s->count * sizeof *s->flights);
}

static void hear(struct sender *s, struct bytes text)
{
    struct commitment c;
    struct spool_counts spool;
    if (commitment_read(text, &c) != OK)
        return;
    spool_counts(s->options.spool, &spool);
    if (c.spool != spool.id || c.committed > spool.last)
        return; /* about an earlier spool of this site, or nonsense */
    s->counts.heard = sender_now(s);
    s->hold_until = 0;
    s->unheard = false;
    commit_to(s, c.committed);
    if (c.want && sender_now(s) - s->wanted >= want_apart) {
        s->wanted = sender_now(s);
        rewind_to(s, c.want);
    }
}

static uint64_t tag_of(uint64_t number, uint32_t round)
{
    return number << ROUND_BITS | (round & ((1u << ROUND_BITS) - 1));
}

static void taken(struct sender *s, uint64_t tag, bool is_taken)
{
    struct flight *f = flight_of(s, tag >> ROUND_BITS);
    if (!f || tag != tag_of(f->number, f->round))
        return; /* it has been published again since, or is done with */
    if (is_taken) {
        f->taken = true;
        return;
    }
    rewind_to(s, f->number);
    s->hold_until = sender_now(s) + refused_wait;
}

/* What was under way when the connection broke is sent again, unless the bus had taken it. */
static void reconnected(struct sender *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->flights[i].taken) {
            rewind_to(s, s->flights[i].number);
            break;
        }
    s->hold_until = sender_now(s) + word_wait;
    s->unheard = true;
}

void sender_event(struct sender *s, const struct bus_event *e)
{
    switch (e->kind) {
    case BUS_CONNECTED:
        reconnected(s);
        break;
    case BUS_TAKEN:
    case BUS_REFUSED:
        taken(s, e->tag, e->kind == BUS_TAKEN);
        break;
    case BUS_WORD:
        hear(s, e->data);
        break;
    default:
        break;
    }
}

/* Note a publication; an entry that was published before keeps its place. */
static void flight_note(struct sender *s, const struct spool_entry *e)
{
    struct flight *f = flight_of(s, e->number);
    if (f) {
        f->round = s->round;
        f->taken = false;
        f->since = sender_now(s);
        s->counts.repeated++;
        return;
    }
    size_t at = s->count;
    while (at && s->flights[at - 1].number > e->number)
        at--;
    assert(s->count < s->options.messages_max);
    memmove(s->flights + at + 1, s->flights + at, (s->count - at) * sizeof *s->flights);
    s->flights[at] = (struct flight){.number = e->number,
        .bytes = e->data.left,
        .time = e->time,
        .round = s->round,
        .since = sender_now(s)};
    s->count++;
    s->under_way += e->data.left;
}

static enum err entry_publish(struct sender *s, const struct spool_entry *e, struct fault *f)
{
    struct spool_counts spool;
    char id[96];
    spool_counts(s->options.spool, &spool);
    struct envelope envelope = {.spool = spool.id,
        .number = e->number,
        /* What the hub has said that it has is no longer ours to send, though it may still be
         * on the disk: a hub that has forgotten it does not wait for it. */
        .previous = e->previous > s->counts.committed ? e->previous : 0,
        .items = e->items,
        .data = e->data};
    memcpy(envelope.kind, e->kind, sizeof envelope.kind);
    buf_clear(&s->message);
    envelope_write(&envelope, &s->message);
    if (s->message.err)
        return fault_set(f, s->message.err, "%s", err_text(s->message.err));
    snprintf(id, sizeof id, "%016" PRIx64 ".%s.%" PRIu64 ".%" PRIu32, spool.id, e->kind,
        e->number, s->round);
    struct bus_message m = {.kind = e->kind,
        .id = id,
        .tag = tag_of(e->number, s->round),
        .data = bytes_over(s->message.data, s->message.len)};
    return bus_publish(s->options.bus, &m, f);
}

/* May an entry of this number be published, as far as the caps tell? */
static bool has_room(const struct sender *s)
{
    if (s->newest >= s->next)
        return true; /* it has its place among those under way, or gives it to its successor */
    return s->count < s->options.messages_max && s->under_way < s->options.bytes_max;
}

/* The bus has said nothing about an entry for too long: send it again. */
static void overdue(struct sender *s)
{
    for (size_t i = 0; i < s->count && s->flights[i].number < s->next; i++)
        if (!s->flights[i].taken && sender_now(s) - s->flights[i].since >= taken_wait) {
            rewind_to(s, s->flights[i].number);
            return;
        }
}

enum err sender_pump(struct sender *s, struct fault *f)
{
    if (bus_is_connected(s->options.bus))
        overdue(s);
    while (bus_is_connected(s->options.bus) && sender_now(s) >= s->hold_until && has_room(s)) {
        struct spool_entry entry;
        enum err e = spool_read(s->options.spool, s->next, &entry, f);
        if (e)
            return e == ERR_NOTFOUND ? OK : e;
        if (!flight_of(s, entry.number) && s->count == s->options.messages_max)
            return OK;
        e = entry_publish(s, &entry, f);
        if (e)
            return e == ERR_BUSY ? OK : e;
        flight_note(s, &entry);
        s->counts.published++;
        s->counts.bytes += entry.data.left;
        s->next = entry.number + 1;
        if (s->newest < entry.number)
            s->newest = entry.number;
    }
    return OK;
}

bool sender_waits(const struct sender *s)
{
    return s->unheard && sender_now(s) < s->hold_until;
}

void sender_counts(const struct sender *s, struct sender_counts *ret_counts)
{
    *ret_counts = s->counts;
    ret_counts->under_way = s->count;
    ret_counts->sent = s->counts.committed;
    ret_counts->oldest = s->count ? s->flights[0].time : 0;
    for (size_t i = 0; i < s->count && s->flights[i].taken; i++)
        ret_counts->sent = s->flights[i].number;
}
