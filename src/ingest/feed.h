#ifndef INGEST_FEED_H
#define INGEST_FEED_H

#include "base/err.h"
#include "sensor/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One site's frames in time order, from any number of captures or from a live interface. */

struct feed;

enum feed_state {
    FEED_FRAMES, /* a run of frames was given */
    FEED_QUIET,  /* nothing came (live: for a while), the window is still open */
    FEED_WINDOW, /* nothing more before `until` */
    FEED_ENDED,  /* nothing more at all */
};

/**
 * Captures of one site; they may be given in any order and may overlap in time. Regular files
 * are opened when their time comes, so that any number may be given; "-" is standard input.
 *
 * A folder stands for all files in it whose name does not begin with a dot.
 *
 * @return OK: at least one can be read; those that are no captures are told by feed_next().
 *         ERR_SHORT, ERR_BAD: none is a capture; ERR_NOTFOUND: one is not there; else what the
 *         system says
 */
enum err feed_open_files(
    struct feed **ret_feed, const char *const *paths, size_t count, struct fault *f) MUST_CHECK;

/* A live source, taken over. `grace` is how long after the end of a window late frames are
 * awaited. */
enum err feed_open_live(struct feed **ret_feed, struct source *live, int64_t grace) MUST_CHECK;

struct ahead_run; /* ingest/ahead.h */

/* Frames that a caller-made generator gives: next() behaves as feed_next(). One that gives
 * packets which were looked at already, and are in the store, has run() instead. */
struct feed_maker {
    enum err (*next)(void *context, int64_t until, enum feed_state *ret_state,
        const struct frame **ret_frames, size_t *ret_count, struct fault *f);
    enum feed_state (*run)(void *context, int64_t until, struct ahead_run *ret_run);
    int64_t (*peek)(void *context); /* time of the next frame; INT64_MAX: none */
    void (*counts)(void *context, struct source_counts *ret_counts);
    void (*close)(void *context);
    bool (*live)(void *context); /* has it come to the present? NULL: it never does */
    void *context;
};
enum err feed_open_maker(struct feed **ret_feed, const struct feed_maker *maker) MUST_CHECK;

/**
 * The next run of frames that were captured before `until`.
 *
 * @param ret_frames borrowed until the next call; *ret_count of them, at least one if
 * *ret_state is FEED_FRAMES, else none.
 * @return OK; or what went wrong with one capture, once, with its fault: all frames before the
 *         fault have been given, and the next call goes on with the other captures.
 */
enum err feed_next(struct feed *d, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f) MUST_CHECK;

/* Time of the next frame: INT64_MAX if there is none, now if live. */
int64_t feed_peek(struct feed *d);

/* Does it give frames as they happen? A made feed may begin in the past and become live. */
bool feed_is_live(const struct feed *d);

/* Are all its frames in regular files, so that reading them never waits for anybody? */
bool feed_reads_files(const struct feed *d);

/* Does it give packets rather than frames? Then feed_run() takes the place of feed_next(). */
bool feed_gives_packets(const struct feed *d);
enum feed_state feed_run(struct feed *d, int64_t until, struct ahead_run *ret_run);

/* Would frames be lost while nobody asks for them? A made feed waits. */
bool feed_can_lose(const struct feed *d);

/* Is it live, or may it become so? Then it waits for the clock, and needs a thread of its own.
 */
bool feed_may_wait(const struct feed *d);

/* Summed over all captures; offset and size let a caller show progress. */
void feed_counts(const struct feed *d, struct source_counts *ret_counts);
void feed_close(struct feed *d);

#endif
