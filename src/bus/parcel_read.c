/* Reading a parcel, of which every byte may be hostile. */
#include "bus/parcel_read_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* A column as it was written, into `moved`. */
static enum err get(struct reading *r, size_t count, const char *what)
{
    planes_get(&r->in, r->moved, count, r->scratch);
    return r->in.cut ? parcel_bad(r, what) : OK;
}

/* ---- columns ---- */

static enum err get_bits(struct reading *r, size_t count, const char *what)
{
    planes_get_bytes(&r->in, r->scratch, (count + 7) / 8);
    for (size_t i = 0; i < count && !r->in.cut; i++)
        r->bits[i] = r->scratch[i / 8] >> (i & 7) & 1;
    return r->in.cut ? parcel_bad(r, what) : OK;
}

/* A column by sources, into `values`. */
static enum err get_grouped(struct reading *r, const char *what)
{
    const struct parcel_groups *g = &r->groups;
    size_t rests = g->rows - g->sources, changed = rests, at = 0;
    enum err e = get(r, g->sources, what);
    for (size_t i = 0; i < g->sources && !e; i++)
        r->values[g->firsts[i]] = r->moved[i];
    if (e || !rests)
        return e;
    uint8_t told = bytes_u8(&r->in);
    if (told > 1 || r->in.cut)
        return parcel_bad(r, what);
    if (told) {
        e = get_bits(r, rests, what);
        changed = 0;
        for (size_t i = 0; i < rests && !e; i++)
            changed += r->bits[i];
    }
    if (!e)
        e = get(r, changed, what);
    for (size_t i = 0; i < rests && !e; i++)
        r->values[g->rests[i]] = !told || r->bits[i] ? r->moved[at++] : r->values[g->before[i]];
    return e;
}

static enum err get_times(struct reading *r)
{
    uint64_t last = bytes_le64(&r->in);
    enum err e = get(r, r->rows, "time");
    for (size_t i = 0; i < r->rows && !e; i++) {
        uint64_t step = r->moved[i] >> 1 ^ (r->moved[i] & 1 ? UINT64_MAX : 0);
        last += step;
        if (last > INT64_MAX / 2)
            return parcel_bad(r, "time");
        block_time(r->b, PACKET_TS)[i] = (int64_t)last;
    }
    return e;
}

static void half_put(uint8_t *to, uint64_t half)
{
    for (int i = 7; i >= 0; i--, half >>= 8)
        to[i] = (uint8_t)half;
}

static struct ip ip_of_halves(uint64_t high, uint64_t low)
{
    struct ip ip;
    half_put(ip.byte, high);
    half_put(ip.byte + 8, low);
    return ip;
}

/* The different sources: low halves of all, high halves of those that are IPv6. */
static enum err get_addresses(struct reading *r, size_t count)
{
    size_t six = 0, at = 0;
    enum err e = get_bits(r, count, "sources");
    for (size_t i = 0; i < count && !e; i++)
        six += r->bits[i];
    if (!e)
        e = get(r, count, "sources");
    if (e)
        return e;
    memcpy(r->values, r->moved, count * sizeof *r->values);
    e = get(r, six, "sources");
    for (size_t i = 0; i < count && !e; i++) {
        if (!r->bits[i] && r->values[i] > UINT32_MAX)
            return parcel_bad(r, "sources");
        r->sources[i] = r->bits[i] ? ip_of_halves(r->moved[at++], r->values[i])
                                   : ip_from_v4((uint32_t)r->values[i]);
    }
    return e;
}

static enum err get_sources(struct reading *r)
{
    struct parcel_groups *g = &r->groups;
    g->rows = r->rows;
    g->sources = 0;
    enum err e = get_bits(r, r->rows, "sources");
    if (e)
        return e;
    for (size_t i = 0; i < r->rows; i++) {
        g->source[i] = r->bits[i] ? (uint32_t)g->sources : UINT32_MAX;
        if (r->bits[i])
            g->first[g->sources++] = (uint32_t)i;
    }
    e = get_addresses(r, g->sources);
    if (!e)
        e = get(r, r->rows - g->sources, "sources");
    size_t at = 0, seen = 0;
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (g->source[i] != UINT32_MAX)
            seen++;
        else if (r->moved[at] < seen)
            g->source[i] = (uint32_t)r->moved[at++];
        else
            return parcel_bad(r, "sources");
        block_ip(r->b, PACKET_SRC)[i] = r->sources[g->source[i]];
    }
    return e;
}

