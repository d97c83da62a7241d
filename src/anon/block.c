#include "anon/anon_int.h"

#include "base/clock.h"
#include "record/proto.h"

#include <assert.h>
#include <string.h>

/* The policy over the columns of a block. Rows are taken in runs of one epoch: nearly always
 * that is the whole block. */

enum {
    SLOTS = 60
};

struct run {
    struct anon *a;
    struct block *b;
    const struct epoch *epoch;
    size_t from, to;
};

static enum anon_method method_of(const struct run *r, enum anon_field field)
{
    return r->a->policy.rule[field].method;
}

static void run_addresses(const struct run *r, size_t column, enum anon_field field)
{
    address_map(&r->epoch->address[field], block_ip(r->b, column) + r->from, r->to - r->from);
}

static void run_times(const struct run *r, size_t column)
{
    if (method_of(r, ANON_TIME) == ANON_KEEP)
        return;
    int64_t *ts = block_time(r->b, column);
    for (size_t i = r->from; i < r->to; i++)
        ts[i] = anon_time(r->a, ts[i]);
}

static void run_ports(const struct run *r, size_t proto, size_t column, enum anon_field field)
{
    if (method_of(r, field) == ANON_KEEP)
        return;
    const uint8_t *protos = block_u8(r->b, proto);
    uint16_t *port = block_u16(r->b, column);
    for (size_t i = r->from; i < r->to; i++)
        port[i] = anon_port(r->a, field, protos[i], port[i]);
}

static enum err run_place(const struct run *r, size_t country, size_t asn)
{
    enum anon_method method = method_of(r, ANON_PLACE);
    if (method == ANON_KEEP)
        return OK;
    memset(block_u32(r->b, asn) + r->from, 0, (r->to - r->from) * sizeof(uint32_t));
    uint16_t none;
    enum err e = method == ANON_DROP ? block_word(r->b, country, "", &none) : OK;
    for (size_t i = r->from; i < r->to && method == ANON_DROP && !e; i++)
        block_name(r->b, country)[i] = none;
    return e;
}

/* Payload and numbers change before the destination does: what is left of them must not tell
 * it. */
static void number_change(const struct run *r, size_t row, const struct ip *mapped)
{
    uint32_t *seq = &block_u32(r->b, PACKET_TCP_SEQ)[row];
    const struct ip *dst = &block_ip(r->b, PACKET_DST)[row];
    bool names_dst = method_of(r, ANON_NUMBERS) == ANON_RELATION && ip_is_v4(dst) &&
                     block_u8(r->b, PACKET_PROTO)[row] == PROTO_TCP && *seq == ip_v4(dst);
    *seq = names_dst ? ip_v4(mapped) : 0;
    block_u32(r->b, PACKET_TCP_ACK)[row] = 0;
    block_u16(r->b, PACKET_IP_ID)[row] = 0;
}

/* Overwrite each place where `what` stands, and its first part, from half of it on, where the
 * bytes end there: what was cut off went on. */
static void blot(uint8_t *data, size_t len, const void *what, size_t what_len, uint8_t with)
{
    uint8_t *end = data + len;
    for (uint8_t *at = data; (at = memmem(at, (size_t)(end - at), what, what_len));) {
        memset(at, with, what_len);
        at += what_len;
    }
    for (size_t part = what_len - 1; part >= what_len / 2; part--)
        if (len >= part && memcmp(end - part, what, part) == 0) {
            memset(end - part, with, part);
            return;
        }
}

static void payload_blot(uint8_t *data, size_t len, const struct ip *ip)
{
    char text[IP_TEXT];
    ip_format(ip, text);
    blot(data, len, text, strlen(text), 'x');
    if (ip_is_v4(ip)) {
        const uint8_t *b = ip->byte + 12;
        const uint8_t back[4] = {b[3], b[2], b[1], b[0]};
        blot(data, len, b, 4, 0);
        blot(data, len, back, 4, 0);
    } else {
        blot(data, len, ip->byte, sizeof ip->byte, 0);
    }
}

void payload_hide(
    const struct anon *a, uint8_t *data, size_t len, const struct ip *const ends[2])
{
    for (unsigned i = ANON_SOURCE; i <= ANON_DESTINATION; i++)
        if (a->policy.rule[i].method != ANON_KEEP)
            payload_blot(data, len, ends[i]);
}

