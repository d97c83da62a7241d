#include "store/rollup_int.h"

#include "base/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- sorting ------------------------------------------------------------------------------ */

enum {
    KEY_MAX = 24 /* bytes */
};

/* Order of rows, sorted byte by byte from the last of a key to its first (radix sort, stable).
 * Bytes that are the same in all rows cost nothing but the look. */
struct order {
    uint32_t *rows;
    uint32_t *spare;
    size_t count;
};

static enum err order_new(struct order *o, size_t count)
{
    *o = (struct order){.count = count};
    o->rows = malloc((count + 1) * sizeof *o->rows);
    o->spare = malloc((count + 1) * sizeof *o->spare);
    if (!o->rows || !o->spare) {
        free(o->rows);
        free(o->spare);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        o->rows[i] = (uint32_t)i;
    return OK;
}

static void order_done(struct order *o)
{
    free(o->rows);
    free(o->spare);
}

/* By byte `byte` of values `width` wide. */
static void order_by(struct order *o, const void *values, size_t width, size_t byte)
{
    const uint8_t *at = (const uint8_t *)values + byte;
    uint32_t place[256] = {0};
    for (size_t i = 0; i < o->count; i++)
        place[at[i * width]]++;
    if (!o->count || place[at[0]] == o->count)
        return;
    uint32_t sum = 0;
    for (size_t i = 0; i < 256; i++) {
        uint32_t here = place[i];
        place[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < o->count; i++)
        o->spare[place[at[o->rows[i] * width]]++] = o->rows[i];
    uint32_t *sorted = o->spare;
    o->spare = o->rows;
    o->rows = sorted;
}

/* Little-endian numbers: lowest byte first. Times of one day are positive or all negative. */
static void order_by_number(struct order *o, const void *values, size_t width)
{
    for (size_t byte = 0; byte < width; byte++)
        order_by(o, values, width, byte);
}

static enum err sorted_block(const struct block *b, struct order *o, struct block **ret_block)
{
    struct block *sorted = NULL;
    enum err e = block_new(&sorted, b->kind, b->rows ? b->rows : 1);
    if (!e)
        e = block_gather(sorted, b, o->rows, o->count);
    if (e) {
        block_free(sorted);
        return e;
    }
    *ret_block = sorted;
    return OK;
}

enum err contacts_by_service(const struct block *b, struct block **ret_block)
{
    struct order o;
    enum err e = order_new(&o, b->rows);
    if (e)
        return e;
    order_by_number(&o, block_time(b, CONTACT_START), sizeof(int64_t));
    order_by_number(&o, block_u16(b, CONTACT_DPORT), sizeof(uint16_t));
    order_by_number(&o, block_u8(b, CONTACT_PROTO), 1);
    e = sorted_block(b, &o, ret_block);
    order_done(&o);
    return e;
}

enum err contacts_by_source(const struct block *b, struct block **ret_block)
{
    struct order o;
    enum err e = order_new(&o, b->rows);
    if (e)
        return e;
    order_by_number(&o, block_time(b, CONTACT_START), sizeof(int64_t));
    for (size_t byte = sizeof(struct ip); byte-- > 0;)
        order_by(&o, block_ip(b, CONTACT_SRC), sizeof(struct ip), byte);
    e = sorted_block(b, &o, ret_block);
    order_done(&o);
    return e;
}

/* --- grouping ----------------------------------------------------------------------------- */

/* The rows of contacts as groups: which group each row belongs to, and a row of each group to
 * read its dimensions from. */
struct groups {
    uint64_t *keys; /* of a group */
    uint32_t *row;  /* first row of a group */
    uint32_t *of;   /* group of a row */
    size_t count;
    size_t rows;
    struct index index;
};

static void groups_done(struct groups *g)
{
    free(g->keys);
    free(g->row);
    free(g->of);
    index_done(&g->index);
}

static uint64_t dimension_value(const struct block *b, enum dimension d, size_t row)
{
    size_t column = dimension_of_contact(d);
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        return block_u8(b, column)[row];
    case COLUMN_U16:
        return block_u16(b, column)[row];
    case COLUMN_U32:
        return block_u32(b, column)[row];
    case COLUMN_NAME:
        return block_name(b, column)[row];
    default:
        assert(false && "a rollup by a column that is no number");
        return 0;
    }
}

static unsigned dimension_bits(const struct block *b, enum dimension d)
{
    switch (b->kind->columns[dimension_of_contact(d)].type) {
    case COLUMN_U8:
        return 8;
    case COLUMN_U16:
        return 16;
    case COLUMN_U32:
        return 32;
    default:
        return 10; /* numbers of words are below NAMES_MAX */
    }
}

static int64_t unit_of(const struct rollup *r, const struct block *b, size_t row)
{
    return block_time(b, CONTACT_START)[row] / r->unit;
}

#define ADD_TO_KEYS(type)                                                                      \
    do {                                                                                       \
        const type *value = b->column[dimension_of_contact(d)].rows;                           \
        for (size_t i = 0; i < b->rows; i++)                                                   \
            keys[i] |= (uint64_t)value[i] << shift;                                            \
    } while (0)

static void add_to_keys(const struct block *b, enum dimension d, unsigned shift, uint64_t *keys)
{
    switch (dimension_bits(b, d)) {
    case 8:
        ADD_TO_KEYS(uint8_t);
        return;
    case 32:
        ADD_TO_KEYS(uint32_t);
        return;
    default: /* 16, and the numbers of words */
        ADD_TO_KEYS(uint16_t);
        return;
    }
}

/* Keys are made column by column: time within the day in the low 11 bits, then the dimensions.
 */
static void make_keys(const struct rollup *r, const struct block *b, uint64_t *keys)
{
    const int64_t *start = block_time(b, CONTACT_START);
    unsigned shift = 11;
    _Static_assert(NAMES_MAX <= 1 << 10, "a word's number fits the bits it is given");
    assert(r->unit >= US_MINUTE); /* 1,440 units a day fit 11 bits, with their sign */
    for (size_t i = 0; i < b->rows; i++)
        keys[i] = i && start[i] == start[i - 1] ? keys[i - 1]
                                                : (uint64_t)(start[i] / r->unit) & 0x7ff;
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        if (!(r->dimensions & 1u << d))
            continue;
        add_to_keys(b, (enum dimension)d, shift, keys);
        shift += dimension_bits(b, (enum dimension)d);
    }
    assert(shift <= 64);
}

