/* Blocks in memory: columns of one kind of record, with the words of its name columns kept once
 * a block. The wire form is in block_codec.c, text in block_text.c. */
#include "record/block_int.h"

#include "base/hash.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SLOTS = 2 * NAMES_MAX, /* power of two */
    NAMES_FIRST = 16
};

static const struct type {
    size_t width;
    const char *wire;
} types[] = {
    [COLUMN_U8] = {1, "UInt8"},
    [COLUMN_U16] = {2, "UInt16"},
    [COLUMN_U32] = {4, "UInt32"},
    [COLUMN_U64] = {8, "UInt64"},
    [COLUMN_TIME] = {8, "Int64"},
    [COLUMN_IP] = {sizeof(struct ip), "FixedString(16)"},
    [COLUMN_NAME] = {sizeof(uint16_t), "String"},
    [COLUMN_BYTES] = {sizeof(uint32_t), "String"},
};

size_t column_width(enum column_type type)
{
    return types[type].width;
}

const char *column_wire_type(enum column_type type)
{
    return types[type].wire;
}

enum err block_new(struct block **ret_block, const struct record *kind, size_t cap)
{
    assert(cap >= 1 && cap <= kind->max_rows);
    struct block *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    b->kind = kind;
    b->cap = cap;
    for (size_t i = 0; i < kind->column_count; i++) {
        const struct column *column = &kind->columns[i];
        struct column_data *data = &b->column[i];
        buf_init(&data->heap, column->type == COLUMN_BYTES ? cap * column->most : 0);
        data->rows = malloc(cap * column_width(column->type));
        if (column->type == COLUMN_NAME)
            data->names.slots = calloc(NAME_SLOTS, sizeof *data->names.slots);
        if (!data->rows || (column->type == COLUMN_NAME && !data->names.slots)) {
            block_free(b);
            return ERR_NOMEM;
        }
    }
    *ret_block = b;
    return OK;
}

void block_free(struct block *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->kind->column_count; i++) {
        free(b->column[i].rows);
        free(b->column[i].names.word);
        free(b->column[i].names.slots);
        buf_done(&b->column[i].heap);
    }
    free(b);
}

void block_clear(struct block *b)
{
    b->rows = 0;
    for (size_t i = 0; i < b->kind->column_count; i++) {
        struct column_data *data = &b->column[i];
        data->names.count = 0;
        if (data->names.slots)
            memset(data->names.slots, 0, NAME_SLOTS * sizeof *data->names.slots);
        buf_clear(&data->heap);
        data->filled = 0;
    }
}

static void *rows_of(const struct block *b, size_t column, enum column_type type)
{
    assert(column < b->kind->column_count && b->kind->columns[column].type == type);
    return b->column[column].rows;
}

uint8_t *block_u8(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_U8);
}

uint16_t *block_u16(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_U16);
}

uint32_t *block_u32(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_U32);
}

uint64_t *block_u64(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_U64);
}

int64_t *block_time(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_TIME);
}

struct ip *block_ip(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_IP);
}

uint16_t *block_name(const struct block *b, size_t column)
{
    return rows_of(b, column, COLUMN_NAME);
}

bool word_allowed(const uint8_t *word, size_t len)
{
    if (len > RECORD_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = word[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= ':') || c == '.' || c == '_' ||
                    c == '-';
        if (!fine)
            return false;
    }
    return true;
}

/* The slot that holds the word, or the empty one where it belongs. */
static size_t names_slot(const struct names *n, const uint8_t *word, size_t len)
{
    size_t at = (size_t)hash_bytes(word, len, 0) % NAME_SLOTS;
    for (;; at = (at + 1) % NAME_SLOTS) {
        if (!n->slots[at])
            return at;
        const char *held = n->word[n->slots[at] - 1];
        if (memcmp(held, word, len) == 0 && held[len] == 0)
            return at;
    }
}

/* Room for `more` words beyond those that are there. */
static enum err names_reserve(struct names *n, size_t more)
{
    if (more > (size_t)(NAMES_MAX - n->count))
        return ERR_FULL;
    size_t room = n->room ? n->room : NAMES_FIRST;
    while (room < n->count + more)
        room *= 2;
    if (room == n->room)
        return OK;
    char(*word)[RECORD_NAME_MAX + 1] = realloc(n->word, room * sizeof *word);
    if (!word)
        return ERR_NOMEM;
    n->word = word;
    n->room = (uint16_t)room;
    return OK;
}

