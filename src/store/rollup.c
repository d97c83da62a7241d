/* One rollup of the contacts of an intake: groups, sums and sets, as a Native block. */
#include "store/rollup_int.h"

#include <assert.h>
#include <string.h>

/* --- dimensions --------------------------------------------------------------------------- */

static void encode_time(const struct rolling *in, const struct rollup *r, struct buf *out)
{
    const struct groups *g = &in->groups;
    const int64_t *start = block_time(in->contacts, CONTACT_START);
    native_head(out, "time", "Int64");
    for (size_t i = 0; i < g->count; i++)
        in->numbers[i] = start[g->row[i]] / r->unit * r->unit;
    buf_put(out, in->numbers, g->count * sizeof *in->numbers);
}

#define ENCODE_AS(type, sql)                                                                   \
    do {                                                                                       \
        const type *value = b->column[column].rows;                                            \
        native_head(out, name, sql);                                                           \
        type *to = (type *)(void *)in->numbers;                                                \
        for (size_t i = 0; i < g->count; i++)                                                  \
            to[i] = value[g->row[i]];                                                          \
        buf_put(out, to, g->count * sizeof *to);                                               \
    } while (0)

static void encode_dimension(struct rolling *in, enum dimension d, struct buf *out)
{
    const struct groups *g = &in->groups;
    const struct block *b = in->contacts;
    const char *name = dimension_column(d);
    size_t column = dimension_of_contact(d);
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        ENCODE_AS(uint8_t, "UInt8");
        return;
    case COLUMN_U16:
        ENCODE_AS(uint16_t, "UInt16");
        return;
    case COLUMN_U32:
        ENCODE_AS(uint32_t, "UInt32");
        return;
    default:
        break;
    }
    const uint16_t *number = block_name(b, column);
    for (size_t i = 0; i < g->count; i++)
        in->words[i] = number[g->row[i]];
    native_words(out, name, &b->column[column].names, in->words, g->count, in->numbered);
}

/* --- sums --------------------------------------------------------------------------------- */

static void sum_numbers(struct rolling *in, enum measure m)
{
    const struct groups *g = &in->groups;
    const uint32_t *packets = block_u32(in->contacts, CONTACT_PACKETS);
    const uint64_t *bytes = block_u64(in->contacts, CONTACT_BYTES);
    memset(in->numbers, 0, g->count * sizeof *in->numbers);
    if (m == MEASURE_OF_PACKETS)
        for (size_t i = 0; i < g->rows; i++)
            in->numbers[g->of[i]] += packets[i];
    else
        for (size_t i = 0; i < g->rows; i++)
            in->numbers[g->of[i]] += (int64_t)bytes[i];
}

static void find_ends(struct rolling *in, enum measure m)
{
    const struct groups *g = &in->groups;
    bool first = m == MEASURE_OF_FIRST;
    const int64_t *time = block_time(in->contacts, first ? CONTACT_FIRST : CONTACT_LAST);
    for (size_t i = 0; i < g->count; i++)
        in->numbers[i] = time[g->row[i]];
    for (size_t i = 0; i < g->rows; i++) {
        int64_t *into = &in->numbers[g->of[i]];
        if (first ? time[i] < *into : time[i] > *into)
            *into = time[i];
    }
}

static void encode_number(struct rolling *in, enum measure m, struct buf *out)
{
    bool time = m == MEASURE_OF_FIRST || m == MEASURE_OF_LAST;
    if (time)
        find_ends(in, m);
    else
        sum_numbers(in, m);
    native_head(out, measure_column(m), time ? "Int64" : "UInt64");
    buf_put(out, in->numbers, in->groups.count * sizeof *in->numbers);
}

/* --- sets --------------------------------------------------------------------------------- */

/* The members of a set, one a row, and the order in which equal ones come together. */
struct set {
    const uint32_t *member;
    const uint32_t *order; /* NULL: as they are */
    bool zero_is_none;
};

static struct set set_of(const struct rolling *in, enum measure m)
{
    switch (m) {
    case MEASURE_OF_SOURCES:
        return (struct set){in->hash, NULL, false};
    case MEASURE_OF_PORTS:
        return (struct set){in->service, in->by_service.rows, false};
    default:
        return (struct set){in->letters, in->by_letters.rows, true};
    }
}

/* Goes through the members, each once for its group: where equal ones come together, a group
 * needs to know its last one only. `put` false: count them in ends[group]; true: write each to
 * members[ends[group]++]. */
static void go_through(struct rolling *in, const struct set *set, bool put)
{
    const struct groups *g = &in->groups;
    memset(in->last, 0, g->count * sizeof *in->last);
    for (size_t i = 0; i < g->rows; i++) {
        size_t row = set->order ? set->order[i] : i;
        uint32_t member = set->member[row];
        uint32_t group = g->of[row];
        if (in->last[group] == (uint64_t)member + 1 || (set->zero_is_none && !member))
            continue;
        in->last[group] = (uint64_t)member + 1;
        if (put)
            in->members[in->ends[group]] = member;
        in->ends[group]++;
    }
}

static void encode_set(struct rolling *in, enum measure m, struct buf *out)
{
    const struct groups *g = &in->groups;
    const struct set set = set_of(in, m);
    uint64_t sum = 0;
    memset(in->ends, 0, g->count * sizeof *in->ends);
    go_through(in, &set, false);
    for (size_t i = 0; i < g->count; i++) {
        uint64_t here = in->ends[i];
        in->ends[i] = sum;
        sum += here;
    }
    go_through(in, &set, true);
    native_head(out, measure_column(m), "Array(UInt32)");
    buf_put(out, in->ends, g->count * sizeof *in->ends);
    buf_put(out, in->members, sum * sizeof *in->members);
}

/* --- all ---------------------------------------------------------------------------------- */

static unsigned bits_in(unsigned v)
{
    return (unsigned)__builtin_popcount(v);
}

enum err rollup_encode(struct rolling *in, const struct rollup *r, struct buf *out)
{
    enum err e = groups_make(&in->groups, r, in->contacts);
    if (e)
        return e;
    size_t at = out->len;
    buf_u8(out, (uint8_t)(1 + bits_in(r->dimensions) + bits_in(r->measures)));
    buf_varint(out, in->groups.count);
    encode_time(in, r, out);
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->dimensions & 1u << d)
            encode_dimension(in, (enum dimension)d, out);
    for (unsigned m = 0; m < MEASURE_COUNT; m++) {
        if (!(r->measures & 1u << m))
            continue;
        if (measure_is_set((enum measure)m))
            encode_set(in, (enum measure)m, out);
        else
            encode_number(in, (enum measure)m, out);
    }
    return native_block_number(out, at, in->groups.count, in->seq);
}
