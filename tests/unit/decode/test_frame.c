#include "base/checksum.h"
#include "decode/frame.h"

#include <string.h>
#include <test.h>

static uint8_t frame[FRAME_ROOM];

/* Written, and decoded again. */
static struct packet back(const struct packet *p, uint32_t payload_len)
{
    struct packet got;
    uint32_t wire = 0;
    size_t len = frame_write(p, payload_len, frame, &wire);
    assert_true(len <= wire && len <= FRAME_ROOM);
    assert_int_equal(decode_packet(LINK_RAW, bytes_over(frame, len), wire, &got), DECODE_OK);
    assert_memory_equal(&got.src, &p->src, sizeof p->src);
    assert_memory_equal(&got.dst, &p->dst, sizeof p->dst);
    assert_int_equal(got.proto, p->proto);
    assert_int_equal(got.ttl, p->ttl);
    assert_int_equal(got.sport, p->sport);
    assert_int_equal(got.dport, p->dport);
    assert_int_equal(got.tcp_flags, p->tcp_flags);
    assert_int_equal(got.tcp_seq, p->tcp_seq);
    assert_int_equal(got.tcp_ack, p->tcp_ack);
    assert_int_equal(got.tcp_win, p->tcp_win);
    assert_int_equal(got.payload.left, p->payload.left);
    if (got.payload.left)
        assert_memory_equal(got.payload.at, p->payload.at, p->payload.left);
    return got;
}

static const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o'};

static struct packet sample(uint8_t proto, bool v4)
{
    struct packet p = {.proto = proto,
        .ttl = 49,
        .ip_id = v4 ? 54321 : 0,
        .sport = 40000,
        .dport = 23,
        .payload = bytes_over(hello, sizeof hello)};
    const char *src = v4 ? "192.0.2.1" : "2001:db8::1";
    const char *dst = v4 ? "198.51.100.7" : "2001:db8::2";
    assert_int_equal(ip_parse(src, &p.src), OK);
    assert_int_equal(ip_parse(dst, &p.dst), OK);
    if (proto == PROTO_TCP) {
        p.tcp_flags = TCP_SYN | TCP_ECE;
        p.tcp_seq = 0x01020304;
        p.tcp_ack = 0xfffefdfc;
        p.tcp_win = 65535;
    }
    if (proto == PROTO_ICMP || proto == PROTO_ICMPV6) {
        p.sport = 3; /* code */
        p.dport = 8; /* type */
    }
    return p;
}

static void fields_come_back(void **state)
{
    (void)state;
    static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    for (size_t i = 0; i < 3; i++)
        for (int v4 = 0; v4 < 2; v4++) {
            uint8_t proto = protos[i] == PROTO_ICMP && !v4 ? PROTO_ICMPV6 : protos[i];
            struct packet p = sample(proto, v4);
            struct packet got = back(&p, 5);
            assert_int_equal(got.quirks, 0);
            assert_int_equal(got.ip_id, p.ip_id);
        }
}

/* Over pseudo-header and segment, checksum included, the sum of a right one is all ones. */
static void checksums_are_right(void **state)
{
    (void)state;
    struct packet p = sample(PROTO_TCP, true);
    (void)back(&p, 5);
    assert_int_equal(checksum_fold(checksum_add(0, frame, 20)), 0xffff);
    uint64_t sum = checksum_add(0, frame + 12, 8) + PROTO_TCP + 25;
    assert_int_equal(checksum_fold(checksum_add(sum, frame + 20, 25)), 0xffff);
    p = sample(PROTO_UDP, false);
    (void)back(&p, 5);
    sum = checksum_add(0, frame + 8, 32) + PROTO_UDP + 13;
    assert_int_equal(checksum_fold(checksum_add(sum, frame + 40, 13)), 0xffff);
    p = sample(PROTO_ICMP, true);
    (void)back(&p, 5);
    assert_int_equal(checksum_fold(checksum_add(0, frame + 20, 13)), 0xffff);
}

static void a_cut_payload_is_a_cut_packet(void **state)
{
    (void)state;
    struct packet p = sample(PROTO_UDP, true);
    struct packet got = back(&p, 900);
    assert_int_equal(got.quirks, QUIRK_SNAPPED);
    assert_int_equal(got.ip_len, 20 + 8 + 900);
    static uint8_t long_payload[FRAME_PAYLOAD_MAX + 1];
    uint32_t wire = 0;
    p.payload = bytes_over(long_payload, sizeof long_payload);
    assert_int_equal(frame_write(&p, 70000, frame, &wire), 28 + FRAME_PAYLOAD_MAX);
    assert_int_equal(wire, 70028);
}

static void fragments_stay_fragments(void **state)
{
    (void)state;
    for (int v4 = 0; v4 < 2; v4++) {
        struct packet p = sample(PROTO_UDP, v4);
        p.quirks = QUIRK_FRAG_FIRST;
        assert_true(back(&p, 5).quirks & QUIRK_FRAG_FIRST);
        p.quirks = QUIRK_FRAG_LATER;
        p.sport = p.dport = 0;
        assert_true(back(&p, 5).quirks & QUIRK_FRAG_LATER);
    }
}

static void other_protocols_are_payload(void **state)
{
    (void)state;
    struct packet p = sample(47, true);
    p.sport = p.dport = 0;
    (void)back(&p, 5);
}

static const struct CMUnitTest tests[] = {
    SAYS("what is written decodes to the same fields", fields_come_back),
    SAYS("checksums are right where the payload is whole", checksums_are_right),
    SAYS("a payload that is not whole makes a cut packet", a_cut_payload_is_a_cut_packet),
    SAYS("fragments stay fragments", fragments_stay_fragments),
    SAYS("what has no ports has its payload", other_protocols_are_payload),
};
TEST_MAIN(tests)
