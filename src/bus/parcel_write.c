/* Writing a parcel. */
#include "bus/parcel_write_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum err parcel_writer_new(struct parcel_writer **ret_writer, const struct fingerprints *set)
{
    struct parcel_writer *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->set = set;
    for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
        w->pair_rule[k] = set ? parcel_pair_rule(set, k) : SIZE_MAX;
    enum err e = planes_new(&w->planes);
    if (e) {
        free(w);
        return e;
    }
    *ret_writer = w;
    return OK;
}

void parcel_writer_free(struct parcel_writer *w)
{
    if (!w)
        return;
    planes_free(w->planes);
    free(w);
}

/* ---- columns ---- */

/* A bit a row, eight a byte. */
static void put_bits(struct parcel_writer *w, size_t count, struct buf *out)
{
    size_t bytes = (count + 7) / 8;
    for (size_t i = 0; i < bytes; i++) {
        unsigned byte = 0;
        for (size_t k = 8 * i; k < count && k < 8 * i + 8; k++)
            byte |= (unsigned)w->bits[k] << (k & 7);
        w->bits[i] = (uint8_t)byte;
    }
    planes_put_bytes(w->planes, w->bits, bytes, out);
}

/* A column by sources: the value of each one's first row; then, for the others, which of them
 * differ from the one before, and these. */
static void put_grouped(struct parcel_writer *w, const uint64_t *values, struct buf *out)
{
    const struct parcel_groups *g = &w->groups;
    size_t rests = g->rows - g->sources, changed = 0;
    for (size_t i = 0; i < g->sources; i++)
        w->moved[i] = values[g->firsts[i]];
    planes_put(w->planes, w->moved, g->sources, out);
    if (!rests)
        return;
    for (size_t i = 0; i < rests; i++) {
        w->bits[i] = values[g->rests[i]] != values[g->before[i]];
        changed += w->bits[i];
    }
    bool told = changed < rests - rests / 16;
    buf_u8(out, told);
    size_t count = 0;
    for (size_t i = 0; i < rests; i++)
        if (!told || w->bits[i])
            w->moved[count++] = values[g->rests[i]];
    if (told)
        put_bits(w, rests, out);
    planes_put(w->planes, w->moved, count, out);
}

static void put_times(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    const int64_t *ts = block_time(b, PACKET_TS);
    int64_t last = b->rows ? ts[0] : 0;
    buf_le64(out, (uint64_t)last);
    for (size_t i = 0; i < b->rows; i++) {
        uint64_t step = (uint64_t)ts[i] - (uint64_t)last;
        w->values[i] = step << 1 ^ (step >> 63 ? UINT64_MAX : 0);
        last = ts[i];
    }
    planes_put(w->planes, w->values, b->rows, out);
}

/* Which rows bring a new source, these, and of the other rows the number of theirs. */
static void put_sources(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    const struct parcel_groups *g = &w->groups;
    const struct ip *ip = block_ip(b, PACKET_SRC);
    for (size_t i = 0; i < g->rows; i++)
        w->bits[i] = g->first[g->source[i]] == i;
    put_bits(w, g->rows, out);
    for (size_t i = 0; i < g->sources; i++)
        w->bits[i] = !ip_is_v4(&ip[g->first[i]]);
    put_bits(w, g->sources, out);
    size_t six = 0;
    for (size_t i = 0; i < g->sources; i++) {
        struct parcel_halves h = parcel_halves_of(&ip[g->first[i]]);
        w->values[i] = h.low;
        if (!ip_is_v4(&ip[g->first[i]]))
            w->moved[six++] = h.high;
    }
    planes_put(w->planes, w->values, g->sources, out);
    planes_put(w->planes, w->moved, six, out);
    size_t known = 0;
    for (size_t i = 0; i < g->rows; i++)
        if (g->first[g->source[i]] != i)
            w->values[known++] = g->source[i];
    planes_put(w->planes, w->values, known, out);
}

/* Flags of a row; on the way, the hash of its payload. */
static unsigned row_flags(struct parcel_writer *w, const struct block *b, size_t row)
{
    const struct ip *dst = &block_ip(b, PACKET_DST)[row];
    uint32_t seq = block_u32(b, PACKET_TCP_SEQ)[row];
    uint16_t dport = block_u16(b, PACKET_DPORT)[row];
    uint16_t id = block_u16(b, PACKET_IP_ID)[row];
    struct bytes payload = block_bytes_at(b, PACKET_PAYLOAD, row);
    w->hashes[row] = payload.left ? hash_bytes(payload.at, payload.left, 0) : 0;
    unsigned flags = 0;
    if (!ip_is_v4(dst))
        flags |= ROW_DST_V6;
    if (seq && seq == ip_v4(dst))
        flags |= ROW_SEQ_IS_DST;
    if (id && id == parcel_mix(ip_v4(dst), dport, seq))
        flags |= ROW_ID_IS_MIX;
    if (w->hashes[row] != block_u64(b, PACKET_PAYLOAD_HASH)[row])
        flags |= ROW_HASH_GIVEN;
    return flags;
}

