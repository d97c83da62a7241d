#ifndef EVALUATE_TAPE_H
#define EVALUATE_TAPE_H

#include "record/window.h"

/* Windows of contacts, recorded once and shown to engines as often as wanted. They lie packed
 * in a temporary file that nobody else sees; memory holds one window and about 100 bytes for
 * each site and window. */

enum {
    TAPE_WINDOWS = 1 << 16,
    TAPE_BLOCKS = 1 << 24,
    TAPE_PACK_LEVEL = 1
};
#define TAPE_BYTES (INT64_C(1) << 40)

struct tape;

/* In the folder that TMPDIR names, or /tmp. ERR_IO: the fault says why. */
enum err tape_new(struct tape **ret_tape, struct fault *f) MUST_CHECK;
void tape_free(struct tape *t);

/* Record a window at the end: it is later than all before it, and as long. */
enum err tape_add(struct tape *t, const struct window *w, struct fault *f) MUST_CHECK;

/* Add rows to window number `window`. */
enum err tape_add_block(
    struct tape *t, size_t window, const struct block *b, struct fault *f) MUST_CHECK;

size_t tape_count(const struct tape *t);
/* Start of a window, us. */
int64_t tape_start(const struct tape *t, size_t window);
/* Length of all windows, us; 0: there is none. */
int64_t tape_length(const struct tape *t);

/* Window number `window`, borrowed until the next call of any of these. */
enum err tape_read(struct tape *t, size_t window, const struct window **ret_window,
    struct fault *f) MUST_CHECK;

/**
 * A tape on which nothing that sources do together is left: for each source a permutation of
 * the windows is drawn by seed and address, and what the source did in a window, at all sites,
 * is moved to the window that the permutation gives. What each source does, how often, and what
 * of it in one window, stays.
 *
 * @param ret_shuffled the caller's.
 */
enum err tape_shuffle(
    struct tape *t, uint64_t seed, struct tape **ret_shuffled, struct fault *f) MUST_CHECK;

#endif