static enum err groups_find(struct groups *g, const uint64_t *row_keys)
{
    for (size_t i = 0; i < g->rows; i++) {
        uint64_t hash = hash_u64(row_keys[i]);
        uint32_t entry = INDEX_OTHER;
        size_t place = index_first(&g->index, hash);
        for (; index_at(&g->index, place, hash, &entry); place = index_next(&g->index, place))
            if (entry != INDEX_OTHER && g->keys[entry] == row_keys[i])
                break;
            else
                entry = INDEX_OTHER;
        if (entry == INDEX_OTHER) {
            enum err e = index_put(&g->index, place, hash, (uint32_t)g->count);
            if (e)
                return e;
            entry = (uint32_t)g->count++;
            g->keys[entry] = row_keys[i];
            g->row[entry] = (uint32_t)i;
        }
        g->of[i] = entry;
    }
    return OK;
}

static enum err groups_make(struct groups *g, const struct rollup *r, const struct block *b)
{
    *g = (struct groups){.rows = b->rows};
    size_t room = b->rows + 1;
    enum err e = index_init(&g->index, room);
    uint64_t *row_keys = malloc(room * sizeof *row_keys);
    g->keys = malloc(room * sizeof *g->keys);
    g->row = calloc(room, sizeof *g->row);
    g->of = malloc(room * sizeof *g->of);
    if (!row_keys || !g->keys || !g->row || !g->of)
        e = ERR_NOMEM;
    if (!e) {
        make_keys(r, b, row_keys);
        e = groups_find(g, row_keys);
    }
    free(row_keys);
    if (e)
        groups_done(g);
    return e;
}

/* --- Native columns ----------------------------------------------------------------------- */

static void put_head(struct buf *out, const char *name, const char *type)
{
    buf_u8(out, (uint8_t)strlen(name));
    buf_str(out, name);
    buf_u8(out, (uint8_t)strlen(type));
    buf_str(out, type);
}

static void encode_time(
    const struct groups *g, const struct rollup *r, const struct block *b, struct buf *out)
{
    put_head(out, "time", "Int64");
    for (size_t i = 0; i < g->count; i++)
        buf_le64(out, (uint64_t)(unit_of(r, b, g->row[i]) * r->unit));
}

