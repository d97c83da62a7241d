/* Captures for measuring, made by rule and seed: the same arguments give the same bytes.
 *
 *     bench_capture random|hour FILE [PACKETS]
 *
 * random: one SYN after the other from 2 million sources, few of them twice in a window, for an
 *         hour of a /20; what a spoofed flood looks like, and the worst case for tables of
 * sources. hour:   an hour of a /16 and 100,000 sources of very different diligence: scans with
 * the marks of four tools and without, datagrams with a payload, echo requests and backscatter.
 */
#include "base/hash.h"
#include "base/rng.h"
#include "decode/packet.h"
#include "sensor/capture_writer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_MOST = 128,
    PACKETS = 5000000,
    IP_HEADER = 20,
    TCP_HEADER = 20
};

static const int64_t start = INT64_C(1786000000000000);
static const int64_t hour = INT64_C(3600000000);
static const uint16_t ports[] = {23, 445, 22, 80, 8080, 2323, 5555, 6379, 3389, 1433, 81, 443};
static const uint16_t udp_ports[] = {53, 123, 161, 1900, 5060, 11211, 389, 53413};

struct frame_out {
    uint8_t at[FRAME_MOST];
    uint32_t len;
};

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

static void put_ip(struct frame_out *f, uint32_t src, uint32_t dst, uint8_t proto, uint32_t id)
{
    f->at[0] = 0x45;
    put16(f->at + 2, f->len);
    put16(f->at + 4, id);
    f->at[8] = (uint8_t)(40 + src % 20);
    f->at[9] = proto;
    put32(f->at + 12, src);
    put32(f->at + 16, dst);
}

/* One TCP packet without payload. */
struct tcp_out {
    uint32_t src, dst, id, seq, ack;
    uint16_t sport, dport, win;
    uint8_t flags;
    bool options; /* those of a Linux host */
};

static void put_tcp(struct frame_out *f, const struct tcp_out *t)
{
    static const uint8_t options[] = {
        2, 4, 5, 180, 4, 2, 8, 10, 0, 1, 2, 3, 0, 0, 0, 0, 1, 3, 3, 7};
    uint8_t *tcp = f->at + IP_HEADER;
    size_t more = t->options ? sizeof options : 0;
    memset(f, 0, sizeof *f);
    f->len = (uint32_t)(IP_HEADER + TCP_HEADER + more);
    put_ip(f, t->src, t->dst, PROTO_TCP, t->id);
    put16(tcp, t->sport);
    put16(tcp + 2, t->dport);
    put32(tcp + 4, t->seq);
    put32(tcp + 8, t->ack);
    tcp[12] = (uint8_t)((TCP_HEADER + more) / 4 << 4);
    tcp[13] = t->flags;
    put16(tcp + 14, t->win);
    memcpy(tcp + TCP_HEADER, options, more);
}

static void put_udp(
    struct frame_out *f, uint32_t src, uint32_t dst, uint16_t dport, uint32_t any)
{
    uint32_t payload = 16 + dport % 48;
    uint8_t *udp = f->at + IP_HEADER;
    memset(f, 0, sizeof *f);
    f->len = IP_HEADER + 8 + payload;
    put_ip(f, src, dst, PROTO_UDP, any);
    put16(udp, 1024 + any % 60000);
    put16(udp + 2, dport);
    put16(udp + 4, 8 + payload);
    for (uint32_t i = 0; i < payload; i++)
        udp[8 + i] = (uint8_t)(dport + 7 * i);
}

static void put_echo(struct frame_out *f, uint32_t src, uint32_t dst, uint32_t any)
{
    memset(f, 0, sizeof *f);
    f->len = IP_HEADER + 8;
    put_ip(f, src, dst, PROTO_ICMP, any);
    f->at[IP_HEADER] = 8;
    put16(f->at + IP_HEADER + 4, src);
    put16(f->at + IP_HEADER + 6, any >> 16);
}

static void make_random(struct rng *r, struct frame_out *f)
{
    struct tcp_out t = {.dst = 0xc6120000u | (uint32_t)rng_below(r, 4096), .flags = TCP_SYN};
    t.src = (uint32_t)hash_u64((uint64_t)(2e6 * rng_unit(r) * rng_unit(r)));
    t.id = rng_u32(r);
    t.sport = (uint16_t)(1024 + rng_below(r, 60000));
    t.dport = rng_unit(r) < 0.7 ? ports[(size_t)(12 * rng_unit(r) * rng_unit(r))]
                                : (uint16_t)rng_u32(r);
    t.seq = rng_u32(r);
    t.win = (uint16_t)(rng_u32(r) & 0xff);
    put_tcp(f, &t);
}

/* A source keeps to its tool, and mostly to its port. */
static void make_hour(struct rng *r, struct frame_out *f)
{
    double u = rng_unit(r);
    uint64_t who = hash_u64((uint64_t)(1e5 * u * u * u * u) + 1);
    uint32_t any = rng_u32(r), dst = 0xc6120000u | (any & 0xffff);
    struct tcp_out t = {.src = (uint32_t)who, .dst = dst, .flags = TCP_SYN};
    unsigned kind = who >> 32 & 15;
    uint64_t own = who >> 40;
    if (kind == 0 || kind == 1) {
        put_udp(f, t.src, dst, udp_ports[own % 8], rng_u32(r));
        return;
    }
    if (kind == 2) {
        put_echo(f, t.src, dst, rng_u32(r));
        return;
    }
    t.seq = rng_u32(r);
    t.id = any >> 16;
    t.sport = (uint16_t)(1024 + t.seq % 60000);
    t.dport = rng_unit(r) < 0.9 ? ports[own % 12] : (uint16_t)rng_u32(r);
    t.win = (uint16_t)(1024 + own % 8 * 4096);
    if (kind == 3) { /* ZMap, before 2024 */
        t.id = 54321;
        t.win = 65535;
    } else if (kind == 4) { /* Masscan */
        t.win = 1024;
        t.id = dst ^ t.dport ^ t.seq;
    } else if (kind == 5 || kind == 6) { /* Mirai */
        t.seq = dst;
    } else if (kind == 7) { /* who was attacked in the name of the telescope */
        t.dport = t.sport;
        t.sport = ports[own % 4];
        t.ack = t.seq + 1;
        t.flags = TCP_SYN | TCP_ACK;
    } else {
        t.options = kind > 9;
    }
    put_tcp(f, &t);
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    struct capture_writer *w;
    struct rng r;
    bool random = argc > 2 && strcmp(argv[1], "random") == 0;
    long packets = argc > 3 ? atol(argv[3]) : PACKETS;
    if (argc < 3 || (!random && strcmp(argv[1], "hour") != 0) || packets < 1) {
        fputs("bench_capture random|hour FILE [PACKETS]\n", stderr);
        return 2;
    }
    rng_seed(&r, 1);
    enum err e = capture_writer_open(&w, argv[2], LINK_RAW, 65535, &fault);
    if (e) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    for (long i = 0; !e && i < packets; i++) {
        struct frame_out f;
        (random ? make_random : make_hour)(&r, &f);
        e = capture_writer_put(w, start + (int64_t)((double)hour / (double)packets * (double)i),
            f.at, f.len, f.len);
    }
    enum err closed = capture_writer_close(w, &fault);
    return e || closed;
}
