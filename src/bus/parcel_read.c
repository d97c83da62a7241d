/* Reading a parcel, of which every byte may be hostile. */
#include "bus/parcel_int.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

enum {
    RULE_UNKNOWN = 0xffff
};

struct reading {
    struct bytes in;
    struct block *b;
    struct sensor_look *looks;
    uint16_t *icmp_seq;
    struct parcel_account account;
    const struct fingerprints *set;
    size_t rows;
    bool placed;
    uint64_t values[PARCEL_ROWS];
    uint64_t more[PARCEL_ROWS];
    uint8_t scratch[PARCEL_ROWS];
    uint8_t flags[PARCEL_ROWS];
    struct sensor_look look[PARCEL_LOOKS];
    struct index sources;
    struct fault *fault;
};

static enum err bad(const struct reading *r, const char *what)
{
    return fault_set(r->fault, ERR_BAD, "a parcel whose %s is not in order", what);
}

static enum err get(struct reading *r, size_t count, const char *what)
{
    planes_get(&r->in, r->values, count, r->scratch);
    return r->in.cut ? bad(r, what) : OK;
}

/* ---- head and words ---- */

static enum err get_head(struct reading *r)
{
    if (bytes_u8(&r->in) != PARCEL_VERSION)
        return fault_set(r->fault, ERR_BAD,
            "a parcel of another version; this program reads version %d", PARCEL_VERSION);
    uint8_t flags = bytes_u8(&r->in);
    struct parcel_account *a = &r->account;
    a->replay = flags & PARCEL_REPLAY;
    a->end = flags & PARCEL_END;
    a->masked = flags & PARCEL_MASKED;
    r->placed = flags & PARCEL_PLACED;
    a->until = (int64_t)bytes_le64(&r->in);
    a->frames = bytes_varint(&r->in);
    a->bytes = bytes_varint(&r->in);
    a->dropped_kernel = bytes_varint(&r->in);
    a->dropped_queue = bytes_varint(&r->in);
    const uint64_t most = UINT64_C(1) << 40;
    bool high = a->frames > most || a->bytes > most << 16 || a->dropped_kernel > most ||
                a->dropped_queue > most;
    for (int i = 0; i < DECODE_RESULTS; i++) {
        uint64_t n = bytes_varint(&r->in);
        high = high || n > UINT32_MAX;
        a->failed[i] = (uint32_t)n;
    }
    uint64_t rows = bytes_varint(&r->in);
    if (r->in.cut || high || flags > PARCEL_FLAGS || a->until < 0 || rows > PARCEL_ROWS)
        return bad(r, "head");
    r->rows = (size_t)rows;
    return OK;
}

/* Words of a column, learned by the block: `word` gets their numbers there. */
static enum err get_words(struct reading *r, size_t column, uint16_t *word, size_t *ret_count)
{
    uint64_t count = bytes_varint(&r->in);
    if (r->in.cut || count > NAMES_MAX)
        return bad(r, "list of words");
    for (size_t i = 0; i < count; i++) {
        char text[RECORD_NAME_MAX + 1] = "";
        struct bytes one = bytes_take(&r->in, bytes_u8(&r->in));
        if (one.cut || one.left > RECORD_NAME_MAX || memchr(one.at, 0, one.left))
            return bad(r, "list of words");
        memcpy(text, one.at, one.left);
        if (block_word(r->b, column, text, &word[i]) != OK)
            return bad(r, "list of words");
    }
    *ret_count = (size_t)count;
    return OK;
}

struct words {
    uint16_t tool[NAMES_MAX], class[NAMES_MAX], country[NAMES_MAX];
    size_t tools, classes, countries;
};

static enum err get_all_words(struct reading *r, const char *site, struct words *w)
{
    uint16_t number;
    if (block_word(r->b, PACKET_SITE, site, &number) != OK)
        return fault_set(r->fault, ERR_BAD, "%.64s is no name for a site", site);
    for (size_t i = 0; i < r->rows; i++)
        block_name(r->b, PACKET_SITE)[i] = number;
    enum err e = get_words(r, PACKET_TOOL, w->tool, &w->tools);
    if (!e)
        e = get_words(r, PACKET_CLASS, w->class, &w->classes);
    return e ? e : get_words(r, PACKET_COUNTRY, w->country, &w->countries);
}

/* ---- columns ---- */

/* Values into a column; false if one is too large for it. */
static bool set_value(struct block *b, size_t column, size_t row, uint64_t v)
{
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        block_u8(b, column)[row] = (uint8_t)v;
        return v <= UINT8_MAX;
    case COLUMN_U16:
        block_u16(b, column)[row] = (uint16_t)v;
        return v <= UINT16_MAX;
    case COLUMN_U32:
        block_u32(b, column)[row] = (uint32_t)v;
        return v <= UINT32_MAX;
    default:
        block_u64(b, column)[row] = v;
        return true;
    }
}