enum err names_init(struct names *n)
{
    *n = (struct names){.slots = calloc(NAME_SLOTS, sizeof *n->slots)};
    return n->slots ? OK : ERR_NOMEM;
}

void names_done(struct names *n)
{
    free(n->word);
    free(n->slots);
    *n = (struct names){0};
}

enum err names_number(struct names *n, const uint8_t *word, size_t len, uint16_t *ret_number)
{
    size_t at = names_slot(n, word, len);
    if (!n->slots[at]) {
        enum err e = names_reserve(n, 1);
        if (e)
            return e;
        memcpy(n->word[n->count], word, len);
        memset(n->word[n->count] + len, 0, RECORD_NAME_MAX + 1 - len);
        n->slots[at] = ++n->count;
    }
    *ret_number = (uint16_t)(n->slots[at] - 1);
    return OK;
}

enum err block_word(struct block *b, size_t column, const char *word, uint16_t *ret_number)
{
    assert(column < b->kind->column_count && b->kind->columns[column].type == COLUMN_NAME);
    size_t len = strnlen(word, RECORD_NAME_MAX + 1);
    if (!word_allowed((const uint8_t *)word, len))
        return ERR_BAD;
    return names_number(&b->column[column].names, (const uint8_t *)word, len, ret_number);
}

const char *block_word_at(const struct block *b, size_t column, size_t row)
{
    assert(row < b->rows);
    uint16_t number = block_name(b, column)[row];
    assert(number < b->column[column].names.count);
    return b->column[column].names.word[number];
}

enum err block_bytes_add(struct block *b, size_t column, const void *data, size_t len)
{
    uint32_t *ends = rows_of(b, column, COLUMN_BYTES);
    struct column_data *into = &b->column[column];
    if (len > b->kind->columns[column].most)
        return ERR_RANGE;
    if (into->filled == b->cap)
        return ERR_FULL;
    buf_put(&into->heap, data, len);
    if (into->heap.err)
        return into->heap.err;
    ends[into->filled++] = (uint32_t)into->heap.len;
    return OK;
}

struct bytes block_bytes_at(const struct block *b, size_t column, size_t row)
{
    const uint32_t *ends = rows_of(b, column, COLUMN_BYTES);
    const struct column_data *from = &b->column[column];
    assert(row < from->filled);
    uint32_t start = row ? ends[row - 1] : 0;
    return bytes_over(ends[row] ? from->heap.data + start : NULL, ends[row] - start);
}

/* How the words of one column of a block are numbered in another. */
struct word_map {
    uint16_t to[NAMES_MAX];
    bool same; /* every number stays as it is */
};

void names_check(const struct column_data *data, size_t from, size_t to)
{
    const uint16_t *numbers = data->rows;
    uint16_t most = 0;
    for (size_t i = from; i < to; i++)
        most = numbers[i] > most ? numbers[i] : most;
    assert(from == to || most < data->names.count);
}

static void words_used(
    const struct column_data *data, size_t from, size_t to, bool used[NAMES_MAX])
{
    const uint16_t *numbers = data->rows;
    names_check(data, from, to);
    for (size_t i = from; i < to; i++)
        used[numbers[i]] = true;
}

/* Would the words of rows [from, to) fit? Makes room for them. */
static enum err names_plan(
    struct names *into, const struct column_data *other, size_t from, size_t to)
{
    bool used[NAMES_MAX] = {false};
    words_used(other, from, to, used);
    size_t more = 0;
    for (size_t i = 0; i < other->names.count; i++) {
        const uint8_t *word = (const uint8_t *)other->names.word[i];
        if (used[i] && !into->slots[names_slot(into, word, strlen(other->names.word[i]))])
            more++;
    }
    return names_reserve(into, more);
}

