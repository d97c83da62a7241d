#ifndef TESTS_LIB_TELESCOPE_H
#define TESTS_LIB_TELESCOPE_H

/* Made-up blocks in the shape of telescope traffic, window by window, for tests and benchmarks
 * of the store: heavy-tailed sources and ports, a contact of one to some packets, each source
 * with a country, a network, a class and a tool of its own. Same seed, same rows. */
#include "base/clock.h"
#include "base/rng.h"
#include "record/block.h"

#include <stdio.h>
#include <stdlib.h>

struct telescope {
    uint64_t seed;
    unsigned sites;
    uint32_t sources; /* in all */
    size_t contacts;  /* a window and site */
    unsigned packets; /* a contact, on average */
    int64_t start;    /* of window 0 */
};

enum {
    TELESCOPE_WINDOW_ROWS = 1 << 17
};

static inline void telescope_check(enum err e)
{
    if (!e)
        return;
    fprintf(stderr, "telescope: %s\n", err_text(e));
    exit(1);
}

static inline uint16_t telescope_port(struct rng *r)
{
    static const uint16_t busy[] = {
        23, 445, 22, 80, 8080, 3389, 443, 5555, 2323, 1433, 6379, 8443, 5060, 81, 8081, 37215};
    double u = rng_unit(r);
    if (u < 0.7)
        return busy[(size_t)(16 * rng_unit(r) * rng_unit(r))];
    return (uint16_t)(65535 * rng_unit(r) * rng_unit(r) * rng_unit(r));
}

/* Row `row` of `b`: one contact. */
static inline void telescope_contact(const struct telescope *t, struct block *b, size_t row,
    int64_t start, unsigned site, struct rng *r)
{
    static const char *const tools[] = {"", "", "", "", "zmap", "masscan", "mirai", "nmap"};
    char word[32];
    double u = rng_unit(r);
    uint64_t who = hash_two(t->seed, (uint64_t)(u * u * u * t->sources));
    uint64_t trait = hash_u64(who);
    uint64_t spread = rng_u64(r);
    uint32_t packets = 1 + (uint32_t)(rng_exponential(r) * (t->packets - 1));
    block_time(b, CONTACT_START)[row] = start;
    snprintf(word, sizeof word, "site-%02u", site);
    telescope_check(block_word(b, CONTACT_SITE, word, &block_name(b, CONTACT_SITE)[row]));
    block_ip(b, CONTACT_SRC)[row] = ip_from_v4((uint32_t)who);
    block_u8(b, CONTACT_PROTO)[row] = trait % 10 ? 6 : 17;
    block_u16(b, CONTACT_DPORT)[row] = telescope_port(r);
    const char *class = trait % 20 == 0 ? "survey" : trait % 7 == 0 ? "backscatter" : "scan";
    telescope_check(block_word(b, CONTACT_CLASS, class, &block_name(b, CONTACT_CLASS)[row]));
    telescope_check(
        block_word(b, CONTACT_TOOL, tools[trait >> 8 & 7], &block_name(b, CONTACT_TOOL)[row]));
    unsigned country = (unsigned)(trait >> 16 & 0xff) * (unsigned)(trait >> 24 & 0xff) / 256;
    word[0] = (char)('a' + country / 26);
    word[1] = (char)('a' + country % 26);
    word[2] = 0;
    telescope_check(block_word(b, CONTACT_COUNTRY, word, &block_name(b, CONTACT_COUNTRY)[row]));
    block_u32(b, CONTACT_ASN)[row] = 1 + country * 97 + (unsigned)(trait >> 32 & 63);
    block_u32(b, CONTACT_PACKETS)[row] = packets;
    block_u64(b, CONTACT_BYTES)[row] = packets * (40 + (trait >> 40 & 63));
    block_u64(b, CONTACT_DSTS)[row] = spread & hash_u64(spread);
    block_u64(b, CONTACT_SLOTS)[row] = (spread >> 3 | 1) & 0x0fffffffffffffff;
    block_u8(b, CONTACT_FLAGS)[row] = 2;
    block_u16(b, CONTACT_WIN)[row] = 0;
    block_time(b, CONTACT_FIRST)[row] = start + (int64_t)(spread % (uint64_t)(5 * US_MINUTE));
    block_time(b, CONTACT_LAST)[row] =
        start + 5 * US_MINUTE + (int64_t)(spread % (uint64_t)(4 * US_MINUTE));
}

