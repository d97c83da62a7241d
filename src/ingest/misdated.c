#include "ingest/misdated.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

static const int64_t jump_least = US_DAY;

void misdated_init(struct misdated *m)
{
    *m = (struct misdated){0};
}

void misdated_done(struct misdated *m)
{
    free(m->bytes);
    free(m->spent);
    *m = (struct misdated){0};
}

static bool is_ahead(const struct frame *frame, int64_t of)
{
    return of < INT64_MAX - jump_least && frame->ts > of + jump_least;
}

/* How many frames in a row are ahead of a time, at most MISDATED_MOST + 1. */
static size_t run_ahead(const struct frame *frames, size_t count, int64_t of)
{
    size_t n = 0;
    while (n < count && n <= MISDATED_MOST && is_ahead(&frames[n], of))
        n++;
    return n;
}

/* The first frame of a capture has none before it: if those after it agree that it is ahead of
 * them, the capture begins at their time. */
static int64_t begin_at(const struct frame *frames, size_t count)
{
    size_t look = count - 1 < MISDATED_MOST ? count - 1 : MISDATED_MOST;
    for (size_t i = 1; i <= look; i++)
        if (!is_ahead(&frames[0], frames[i].ts))
            return frames[0].ts;
    return look ? frames[1].ts : frames[0].ts;
}

/* Keep frames over the next read, which overwrites what they point at. */
static enum err hold(struct misdated *m, const struct frame *frames, size_t count)
{
    size_t len = 1;
    for (size_t i = 0; i < count; i++)
        len += frames[i].len;
    uint8_t *bytes = malloc(len);
    if (!bytes)
        return ERR_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + at, frames[i].data, frames[i].len);
        m->held[i] = frames[i];
        m->held[i].data = bytes + at;
        at += frames[i].len;
    }
    m->held_count = count;
    m->bytes = bytes;
    return OK;
}

enum err misdated_mend(
    struct misdated *m, struct frame *frames, size_t count, bool ended, size_t *ret_count)
{
    m->held_count = 0;
    free(m->spent);
    m->spent = m->bytes;
    m->bytes = NULL;
    if (count && !m->begun) {
        m->newest = begin_at(frames, count);
        m->begun = true;
    }
    for (size_t i = 0; i < count;) {
        size_t run = run_ahead(frames + i, count - i, m->newest);
        if (run && run == count - i && run <= MISDATED_MOST && !ended) {
            *ret_count = i;
            return hold(m, frames + i, run);
        }
        bool believed = run == 0 || run > MISDATED_MOST || run == count - i;
        size_t step = run ? run : 1;
        for (size_t k = i; k < i + step; k++) {
            if (!believed) {
                frames[k].ts = m->newest;
                m->mended++;
            } else if (frames[k].ts > m->newest)
                m->newest = frames[k].ts;
        }
        i += step;
    }
    *ret_count = count;
    return OK;
}