static enum err get_column(struct reading *r, size_t column)
{
    const char *name = record_packet.columns[column].name;
    enum err e = get(r, r->rows, name);
    for (size_t i = 0; i < r->rows && !e; i++)
        if (!set_value(r->b, column, i, r->values[i]))
            e = bad(r, name);
    return e;
}

static enum err get_names(struct reading *r, size_t column, const uint16_t *word, size_t words)
{
    const char *name = record_packet.columns[column].name;
    enum err e = get(r, r->rows, name);
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] >= words)
            return bad(r, name);
        block_name(r->b, column)[i] = word[r->values[i]];
    }
    return e;
}

static enum err get_times(struct reading *r)
{
    uint64_t last = bytes_le64(&r->in);
    enum err e = get(r, r->rows, "time");
    for (size_t i = 0; i < r->rows && !e; i++) {
        uint64_t step = r->values[i] >> 1 ^ (r->values[i] & 1 ? UINT64_MAX : 0);
        last += step;
        if (last > INT64_MAX / 2)
            return bad(r, "time");
        block_time(r->b, PACKET_TS)[i] = (int64_t)last;
    }
    return e;
}

static void half_put(uint8_t *to, uint64_t half)
{
    for (int i = 7; i >= 0; i--, half >>= 8)
        to[i] = (uint8_t)half;
}

static enum err get_addresses(struct reading *r, size_t column, unsigned flag)
{
    struct ip *ip = block_ip(r->b, column);
    size_t six = 0, at = 0;
    for (size_t i = 0; i < r->rows; i++)
        six += (r->flags[i] & flag) != 0;
    enum err e = get(r, r->rows - six, "addresses");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->flags[i] & flag)
            continue;
        if (r->values[at] > UINT32_MAX)
            return bad(r, "addresses");
        ip[i] = ip_from_v4((uint32_t)r->values[at++]);
    }
    for (size_t half = 0; half < 16 && !e; half += 8) {
        e = get(r, six, "addresses");
        at = 0;
        for (size_t i = 0; i < r->rows && !e; i++)
            if (r->flags[i] & flag)
                half_put(ip[i].byte + half, r->values[at++]);
    }
    return e;
}

/* The number of a row's source among the different ones, in the order in which they come. */
static enum err sources_number(struct reading *r, size_t *ret_count)
{
    const struct ip *ip = block_ip(r->b, PACKET_SRC);
    size_t count = 0;
    uint64_t key = hash_u64((uint64_t)r->account.until + r->rows);
    enum err e = index_init(&r->sources, r->rows ? r->rows : 1);
    for (size_t i = 0; i < r->rows && !e; i++) {
        uint64_t hash = hash_two(ip_hash(&ip[i]), key);
        uint32_t first;
        bool known = false;
        size_t p = index_first(&r->sources, hash);
        for (; !known && index_at(&r->sources, p, hash, &first); p = index_next(&r->sources, p))
            if (first != INDEX_OTHER && ip_same(&ip[first], &ip[i])) {
                r->more[i] = r->more[first];
                known = true;
                break;
            }
        if (known)
            continue;
        e = index_put(&r->sources, p, hash, (uint32_t)i);
        r->more[i] = count++;
    }
    index_done(&r->sources);
    *ret_count = count;
    return e ? fault_set(r->fault, ERR_NOMEM, "out of memory") : OK;
}

/* Country and network, which come before the addresses that they belong to: kept until these
 * are known. */
struct places {
    uint64_t country[PARCEL_ROWS];
    uint64_t asn[PARCEL_ROWS];
    size_t count;
};

static enum err set_places(struct reading *r, const struct places *p, const struct words *w)
{
    size_t sources = r->rows;
    enum err e = r->placed ? sources_number(r, &sources) : OK;
    if (e)
        return e;
    if (sources != p->count)
        return bad(r, "count of sources");
    for (size_t i = 0; i < r->rows; i++) {
        size_t from = r->placed ? (size_t)r->more[i] : i;
        if (p->country[from] >= w->countries || p->asn[from] > UINT32_MAX)
            return bad(r, "country or network");
        block_name(r->b, PACKET_COUNTRY)[i] = w->country[p->country[from]];
        block_u32(r->b, PACKET_ASN)[i] = (uint32_t)p->asn[from];
    }
    return OK;
}

