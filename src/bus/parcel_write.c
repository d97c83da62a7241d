/* Writing a parcel. */
#include "bus/parcel_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_SLOTS = 4 * PARCEL_LOOKS,
    SOURCE_SLOTS = 4 * PARCEL_ROWS
};

struct source_slot {
    uint32_t turn;
    uint32_t row; /* first row of the source */
};

struct parcel_writer {
    const struct fingerprints *set;
    struct planes *planes;
    size_t pair_rule[SIGNATURE_PAIRS_MAX];
    uint64_t values[PARCEL_ROWS];
    uint64_t more[PARCEL_ROWS];
    uint8_t flags[PARCEL_ROWS];
    struct sensor_look looks[PARCEL_LOOKS]; /* the different ones */
    uint32_t look_slots[LOOK_SLOTS];        /* number + 1 */
    struct source_slot sources[SOURCE_SLOTS];
    uint32_t turn;
};

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

/* ---- what the sensor saw ---- */

static bool same_look(const struct sensor_look *a, const struct sensor_look *b)
{
    return a->class == b->class && a->hits.each == b->hits.each &&
           a->hits.count == b->hits.count &&
           memcmp(a->hits.rule, b->hits.rule, a->hits.count) == 0;
}

static uint64_t look_hash(const struct sensor_look *l)
{
    return hash_bytes(l->hits.rule, l->hits.count, hash_two(l->hits.each, l->class));
}

/* The number of a look among the different ones; a new one if there is room. */
static size_t look_number(struct parcel_writer *w, const struct sensor_look *l, size_t *used)
{
    size_t at = look_hash(l) & (LOOK_SLOTS - 1);
    while (w->look_slots[at]) {
        if (same_look(&w->looks[w->look_slots[at] - 1], l))
            return w->look_slots[at] - 1;
        at = (at + 1) & (LOOK_SLOTS - 1);
    }
    if (*used == PARCEL_LOOKS - CLASS_COUNT && (l->hits.count || l->hits.each)) {
        struct sensor_look plain = {.class = l->class};
        return look_number(w, &plain, used);
    }
    w->looks[*used] = *l;
    w->look_slots[at] = (uint32_t)++ * used;
    return *used - 1;
}

/* The names of the rules that occur, and their numbers in this parcel. */
static void put_rule_names(
    struct parcel_writer *w, size_t looks, uint8_t number[SIGNATURES_MAX], struct buf *out)
{
    bool used[SIGNATURES_MAX] = {false};
    unsigned count = 0;
    for (size_t i = 0; i < looks; i++) {
        const struct fingerprint_hits *h = &w->looks[i].hits;
        for (unsigned k = 0; k < h->count; k++)
            used[h->rule[k]] = true;
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            if (h->each >> k & 1 && w->pair_rule[k] != SIZE_MAX)
                used[w->pair_rule[k]] = true;
    }
    for (size_t i = 0; i < SIGNATURES_MAX; i++)
        count += used[i];
    buf_u8(out, (uint8_t)count);
    count = 0;
    for (size_t i = 0; i < SIGNATURES_MAX; i++) {
        if (!used[i])
            continue;
        const char *id = fingerprints_at(w->set, i)->id;
        buf_u8(out, (uint8_t)strlen(id));
        buf_str(out, id);
        number[i] = (uint8_t)count++;
    }
}

static void put_looks(struct parcel_writer *w, const struct parcel *p, struct buf *out)
{
    size_t used = 0;
    uint8_t number[SIGNATURES_MAX] = {0};
    memset(w->look_slots, 0, sizeof w->look_slots);
    for (size_t i = 0; i < p->packets->rows; i++)
        w->values[i] = look_number(w, &p->looks[i], &used);
    put_rule_names(w, used, number, out);
    buf_varint(out, used);
    for (size_t i = 0; i < used; i++) {
        const struct sensor_look *l = &w->looks[i];
        unsigned each = 0;
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            each += l->hits.each >> k & 1 && w->pair_rule[k] != SIZE_MAX;
        buf_u8(out, (uint8_t)l->class);
        buf_u8(out, l->hits.count);
        for (unsigned k = 0; k < l->hits.count; k++)
            buf_u8(out, number[l->hits.rule[k]]);
        buf_u8(out, (uint8_t)each);
        for (unsigned k = 0; k < SIGNATURE_PAIRS_MAX; k++)
            if (l->hits.each >> k & 1 && w->pair_rule[k] != SIZE_MAX)
                buf_u8(out, number[w->pair_rule[k]]);
    }
    planes_put(w->planes, w->values, p->packets->rows, out);
}

