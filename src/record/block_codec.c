/* A block's wire form: ClickHouse's Native format, plain or in one zstd frame.
 *
 *     varint columns, varint rows, then for each column:
 *     String name, String type, the rows' values one after another
 *
 * where String is a varint length and bytes, and numbers are little-endian: the columns of
 * numbers are copied as they are, which is right on the little-endian machines this runs on. */
#include "record/block_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are copied as they are");

enum {
    WORD_WIRE = RECORD_NAME_MAX + 1, /* length in one byte, then the word */
    LEN_MOST = 5,                    /* bytes of the varint of a length in uint32_t */
    COLUMN_HEAD = 2 * WORD_WIRE      /* name and type with their lengths, at most */
};

size_t block_encoded_max(const struct record *kind)
{
    size_t row = 0;
    for (size_t i = 0; i < kind->column_count; i++) {
        const struct column *c = &kind->columns[i];
        if (c->type == COLUMN_NAME)
            row += WORD_WIRE;
        else if (c->type == COLUMN_BYTES)
            row += LEN_MOST + c->most;
        else
            row += column_width(c->type);
    }
    return 2 * LEN_MOST + kind->column_count * COLUMN_HEAD + kind->max_rows * row;
}

/* Least bytes that a row can take: what a count of rows is checked against before anything is
 * allocated for them. */
static size_t row_least(const struct record *kind)
{
    size_t row = 0;
    for (size_t i = 0; i < kind->column_count; i++) {
        enum column_type type = kind->columns[i].type;
        row += type == COLUMN_NAME || type == COLUMN_BYTES ? 1 : column_width(type);
    }
    assert(row > 0); /* a kind has columns */
    return row;
}

static void put_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    assert(len <= RECORD_NAME_MAX);
    buf_u8(out, (uint8_t)len);
    buf_put(out, text, len);
}

/* Every word is kept once in its wire form, 64 bytes wide, and written with one copy of a fixed
 * width that the next word overwrites. */
static void encode_names(const struct column_data *data, size_t rows, struct buf *out)
{
    uint8_t wire[NAMES_MAX][WORD_WIRE];
    const uint16_t *numbers = data->rows;
    size_t longest = 0;
    names_check(data, 0, rows);
    for (size_t i = 0; i < data->names.count; i++) {
        size_t len = strlen(data->names.word[i]);
        wire[i][0] = (uint8_t)len;
        memcpy(wire[i] + 1, data->names.word[i], WORD_WIRE - 1);
        longest = len > longest ? len : longest;
    }
    uint8_t *to = buf_reserve(out, rows * (longest + 1) + WORD_WIRE);
    if (!to)
        return;
    const uint8_t *start = to;
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *word = wire[numbers[i]];
        memcpy(to, word, 16);
        if (word[0] >= 16)
            memcpy(to + 16, word + 16, WORD_WIRE - 16);
        to += word[0] + 1;
    }
    out->len += (size_t)(to - start);
}

static void encode_bytes(const struct column_data *data, size_t rows, struct buf *out)
{
    const uint32_t *ends = data->rows;
    uint8_t *to = buf_reserve(out, data->heap.len + rows * LEN_MOST);
    if (!to)
        return;
    const uint8_t *first = to;
    uint32_t start = 0;
    for (size_t i = 0; i < rows; i++) {
        uint32_t len = ends[i] - start;
        uint32_t rest = len;
        for (; rest >= 0x80; rest >>= 7)
            *to++ = (uint8_t)(rest | 0x80);
        *to++ = (uint8_t)rest;
        if (len)
            memcpy(to, data->heap.data + start, len);
        to += len;
        start = ends[i];
    }
    out->len += (size_t)(to - first);
}

void names_encode(const struct names *names, size_t rows, struct buf *out)
{
    enum {
        KEYS_VERSION = 1,
        NUMBERS_U16 = 1,
        KEYS_FOLLOW = 1 << 9,
        KEYS_ARE_NEW = 1 << 10
    };
    buf_le64(out, KEYS_VERSION);
    if (!rows)
        return;
    buf_le64(out, NUMBERS_U16 | KEYS_FOLLOW | KEYS_ARE_NEW);
    buf_le64(out, names->count);
    for (size_t i = 0; i < names->count; i++)
        put_text(out, names->word[i]);
    buf_le64(out, rows);
}

