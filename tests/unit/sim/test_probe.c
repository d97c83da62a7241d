#include "base/hash.h"
#include "decode/packet.h"
#include "sim/probe.h"
#include "test.h"

#include <string.h>

/* A probe of a style to a random address and port, as a capture would show it. */
static struct packet seen_as(enum style style, enum probe_kind kind, enum payload payload,
    struct rng *r, const struct host *h, uint8_t frame[PROBE_FRAME_MAX])
{
    struct host other = host_make(rng_u32(r), 0, style, r);
    struct probe p = {.ts = 1000000, .kind = (uint8_t)kind, .payload = (uint8_t)payload};
    p.dst = rng_u32(r);
    p.dport = (uint16_t)(1 + rng_below(r, 65535));
    probe_stamp(&p, h ? h : &other, r);
    size_t len = probe_frame(&p, LINK_RAW, frame);
    struct packet packet;
    assert_int_equal(
        decode_packet(LINK_RAW, bytes_over(frame, len), (uint32_t)len, &packet), DECODE_OK);
    assert_int_equal(packet.quirks & ~QUIRK_VLAN, 0);
    assert_int_equal(packet.ip_len, len);
    return packet;
}

static void masscan(void **state)
{
    (void)state;
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 1);
    for (int i = 0; i < 200; i++) {
        enum style style = i & 1 ? STYLE_MASSCAN : STYLE_MASSCAN_OLD;
        struct packet p = seen_as(style, PROBE_SYN, PAYLOAD_NONE, &r, NULL, frame);
        assert_int_equal(p.ip_id, (uint16_t)(ip_v4(&p.dst) ^ p.dport ^ p.tcp_seq));
        assert_int_equal(p.tcp_win, style == STYLE_MASSCAN ? 1025 : 1024);
        assert_int_equal(p.tcp_mss, style == STYLE_MASSCAN ? 1460 : 0);
        assert_int_equal(p.ip_len, style == STYLE_MASSCAN ? 44 : 40);
        assert_in_range(p.ttl, 225, 250);
    }
}

static void mirai(void **state)
{
    (void)state;
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 2);
    struct host h = host_make(0x01020304, 0, STYLE_MIRAI, &r);
    for (int i = 0; i < 100; i++) {
        struct packet p = seen_as(STYLE_MIRAI, PROBE_SYN, PAYLOAD_NONE, &r, &h, frame);
        assert_int_equal(p.tcp_seq, ip_v4(&p.dst));
        assert_int_equal(p.tcp_opts, 0);
        assert_int_equal(p.sport, h.sport);
        assert_true(p.sport >= 1024);
    }
}

static void zmap(void **state)
{
    (void)state;
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 3);
    int same = 0;
    for (int i = 0; i < 200; i++) {
        struct packet old = seen_as(STYLE_ZMAP_OLD, PROBE_SYN, PAYLOAD_NONE, &r, NULL, frame);
        assert_int_equal(old.ip_id, 54321);
        assert_int_equal(old.tcp_win, 65535);
        assert_int_equal(old.ip_len, 40);
        struct packet new = seen_as(STYLE_ZMAP, PROBE_SYN, PAYLOAD_NONE, &r, NULL, frame);
        assert_int_equal(new.tcp_win, 65535);
        assert_in_range(new.ttl, 38, 60);
        same += new.ip_id == 54321;
    }
    assert_true(same <= 1);
}

static void pairs(void **state)
{
    (void)state;
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 4);
    struct host nmap = host_make(0x01020304, 0, STYLE_NMAP, &r);
    struct host unicorn = host_make(0x01020305, 0, STYLE_UNICORN, &r);
    for (int i = 0; i < 100; i++) {
        struct packet a = seen_as(STYLE_NMAP, PROBE_SYN, PAYLOAD_NONE, &r, &nmap, frame);
        struct packet b = seen_as(STYLE_NMAP, PROBE_SYN, PAYLOAD_NONE, &r, &nmap, frame);
        uint32_t x = a.tcp_seq ^ b.tcp_seq;
        assert_int_equal(x >> 16, x & 0xffff);
        assert_true(a.tcp_win % 1024 == 0 && a.tcp_win <= 4096 && a.tcp_mss == 1460);
        a = seen_as(STYLE_UNICORN, PROBE_SYN, PAYLOAD_NONE, &r, &unicorn, frame);
        b = seen_as(STYLE_UNICORN, PROBE_SYN, PAYLOAD_NONE, &r, &unicorn, frame);
        uint32_t ports_a = (uint32_t)a.sport << 16 | a.dport;
        uint32_t ports_b = (uint32_t)b.sport << 16 | b.dport;
        assert_int_equal(
            a.tcp_seq ^ b.tcp_seq, ip_v4(&a.dst) ^ ip_v4(&b.dst) ^ ports_a ^ ports_b);
    }
}