/* ---- columns ---- */

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

/* IPv4 addresses as numbers, the others as two halves each. */
static void put_addresses(
    struct parcel_writer *w, const struct block *b, size_t column, struct buf *out)
{
    const struct ip *ip = block_ip(b, column);
    size_t four = 0, six = 0;
    for (size_t i = 0; i < b->rows; i++) {
        if (ip_is_v4(&ip[i])) {
            w->values[four++] = ip_v4(&ip[i]);
            continue;
        }
        struct bytes half = bytes_over(ip[i].byte, 16);
        uint64_t high = bytes_be32(&half);
        w->more[six++] = high << 32 | bytes_be32(&half);
    }
    planes_put(w->planes, w->values, four, out);
    planes_put(w->planes, w->more, six, out);
    six = 0;
    for (size_t i = 0; i < b->rows; i++) {
        if (ip_is_v4(&ip[i]))
            continue;
        struct bytes half = bytes_over(ip[i].byte + 8, 8);
        uint64_t high = bytes_be32(&half);
        w->more[six++] = high << 32 | bytes_be32(&half);
    }
    planes_put(w->planes, w->more, six, out);
}

static void flags_make(struct parcel_writer *w, const struct block *b)
{
    for (size_t i = 0; i < b->rows; i++) {
        const struct ip *dst = &block_ip(b, PACKET_DST)[i];
        uint32_t seq = block_u32(b, PACKET_TCP_SEQ)[i];
        uint16_t dport = block_u16(b, PACKET_DPORT)[i];
        struct bytes payload = block_bytes_at(b, PACKET_PAYLOAD, i);
        uint64_t hash = payload.left ? hash_bytes(payload.at, payload.left, 0) : 0;
        unsigned flags = 0;
        if (!ip_is_v4(&block_ip(b, PACKET_SRC)[i]))
            flags |= ROW_SRC_V6;
        if (!ip_is_v4(dst))
            flags |= ROW_DST_V6;
        if (seq && seq == ip_v4(dst))
            flags |= ROW_SEQ_IS_DST;
        uint16_t id = block_u16(b, PACKET_IP_ID)[i];
        if (id && id == parcel_mix(ip_v4(dst), dport, seq))
            flags |= ROW_ID_IS_MIX;
        if (hash != block_u64(b, PACKET_PAYLOAD_HASH)[i])
            flags |= ROW_HASH_GIVEN;
        w->flags[i] = (uint8_t)flags;
    }
}

/* The values of a column in the rows that do not have this flag (or, inverted, that have it).
 */
static void put_some(struct parcel_writer *w, const struct block *b, size_t column,
    unsigned flag, bool having, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < b->rows; i++)
        if (((w->flags[i] & flag) != 0) == having)
            w->values[count++] = parcel_value(b, column, i);
    planes_put(w->planes, w->values, count, out);
}