/* ---- profiles ---- */

/* The most that each field may be, beside what the lists of words and looks allow. */
static uint64_t field_most(const struct reading *r, const struct words *w, size_t field)
{
    const uint64_t most[PROFILE_FIELDS] = {
        [PROFILE_FLAGS] = ROW_FLAGS,
        [PROFILE_PROTO] = UINT8_MAX,
        [PROFILE_IP_LEN] = UINT16_MAX,
        [PROFILE_TCP_FLAGS] = UINT8_MAX,
        [PROFILE_TCP_OPTS] = UINT32_MAX,
        [PROFILE_QUIRKS] = UINT16_MAX,
        [PROFILE_PAYLOAD_LEN] = UINT16_MAX,
        [PROFILE_KEPT] = record_packet.columns[PACKET_PAYLOAD].most,
        [PROFILE_TOOL] = w->tools,
        [PROFILE_CLASS] = w->classes,
        [PROFILE_LOOK] = r->look_count,
    };
    bool is_index = field >= PROFILE_TOOL;
    return is_index && !most[field] ? UINT64_MAX : most[field] - is_index;
}

static void field_set(struct profile *p, size_t field, uint64_t v)
{
    switch (field) {
    case PROFILE_FLAGS:
        p->flags = (uint8_t)v;
        return;
    case PROFILE_PROTO:
        p->proto = (uint8_t)v;
        return;
    case PROFILE_IP_LEN:
        p->ip_len = (uint16_t)v;
        return;
    case PROFILE_TCP_FLAGS:
        p->tcp_flags = (uint8_t)v;
        return;
    case PROFILE_TCP_OPTS:
        p->tcp_opts = (uint32_t)v;
        return;
    case PROFILE_QUIRKS:
        p->quirks = (uint16_t)v;
        return;
    case PROFILE_PAYLOAD_LEN:
        p->payload_len = (uint16_t)v;
        return;
    case PROFILE_KEPT:
        p->kept = (uint16_t)v;
        return;
    case PROFILE_TOOL:
        p->tool = (uint16_t)v;
        return;
    case PROFILE_CLASS:
        p->class = (uint16_t)v;
        return;
    default:
        p->look = (uint16_t)v;
    }
}

static const struct profile *profile_at(const struct reading *r, size_t row)
{
    return &r->profiles[r->profile_of[row]];
}

static void profile_spread(struct reading *r, const struct words *w, size_t row)
{
    const struct profile *p = profile_at(r, row);
    struct block *b = r->b;
    block_u8(b, PACKET_PROTO)[row] = p->proto;
    block_u16(b, PACKET_IP_LEN)[row] = p->ip_len;
    block_u8(b, PACKET_TCP_FLAGS)[row] = p->tcp_flags;
    block_u32(b, PACKET_TCP_OPTS)[row] = p->tcp_opts;
    block_u16(b, PACKET_QUIRKS)[row] = p->quirks;
    block_u16(b, PACKET_PAYLOAD_LEN)[row] = p->payload_len;
    block_name(b, PACKET_TOOL)[row] = w->tool[p->tool];
    block_name(b, PACKET_CLASS)[row] = w->class[p->class];
    r->looks[row] = r->look[p->look];
}

