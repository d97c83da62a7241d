#ifndef INGEST_MISDATED_H
#define INGEST_MISDATED_H

#include "sensor/source.h"

/* Frames of a capture whose time cannot be: more than a day after the frame before them, while
 * the frames that follow are not. One such frame would close all windows up to its time, and
 * everything after it would be late. They are given the time of the frame before.
 *
 * A capture that goes on after a gap of days is not touched: more than MISDATED_MOST frames in
 * a row are believed, and so are the last ones. */

enum {
    MISDATED_MOST = 16
};

struct misdated {
    bool begun;
    int64_t newest; /* believed so far */
    uint64_t mended;
    struct frame held[MISDATED_MOST]; /* not to be judged before the next frames are known */
    size_t held_count;
    uint8_t *bytes; /* what they hold; owned */
    uint8_t *spent; /* what those of the call before held, which are in use until the next */
};

void misdated_init(struct misdated *m);
void misdated_done(struct misdated *m);

/**
 * Mend the times of the next frames of a capture. Frames that cannot be judged yet are cut off
 * and kept with their bytes; `m->held_count` of them are to be put before the frames of the
 * next call.
 *
 * @param ended no frames come after these.
 * @param ret_count how many frames at the front can be used.
 * @return OK or ERR_NOMEM.
 */
enum err misdated_mend(struct misdated *m, struct frame *frames, size_t count, bool ended,
    size_t *ret_count) MUST_CHECK;

#endif