static void names_map(struct names *into, const struct column_data *other, size_t from,
    size_t to, struct word_map *map)
{
    bool used[NAMES_MAX] = {false};
    words_used(other, from, to, used);
    map->same = true;
    for (size_t i = 0; i < other->names.count; i++) {
        if (!used[i])
            continue;
        const char *word = other->names.word[i];
        enum err e = names_number(into, (const uint8_t *)word, strlen(word), &map->to[i]);
        assert(!e); /* names_plan() made room */
        map->same = map->same && map->to[i] == i;
    }
}

static void append_names(
    struct block *b, const struct block *other, size_t column, size_t from, size_t to)
{
    struct word_map map;
    const uint16_t *numbers = block_name(other, column) + from;
    uint16_t *out = block_name(b, column) + b->rows;
    names_map(&b->column[column].names, &other->column[column], from, to, &map);
    if (map.same) {
        memcpy(out, numbers, (to - from) * sizeof *out);
        return;
    }
    for (size_t i = 0; i < to - from; i++)
        out[i] = map.to[numbers[i]];
}

static void append_bytes(
    struct column_data *into, const struct column_data *other, size_t from, size_t to)
{
    const uint32_t *ends = other->rows;
    uint32_t *out = (uint32_t *)into->rows + into->filled;
    uint32_t start = from ? ends[from - 1] : 0;
    uint32_t shift = (uint32_t)into->heap.len - start;
    if (ends[to - 1] > start)
        buf_put(&into->heap, other->heap.data + start, ends[to - 1] - start);
    assert(!into->heap.err); /* append_plan() made room */
    for (size_t i = 0; i < to - from; i++)
        out[i] = ends[from + i] + shift;
    into->filled += to - from;
}

static enum err append_plan(struct block *b, const struct block *other, size_t from, size_t to)
{
    for (size_t i = 0; i < b->kind->column_count; i++) {
        enum column_type type = b->kind->columns[i].type;
        enum err e = OK;
        if (type == COLUMN_NAME)
            e = names_plan(&b->column[i].names, &other->column[i], from, to);
        if (type == COLUMN_BYTES) {
            const uint32_t *ends = other->column[i].rows;
            assert(other->column[i].filled >= to && b->column[i].filled == b->rows);
            if (!buf_reserve(&b->column[i].heap, ends[to - 1] - (from ? ends[from - 1] : 0)))
                e = b->column[i].heap.err;
            b->column[i].heap.err = OK;
        }
        if (e)
            return e;
    }
    return OK;
}

enum err block_append(struct block *b, const struct block *other, size_t from, size_t to)
{
    assert(b->kind->columns == other->kind->columns && b != other);
    assert(from <= to && to <= other->rows);
    if (to - from > b->cap - b->rows)
        return ERR_FULL;
    if (from == to)
        return OK;
    enum err e = append_plan(b, other, from, to);
    if (e)
        return e;
    for (size_t i = 0; i < b->kind->column_count; i++) {
        enum column_type type = b->kind->columns[i].type;
        size_t width = column_width(type);
        if (type == COLUMN_NAME)
            append_names(b, other, i, from, to);
        else if (type == COLUMN_BYTES)
            append_bytes(&b->column[i], &other->column[i], from, to);
        else
            memcpy((uint8_t *)b->column[i].rows + b->rows * width,
                (const uint8_t *)other->column[i].rows + from * width, (to - from) * width);
    }
    b->rows += to - from;
    return OK;
}

#define GATHER(type)                                                                           \
    do {                                                                                       \
        const type *in = from;                                                                 \
        type *out = (type *)to + at;                                                           \
        for (size_t i = 0; i < count; i++)                                                     \
            out[i] = in[rows[i]];                                                              \
    } while (0)

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): five times the same loop */
static void gather_fixed(
    void *to, size_t at, const void *from, const uint32_t *rows, size_t count, size_t width)
{
    switch (width) {
    case 1:
        GATHER(uint8_t);
        return;
    case 2:
        GATHER(uint16_t);
        return;
    case 4:
        GATHER(uint32_t);
        return;
    case 8:
        GATHER(uint64_t);
        return;
    default:
        GATHER(struct ip);
        return;
    }
}

static enum err gather_bytes(struct block *b, const struct block *other, size_t column,
    const uint32_t *rows, size_t count)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++) {
        struct bytes value = block_bytes_at(other, column, rows[i]);
        e = block_bytes_add(b, column, value.at, value.left);
    }
    return e;
}