/* Where each field of a profile is in its tuple. */
static const struct {
    uint8_t part, shift, bits;
} profile_place[PROFILE_FIELDS] = {
    [PROFILE_FLAGS] = {0, 0, 8},
    [PROFILE_PROTO] = {0, 8, 8},
    [PROFILE_TCP_FLAGS] = {0, 16, 8},
    [PROFILE_IP_LEN] = {0, 24, 16},
    [PROFILE_PAYLOAD_LEN] = {0, 40, 16},
    [PROFILE_TCP_OPTS] = {1, 0, 32},
    [PROFILE_QUIRKS] = {1, 32, 16},
    [PROFILE_KEPT] = {1, 48, 16},
    [PROFILE_TOOL] = {2, 0, 16},
    [PROFILE_CLASS] = {2, 16, 16},
    [PROFILE_LOOK] = {2, 32, 16},
};

static struct tuple profile_of(struct parcel_writer *w, const struct block *b, size_t row)
{
    const uint64_t field[PROFILE_FIELDS] = {
        [PROFILE_FLAGS] = row_flags(w, b, row),
        [PROFILE_PROTO] = block_u8(b, PACKET_PROTO)[row],
        [PROFILE_TCP_FLAGS] = block_u8(b, PACKET_TCP_FLAGS)[row],
        [PROFILE_IP_LEN] = block_u16(b, PACKET_IP_LEN)[row],
        [PROFILE_PAYLOAD_LEN] = block_u16(b, PACKET_PAYLOAD_LEN)[row],
        [PROFILE_TCP_OPTS] = block_u32(b, PACKET_TCP_OPTS)[row],
        [PROFILE_QUIRKS] = block_u16(b, PACKET_QUIRKS)[row],
        [PROFILE_KEPT] = block_bytes_at(b, PACKET_PAYLOAD, row).left,
        [PROFILE_TOOL] = block_name(b, PACKET_TOOL)[row],
        [PROFILE_CLASS] = block_name(b, PACKET_CLASS)[row],
        [PROFILE_LOOK] = w->looked[row],
    };
    struct tuple t = {{0}};
    for (size_t k = 0; k < PROFILE_FIELDS; k++)
        t.part[profile_place[k].part] |= field[k] << profile_place[k].shift;
    return t;
}

static uint64_t profile_field(const struct tuple *t, size_t k)
{
    uint64_t part = t->part[profile_place[k].part] >> profile_place[k].shift;
    return part & ((UINT64_C(1) << profile_place[k].bits) - 1);
}

/* The profiles and which each row has; from then on groups are ordered by them. */
static void put_profiles(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    for (size_t i = 0; i < b->rows; i++)
        w->tuples[i] = profile_of(w, b, i);
    size_t used = parcel_number_tuples(w, b, w->profile);
    buf_varint(out, used);
    for (size_t k = 0; k < PROFILE_FIELDS; k++) {
        for (size_t i = 0; i < used; i++)
            w->values[i] = profile_field(&w->tuples[w->examples[i]], k);
        planes_put(w->planes, w->values, used, out);
    }
    parcel_groups_order(&w->groups, NULL);
    put_grouped(w, w->profile, out);
    parcel_groups_order(&w->groups, w->profile);
}

/* Country and network, which as a rule are one of each a source. */
static void put_places(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    for (size_t i = 0; i < b->rows; i++)
        w->tuples[i] =
            (struct tuple){{block_u32(b, PACKET_ASN)[i], block_name(b, PACKET_COUNTRY)[i], 0}};
    size_t used = parcel_number_tuples(w, b, w->values);
    buf_varint(out, used);
    for (size_t part = 0; part < 2; part++) {
        for (size_t i = 0; i < used; i++)
            w->moved[i] = w->tuples[w->examples[i]].part[part];
        planes_put(w->planes, w->moved, used, out);
    }
    put_grouped(w, w->values, out);
}