/* How many of a payload's bytes stay. */
static size_t payload_keeps(const struct anon_rule *rule, size_t len)
{
    if (rule->method == ANON_KEEP)
        return len;
    if (rule->method == ANON_FIRST)
        return len < rule->bytes ? len : rule->bytes;
    return 0;
}

/* Bytes of all rows, moved together; runs come in order, so `*end` is where the next goes. */
static void run_payload_bytes(const struct run *r, uint32_t *end, uint32_t *read)
{
    const struct anon_rule *rule = &r->a->policy.rule[ANON_PAYLOAD];
    uint32_t *ends = r->b->column[PACKET_PAYLOAD].rows;
    uint8_t *heap = r->b->column[PACKET_PAYLOAD].heap.data;
    for (size_t i = r->from; i < r->to; i++) {
        size_t len = ends[i] - *read;
        size_t keep = payload_keeps(rule, len);
        if (keep)
            memmove(heap + *end, heap + *read, keep);
        const struct ip *const both[] = {
            &block_ip(r->b, PACKET_SRC)[i], &block_ip(r->b, PACKET_DST)[i]};
        if (keep)
            payload_hide(r->a, heap + *end, keep, both);
        *read = ends[i];
        *end += (uint32_t)keep;
        ends[i] = *end;
    }
}

/* What is told of a payload beside its bytes. A hash without a key could be tried out: it gets
 * the key unless the payload itself is there, whole and unchanged. */
static void run_payload_facts(const struct run *r)
{
    enum anon_method method = method_of(r, ANON_PAYLOAD);
    bool hashed = method == ANON_KEEP || method == ANON_FIRST || method == ANON_HASH;
    if (method == ANON_KEEP && method_of(r, ANON_SOURCE) == ANON_KEEP &&
        method_of(r, ANON_DESTINATION) == ANON_KEEP)
        return;
    uint64_t *hash = block_u64(r->b, PACKET_PAYLOAD_HASH);
    uint16_t *len = block_u16(r->b, PACKET_PAYLOAD_LEN);
    uint16_t *ip_len = block_u16(r->b, PACKET_IP_LEN);
    const uint16_t *quirks = block_u16(r->b, PACKET_QUIRKS);
    for (size_t i = r->from; i < r->to; i++) {
        if (hashed)
            hash[i] =
                hash[i] ? epoch_number(r->epoch, ANON_PAYLOAD, &hash[i], sizeof *hash) : 0;
        else
            hash[i] = 0;
        if (method != ANON_DROP)
            continue;
        bool unsure = quirks[i] & QUIRK_SNAPPED || ip_len[i] < len[i];
        ip_len[i] = unsure ? 0 : (uint16_t)(ip_len[i] - len[i]);
        len[i] = 0;
    }
}

static void run_numbers(const struct run *r)
{
    enum {
        SOME = 256
    };
    struct ip mapped[SOME];
    const struct ip *dst = block_ip(r->b, PACKET_DST);
    for (size_t at = r->from; at < r->to; at += SOME) {
        size_t n = r->to - at < SOME ? r->to - at : SOME;
        memcpy(mapped, dst + at, n * sizeof *mapped);
        address_map(&r->epoch->address[ANON_DESTINATION], mapped, n);
        for (size_t i = 0; i < n; i++)
            number_change(r, at + i, &mapped[i]);
    }
}

static enum err packet_run(const struct run *r)
{
    if (method_of(r, ANON_NUMBERS) != ANON_KEEP)
        run_numbers(r);
    run_payload_facts(r);
    run_addresses(r, PACKET_SRC, ANON_SOURCE);
    run_addresses(r, PACKET_DST, ANON_DESTINATION);
    run_ports(r, PACKET_PROTO, PACKET_SPORT, ANON_SOURCE_PORT);
    run_ports(r, PACKET_PROTO, PACKET_DPORT, ANON_DESTINATION_PORT);
    run_times(r, PACKET_TS);
    return run_place(r, PACKET_COUNTRY, PACKET_ASN);
}

/* Sixtieths of a window that lie in one step of the rounded time become the first of them. */
static uint64_t slots_round(uint64_t slots, int64_t step, int64_t slot)
{
    if (step <= slot)
        return slots;
    unsigned group = (unsigned)(step / slot < SLOTS ? (step + slot - 1) / slot : SLOTS);
    uint64_t rounded = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        if (slots >> i & 1)
            rounded |= UINT64_C(1) << (i - i % group);
    return rounded;
}