static enum err gather_plan(struct block *b, const struct block *other)
{
    for (size_t i = 0; i < b->kind->column_count; i++) {
        enum column_type type = b->kind->columns[i].type;
        enum err e = OK;
        if (type == COLUMN_NAME && other->rows)
            e = names_plan(&b->column[i].names, &other->column[i], 0, other->rows);
        if (type == COLUMN_BYTES &&
            !buf_reserve(&b->column[i].heap, other->column[i].heap.len)) {
            e = b->column[i].heap.err;
            b->column[i].heap.err = OK;
        }
        if (e)
            return e;
    }
    return OK;
}

static void gather_names(struct block *b, const struct block *other, size_t column,
    const uint32_t *rows, size_t count)
{
    struct word_map map;
    names_map(&b->column[column].names, &other->column[column], 0, other->rows, &map);
    const uint16_t *in = block_name(other, column);
    uint16_t *out = block_name(b, column) + b->rows;
    for (size_t i = 0; i < count; i++)
        out[i] = map.to[in[rows[i]]];
}

enum err block_gather(
    struct block *b, const struct block *other, const uint32_t *rows, size_t count)
{
    assert(b->kind->columns == other->kind->columns && b != other);
    if (count > b->cap - b->rows)
        return ERR_FULL;
    enum err e = gather_plan(b, other);
    if (e)
        return e;
    for (size_t i = 0; i < b->kind->column_count; i++) {
        enum column_type type = b->kind->columns[i].type;
        if (type == COLUMN_NAME)
            gather_names(b, other, i, rows, count);
        else if (type == COLUMN_BYTES)
            e = gather_bytes(b, other, i, rows, count);
        else
            gather_fixed(b->column[i].rows, b->rows, other->column[i].rows, rows, count,
                column_width(type));
        assert(!e); /* gather_plan() made room */
    }
    b->rows += count;
    return OK;
}

/* Four chains side by side, so that the multiplier's latency is hidden. */
static uint64_t digest_bulk(const void *data, size_t len, uint64_t seed)
{
    uint64_t lane[4] = {seed, seed + 1, seed + 2, seed + 3};
    const uint8_t *p = data;
    for (; len >= sizeof lane; p += sizeof lane, len -= sizeof lane) {
        uint64_t word[4];
        memcpy(word, p, sizeof word);
        for (int i = 0; i < 4; i++) {
            lane[i] = (lane[i] ^ word[i]) * 0x9e3779b97f4a7c15ull;
            lane[i] ^= lane[i] >> 32;
        }
    }
    uint64_t tail = hash_bytes(p, len, seed);
    return hash_two(hash_two(lane[0], lane[1]), hash_two(hash_two(lane[2], lane[3]), tail));
}

static uint64_t digest_names(const struct column_data *data, size_t rows, uint64_t seed)
{
    uint64_t word[NAMES_MAX];
    const uint16_t *numbers = data->rows;
    names_check(data, 0, rows);
    for (size_t i = 0; i < data->names.count; i++)
        word[i] = hash_bytes(data->names.word[i], strlen(data->names.word[i]), seed);
    uint64_t h = seed;
    for (size_t i = 0; i < rows; i++) {
        h = (h ^ word[numbers[i]]) * 0x9e3779b97f4a7c15ull;
        h ^= h >> 32;
    }
    return hash_u64(h);
}

uint64_t block_digest(const struct block *b)
{
    uint64_t h = hash_two(hash_bytes(b->kind->name, strlen(b->kind->name), 0), b->rows);
    for (size_t i = 0; i < b->kind->column_count; i++) {
        enum column_type type = b->kind->columns[i].type;
        const struct column_data *data = &b->column[i];
        uint64_t part = 0;
        if (type == COLUMN_NAME)
            part = digest_names(data, b->rows, i);
        else
            part = digest_bulk(data->rows, b->rows * column_width(type), i);
        if (type == COLUMN_BYTES)
            part = hash_two(part, digest_bulk(data->heap.data, data->heap.len, i));
        h = hash_two(h, part);
    }
    return h;
}