static void encode_dimension(
    const struct groups *g, enum dimension d, const struct block *b, struct buf *out)
{
    size_t column = dimension_of_contact(d);
    static const char *const types[] = {[COLUMN_U8] = "UInt8",
        [COLUMN_U16] = "UInt16",
        [COLUMN_U32] = "UInt32",
        [COLUMN_NAME] = "String"};
    enum column_type type = b->kind->columns[column].type;
    put_head(out, dimension_column(d), types[type]);
    for (size_t i = 0; i < g->count; i++) {
        size_t row = g->row[i];
        if (type == COLUMN_NAME) {
            const char *word = block_word_at(b, column, row);
            size_t len = strlen(word);
            buf_u8(out, (uint8_t)len);
            buf_put(out, word, len);
        } else {
            uint64_t value = dimension_value(b, d, row);
            buf_put(out, &value, dimension_bits(b, d) / 8);
        }
    }
}

static enum err encode_number(
    const struct groups *g, enum measure m, const struct block *b, struct buf *out)
{
    int64_t *value = malloc((g->count + 1) * sizeof *value);
    if (!value)
        return ERR_NOMEM;
    const uint32_t *packets = block_u32(b, CONTACT_PACKETS);
    const uint64_t *bytes = block_u64(b, CONTACT_BYTES);
    const int64_t *first = block_time(b, CONTACT_FIRST);
    const int64_t *last = block_time(b, CONTACT_LAST);
    for (size_t i = 0; i < g->count; i++)
        value[i] = m == MEASURE_OF_FIRST  ? first[g->row[i]]
                   : m == MEASURE_OF_LAST ? last[g->row[i]]
                                          : 0;
    for (size_t i = 0; i < g->rows; i++) {
        int64_t *into = &value[g->of[i]];
        if (m == MEASURE_OF_PACKETS)
            *into += packets[i];
        else if (m == MEASURE_OF_BYTES)
            *into += (int64_t)bytes[i];
        else if (m == MEASURE_OF_FIRST)
            *into = first[i] < *into ? first[i] : *into;
        else
            *into = last[i] > *into ? last[i] : *into;
    }
    bool time = m == MEASURE_OF_FIRST || m == MEASURE_OF_LAST;
    put_head(out, measure_column(m), time ? "Int64" : "UInt64");
    buf_put(out, value, g->count * sizeof *value);
    free(value);
    return OK;
}

/* What each row adds to a set, below its group. Contacts come sorted by source, so a source
 * that a group just had is left out at once; `last` has room for a member of each group. */
static size_t pair_sources(
    const struct groups *g, const struct block *b, uint64_t *last, uint64_t *pairs)
{
    const struct ip *src = block_ip(b, CONTACT_SRC);
    size_t count = 0;
    uint32_t hash = 0;
    memset(last, 0xff, g->count * sizeof *last);
    for (size_t i = 0; i < g->rows; i++) {
        if (!i || !ip_same(&src[i], &src[i - 1]))
            hash = source_hash(&src[i]);
        if (last[g->of[i]] == hash)
            continue;
        last[g->of[i]] = hash;
        pairs[count++] = (uint64_t)g->of[i] << 32 | hash;
    }
    return count;
}

static size_t pair_ports(const struct groups *g, const struct block *b, uint64_t *pairs)
{
    const uint8_t *proto = block_u8(b, CONTACT_PROTO);
    const uint16_t *port = block_u16(b, CONTACT_DPORT);
    for (size_t i = 0; i < g->rows; i++)
        pairs[i] = (uint64_t)g->of[i] << 32 | (uint64_t)proto[i] << 16 | port[i];
    return g->rows;
}

/* A country is counted by the number that its two letters are; no country is none. */
static size_t pair_countries(const struct groups *g, const struct block *b, uint64_t *pairs)
{
    const uint16_t *country = block_name(b, CONTACT_COUNTRY);
    const struct names *names = &b->column[CONTACT_COUNTRY].names;
    uint16_t letters[NAMES_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++)
        memcpy(&letters[i], names->word[i], sizeof letters[i]);
    for (size_t i = 0; i < g->rows; i++)
        if (letters[country[i]])
            pairs[count++] = (uint64_t)g->of[i] << 32 | letters[country[i]];
    return count;
}

