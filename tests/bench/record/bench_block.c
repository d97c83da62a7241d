/* Blocks of 131,072 packet rows (seed 1; 8 sites, 200 countries, 12 tools, a payload in one row
 * of 8): prints name, rows/s, ns a row, bytes a row. */
#include "base/clock.h"
#include "base/rng.h"
#include "record/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROWS = 1 << 17,
    ROUNDS = 20
};

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void check(enum err e)
{
    if (!e)
        return;
    fprintf(stderr, "bench_block: %s\n", err_text(e));
    exit(1);
}

static void fill_words(
    struct block *b, size_t column, const char *stem, unsigned most, struct rng *r)
{
    for (size_t i = 0; i < ROWS; i++) {
        char word[32];
        snprintf(word, sizeof word, "%s%u", stem, (unsigned)rng_below(r, most));
        check(block_word(b, column, word, &block_name(b, column)[i]));
    }
}

static struct block *make(void)
{
    struct rng r;
    struct block *b = NULL;
    rng_seed(&r, 1);
    check(block_new(&b, &record_packet, ROWS));
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t payload[64] = {0};
        block_time(b, PACKET_TS)[i] = 1700000000 * US_SECOND + (int64_t)i * 10;
        block_ip(b, PACKET_SRC)[i] = ip_from_v4(rng_u32(&r));
        block_ip(b, PACKET_DST)[i] = ip_from_v4(0x0a000000 | (rng_u32(&r) & 0xffff));
        block_u8(b, PACKET_PROTO)[i] = 6;
        block_u16(b, PACKET_SPORT)[i] = (uint16_t)rng_u32(&r);
        block_u16(b, PACKET_DPORT)[i] = (uint16_t)rng_below(&r, 1000);
        block_u8(b, PACKET_TTL)[i] = (uint8_t)(40 + rng_below(&r, 24));
        block_u16(b, PACKET_IP_ID)[i] = (uint16_t)rng_u32(&r);
        block_u16(b, PACKET_IP_LEN)[i] = 40;
        block_u8(b, PACKET_TCP_FLAGS)[i] = 2;
        block_u32(b, PACKET_TCP_SEQ)[i] = rng_u32(&r);
        block_u32(b, PACKET_TCP_ACK)[i] = 0;
        block_u16(b, PACKET_TCP_WIN)[i] = 65535;
        block_u32(b, PACKET_TCP_OPTS)[i] = 0;
        block_u16(b, PACKET_QUIRKS)[i] = 0;
        block_u16(b, PACKET_PAYLOAD_LEN)[i] = 0;
        block_u64(b, PACKET_PAYLOAD_HASH)[i] = 0;
        block_u32(b, PACKET_ASN)[i] = rng_u32(&r) % 60000;
        check(block_bytes_add(b, PACKET_PAYLOAD, payload, i % 8 ? 0 : 64));
    }
    fill_words(b, PACKET_SITE, "site-", 8, &r);
    fill_words(b, PACKET_TOOL, "tool-", 12, &r);
    fill_words(b, PACKET_CLASS, "class-", 6, &r);
    fill_words(b, PACKET_COUNTRY, "c", 200, &r);
    b->rows = ROWS;
    return b;
}

static void line(const char *name, double start, double bytes)
{
    double spent = (seconds() - start) / ROUNDS;
    printf("%-14s %7.2f M rows/s %6.1f ns/row %6.1f bytes/row\n", name, ROWS / spent / 1e6,
        spent / ROWS * 1e9, bytes / ROWS);
}

int main(void)
{
    struct block *b = make();
    struct block *copy = NULL;
    struct buf wire;
    buf_init(&wire, block_encoded_max(b->kind) * 2);
    check(block_new(&copy, b->kind, ROWS));
    check(block_encode(b, &wire));
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(&wire);
        check(block_encode(b, &wire));
    }
    line("block_encode", start, (double)wire.len);
    start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        struct block *back = NULL;
        check(block_decode(&back, b->kind, bytes_over(wire.data, wire.len), NULL));
        block_free(back);
    }
    line("block_decode", start, (double)wire.len);
    start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        block_clear(copy);
        check(block_append(copy, b, 0, ROWS));
    }
    line("block_append", start, (double)wire.len);
    start = seconds();
    volatile uint64_t digest = 0;
    for (int i = 0; i < ROUNDS; i++)
        digest = block_digest(b);
    (void)digest;
    line("block_digest", start, (double)wire.len);
    start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(&wire);
        check(block_pack(b, 1, &wire));
    }
    line("block_pack 1", start, (double)wire.len);
    block_free(b);
    block_free(copy);
    buf_done(&wire);
    return 0;
}
