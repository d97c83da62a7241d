#ifndef ENGINE_SAVED_H
#define ENGINE_SAVED_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "record/record.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* What every engine's saved state begins with: whose it is, of which form and window length,
 * and where in time the engine stands. */
struct saved_head {
    uint32_t magic;   /* the engine's own */
    uint32_t version; /* of the form of what follows */
    int64_t window;   /* us */
    int64_t origin;   /* us: where window 0 begins */
    uint32_t now;     /* number of the window that was looked at last; 0: none yet */
    uint64_t left_out;
};

static inline void saved_head_save(struct buf *out, const struct saved_head *h)
{
    buf_le32(out, h->magic);
    buf_le32(out, h->version);
    buf_le64(out, (uint64_t)h->window);
    buf_le64(out, (uint64_t)h->origin);
    buf_le32(out, h->now);
    buf_le64(out, h->left_out);
}

/* False if the bytes end, are of another engine, form or window length than `h` states, or say
 * what cannot be. Else the rest of `h` is filled. */
static inline bool saved_head_load(struct bytes *in, struct saved_head *h)
{
    const int64_t far = INT64_C(1) << 60;
    assert(h->window > 0);
    uint32_t magic = bytes_le32(in);
    uint32_t version = bytes_le32(in);
    uint64_t window = bytes_le64(in);
    if (magic != h->magic || version != h->version || window != (uint64_t)h->window)
        return false;
    h->origin = (int64_t)bytes_le64(in);
    h->now = bytes_le32(in);
    h->left_out = bytes_le64(in);
    return !in->cut && h->origin <= far && h->origin >= -far && h->origin % h->window == 0 &&
           h->now <= INT32_MAX;
}

/* The fault of a state of `whole` bytes of which `left` had not been read when `e` was found.
 */
static inline enum err saved_fault(
    struct fault *f, enum err e, const char *engine, size_t whole, size_t left)
{
    return fault_set(f, e, "%s state: offset %zu: %s", engine, whole - left,
        e == ERR_BAD ? "not a state of this version and window length" : err_text(e));
}

/* A site's name, with its length before it. */
static inline void saved_name_save(struct buf *out, const char *name)
{
    buf_u8(out, (uint8_t)strlen(name));
    buf_str(out, name);
}

/* False if the bytes end or hold no name. */
static inline bool saved_name_load(struct bytes *in, char name[RECORD_NAME_MAX + 1])
{
    uint8_t len = bytes_u8(in);
    struct bytes text = bytes_take(in, len);
    if (text.cut || !len || len > RECORD_NAME_MAX || memchr(text.at, 0, len))
        return false;
    memcpy(name, text.at, len);
    name[len] = 0;
    return true;
}

#endif