/* The words of a column of `b` by their numbers in `all`, where those that are new get one. */
static enum err find_numbers(
    struct names *all, const struct block *b, size_t column, uint16_t numbers[NAMES_MAX])
{
    const struct names *names = &b->column[column].names;
    enum err e = OK;
    for (size_t i = 0; !e && i < names->count; i++)
        e = names_number(
            all, (const uint8_t *)names->word[i], strlen(names->word[i]), &numbers[i]);
    return e;
}

static void put_numbers(
    const struct block *b, size_t column, const uint16_t to[NAMES_MAX], struct buf *out)
{
    const uint16_t *numbers = block_name(b, column);
    size_t bytes = b->rows * sizeof *numbers;
    uint8_t *at = buf_reserve(out, bytes);
    names_check(&b->column[column], 0, b->rows);
    for (size_t i = 0; at && i < b->rows; i++)
        memcpy(at + i * sizeof *to, &to[numbers[i]], sizeof *to);
    out->len += at ? bytes : 0;
}

/* The blocks' words as one list, then the numbers of all. */
static enum err encode_numbered(const struct block *const *blocks, size_t count, size_t column,
    size_t rows, struct buf *out)
{
    struct names all;
    uint16_t numbers[NAMES_MAX];
    if (count == 1) {
        const struct column_data *data = &blocks[0]->column[column];
        names_check(data, 0, rows);
        names_encode(&data->names, rows, out);
        buf_put(out, data->rows, rows * sizeof(uint16_t));
        return OK;
    }
    enum err e = names_init(&all);
    for (size_t i = 0; !e && i < count; i++)
        e = find_numbers(&all, blocks[i], column, numbers);
    if (!e)
        names_encode(&all, rows, out);
    for (size_t i = 0; !e && i < count; i++) {
        e = find_numbers(&all, blocks[i], column, numbers);
        if (!e)
            put_numbers(blocks[i], column, numbers, out);
    }
    names_done(&all);
    return e;
}

static enum err encode_column(const struct block *const *blocks, size_t count, size_t column,
    bool numbered, size_t rows, struct buf *out)
{
    const struct column *c = &blocks[0]->kind->columns[column];
    bool words = numbered && c->type == COLUMN_NAME;
    put_text(out, c->name);
    put_text(out, words ? "LowCardinality(String)" : column_wire_type(c->type));
    if (words)
        return encode_numbered(blocks, count, column, rows, out);
    for (size_t i = 0; i < count; i++) {
        const struct block *b = blocks[i];
        const struct column_data *data = &b->column[column];
        assert(c->type != COLUMN_BYTES || data->filled == b->rows);
        if (c->type == COLUMN_NAME)
            encode_names(data, b->rows, out);
        else if (c->type == COLUMN_BYTES)
            encode_bytes(data, b->rows, out);
        else
            buf_put(out, data->rows, b->rows * column_width(c->type));
    }
    return out->err;
}

static enum err encode(
    const struct block *const *blocks, size_t count, bool numbered, struct buf *out)
{
    const struct record *kind = blocks[0]->kind;
    size_t rows = 0;
    enum err e = OK;
    for (size_t i = 0; i < count; i++) {
        assert(blocks[i]->kind->columns == kind->columns);
        rows += blocks[i]->rows;
    }
    buf_varint(out, kind->column_count);
    buf_varint(out, rows);
    for (size_t i = 0; !e && i < kind->column_count; i++)
        e = encode_column(blocks, count, i, numbered, rows, out);
    return e ? e : out->err;
}

enum err block_encode(const struct block *b, struct buf *out)
{
    return encode(&b, 1, false, out);
}

enum err block_encode_numbered(const struct block *const *blocks, size_t count, struct buf *out)
{
    assert(count >= 1);
    size_t start = out->len;
    enum err e = encode(blocks, count, true, out);
    if (e == ERR_FULL && !out->err)
        out->len = start;
    return e;
}

/* Where decoding stands, for the sentence of a fault. */
struct decoding {
    struct block *block;
    const struct column *column;
    struct bytes in;
    size_t total;
    struct fault *fault;
};