/* Numbers sorted by radix, as in order_by(); returns where they are: `values` or `spare`. */
static uint64_t *sort_numbers(uint64_t *values, uint64_t *spare, size_t count)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t place[256] = {0};
        for (size_t i = 0; i < count; i++)
            place[values[i] >> shift & 0xff]++;
        if (!count || place[values[0] >> shift & 0xff] == count)
            continue;
        size_t sum = 0;
        for (size_t i = 0; i < 256; i++) {
            size_t here = place[i];
            place[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            spare[place[values[i] >> shift & 0xff]++] = values[i];
        uint64_t *sorted = spare;
        spare = values;
        values = sorted;
    }
    return values;
}

/* Sorted and without doubles, in place; returns how many are left. */
static size_t unite(uint64_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!i || sorted[i] != sorted[kept - 1])
            sorted[kept++] = sorted[i];
    return kept;
}

static enum err encode_set(
    const struct groups *g, enum measure m, const struct block *b, struct buf *out)
{
    /* Group in the high half, member in the low. */
    uint64_t *room = malloc((2 * g->rows + 1) * sizeof *room);
    uint64_t *pairs = room;
    if (!room)
        return ERR_NOMEM;
    size_t count = 0;
    if (m == MEASURE_OF_SOURCES)
        count = pair_sources(g, b, room + g->rows, pairs);
    else if (m == MEASURE_OF_PORTS)
        count = pair_ports(g, b, pairs);
    else
        count = pair_countries(g, b, pairs);
    pairs = sort_numbers(pairs, room + g->rows, count);
    count = unite(pairs, count);
    put_head(out, measure_column(m), "Array(UInt32)");
    size_t end = 0;
    for (size_t i = 0; i < g->count; i++) {
        while (end < count && pairs[end] >> 32 == i)
            end++;
        buf_le64(out, end);
    }
    for (size_t i = 0; i < count; i++)
        buf_le32(out, (uint32_t)pairs[i]);
    free(room);
    return OK;
}

static unsigned bits_in(unsigned v)
{
    return (unsigned)__builtin_popcount(v);
}

enum err rollup_encode(
    const struct rollup *r, const struct block *contacts, uint64_t seq, struct buf *out)
{
    struct groups g;
    enum err e = groups_make(&g, r, contacts);
    if (e)
        return e;
    size_t at = out->len;
    buf_u8(out, (uint8_t)(1 + bits_in(r->dimensions) + bits_in(r->measures)));
    buf_varint(out, g.count);
    encode_time(&g, r, contacts, out);
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->dimensions & 1u << d)
            encode_dimension(&g, (enum dimension)d, contacts, out);
    for (unsigned m = 0; !e && m < MEASURE_COUNT; m++) {
        if (!(r->measures & 1u << m))
            continue;
        e = measure_is_set((enum measure)m) ? encode_set(&g, (enum measure)m, contacts, out)
                                            : encode_number(&g, (enum measure)m, contacts, out);
    }
    if (!e)
        e = encode_block_number(out, at, g.count, seq);
    groups_done(&g);
    return e;
}

/* A Native block is its columns one after another, so one more goes to the end. */
static uint8_t *one_more(
    struct buf *out, size_t at, const char *name, const char *type, size_t bytes)
{
    if (out->err)
        return NULL;
    assert(out->data[at] < 0x7f);
    out->data[at]++;
    put_head(out, name, type);
    uint8_t *to = buf_reserve(out, bytes);
    if (to)
        out->len += bytes;
    return to;
}

enum err encode_block_number(struct buf *out, size_t at, size_t rows, uint64_t seq)
{
    uint8_t *to = one_more(out, at, "block", "UInt64", rows * sizeof seq);
    for (size_t i = 0; to && i < rows; i++)
        memcpy(to + i * sizeof seq, &seq, sizeof seq);
    return out->err;
}

enum err encode_source_hash(struct buf *out, size_t at, const struct block *contacts)
{
    uint8_t *to = one_more(out, at, "src_hash", "UInt32", contacts->rows * sizeof(uint32_t));
    const struct ip *src = block_ip(contacts, CONTACT_SRC);
    for (size_t i = 0; to && i < contacts->rows; i++) {
        uint32_t hash = source_hash(&src[i]);
        memcpy(to + i * sizeof hash, &hash, sizeof hash);
    }
    return out->err;
}
