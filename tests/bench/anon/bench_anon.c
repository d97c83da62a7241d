/* Addresses through each method, and packet blocks through a policy.
 *
 *     bench_anon [CAPTURE...]
 *
 * Addresses are those of the captures, source and destination of every packet in their order,
 * IPv4; without one, of scans from 20,000 sources into a /16. "fresh" looks nothing up in the
 * cache, so that it does not matter what repeats. */
#include "anon/anon.h"

#include "anon/cryptopan_int.h"
#include "anon/permute_int.h"
#include "base/rng.h"
#include "bench.h"
#include "decode/packet.h"
#include "record/proto.h"
#include "sensor/source.h"

#include <string.h>

enum {
    ADDRESSES_MAX = 1 << 21,
    SIMULATED = 1 << 20,
    RUN = 4096,
    ROUNDS = 20,
    ROWS = 8192,
};

static const uint8_t key[CRYPTOPAN_KEY] = "a key for measurements, no other";

struct trace {
    uint32_t *four;
    struct ip *any;
    size_t count;
};

static void add(struct trace *t, const struct ip *ip)
{
    if (!ip_is_v4(ip) || t->count == ADDRESSES_MAX)
        return;
    t->any[t->count] = *ip;
    t->four[t->count++] = ip_v4(ip);
}

static int read_capture(struct trace *t, const char *path)
{
    struct source *s;
    struct fault f;
    struct frame frames[256];
    size_t n;
    if (source_open_file(&s, path, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    while (source_next(s, frames, 256, 0, &n, &f) == OK)
        for (size_t i = 0; i < n; i++) {
            struct packet p;
            struct bytes in = bytes_over(frames[i].data, frames[i].len);
            if (decode_packet(frames[i].link, in, frames[i].wire_len, &p) != DECODE_OK)
                continue;
            add(t, &p.src);
            add(t, &p.dst);
        }
    source_close(s);
    return 0;
}

static void simulate(struct trace *t)
{
    struct rng r;
    rng_seed(&r, 1);
    while (t->count < SIMULATED) {
        struct rng who;
        rng_seed(&who, (uint64_t)(rng_unit(&r) * rng_unit(&r) * 20000));
        struct ip src = ip_from_v4(rng_u32(&who));
        struct ip dst = ip_from_v4(0x2c000000u | (rng_u32(&r) & 0xffff));
        add(t, &src);
        add(t, &dst);
    }
}

static void measure_pan(const struct trace *t, bool fresh)
{
    struct bench b = {0};
    struct cryptopan *p;
    uint32_t run[RUN];
    uint32_t sum = 0;
    if (cryptopan_new(&p, key))
        return;
    for (int round = 0; round < ROUNDS; round++) {
        bench_begin(&b);
        for (size_t at = 0; at < t->count; at += RUN) {
            size_t n = t->count - at < RUN ? t->count - at : RUN;
            memcpy(run, t->four + at, n * sizeof *run);
            cryptopan_map4(p, run, n, fresh);
            sum += run[0];
        }
        bench_end(&b);
    }
    bench_print(&b, fresh ? "Crypto-PAn IPv4, fresh" : "Crypto-PAn IPv4", "addresses",
        (double)t->count);
    if (sum == 1)
        printf("\n");
    cryptopan_free(p);
}

static void measure_new(void)
{
    struct bench b = {0};
    for (int round = 0; round < ROUNDS; round++) {
        struct cryptopan *p;
        bench_begin(&b);
        enum err e = cryptopan_new(&p, key);
        bench_end(&b);
        if (!e)
            cryptopan_free(p);
    }
    bench_print(&b, "Crypto-PAn, make the table", "keys", 1);
}

static void measure_pan6(void)
{
    struct bench b = {0};
    struct cryptopan *p;
    static struct ip before[RUN], run[RUN];
    struct rng r;
    if (cryptopan_new(&p, key))
        return;
    rng_seed(&r, 1);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < RUN; i++)
            for (size_t k = 0; k < 16; k++)
                before[i].byte[k] = (uint8_t)rng_u32(&r);
        memcpy(run, before, sizeof run);
        bench_begin(&b);
        cryptopan_map(p, run, RUN);
        bench_end(&b);
    }
    bench_print(&b, "Crypto-PAn IPv6, random", "addresses", RUN);
    cryptopan_free(p);
}