static enum err get_profiles(struct reading *r, const struct words *w)
{
    uint64_t used = bytes_varint(&r->in);
    if (r->in.cut || !used || used > r->rows)
        return parcel_bad(r, "count of profiles");
    for (size_t k = 0; k < PROFILE_FIELDS; k++) {
        enum err e = get(r, (size_t)used, "profiles");
        uint64_t most = field_most(r, w, k);
        for (size_t i = 0; i < used && !e; i++) {
            if (r->moved[i] > most || most == UINT64_MAX)
                return parcel_bad(r, "profiles");
            field_set(&r->profiles[i], k, r->moved[i]);
        }
        if (e)
            return e;
    }
    parcel_groups_order(&r->groups, NULL);
    enum err e = get_grouped(r, "profile");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] >= used)
            return parcel_bad(r, "profile");
        r->profile_of[i] = r->values[i];
        profile_spread(r, w, i);
    }
    if (!e)
        parcel_groups_order(&r->groups, r->profile_of);
    return e;
}

/* ---- the other columns ---- */

static enum err get_destinations(struct reading *r)
{
    struct ip *dst = block_ip(r->b, PACKET_DST);
    size_t used = planes_get_number(&r->in, r->table, r->rows, r->scratch);
    bool six = false;
    enum err e = r->in.cut ? parcel_bad(r, "dst") : get_grouped(r, "dst");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (used && r->values[i] >= used)
            return parcel_bad(r, "dst");
        uint64_t low = used ? r->table[r->values[i]] : r->values[i];
        bool is_six = profile_at(r, i)->flags & ROW_DST_V6;
        six = six || is_six;
        if (!is_six && low > UINT32_MAX)
            return parcel_bad(r, "dst");
        dst[i] = is_six ? ip_of_halves(0, low) : ip_from_v4((uint32_t)low);
    }
    if (e || !six)
        return e;
    e = get_grouped(r, "dst");
    for (size_t i = 0; i < r->rows && !e; i++)
        if (profile_at(r, i)->flags & ROW_DST_V6)
            half_put(dst[i].byte, r->values[i]);
    return e;
}

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
    enum err e = get_grouped(r, name);
    for (size_t i = 0; i < r->rows && !e; i++)
        if (!set_value(r->b, column, i, r->values[i]))
            e = parcel_bad(r, name);
    return e;
}

/* What follows from other columns is put into its place. */
static void derive(struct reading *r)
{
    const struct block *b = r->b;
    for (size_t i = 0; i < r->rows; i++) {
        unsigned flags = profile_at(r, i)->flags;
        uint32_t dst = ip_v4(&block_ip(b, PACKET_DST)[i]);
        if (flags & ROW_SEQ_IS_DST)
            block_u32(b, PACKET_TCP_SEQ)[i] = dst;
        if (flags & ROW_ID_IS_MIX)
            block_u16(b, PACKET_IP_ID)[i] =
                parcel_mix(dst, block_u16(b, PACKET_DPORT)[i], block_u32(b, PACKET_TCP_SEQ)[i]);
    }
}

static enum err get_places(struct reading *r, const struct words *w)
{
    uint64_t used = bytes_varint(&r->in);
    if (r->in.cut || !used || used > r->rows)
        return parcel_bad(r, "count of places");
    enum err e = get(r, (size_t)used, "places");
    if (e)
        return e;
    memcpy(r->table, r->moved, (size_t)used * sizeof *r->table);
    e = get(r, (size_t)used, "places");
    if (e)
        return e;
    uint16_t country[PARCEL_ROWS];
    for (size_t i = 0; i < used; i++) {
        if (r->table[i] > UINT32_MAX || r->moved[i] >= w->countries)
            return parcel_bad(r, "places");
        country[i] = w->country[r->moved[i]];
    }
    e = get_grouped(r, "place");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] >= used)
            return parcel_bad(r, "place");
        block_u32(r->b, PACKET_ASN)[i] = (uint32_t)r->table[r->values[i]];
        block_name(r->b, PACKET_COUNTRY)[i] = country[r->values[i]];
    }
    return e;
}

/* The payload of a row is one that was there before, of the same length, or the next one. */
static bool payload_note(struct reading *r, size_t row, size_t *used)
{
    uint64_t number = r->values[row];
    uint32_t kept = profile_at(r, row)->kept;
    if (!kept || !number)
        return !kept && !number;
    if (number == *used + 1) {
        ++*used;
        r->payload_at[*used] = r->payload_at[*used - 1] + kept;
        return true;
    }
    return number <= *used && r->payload_at[number] - r->payload_at[number - 1] == kept;
}