static enum err get_places(struct reading *r, struct places *p)
{
    uint64_t count = r->placed ? bytes_varint(&r->in) : r->rows;
    if (r->in.cut || count > r->rows)
        return bad(r, "count of sources");
    p->count = (size_t)count;
    planes_get(&r->in, p->country, p->count, r->scratch);
    planes_get(&r->in, p->asn, p->count, r->scratch);
    return r->in.cut ? bad(r, "country or network") : OK;
}

static enum err get_sequence(struct reading *r)
{
    const struct ip *dst = block_ip(r->b, PACKET_DST);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < r->rows; i++)
        count += !(r->flags[i] & ROW_SEQ_IS_DST);
    enum err e = get(r, count, "tcp_seq");
    for (size_t i = 0; i < r->rows && !e; i++) {
        bool given = !(r->flags[i] & ROW_SEQ_IS_DST);
        uint64_t v = given ? r->values[at++] : ip_v4(&dst[i]);
        if (!set_value(r->b, PACKET_TCP_SEQ, i, v))
            return bad(r, "tcp_seq");
    }
    return e;
}

static enum err get_id(struct reading *r)
{
    const struct block *b = r->b;
    size_t count = 0, at = 0;
    for (size_t i = 0; i < r->rows; i++)
        count += !(r->flags[i] & ROW_ID_IS_MIX);
    enum err e = get(r, count, "ip_id");
    for (size_t i = 0; i < r->rows && !e; i++) {
        uint64_t v = r->flags[i] & ROW_ID_IS_MIX
                         ? parcel_mix(ip_v4(&block_ip(b, PACKET_DST)[i]),
                               block_u16(b, PACKET_DPORT)[i], block_u32(b, PACKET_TCP_SEQ)[i])
                         : r->values[at++];
        if (!set_value(r->b, PACKET_IP_ID, i, v))
            return bad(r, "ip_id");
    }
    return e;
}

static enum err get_payloads(struct reading *r)
{
    enum err e = get(r, r->rows, "payload");
    size_t total = 0;
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] > record_packet.columns[PACKET_PAYLOAD].most)
            return bad(r, "payload");
        total += (size_t)r->values[i];
    }
    if (e || total > PARCEL_PAYLOAD)
        return e ? e : bad(r, "payload");
    uint8_t *heap = malloc(total ? total : 1);
    if (!heap)
        return fault_set(r->fault, ERR_NOMEM, "out of memory");
    planes_get_bytes(&r->in, heap, total);
    e = r->in.cut ? bad(r, "payload") : OK;
    size_t at = 0;
    for (size_t i = 0; i < r->rows && !e; i++) {
        size_t len = (size_t)r->values[i];
        e = block_bytes_add(r->b, PACKET_PAYLOAD, heap + at, len);
        block_u64(r->b, PACKET_PAYLOAD_HASH)[i] = len ? hash_bytes(heap + at, len, 0) : 0;
        at += len;
    }
    free(heap);
    return e == ERR_NOMEM ? fault_set(r->fault, e, "out of memory") : e;
}

static enum err get_hashes(struct reading *r)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < r->rows; i++)
        count += (r->flags[i] & ROW_HASH_GIVEN) != 0;
    enum err e = get(r, count, "payload_hash");
    for (size_t i = 0; i < r->rows && !e; i++)
        if (r->flags[i] & ROW_HASH_GIVEN)
            block_u64(r->b, PACKET_PAYLOAD_HASH)[i] = r->values[at++];
    return e;
}

/* ---- what the sensor saw ---- */

static uint16_t rule_find(const struct fingerprints *set, struct bytes id)
{
    for (size_t i = 0; set && i < fingerprints_count(set); i++) {
        const char *name = fingerprints_at(set, i)->id;
        if (strlen(name) == id.left && memcmp(name, id.at, id.left) == 0)
            return (uint16_t)i;
    }
    return RULE_UNKNOWN;
}

/* Which pairwise condition a rule has; -1: none. */
static int pair_of(const struct fingerprints *set, uint16_t rule)
{
    int k = 0;
    for (size_t i = 0; rule != RULE_UNKNOWN && i < rule; i++)
        k += fingerprints_at(set, i)->level == SIGNATURE_SOURCE;
    bool pair = rule != RULE_UNKNOWN && fingerprints_at(set, rule)->level == SIGNATURE_SOURCE;
    return pair && k < SIGNATURE_PAIRS_MAX ? k : -1;
}