/* The contacts of one window of all sites; at most `b`'s room. */
static inline void telescope_window(const struct telescope *t, uint64_t window, struct block *b)
{
    struct rng r;
    rng_seed(&r, hash_two(t->seed, window));
    block_clear(b);
    int64_t start = t->start + (int64_t)window * 10 * US_MINUTE;
    for (unsigned site = 0; site < t->sites; site++)
        for (size_t i = 0; i < t->contacts && b->rows < b->cap; i++) {
            telescope_contact(t, b, b->rows, start, site, &r);
            b->rows++;
        }
}

/* One packet of a contact. */
static inline void telescope_packet(
    const struct block *contacts, size_t contact, struct block *b, int64_t ts, struct rng *r)
{
    static const struct {
        size_t from, to;
    } words[] = {{CONTACT_SITE, PACKET_SITE}, {CONTACT_CLASS, PACKET_CLASS},
        {CONTACT_TOOL, PACKET_TOOL}, {CONTACT_COUNTRY, PACKET_COUNTRY}};
    size_t row = b->rows;
    uint64_t random = rng_u64(r);
    uint64_t more = rng_u64(r);
    bool tcp = block_u8(contacts, CONTACT_PROTO)[contact] == 6;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        telescope_check(block_word(b, words[i].to,
            block_word_at(contacts, words[i].from, contact), &block_name(b, words[i].to)[row]));
    block_time(b, PACKET_TS)[row] = ts;
    block_ip(b, PACKET_SRC)[row] = block_ip(contacts, CONTACT_SRC)[contact];
    block_ip(b, PACKET_DST)[row] = ip_from_v4(0x0a000000u | (uint32_t)(random & 0xffff));
    block_u8(b, PACKET_PROTO)[row] = block_u8(contacts, CONTACT_PROTO)[contact];
    block_u16(b, PACKET_SPORT)[row] = (uint16_t)(random >> 16);
    block_u16(b, PACKET_DPORT)[row] = block_u16(contacts, CONTACT_DPORT)[contact];
    block_u8(b, PACKET_TTL)[row] = (uint8_t)(40 + (more & 15));
    block_u16(b, PACKET_IP_ID)[row] = (uint16_t)(random >> 32);
    block_u16(b, PACKET_IP_LEN)[row] = tcp ? 44 : 60;
    block_u8(b, PACKET_TCP_FLAGS)[row] = tcp ? 2 : 0;
    block_u32(b, PACKET_TCP_SEQ)[row] = tcp ? (uint32_t)more : 0;
    block_u32(b, PACKET_TCP_ACK)[row] = 0;
    block_u16(b, PACKET_TCP_WIN)[row] = tcp ? (more & 1 ? 65535 : 1024) : 0;
    block_u32(b, PACKET_TCP_OPTS)[row] = tcp ? 0x12345678 : 0;
    block_u16(b, PACKET_QUIRKS)[row] = 0;
    block_u16(b, PACKET_PAYLOAD_LEN)[row] = tcp ? 0 : 32;
    block_u64(b, PACKET_PAYLOAD_HASH)[row] = tcp ? 0 : hash_u64(more & 1023);
    uint64_t payload[4] = {more & 1023, 1, 2, 3};
    telescope_check(block_bytes_add(b, PACKET_PAYLOAD, payload, tcp ? 0 : sizeof payload));
    block_u32(b, PACKET_ASN)[row] = block_u32(contacts, CONTACT_ASN)[contact];
    b->rows++;
}

/* All packets of the contacts, in time order, handed out in blocks as `full` gets them. */
static inline uint64_t telescope_packets(const struct telescope *t,
    const struct block *contacts, struct block *b,
    void (*full)(void *context, const struct block *b), void *context)
{
    struct rng r;
    uint64_t total = 0;
    uint64_t given = 0;
    for (size_t i = 0; i < contacts->rows; i++)
        total += block_u32(contacts, CONTACT_PACKETS)[i];
    rng_seed(&r, hash_two(t->seed, total));
    for (uint32_t round = 0; given < total; round++)
        for (size_t i = 0; i < contacts->rows; i++) {
            if (block_u32(contacts, CONTACT_PACKETS)[i] <= round)
                continue;
            int64_t into = (int64_t)(given * (uint64_t)(10 * US_MINUTE) / total);
            telescope_packet(contacts, i, b, block_time(contacts, CONTACT_START)[i] + into, &r);
            given++;
            if (b->rows == b->cap) {
                full(context, b);
                block_clear(b);
            }
        }
    return total;
}

#endif
