#include "ingest/deltas.h"

#include "base/clock.h"
#include "base/index.h"

#include <stdlib.h>

enum {
    WINDOW_SLOTS = 60,
    DESTINATION_BITS = 64
};

struct deltas {
    struct index index;
    struct block *contacts;
};

enum err deltas_new(struct deltas **ret_deltas, size_t rows)
{
    struct deltas *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    enum err e = index_init(&d->index, rows);
    if (!e)
        e = block_new(&d->contacts, &record_contact, rows);
    if (e) {
        deltas_free(d);
        return e;
    }
    *ret_deltas = d;
    return OK;
}

void deltas_free(struct deltas *d)
{
    if (!d)
        return;
    index_done(&d->index);
    block_free(d->contacts);
    free(d);
}

static const struct {
    size_t packet, contact;
} words[] = {
    {PACKET_SITE, CONTACT_SITE},
    {PACKET_CLASS, CONTACT_CLASS},
    {PACKET_TOOL, CONTACT_TOOL},
    {PACKET_COUNTRY, CONTACT_COUNTRY},
};

enum {
    WORDS = sizeof words / sizeof *words
};

struct key {
    int64_t start;
    struct ip src;
    uint64_t rest;
};

static struct key key_of(const struct block *p, size_t row, int64_t window)
{
    return (struct key){
        .start = time_floor(block_time(p, PACKET_TS)[row], window),
        .src = block_ip(p, PACKET_SRC)[row],
        .rest = (uint64_t)block_u8(p, PACKET_PROTO)[row] << 48 |
                (uint64_t)block_u16(p, PACKET_DPORT)[row] << 32 |
                (uint64_t)block_name(p, PACKET_CLASS)[row] << 16 |
                block_name(p, PACKET_TOOL)[row],
    };
}

static bool same(
    const struct deltas *d, size_t at, const struct block *p, size_t row, const struct key *k)
{
    const struct block *c = d->contacts;
    return block_time(c, CONTACT_START)[at] == k->start &&
           ip_same(&block_ip(c, CONTACT_SRC)[at], &k->src) &&
           block_u8(c, CONTACT_PROTO)[at] == block_u8(p, PACKET_PROTO)[row] &&
           block_u16(c, CONTACT_DPORT)[at] == block_u16(p, PACKET_DPORT)[row] &&
           strcmp(block_word_at(c, CONTACT_CLASS, at), block_word_at(p, PACKET_CLASS, row)) ==
               0 &&
           strcmp(block_word_at(c, CONTACT_TOOL, at), block_word_at(p, PACKET_TOOL, row)) == 0;
}

static enum err contact_begin(
    struct deltas *d, const struct block *p, size_t row, const struct key *k)
{
    struct block *c = d->contacts;
    size_t at = c->rows;
    for (size_t i = 0; i < WORDS; i++) {
        enum err e = block_word(c, words[i].contact, block_word_at(p, words[i].packet, row),
            &block_name(c, words[i].contact)[at]);
        if (e)
            return e;
    }
    block_time(c, CONTACT_START)[at] = k->start;
    block_ip(c, CONTACT_SRC)[at] = k->src;
    block_u8(c, CONTACT_PROTO)[at] = block_u8(p, PACKET_PROTO)[row];
    block_u16(c, CONTACT_DPORT)[at] = block_u16(p, PACKET_DPORT)[row];
    block_u32(c, CONTACT_ASN)[at] = block_u32(p, PACKET_ASN)[row];
    block_u32(c, CONTACT_PACKETS)[at] = 0;
    block_u64(c, CONTACT_BYTES)[at] = 0;
    block_u64(c, CONTACT_DSTS)[at] = 0;
    block_u64(c, CONTACT_SLOTS)[at] = 0;
    block_time(c, CONTACT_FIRST)[at] = block_time(p, PACKET_TS)[row];
    block_time(c, CONTACT_LAST)[at] = block_time(p, PACKET_TS)[row];
    block_u8(c, CONTACT_FLAGS)[at] = 0;
    block_u16(c, CONTACT_WIN)[at] = block_u16(p, PACKET_TCP_WIN)[row];
    c->rows++;
    return OK;
}

static void contact_count(
    struct deltas *d, size_t at, const struct block *p, size_t row, int64_t window)
{
    struct block *c = d->contacts;
    int64_t ts = block_time(p, PACKET_TS)[row];
    int64_t slot = (ts - block_time(c, CONTACT_START)[at]) * WINDOW_SLOTS / window;
    block_u32(c, CONTACT_PACKETS)[at]++;
    block_u64(c, CONTACT_BYTES)[at] += block_u16(p, PACKET_IP_LEN)[row];
    block_u64(c, CONTACT_DSTS)[at] |=
        UINT64_C(1) << (ip_hash(&block_ip(p, PACKET_DST)[row]) % DESTINATION_BITS);
    block_u64(c, CONTACT_SLOTS)[at] |= UINT64_C(1) << slot;
    block_u8(c, CONTACT_FLAGS)[at] |= block_u8(p, PACKET_TCP_FLAGS)[row];
    if (block_u16(c, CONTACT_WIN)[at] != block_u16(p, PACKET_TCP_WIN)[row])
        block_u16(c, CONTACT_WIN)[at] = 0;
    if (ts < block_time(c, CONTACT_FIRST)[at])
        block_time(c, CONTACT_FIRST)[at] = ts;
    if (ts > block_time(c, CONTACT_LAST)[at])
        block_time(c, CONTACT_LAST)[at] = ts;
}

enum err deltas_make(struct deltas *d, const struct block *packets, int64_t window,
    const struct block **ret_contacts)
{
    block_clear(d->contacts);
    index_clear(&d->index);
    for (size_t row = 0; row < packets->rows; row++) {
        struct key k = key_of(packets, row, window);
        uint64_t hash = hash_two(ip_hash(&k.src) ^ (uint64_t)k.start, k.rest);
        uint32_t entry = INDEX_OTHER;
        size_t at = index_first(&d->index, hash);
        for (; index_at(&d->index, at, hash, &entry); at = index_next(&d->index, at)) {
            if (entry != INDEX_OTHER && same(d, entry, packets, row, &k))
                break;
            entry = INDEX_OTHER;
        }
        if (entry == INDEX_OTHER) {
            entry = (uint32_t)d->contacts->rows;
            enum err e = index_put(&d->index, at, hash, entry);
            if (!e)
                e = contact_begin(d, packets, row, &k);
            if (e)
                return e;
        }
        contact_count(d, entry, packets, row, window);
    }
    *ret_contacts = d->contacts;
    return OK;
}