static bool get_look(struct reading *r, const uint16_t *rule, const int *pair, size_t rules,
    struct sensor_look *l)
{
    *l = (struct sensor_look){0};
    uint8_t class = bytes_u8(&r->in);
    uint8_t hits = bytes_u8(&r->in);
    if (class >= CLASS_COUNT || hits > SIGNATURE_HITS)
        return false;
    l->class = (enum packet_class) class;
    for (unsigned k = 0; k < hits; k++) {
        uint8_t n = bytes_u8(&r->in);
        if (n >= rules)
            return false;
        if (rule[n] != RULE_UNKNOWN && pair[n] < 0)
            l->hits.rule[l->hits.count++] = (uint8_t)rule[n];
    }
    uint8_t each = bytes_u8(&r->in);
    for (unsigned k = 0; k < each; k++) {
        uint8_t n = bytes_u8(&r->in);
        if (n >= rules)
            return false;
        if (pair[n] >= 0)
            l->hits.each |= 1u << pair[n];
    }
    return !r->in.cut;
}

static enum err get_looks(struct reading *r)
{
    uint16_t rule[SIGNATURES_MAX];
    int pair[SIGNATURES_MAX];
    size_t rules = bytes_u8(&r->in);
    if (rules > SIGNATURES_MAX)
        return bad(r, "list of signatures");
    for (size_t i = 0; i < rules; i++) {
        struct bytes id = bytes_take(&r->in, bytes_u8(&r->in));
        rule[i] = rule_find(r->set, id);
        pair[i] = pair_of(r->set, rule[i]);
    }
    uint64_t count = bytes_varint(&r->in);
    if (r->in.cut || count > PARCEL_LOOKS)
        return bad(r, "list of signatures");
    for (size_t i = 0; i < count; i++)
        if (!get_look(r, rule, pair, rules, &r->look[i]))
            return bad(r, "list of looks");
    enum err e = get(r, r->rows, "looks");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] >= count)
            return bad(r, "looks");
        r->looks[i] = r->look[r->values[i]];
    }
    return e;
}

/* ---- all of it ---- */

static enum err get_rows(struct reading *r, const struct words *w, struct places *p)
{
    planes_get_bytes(&r->in, r->flags, r->rows);
    enum err e = r->in.cut ? bad(r, "flags") : get_places(r, p);
    if (!e)
        e = get_times(r);
    if (!e)
        e = get_addresses(r, PACKET_SRC, ROW_SRC_V6);
    if (!e)
        e = get_addresses(r, PACKET_DST, ROW_DST_V6);
    if (!e)
        e = set_places(r, p, w);
    for (size_t i = 0; i < parcel_plain_count && !e; i++)
        e = get_column(r, parcel_plain[i]);
    if (!e)
        e = get_sequence(r);
    if (!e)
        e = get_id(r);
    if (!e)
        e = get_names(r, PACKET_TOOL, w->tool, w->tools);
    if (!e)
        e = get_names(r, PACKET_CLASS, w->class, w->classes);
    if (!e)
        e = get_payloads(r);
    if (!e)
        e = get_hashes(r);
    if (!e)
        e = get(r, r->rows, "icmp_seq");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] > UINT16_MAX)
            return bad(r, "icmp_seq");
        r->icmp_seq[i] = (uint16_t)r->values[i];
    }
    if (!e)
        e = get_looks(r);
    return !e && r->in.left ? bad(r, "end") : e;
}

static enum err reading_do(struct reading *r, const char *site)
{
    enum err e = get_head(r);
    if (e)
        return e;
    struct words *w = calloc(1, sizeof *w);
    struct places *p = calloc(1, sizeof *p);
    r->looks = calloc(r->rows ? r->rows : 1, sizeof *r->looks);
    r->icmp_seq = calloc(r->rows ? r->rows : 1, sizeof *r->icmp_seq);
    if (!w || !p || !r->looks || !r->icmp_seq ||
        block_new(&r->b, &record_packet, r->rows ? r->rows : 1) != OK)
        e = fault_set(r->fault, ERR_NOMEM, "out of memory");
    if (!e)
        e = get_all_words(r, site, w);
    if (!e)
        e = get_rows(r, w, p);
    if (!e)
        r->b->rows = r->rows;
    free(w);
    free(p);
    return e;
}

enum err parcel_read(struct parcel_rows *ret_rows, const char *site,
    const struct fingerprints *set, struct bytes in, struct fault *f)
{
    struct reading *r = calloc(1, sizeof *r);
    if (!r)
        return fault_set(f, ERR_NOMEM, "out of memory");
    r->in = in;
    r->set = set;
    r->fault = f;
    enum err e = reading_do(r, site);
    struct parcel_rows rows = {r->b, r->looks, r->icmp_seq, r->account};
    free(r);
    if (e)
        parcel_rows_done(&rows);
    else
        *ret_rows = rows;
    return e;
}
