/* The engines' states, each as one zstd frame: they are series that are mostly zeros, a hundred
 * times their packed size, and are written at the end of every replay and often in a hub. A
 * state of an earlier version stands there as the engine gave it. */
#include "store/catalog_int.h"

#include <string.h>
#include <zstd.h>

enum {
    STATE_BYTES = 256 << 20,
    STATE_LEVEL = 1 /* higher ones take longer, and what they give is no smaller */
};

static enum err state_pack(
    const struct catalog_engine_state *s, struct buf *packed, struct fault *f)
{
    if (s->len > STATE_BYTES)
        return fault_set(
            f, ERR_BAD, "the state of %s is larger than %d bytes", s->engine, STATE_BYTES);
    size_t bound = ZSTD_compressBound(s->len);
    buf_init(packed, bound);
    uint8_t *to = buf_reserve(packed, bound);
    size_t size = to ? ZSTD_compress(to, bound, s->data, s->len, STATE_LEVEL) : 0;
    if (!to || ZSTD_isError(size))
        return fault_set(f, ERR_NOMEM, "the state of %s: out of memory", s->engine);
    packed->len = size;
    return OK;
}

/* States begin with their engine's own word, and none has chosen zstd's. */
static bool is_packed(struct bytes data)
{
    static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    return data.left >= sizeof magic && memcmp(data.at, magic, sizeof magic) == 0;
}

/* The catalogue may come from a stolen disk. */
static enum err state_unpack(struct bytes data, struct buf *out)
{
    if (!is_packed(data)) {
        buf_put(out, data.at, data.left);
        return out->err;
    }
    unsigned long long size = ZSTD_getFrameContentSize(data.at, data.left);
    if (size > STATE_BYTES) /* or is not stated */
        return ERR_BAD;
    uint8_t *to = buf_reserve(out, (size_t)size);
    if (!to)
        return out->err;
    if (ZSTD_decompress(to, (size_t)size, data.at, data.left) != size)
        return ERR_BAD;
    out->len += (size_t)size;
    out->data[out->len] = 0;
    return OK;
}

enum err catalog_state_put(
    struct catalog *c, const struct catalog_engine_state *s, struct fault *f)
{
    struct buf packed = {0};
    enum err e = name_check("engine", s->engine, f);
    if (!e)
        e = state_pack(s, &packed, f);
    if (!e) {
        struct query q;
        query_open(&q, c,
            "INSERT INTO engine_state (engine, window_end, data) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (engine) DO UPDATE SET window_end = ?2, data = ?3",
            f);
        query_text(&q, s->engine);
        query_number(&q, s->window_end);
        query_bytes(&q, packed.data, packed.len);
        e = query_done(&q);
    }
    buf_done(&packed);
    return e;
}

enum err catalog_engine_state(
    struct catalog *c, const char *engine, struct buf *out, int64_t *ret_window_end)
{
    struct query q;
    int64_t window_end = 0;
    catalog_enter(c);
    query_open(&q, c, "SELECT window_end, data FROM engine_state WHERE engine = ?", NULL);
    query_text(&q, engine);
    if (query_row(&q)) {
        window_end = query_number_at(&q, 0);
        query_fail(&q, state_unpack(query_bytes_at(&q, 1), out));
    } else
        query_fail(&q, ERR_NOTFOUND);
    enum err e = query_end(&q);
    catalog_leave(c);
    if (!e)
        *ret_window_end = window_end;
    return e;
}