static void put_destinations(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    const struct ip *dst = block_ip(b, PACKET_DST);
    bool six = false;
    for (size_t i = 0; i < b->rows; i++) {
        w->values[i] = parcel_halves_of(&dst[i]).low;
        six = six || !ip_is_v4(&dst[i]);
    }
    (void)planes_number(w->planes, w->values, b->rows, out);
    put_grouped(w, w->values, out);
    for (size_t i = 0; i < b->rows && six; i++)
        w->values[i] = parcel_halves_of(&dst[i]).high;
    if (six)
        put_grouped(w, w->values, out);
}

/* A column; 0 in rows that have the flag (or, inverted, do not have it). */
static void put_column(struct parcel_writer *w, const struct block *b, size_t column,
    unsigned flag, bool having, struct buf *out)
{
    for (size_t i = 0; i < b->rows; i++) {
        unsigned flags = (unsigned)profile_field(&w->tuples[i], PROFILE_FLAGS);
        bool left_out = flag && ((flags & flag) != 0) != having;
        w->values[i] = left_out ? 0 : parcel_value(b, column, i);
    }
    put_grouped(w, w->values, out);
}

static void put_words(const struct block *b, size_t column, struct buf *out)
{
    const struct names *n = &b->column[column].names;
    buf_varint(out, n->count);
    for (size_t i = 0; i < n->count; i++) {
        buf_u8(out, (uint8_t)strlen(n->word[i]));
        buf_str(out, n->word[i]);
    }
}

static enum err put_payloads(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    const struct parcel_groups *g = &w->groups;
    struct buf heap;
    size_t used = 0;
    buf_init(&heap, PARCEL_PAYLOAD);
    parcel_turn(w);
    for (size_t i = 0; i < g->sources; i++)
        parcel_number_payload(w, b, g->firsts[i], &used, &heap);
    for (size_t i = 0; i < g->rows - g->sources; i++)
        parcel_number_payload(w, b, g->rests[i], &used, &heap);
    put_grouped(w, w->values, out);
    planes_put_bytes(w->planes, heap.data, heap.len, out);
    enum err e = heap.err;
    buf_done(&heap);
    return e;
}

static void put_head(const struct parcel *p, struct buf *out)
{
    const struct parcel_account *a = &p->account;
    unsigned flags = (a->replay ? PARCEL_REPLAY : 0) | (a->end ? PARCEL_END : 0) |
                     (a->masked ? PARCEL_MASKED : 0);
    buf_u8(out, PARCEL_VERSION);
    buf_u8(out, (uint8_t)flags);
    buf_le64(out, (uint64_t)a->until);
    buf_varint(out, a->frames);
    buf_varint(out, a->bytes);
    buf_varint(out, a->dropped_kernel);
    buf_varint(out, a->dropped_queue);
    for (int i = 0; i < DECODE_RESULTS; i++)
        buf_varint(out, a->failed[i]);
    buf_varint(out, p->packets->rows);
}

/* What is written row by row. */
static enum err put_rows(struct parcel_writer *w, const struct parcel *p, struct buf *out)
{
    const struct block *b = p->packets;
    put_times(w, b, out);
    put_sources(w, b, out);
    put_profiles(w, b, out);
    put_destinations(w, b, out);
    for (size_t i = 0; i < parcel_plain_count; i++)
        put_column(w, b, parcel_plain[i], 0, false, out);
    put_column(w, b, PACKET_TCP_SEQ, ROW_SEQ_IS_DST, false, out);
    put_column(w, b, PACKET_IP_ID, ROW_ID_IS_MIX, false, out);
    put_column(w, b, PACKET_PAYLOAD_HASH, ROW_HASH_GIVEN, true, out);
    for (size_t i = 0; i < b->rows; i++)
        w->values[i] = p->icmp_seq[i];
    put_grouped(w, w->values, out);
    put_places(w, b, out);
    enum err e = put_payloads(w, b, out);
    return e ? e : planes_err(w->planes);
}

enum err parcel_write(struct parcel_writer *w, const struct parcel *p, struct buf *out)
{
    const struct block *b = p->packets;
    if (b->rows > PARCEL_ROWS || b->column[PACKET_PAYLOAD].heap.len > PARCEL_PAYLOAD)
        return ERR_RANGE;
    put_head(p, out);
    put_words(b, PACKET_TOOL, out);
    put_words(b, PACKET_CLASS, out);
    put_words(b, PACKET_COUNTRY, out);
    parcel_put_looks(w, p, out);
    enum err e = OK;
    if (b->rows) {
        parcel_number_sources(w, b);
        e = put_rows(w, p, out);
    }
    return e ? e : out->err;
}