static void contact_maps(const struct run *r)
{
    enum anon_method method = method_of(r, ANON_DESTINATION);
    const struct anon_rule *time = &r->a->policy.rule[ANON_TIME];
    uint64_t *dsts = block_u64(r->b, CONTACT_DSTS);
    uint64_t *slots = block_u64(r->b, CONTACT_SLOTS);
    for (size_t i = r->from; i < r->to; i++) {
        if (time->method == ANON_ROUND)
            slots[i] = slots_round(slots[i], time->us, r->a->slot);
        if (method == ANON_KEEP)
            continue;
        uint64_t moved = method == ANON_DROP ? 1 : 0;
        for (unsigned bit = 0; bit < DSTS_BITS && method != ANON_DROP; bit++)
            moved |= (dsts[i] >> bit & 1) << r->epoch->dsts[bit];
        dsts[i] = moved;
    }
}

/* The service of backscatter is a port of the source. */
static void contact_ports(const struct run *r)
{
    const uint8_t *proto = block_u8(r->b, CONTACT_PROTO);
    uint16_t *port = block_u16(r->b, CONTACT_DPORT);
    for (size_t i = r->from; i < r->to; i++) {
        bool answers =
            strcmp(block_word_at(r->b, CONTACT_CLASS, i), class_name(CLASS_BACKSCATTER)) == 0;
        port[i] = anon_port(
            r->a, answers ? ANON_SOURCE_PORT : ANON_DESTINATION_PORT, proto[i], port[i]);
    }
}

static enum err contact_run(const struct run *r)
{
    run_addresses(r, CONTACT_SRC, ANON_SOURCE);
    contact_maps(r);
    contact_ports(r);
    run_times(r, CONTACT_START);
    run_times(r, CONTACT_FIRST);
    run_times(r, CONTACT_LAST);
    return run_place(r, CONTACT_COUNTRY, CONTACT_ASN);
}

static enum err dos_run(const struct run *r)
{
    run_addresses(r, DOS_VICTIM, ANON_SOURCE);
    run_ports(r, DOS_PROTO, DOS_PORT, ANON_SOURCE_PORT);
    run_times(r, DOS_START);
    run_times(r, DOS_END);
    return run_place(r, DOS_COUNTRY, DOS_ASN);
}

static enum err status_run(const struct run *r)
{
    run_times(r, STATUS_START);
    return OK;
}

/* Kinds that may leave, and the column whose time chooses the epoch. */
static const struct kind {
    const struct record *record;
    size_t time;
    enum err (*run)(const struct run *r);
} kinds[] = {
    {&record_packet, PACKET_TS, packet_run},
    {&record_contact, CONTACT_FIRST, contact_run},
    {&record_dos, DOS_START, dos_run},
    {&record_site_status, STATUS_START, status_run},
};

static const struct kind *kind_of(const struct block *b)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].record == b->kind)
            return &kinds[i];
    return NULL;
}

static size_t run_end(const struct run *r, const int64_t *ts)
{
    int64_t start = anon_epoch_start(r->a, ts[r->from]);
    size_t end = r->from + 1;
    while (end < r->b->rows && anon_epoch_start(r->a, ts[end]) == start)
        end++;
    return end;
}

enum err anon_block(struct anon *a, struct block *b, struct fault *f)
{
    const struct kind *kind = kind_of(b);
    if (!kind)
        return fault_set(
            f, ERR_RANGE, "anonymisation: records of kind %s have no rule", b->kind->name);
    const int64_t *ts = block_time(b, kind->time);
    bool bytes = kind->record == &record_packet;
    uint32_t end = 0, read = 0;
    struct run r = {.a = a, .b = b};
    for (; r.from < b->rows; r.from = r.to) {
        r.to = run_end(&r, ts);
        enum err e = anon_epoch(a, ts[r.from], &r.epoch, f);
        if (e)
            return e;
        if (bytes)
            run_payload_bytes(&r, &end, &read);
        e = kind->run(&r);
        if (e)
            return fault_set(f, e, "anonymisation: %s", err_text(e));
    }
    if (bytes)
        b->column[PACKET_PAYLOAD].heap.len = end;
    a->counts.rows += b->rows;
    return OK;
}