static enum err payloads_number(struct reading *r, size_t *ret_used)
{
    const struct parcel_groups *g = &r->groups;
    bool fine = true;
    size_t used = 0, total = 0;
    r->payload_at[0] = 0;
    for (size_t i = 0; i < g->sources && fine; i++)
        fine = payload_note(r, g->firsts[i], &used);
    for (size_t i = 0; i < g->rows - g->sources && fine; i++)
        fine = payload_note(r, g->rests[i], &used);
    for (size_t i = 0; i < r->rows; i++)
        total += profile_at(r, i)->kept;
    *ret_used = used;
    return fine && total <= PARCEL_PAYLOAD ? OK : parcel_bad(r, "payload");
}

static enum err get_payloads(struct reading *r)
{
    size_t used = 0;
    enum err e = get_grouped(r, "payload");
    if (!e)
        e = payloads_number(r, &used);
    if (e)
        return e;
    uint32_t total = r->payload_at[used];
    uint8_t *heap = malloc(total ? total : 1);
    if (!heap)
        return fault_set(r->fault, ERR_NOMEM, "out of memory");
    planes_get_bytes(&r->in, heap, total);
    e = r->in.cut ? parcel_bad(r, "payload") : OK;
    for (size_t i = 0; i < r->rows && !e; i++) {
        const struct profile *p = profile_at(r, i);
        const uint8_t *at = r->values[i] ? heap + r->payload_at[r->values[i] - 1] : heap;
        e = block_bytes_add(r->b, PACKET_PAYLOAD, at, p->kept);
        if (!(p->flags & ROW_HASH_GIVEN))
            block_u64(r->b, PACKET_PAYLOAD_HASH)[i] = p->kept ? hash_bytes(at, p->kept, 0) : 0;
    }
    free(heap);
    return e == ERR_NOMEM ? fault_set(r->fault, e, "out of memory") : e;
}

static enum err get_icmp_seq(struct reading *r)
{
    enum err e = get_grouped(r, "icmp_seq");
    for (size_t i = 0; i < r->rows && !e; i++) {
        if (r->values[i] > UINT16_MAX)
            return parcel_bad(r, "icmp_seq");
        r->icmp_seq[i] = (uint16_t)r->values[i];
    }
    return e;
}

/* ---- all of it ---- */

static enum err get_rows(struct reading *r, const struct words *w)
{
    enum err e = get_times(r);
    if (!e)
        e = get_sources(r);
    if (!e)
        e = get_profiles(r, w);
    if (!e)
        e = get_destinations(r);
    for (size_t i = 0; i < parcel_plain_count && !e; i++)
        e = get_column(r, parcel_plain[i]);
    if (!e)
        e = get_column(r, PACKET_TCP_SEQ);
    if (!e)
        e = get_column(r, PACKET_IP_ID);
    if (!e)
        e = get_column(r, PACKET_PAYLOAD_HASH);
    if (!e)
        e = get_icmp_seq(r);
    if (!e)
        e = get_places(r, w);
    if (!e)
        e = get_payloads(r);
    if (!e)
        derive(r);
    return e;
}

static enum err reading_do(struct reading *r, const char *site)
{
    enum err e = parcel_get_head(r);
    if (e)
        return e;
    struct words *w = calloc(1, sizeof *w);
    r->looks = calloc(r->rows ? r->rows : 1, sizeof *r->looks);
    r->icmp_seq = calloc(r->rows ? r->rows : 1, sizeof *r->icmp_seq);
    if (!w || !r->looks || !r->icmp_seq ||
        block_new(&r->b, &record_packet, r->rows ? r->rows : 1) != OK)
        e = fault_set(r->fault, ERR_NOMEM, "out of memory");
    if (!e)
        e = parcel_get_words(r, site, w);
    if (!e)
        e = parcel_get_looks(r);
    if (!e && r->rows)
        e = get_rows(r, w);
    if (!e && r->in.left)
        e = parcel_bad(r, "end");
    if (!e)
        r->b->rows = r->rows;
    free(w);
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
