#include "bus/planes_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    PLANES_LEVEL = 3,
    PLANES_LEAST = 24, /* shorter ones are not worth packing */
    SLOTS = 4 * PLANES_VALUES,
};

enum stream_mode {
    STREAM_RAW = 0,
    STREAM_SAME = 1, /* one byte, repeated */
    STREAM_ZSTD = 2,
};

enum values_form {
    VALUES_PLANES = 0, /* + number of planes, 0..8 */
    VALUES_TABLE = 16, /* + number of planes of the table */
};

struct slot {
    uint64_t value;
    uint32_t turn; /* in which it was filled */
    uint32_t number;
};

struct planes {
    ZSTD_CCtx *zstd;
    uint8_t plane[PLANES_VALUES];
    uint64_t table[PLANES_VALUES];
    uint64_t number[PLANES_VALUES]; /* into the table */
    struct slot slots[SLOTS];
    uint32_t turn;
    enum err err;
};

enum err planes_new(struct planes **ret_planes)
{
    struct planes *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->zstd = ZSTD_createCCtx();
    if (!p->zstd) {
        free(p);
        return ERR_NOMEM;
    }
    *ret_planes = p;
    return OK;
}

void planes_free(struct planes *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->zstd);
    free(p);
}

enum err planes_err(const struct planes *p)
{
    return p->err;
}

static bool all_same(const uint8_t *data, size_t len)
{
    return len > 1 && memcmp(data, data + 1, len - 1) == 0;
}

void planes_put_bytes(struct planes *p, const void *data, size_t len, struct buf *out)
{
    if (!len)
        return;
    if (all_same(data, len)) {
        buf_u8(out, STREAM_SAME);
        buf_put(out, data, 1);
        return;
    }
    size_t from = out->len;
    size_t room = ZSTD_compressBound(len);
    if (len >= PLANES_LEAST && buf_reserve(out, room + 16)) {
        buf_u8(out, STREAM_ZSTD);
        /* The length goes before the bytes, and is known after them: it always takes 4. */
        buf_le32(out, 0);
        size_t packed =
            ZSTD_compressCCtx(p->zstd, out->data + out->len, room, data, len, PLANES_LEVEL);
        if (!ZSTD_isError(packed) && packed + 5 < len + 1) {
            for (unsigned i = 0; i < 4; i++)
                out->data[from + 1 + i] = (uint8_t)(packed >> 8 * i);
            out->len += packed;
            return;
        }
        out->len = from;
    }
    buf_u8(out, STREAM_RAW);
    buf_put(out, data, len);
}

static unsigned bytes_needed(uint64_t most)
{
    unsigned n = 0;
    for (; most; most >>= 8)
        n++;
    return n;
}

static unsigned width_of(const uint64_t *values, size_t count)
{
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= values[i];
    return bytes_needed(any);
}

static void put_planes(
    struct planes *p, const uint64_t *values, size_t count, unsigned width, struct buf *out)
{
    for (unsigned k = 0; k < width; k++) {
        for (size_t i = 0; i < count; i++)
            p->plane[i] = (uint8_t)(values[i] >> 8 * k);
        planes_put_bytes(p, p->plane, count, out);
    }
}

/* Number the different values in the order in which they come; 0 as soon as there are more than
 * `most`, or where they crowd one place of the table: whoever sends packets to a telescope
 * chooses values, and may choose them so. */
static size_t table_make(struct planes *p, const uint64_t *values, size_t count, size_t most)
{
    size_t used = 0;
    p->turn++;
    for (size_t i = 0; i < count; i++) {
        size_t at = hash_u64(values[i]) & (SLOTS - 1);
        unsigned steps = 0;
        while (p->slots[at].turn == p->turn && p->slots[at].value != values[i]) {
            at = (at + 1) & (SLOTS - 1);
            if (++steps == PLANES_STEPS)
                return 0;
        }
        if (p->slots[at].turn != p->turn) {
            if (used == most)
                return 0;
            p->slots[at] = (struct slot){values[i], p->turn, (uint32_t)used};
            p->table[used++] = values[i];
        }
        p->number[i] = p->slots[at].number;
    }
    return used;
}

/* How many different values make a table worth its place. */
static size_t table_most(size_t count, unsigned width)
{
    if (width < 2)
        return 0;
    size_t small = count < 256 ? count / 2 : 256;
    size_t large = width > 2 ? count * (width - 2) / width : 0;
    return large > small ? large : small;
}

void planes_put(struct planes *p, const uint64_t *values, size_t count, struct buf *out)
{
    if (count > PLANES_VALUES) {
        p->err = ERR_RANGE;
        return;
    }
    if (!count)
        return;
    unsigned width = width_of(values, count);
    size_t most = table_most(count, width);
    size_t used = most ? table_make(p, values, count, most) : 0;
    if (!used) {
        buf_u8(out, (uint8_t)(VALUES_PLANES + width));
        put_planes(p, values, count, width, out);
        return;
    }
    buf_u8(out, (uint8_t)(VALUES_TABLE + width));
    buf_varint(out, used);
    put_planes(p, p->table, used, width, out);
    put_planes(p, p->number, count, bytes_needed(used - 1), out);
}

/* ---- reading ---- */

void planes_get_bytes(struct bytes *in, uint8_t *to, size_t len)
{
    if (!len)
        return;
    uint8_t mode = bytes_u8(in);
    struct bytes data;
    switch (mode) {
    case STREAM_RAW:
        data = bytes_take(in, len);
        if (!data.cut)
            memcpy(to, data.at, len);
        return;
    case STREAM_SAME:
        memset(to, bytes_u8(in), len);
        return;
    case STREAM_ZSTD:
        data = bytes_take(in, bytes_le32(in));
        if (in->cut)
            return;
        if (ZSTD_findFrameCompressedSize(data.at, data.left) != data.left ||
            ZSTD_getFrameContentSize(data.at, data.left) != len ||
            ZSTD_decompress(to, len, data.at, data.left) != len)
            in->cut = true;
        return;
    default:
        in->cut = true;
    }
}

static void get_planes(
    struct bytes *in, uint64_t *values, size_t count, unsigned width, uint8_t *scratch)
{
    memset(values, 0, count * sizeof *values);
    for (unsigned k = 0; k < width && !in->cut; k++) {
        planes_get_bytes(in, scratch, count);
        for (size_t i = 0; i < count && !in->cut; i++)
            values[i] |= (uint64_t)scratch[i] << 8 * k;
    }
}

void planes_get(struct bytes *in, uint64_t *values, size_t count, uint8_t *scratch)
{
    uint64_t table[PLANES_VALUES];
    if (!count)
        return;
    unsigned form = bytes_u8(in);
    unsigned width = form & 15;
    if (in->cut || count > PLANES_VALUES || width > 8 || (form & ~15u) > VALUES_TABLE) {
        in->cut = true;
        return;
    }
    if (!(form & VALUES_TABLE)) {
        get_planes(in, values, count, width, scratch);
        return;
    }
    uint64_t used = bytes_varint(in);
    if (!used || used > count) {
        in->cut = true;
        return;
    }
    get_planes(in, table, (size_t)used, width, scratch);
    get_planes(in, values, count, bytes_needed(used - 1), scratch);
    for (size_t i = 0; i < count && !in->cut; i++) {
        if (values[i] >= used)
            in->cut = true;
        else
            values[i] = table[values[i]];
    }
}