static void put_column(
    struct parcel_writer *w, const struct block *b, size_t column, struct buf *out)
{
    for (size_t i = 0; i < b->rows; i++)
        w->values[i] = parcel_value(b, column, i);
    planes_put(w->planes, w->values, b->rows, out);
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

/* Rows that are the first of their source, in `more`; false if another row of a source has
 * another country or network, or the sources are chosen to crowd one place of the table. */
static bool sources_find(struct parcel_writer *w, const struct block *b, size_t *ret_count)
{
    const struct ip *ip = block_ip(b, PACKET_SRC);
    const uint16_t *country = block_name(b, PACKET_COUNTRY);
    const uint32_t *asn = block_u32(b, PACKET_ASN);
    size_t count = 0;
    w->turn++;
    for (size_t i = 0; i < b->rows; i++) {
        size_t at = ip_hash(&ip[i]) & (SOURCE_SLOTS - 1);
        unsigned steps = 0;
        while (w->sources[at].turn == w->turn && !ip_same(&ip[w->sources[at].row], &ip[i])) {
            at = (at + 1) & (SOURCE_SLOTS - 1);
            if (++steps == PLANES_STEPS)
                return false;
        }
        if (w->sources[at].turn != w->turn) {
            w->sources[at] = (struct source_slot){w->turn, (uint32_t)i};
            w->more[count++] = i;
            continue;
        }
        size_t first = w->sources[at].row;
        if (country[first] != country[i] || asn[first] != asn[i])
            return false;
    }
    *ret_count = count;
    return true;
}

/* Country and network: once a source, or as plain columns. */
static void put_places(struct parcel_writer *w, const struct block *b, bool placed,
    size_t sources, struct buf *out)
{
    if (!placed) {
        put_column(w, b, PACKET_COUNTRY, out);
        put_column(w, b, PACKET_ASN, out);
        return;
    }
    buf_varint(out, sources);
    for (size_t i = 0; i < sources; i++)
        w->values[i] = parcel_value(b, PACKET_COUNTRY, w->more[i]);
    planes_put(w->planes, w->values, sources, out);
    for (size_t i = 0; i < sources; i++)
        w->values[i] = parcel_value(b, PACKET_ASN, w->more[i]);
    planes_put(w->planes, w->values, sources, out);
}

static void put_payloads(struct parcel_writer *w, const struct block *b, struct buf *out)
{
    const struct buf *heap = &b->column[PACKET_PAYLOAD].heap;
    for (size_t i = 0; i < b->rows; i++)
        w->values[i] = block_bytes_at(b, PACKET_PAYLOAD, i).left;
    planes_put(w->planes, w->values, b->rows, out);
    planes_put_bytes(w->planes, heap->data, heap->len, out);
}

static void put_head(const struct parcel *p, bool placed, struct buf *out)
{
    const struct parcel_account *a = &p->account;
    unsigned flags = (a->replay ? PARCEL_REPLAY : 0) | (a->end ? PARCEL_END : 0) |
                     (placed ? PARCEL_PLACED : 0) | (a->masked ? PARCEL_MASKED : 0);
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

enum err parcel_write(struct parcel_writer *w, const struct parcel *p, struct buf *out)
{
    const struct block *b = p->packets;
    if (b->rows > PARCEL_ROWS || b->column[PACKET_PAYLOAD].heap.len > PARCEL_PAYLOAD)
        return ERR_RANGE;
    size_t sources = 0;
    bool placed = sources_find(w, b, &sources);
    put_head(p, placed, out);
    put_words(b, PACKET_TOOL, out);
    put_words(b, PACKET_CLASS, out);
    put_words(b, PACKET_COUNTRY, out);
    flags_make(w, b);
    planes_put_bytes(w->planes, w->flags, b->rows, out);
    put_places(w, b, placed, sources, out);
    put_times(w, b, out);
    put_addresses(w, b, PACKET_SRC, out);
    put_addresses(w, b, PACKET_DST, out);
    for (size_t i = 0; i < parcel_plain_count; i++)
        put_column(w, b, parcel_plain[i], out);
    put_some(w, b, PACKET_TCP_SEQ, ROW_SEQ_IS_DST, false, out);
    put_some(w, b, PACKET_IP_ID, ROW_ID_IS_MIX, false, out);
    put_column(w, b, PACKET_TOOL, out);
    put_column(w, b, PACKET_CLASS, out);
    put_payloads(w, b, out);
    put_some(w, b, PACKET_PAYLOAD_HASH, ROW_HASH_GIVEN, true, out);
    for (size_t i = 0; i < b->rows; i++)
        w->values[i] = p->icmp_seq[i];
    planes_put(w->planes, w->values, b->rows, out);
    put_looks(w, p, out);
    enum err e = planes_err(w->planes);
    return e ? e : out->err;
}