static void angry(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 5);
    struct packet p = seen_as(STYLE_ANGRY, PROBE_ECHO, PAYLOAD_LETTERS, &r, NULL, frame);
    assert_int_equal(p.proto, PROTO_ICMP);
    assert_int_equal(p.dport, 8);
    assert_int_equal(p.payload.left, 32);
    assert_memory_equal(p.payload.at, zeros, 32);
}

/* Flags of every kind as a victim or a scanner sends them. */
static void kinds(void **state)
{
    (void)state;
    static const struct {
        enum probe_kind kind;
        uint8_t proto, flags;
    } rows[] = {{PROBE_SYN, PROTO_TCP, TCP_SYN}, {PROBE_SYN_ACK, PROTO_TCP, TCP_SYN | TCP_ACK},
        {PROBE_RST, PROTO_TCP, TCP_RST}, {PROBE_UDP, PROTO_UDP, 0}, {PROBE_ECHO, PROTO_ICMP, 0},
        {PROBE_UNREACHABLE, PROTO_ICMP, 0}, {PROBE_DNS_ANSWER, PROTO_UDP, 0}};
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct packet p = seen_as(STYLE_LINUX, rows[i].kind, PAYLOAD_NONE, &r, NULL, frame);
        assert_int_equal(p.proto, rows[i].proto);
        assert_int_equal(p.proto, probe_proto(rows[i].kind));
        assert_int_equal(p.tcp_flags, rows[i].flags);
        if (rows[i].kind == PROBE_UNREACHABLE)
            assert_int_equal(p.dport, 3);
    }
}

/* RFC 1071 over a range with a starting sum: 0xffff when the checksum in it is right. */
static uint32_t folded(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void checksums(void **state)
{
    (void)state;
    struct rng r;
    uint8_t frame[PROBE_FRAME_MAX];
    rng_seed(&r, 7);
    for (int i = 0; i < 700; i++) {
        enum probe_kind kind = (enum probe_kind)(i % 7);
        enum payload payload = (enum payload)(i % PAYLOAD_COUNT);
        enum style style = (enum style)(i % STYLE_COUNT);
        struct packet p = seen_as(style, kind, payload, &r, NULL, frame);
        assert_int_equal(folded(frame, 20, 0), 0xffff);
        size_t len = p.ip_len - 20u;
        uint32_t pseudo =
            p.proto == PROTO_ICMP ? 0 : folded(frame + 12, 8, 0) + p.proto + (uint32_t)len;
        assert_int_equal(folded(frame + 20, len, pseudo), 0xffff);
    }
}

static void ethernet(void **state)
{
    (void)state;
    struct rng r;
    uint8_t raw[PROBE_FRAME_MAX], framed[PROBE_FRAME_MAX];
    rng_seed(&r, 8);
    struct host h = host_make(0x0a0b0c0d, 0, STYLE_LINUX, &r);
    struct probe p = {.ts = 5, .kind = PROBE_SYN, .dst = 0xc6120001, .dport = 23};
    probe_stamp(&p, &h, &r);
    size_t len = probe_frame(&p, LINK_RAW, raw);
    assert_int_equal(probe_frame(&p, LINK_ETHERNET, framed), len + 14);
    assert_memory_equal(framed + 14, raw, len);
    struct packet packet;
    assert_int_equal(
        decode_packet(LINK_ETHERNET, bytes_over(framed, len + 14), (uint32_t)len + 14, &packet),
        DECODE_OK);
    assert_int_equal(ip_v4(&packet.src), 0x0a0b0c0d);
}

static const struct CMUnitTest tests[] = {
    SAYS("masscan's packets keep the relation of IP-ID, address, port and sequence", masscan),
    SAYS("mirai's sequence number is the address it asks", mirai),
    SAYS("zmap's old constant is in the old packets and not in the new", zmap),
    SAYS("two packets of nmap or unicornscan are related as their sources say", pairs),
    SAYS("an Angry IP Scanner ping carries 32 zero bytes", angry),
    SAYS("each kind of probe decodes to its protocol and flags", kinds),
    SAYS("all checksums are right", checksums),
    SAYS("the same packet with and without an Ethernet header", ethernet),
};

TEST_MAIN(tests)
