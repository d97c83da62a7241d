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
    VALUES_PLANES = 0,  /* + number of planes, 0..8 */
    VALUES_TABLE = 16,  /* + number of planes of the table */
    VALUES_COMMON = 32, /* the same: a table of the values that occur often, one byte a row */
};

enum {
    COMMON_MOST = 255,   /* values in the table of common ones */
    COMMON_LEAST = 4,    /* times that one of them occurs */
    COMMON_SAMPLE = 4096 /* values after which it shows whether any are common */
};

struct slot {
    uint64_t value;
    uint32_t turn; /* in which it was filled */
    uint32_t number;
};

struct planes {
    ZSTD_CCtx *zstd;
    uint8_t plane[PLANES_VALUES];
    uint8_t index[PLANES_VALUES]; /* into the common values */
    uint64_t rest[PLANES_VALUES]; /* values that are not common */
    uint64_t table[PLANES_VALUES];
    uint64_t number[PLANES_VALUES]; /* into the table */
    uint32_t times[PLANES_VALUES];  /* that a value of the table occurs */
    uint32_t order[PLANES_VALUES];  /* of the table, those that occur most first */
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

/* Number the different values in the order in which they come; 0 if there are more than `most`
 * and hardly two the same, or where they crowd one place of the table: whoever sends packets to
 * a telescope chooses values, and may choose them so. */
static size_t table_make(struct planes *p, const uint64_t *values, size_t count, size_t most)
{
    size_t used = 0;
    p->turn++;
    for (size_t i = 0; i < count; i++) {
        if (i == COMMON_SAMPLE && used > most && used > i / 4 * 3)
            return 0;
        size_t at = hash_u64(values[i]) & (SLOTS - 1);
        unsigned steps = 0;
        while (p->slots[at].turn == p->turn && p->slots[at].value != values[i]) {
            at = (at + 1) & (SLOTS - 1);
            if (++steps == PLANES_STEPS)
                return 0;
        }
        if (p->slots[at].turn != p->turn) {
            p->slots[at] = (struct slot){values[i], p->turn, (uint32_t)used};
            p->times[used] = 0;
            p->table[used++] = values[i];
        }
        p->number[i] = p->slots[at].number;
        p->times[p->number[i]]++;
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

/* Those of the table that occur most, at most COMMON_MOST, to the front of `order`; what is
 * equal keeps its order. */
static size_t common_find(struct planes *p, size_t used, size_t *ret_covered)
{
    size_t count = 0;
    uint32_t least = COMMON_LEAST;
    do { /* so often that they are not too many */
        count = 0;
        for (size_t i = 0; i < used && count <= COMMON_MOST; i++)
            if (p->times[i] >= least)
                p->order[count++] = (uint32_t)i;
        least *= 2;
    } while (count > COMMON_MOST);
    *ret_covered = 0;
    for (size_t i = 0; i < count; i++)
        *ret_covered += p->times[p->order[i]];
    return count;
}

/* A byte a row: 0, and the value is among those behind it, or which of the common ones it is.
 * False: it is not worth it. */
static bool put_common(struct planes *p, const uint64_t *values, size_t count, size_t used,
    unsigned width, struct buf *out)
{
    size_t covered;
    size_t common = common_find(p, used, &covered);
    if (!common || covered < count / 8 + 2 * common)
        return false;
    buf_u8(out, (uint8_t)(VALUES_COMMON + width));
    buf_u8(out, (uint8_t)common);
    uint64_t *few = p->rest;
    for (size_t i = 0; i < common; i++)
        few[i] = p->table[p->order[i]];
    put_planes(p, few, common, width, out);
    memset(p->times, 0, used * sizeof *p->times);
    for (size_t i = 0; i < common; i++)
        p->times[p->order[i]] = (uint32_t)i + 1;
    size_t rest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t which = p->times[p->number[i]];
        p->index[i] = (uint8_t)which;
        if (!which)
            p->rest[rest++] = values[i];
    }
    planes_put_bytes(p, p->index, count, out);
    put_planes(p, p->rest, rest, width, out);
    return true;
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
    if (used > most && put_common(p, values, count, used, width, out))
        return;
    if (!used || used > most) {
        buf_u8(out, (uint8_t)(VALUES_PLANES + width));
        put_planes(p, values, count, width, out);
        return;
    }
    buf_u8(out, (uint8_t)(VALUES_TABLE + width));
    buf_varint(out, used);
    put_planes(p, p->table, used, width, out);
    put_planes(p, p->number, count, bytes_needed(used - 1), out);
}

size_t planes_number(struct planes *p, uint64_t *values, size_t count, struct buf *out)
{
    unsigned width = width_of(values, count);
    size_t most = table_most(count, width);
    size_t used = most ? table_make(p, values, count, most) : 0;
    if (!used || used > most) {
        buf_varint(out, 0);
        return 0;
    }
    buf_varint(out, used);
    buf_u8(out, (uint8_t)width);
    put_planes(p, p->table, used, width, out);
    memcpy(values, p->number, count * sizeof *values);
    return used;
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

/* Common values by their numbers; 0 stands for the next of those behind them. */
static void get_common(struct bytes *in, uint64_t *values, size_t count, unsigned width,
    uint8_t *scratch, uint64_t *rest)
{
    uint64_t common[COMMON_MOST];
    size_t used = bytes_u8(in), others = 0;
    get_planes(in, common, used, width, scratch);
    planes_get_bytes(in, scratch, count);
    for (size_t i = 0; i < count && !in->cut; i++) {
        values[i] = scratch[i];
        others += !scratch[i];
        in->cut = scratch[i] > used;
    }
    if (in->cut)
        return;
    get_planes(in, rest, others, width, scratch);
    size_t at = 0;
    for (size_t i = 0; i < count && !in->cut; i++)
        values[i] = values[i] ? common[values[i] - 1] : rest[at++];
}

void planes_get(struct bytes *in, uint64_t *values, size_t count, uint8_t *scratch)
{
    uint64_t table[PLANES_VALUES];
    if (!count)
        return;
    unsigned form = bytes_u8(in);
    unsigned width = form & 15;
    if (in->cut || count > PLANES_VALUES || width > 8 || (form & ~15u) > VALUES_COMMON) {
        in->cut = true;
        return;
    }
    if (form & VALUES_COMMON) {
        get_common(in, values, count, width, scratch, table);
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

size_t planes_get_number(struct bytes *in, uint64_t *table, size_t count, uint8_t *scratch)
{
    uint64_t used = bytes_varint(in);
    if (in->cut || !used)
        return 0;
    unsigned width = bytes_u8(in);
    if (in->cut || used > count || used > PLANES_VALUES || width > 8) {
        in->cut = true;
        return 0;
    }
    get_planes(in, table, (size_t)used, width, scratch);
    return (size_t)used;
}