static enum err refuse(const struct decoding *d, enum err code, const char *what)
{
    return fault_set(d->fault, code, "block of %s, column \"%s\", byte %zu: %s",
        d->block->kind->name, d->column->name, d->total - d->in.left, what);
}

static bool text_is(struct bytes *in, const char *text)
{
    size_t len = strlen(text);
    if (bytes_varint(in) != len)
        return false;
    struct bytes there = bytes_take(in, len);
    return !there.cut && memcmp(there.at, text, len) == 0;
}

static enum err decode_names(struct decoding *d, struct column_data *data)
{
    uint16_t *numbers = data->rows;
    const uint8_t *last = NULL;
    size_t last_len = 0;
    for (size_t i = 0; i < d->block->rows; i++) {
        struct bytes before = d->in;
        uint64_t len = bytes_varint(&d->in);
        if (len > RECORD_NAME_MAX) {
            d->in = before;
            return refuse(d, ERR_BAD, "a word longer than 63 bytes");
        }
        struct bytes word = bytes_take(&d->in, (size_t)len);
        if (word.cut)
            return refuse(d, ERR_SHORT, "ends before its last row does");
        if (last && len == last_len && memcmp(last, word.at, last_len) == 0) {
            numbers[i] = numbers[i - 1];
            continue;
        }
        last = word.at;
        last_len = (size_t)len;
        if (!word_allowed(word.at, word.left)) {
            d->in = before;
            return refuse(d, ERR_BAD, "a word may hold a-z 0-9 . _ : - only");
        }
        enum err e = names_number(&data->names, word.at, word.left, &numbers[i]);
        if (e)
            return refuse(d, e, e == ERR_FULL ? "more than 1,024 words" : "out of memory");
    }
    return OK;
}

static enum err decode_bytes(struct decoding *d, struct column_data *data)
{
    uint32_t *ends = data->rows;
    for (size_t i = 0; i < d->block->rows; i++) {
        uint64_t len = bytes_varint(&d->in);
        if (len > d->column->most)
            return refuse(d, ERR_BAD, "a value is longer than the column allows");
        struct bytes value = bytes_take(&d->in, (size_t)len);
        if (value.cut)
            return refuse(d, ERR_SHORT, "ends before its last row does");
        buf_put(&data->heap, value.at, value.left);
        ends[i] = (uint32_t)data->heap.len;
    }
    data->filled = d->block->rows;
    return data->heap.err ? refuse(d, data->heap.err, "out of memory") : OK;
}

static enum err decode_column(struct decoding *d, struct column_data *data)
{
    struct bytes before = d->in;
    if (!text_is(&d->in, d->column->name)) {
        bool cut = d->in.cut;
        d->in = before;
        return refuse(d, cut ? ERR_SHORT : ERR_BAD, "this column is not the next one");
    }
    before = d->in;
    if (!text_is(&d->in, column_wire_type(d->column->type))) {
        bool cut = d->in.cut;
        d->in = before;
        return refuse(d, cut ? ERR_SHORT : ERR_BAD, "another type than the column's");
    }
    if (d->column->type == COLUMN_NAME)
        return decode_names(d, data);
    if (d->column->type == COLUMN_BYTES)
        return decode_bytes(d, data);
    size_t size = d->block->rows * column_width(d->column->type);
    struct bytes values = bytes_take(&d->in, size);
    if (values.cut)
        return refuse(d, ERR_SHORT, "ends before its last row does");
    if (size)
        memcpy(data->rows, values.at, size);
    return OK;
}

static enum err decode_columns(struct decoding *d)
{
    const struct record *kind = d->block->kind;
    for (size_t i = 0; i < kind->column_count; i++) {
        d->column = &kind->columns[i];
        enum err e = decode_column(d, &d->block->column[i]);
        if (e)
            return e;
    }
    return OK;
}

