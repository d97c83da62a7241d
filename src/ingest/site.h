#ifndef INGEST_SITE_H
#define INGEST_SITE_H

#include "ingest/feed.h"
#include "ingest/writer.h"
#include "sensor/sensor.h"

/* One site on its way through the pipeline: its feed, its sensor, and the rows that are on
 * their way to the store. One thread at a time. */
struct site;

struct site_options {
    const struct sensor_shared *shared;
    struct sensor_options sensor;
    struct writer *writer; /* NULL: nothing is stored */
    int64_t seen;          /* nothing is kept of windows that end by then */
    int64_t flush;         /* live: packets reach the store after this at the latest, us */
};

/* What anybody may read while the site works. */
struct site_live {
    _Atomic uint64_t packets, bytes, frames;
    _Atomic uint64_t offset, size; /* of the captures: what has been read, bytes */
    _Atomic uint64_t dropped_kernel, dropped_queue, sampled_out, malformed, non_ip, snapped;
    _Atomic int64_t newest; /* time of the newest packet, us; 0: none yet */
    _Atomic bool ended;
};

/* Takes the feed over. */
enum err site_new(struct site **ret_site, const char *name, struct feed *feed,
    const struct site_options *options) MUST_CHECK;
void site_free(struct site *s);

/* Its telescope has another size, from the next window on; from any thread. */
void site_addresses(struct site *s, uint64_t addresses);

const char *site_name(const struct site *s);
const struct site_live *site_live(const struct site *s);
struct feed *site_feed(struct site *s);

/* Have captures read and decoded on a thread of their own, beside the site's: worth it where
 * processors would be idle. From the next site_advance() on, as far as the feed allows it. */
void site_read_ahead(struct site *s);

/* Time of the next frame, as feed_peek(). While nobody advances the site. */
int64_t site_peek(struct site *s);

/* The feed's counters, as feed_counts(). While nobody advances the site. */
void site_source_counts(const struct site *s, struct source_counts *ret_counts);
const struct sensor *site_sensor(const struct site *s);

/* Who is told that a capture broke; from any thread. */
struct site_trouble {
    void (*tell)(void *context, const char *site, const struct fault *f);
    void *context;
};

/**
 * Read, decode and tag everything before `end`; live, this lasts until then.
 *
 * @param trouble told of each capture that breaks; the site goes on with the others. What the
 *                first call gives stays in use.
 * @return OK; ERR_STOPPED if `stop` became true; ERR_BUSY: a site elsewhere, of which nothing
 * is there now, while more may come before `end`: call again; else what makes going on
 *         impossible.
 */
enum err site_advance(struct site *s, int64_t end, const atomic_bool *stop,
    const struct site_trouble *trouble, struct fault *f) MUST_CHECK;

/* Close the window that began at `start`: what the engines will see of it, borrowed until the
 * next site_advance(). Contacts, attacks and counters go on their way to the store. */
enum err site_close_window(struct site *s, int64_t start, struct window_site *ret_about,
    const struct block *const **ret_blocks, size_t *ret_count, struct fault *f) MUST_CHECK;

/* Would the site have watched for the whole window that begins at `start`, in which it heard
 * nothing: has it begun before, not ended, and no outage (hearing.h)? */
bool site_watches_silence(const struct site *s, int64_t start);

/* Send what has been gathered to the store, also half-full blocks. */
enum err site_flush(struct site *s, struct fault *f) MUST_CHECK;

#endif