static void measure_permute(const struct trace *t)
{
    struct bench b = {0};
    struct permute *p;
    static struct ip run[RUN];
    if (permute_new(&p, key))
        return;
    for (int round = 0; round < ROUNDS; round++) {
        bench_begin(&b);
        for (size_t at = 0; at < t->count; at += RUN) {
            size_t n = t->count - at < RUN ? t->count - at : RUN;
            memcpy(run, t->any + at, n * sizeof *run);
            permute_map(p, run, n);
        }
        bench_end(&b);
    }
    bench_print(&b, "keyed hash IPv4", "addresses", (double)t->count);
    permute_free(p);
}

/* Rows as of SYN scans, every fourth with a payload. */
static struct block *rows_of(const struct trace *t)
{
    static const uint8_t payload[64] = "GET / HTTP/1.1\r\nHost: example\r\n";
    struct block *b;
    if (block_new(&b, &record_packet, ROWS))
        exit(1);
    for (size_t i = 0; i < ROWS; i++) {
        enum err e = block_bytes_add(b, PACKET_PAYLOAD, payload, i % 4 ? 0 : sizeof payload);
        for (size_t c = 0; c < PACKET_COLUMNS && !e; c++)
            if (record_packet.columns[c].type == COLUMN_NAME)
                e = block_word(b, c, "", &block_name(b, c)[i]);
        if (e)
            exit(1);
        block_time(b, PACKET_TS)[i] = (int64_t)i;
        block_ip(b, PACKET_SRC)[i] = t->any[2 * i % t->count];
        block_ip(b, PACKET_DST)[i] = t->any[(2 * i + 1) % t->count];
        block_u8(b, PACKET_PROTO)[i] = PROTO_TCP;
        block_u32(b, PACKET_TCP_SEQ)[i] = (uint32_t)i;
        block_u16(b, PACKET_QUIRKS)[i] = 0;
        b->rows++;
    }
    return b;
}

static void measure_block(const struct trace *t, const char *name, const char *document)
{
    struct bench b = {0};
    struct anon_policy policy;
    struct anon_keys *keys;
    struct anon *a;
    struct fault f;
    if (anon_policy_parse(&policy, bytes_over(document, strlen(document)), &f) ||
        anon_keys_from(&keys, key) || anon_new(&a, &policy, keys, 0))
        exit(1);
    struct block *rows = rows_of(t), *copy;
    if (block_new(&copy, &record_packet, ROWS))
        exit(1);
    for (int round = 0; round < ROUNDS; round++) {
        block_clear(copy);
        if (block_append(copy, rows, 0, ROWS))
            exit(1);
        bench_begin(&b);
        enum err e = anon_block(a, copy, &f);
        bench_end(&b);
        if (e)
            exit(1);
    }
    bench_print(&b, name, "packets", ROWS);
    block_free(rows);
    block_free(copy);
    anon_free(a);
    anon_keys_close(keys);
}

int main(int argc, char **argv)
{
    struct trace t = {.four = malloc(ADDRESSES_MAX * sizeof *t.four),
        .any = malloc(ADDRESSES_MAX * sizeof *t.any)};
    if (!t.four || !t.any)
        return 1;
    for (int i = 1; i < argc; i++)
        if (read_capture(&t, argv[i]))
            return 1;
    if (!t.count)
        simulate(&t);
    printf("%zu addresses\n", t.count);
    measure_new();
    measure_pan(&t, false);
    measure_pan(&t, true);
    measure_pan6();
    measure_permute(&t);
    measure_block(&t, "block, default policy", "{}");
    measure_block(&t, "block, all prefix-preserving",
        "{\"source\": \"prefix\", \"destination\": \"prefix\"}");
    measure_block(&t, "block, truncated, no payload",
        "{\"destination\": {\"method\": \"truncate\", \"ipv4\": 24, \"ipv6\": 48},"
        "\"payload\": \"drop\", \"numbers\": \"drop\"}");
    free(t.four);
    free(t.any);
    return 0;
}