enum err block_decode_next(
    struct block **ret_block, const struct record *kind, struct bytes *in, struct fault *f)
{
    struct decoding d = {.in = *in, .total = in->left, .fault = f};
    uint64_t columns = bytes_varint(&d.in);
    uint64_t rows = bytes_varint(&d.in);
    if (d.in.cut)
        return fault_set(
            f, ERR_SHORT, "block of %s, byte 0: no column and row count", kind->name);
    if (columns != kind->column_count)
        return fault_set(f, ERR_BAD,
            "block of %s, byte 0: %" PRIu64 " columns where the kind has %zu", kind->name,
            columns, kind->column_count);
    if (rows > kind->max_rows)
        return fault_set(f, ERR_RANGE, "block of %s: %" PRIu64 " rows, at most %zu", kind->name,
            rows, kind->max_rows);
    if (rows > d.in.left / row_least(kind))
        return fault_set(f, ERR_SHORT, "block of %s: %zu bytes cannot hold %" PRIu64 " rows",
            kind->name, d.in.left, rows);
    enum err e = block_new(&d.block, kind, rows ? (size_t)rows : 1);
    if (e)
        return fault_set(f, e, "block of %s: %s", kind->name, err_text(e));
    d.block->rows = (size_t)rows;
    e = decode_columns(&d);
    if (e) {
        block_free(d.block);
        return e;
    }
    *ret_block = d.block;
    *in = d.in;
    return OK;
}

enum err block_decode(
    struct block **ret_block, const struct record *kind, struct bytes in, struct fault *f)
{
    size_t total = in.left;
    struct block *b = NULL;
    enum err e = block_decode_next(&b, kind, &in, f);
    if (e)
        return e;
    if (in.left) {
        block_free(b);
        return fault_set(f, ERR_BAD, "block of %s, byte %zu: %zu bytes left over", kind->name,
            total - in.left, in.left);
    }
    *ret_block = b;
    return OK;
}

static enum err compress(struct bytes in, int level, struct buf *out)
{
    size_t bound = ZSTD_compressBound(in.left);
    uint8_t *to = buf_reserve(out, bound);
    ZSTD_CCtx *context = to ? ZSTD_createCCtx() : NULL;
    if (!context)
        return to ? ERR_NOMEM : out->err;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t size = ZSTD_compress2(context, to, bound, in.at, in.left);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(size))
        return ERR_NOMEM; /* the only failure left when the room is enough */
    out->len += size;
    return OK;
}

enum err block_pack(const struct block *b, int level, struct buf *out)
{
    assert(level >= 1 && level <= 19);
    struct buf plain;
    buf_init(&plain, block_encoded_max(b->kind) + WORD_WIRE);
    enum err e = block_encode(b, &plain);
    if (!e)
        e = compress(bytes_over(plain.data, plain.len), level, out);
    buf_done(&plain);
    return e;
}

enum err block_unpack(
    struct block **ret_block, const struct record *kind, struct bytes in, struct fault *f)
{
    unsigned long long size = ZSTD_getFrameContentSize(in.at, in.left);
    if (size == ZSTD_CONTENTSIZE_ERROR)
        return fault_set(f, ERR_BAD, "block of %s: no zstd frame", kind->name);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN)
        return fault_set(
            f, ERR_BAD, "block of %s: its zstd frame does not state its size", kind->name);
    if (size > block_encoded_max(kind))
        return fault_set(f, ERR_RANGE, "block of %s: %llu bytes unpacked, at most %zu",
            kind->name, size, block_encoded_max(kind));
    size_t frame = ZSTD_findFrameCompressedSize(in.at, in.left);
    if (ZSTD_isError(frame))
        return fault_set(f, ERR_SHORT, "block of %s: its zstd frame is cut", kind->name);
    if (frame != in.left)
        return fault_set(f, ERR_BAD, "block of %s, byte %zu: %zu bytes left over", kind->name,
            frame, in.left - frame);
    uint8_t *plain = malloc(size ? (size_t)size : 1);
    if (!plain)
        return fault_set(f, ERR_NOMEM, "block of %s: out of memory", kind->name);
    size_t got = ZSTD_decompress(plain, (size_t)size, in.at, in.left);
    enum err e = OK;
    if (ZSTD_isError(got) || got != size)
        e = fault_set(f, ERR_BAD, "block of %s: its zstd frame is damaged", kind->name);
    else
        e = block_decode(ret_block, kind, bytes_over(plain, got), f);
    free(plain);
    return e;
}
