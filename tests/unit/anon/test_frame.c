#include "anon/frame.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "record/proto.h"
#include "sensor/source.h"
#include "test.h"

static const uint8_t secret[ANON_SECRET] = "a secret of thirty-two bytes...";

struct site {
    struct anon_keys *keys;
    struct anon *anon;
    uint8_t *room;
};

static struct site site_with(const char *document)
{
    struct site s = {.room = malloc(ANON_FRAME_ROOM)};
    struct anon_policy p;
    struct fault f = {0};
    assert_non_null(s.room);
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK)
        fail_msg("%s", f.text);
    assert_int_equal(anon_keys_from(&s.keys, secret), OK);
    assert_int_equal(anon_new(&s.anon, &p, s.keys, 0), OK);
    return s;
}

static void site_done(struct site *s)
{
    anon_free(s->anon);
    anon_keys_close(s->keys);
    free(s->room);
}

static enum anon_frame_result change(const struct site *s, uint32_t link, const uint8_t *data,
    size_t len, struct anon_frame *ret)
{
    enum anon_frame_result result;
    struct fault f;
    uint8_t *copy = malloc(len + !len); /* as long as it is, so that sanitizers see the end */
    memcpy(copy, data, len);
    const struct anon_captured in = {
        .link = link, .wire_len = (uint32_t)len, .bytes = bytes_over(copy, len)};
    *ret = (struct anon_frame){.data = s->room};
    assert_int_equal(anon_frame(s->anon, &in, ret, &result, &f), OK);
    free(copy);
    return result;
}

/* Is the transport checksum of a whole, unfragmented IP packet right? -1: it cannot be told. */
static int sum_is_right(const uint8_t *ip, size_t len, size_t wire)
{
    struct packet p;
    size_t at = ip[0] >> 4 == 4 ? (ip[0] & 15u) * 4u : 40;
    if (decode_packet(LINK_RAW, bytes_over(ip, len), (uint32_t)wire, &p) != DECODE_OK)
        return -1;
    if (p.quirks & (QUIRK_SNAPPED | QUIRK_FRAG_FIRST | QUIRK_FRAG_LATER | QUIRK_SHORT_HEADER |
                       QUIRK_BAD_LENGTH))
        return -1;
    if (ip[0] >> 4 == 6 && ip[6] != p.proto)
        return -1;
    if (ip[0] >> 4 == 4 && p.proto == PROTO_ICMP)
        return checksum_fold(checksum_add(0, ip + at, len - at)) == 0xffff;
    if (p.proto != PROTO_TCP && p.proto != PROTO_UDP && p.proto != PROTO_ICMPV6)
        return -1;
    if (p.proto == PROTO_UDP && !ip[at + 6] && !ip[at + 7])
        return -1;
    uint64_t sum = p.proto + len - at;
    sum = ip[0] >> 4 == 4 ? checksum_add(sum, ip + 12, 8) : checksum_add(sum, ip + 8, 32);
    return checksum_fold(checksum_add(sum, ip + at, len - at)) == 0xffff;
}

static bool header_is_right(const uint8_t *ip)
{
    return checksum_fold(checksum_add(0, ip, (ip[0] & 15u) * 4u)) == 0xffff;
}

static const char *const captures[] = {
    "pcaps/ddos/stopddos-snmp-amp.pcapng",
    "pcaps/ddos/stopddos-synflood-spoofed.pcap",
    "pcaps/ddos/stopddos-syn-ecn-cwr-flood.pcapng",
    "pcaps/ddos/stopddos-tcp-reflection-synack.pcap",
    "pcaps/ddos/ndpi-dns-frag-backscatter.pcap",
    "pcaps/dns/ndpi-dns-exfiltration.pcap",
    "pcaps/dns/ndpi-bad-dns.pcap",
    "pcaps/dns/ndpi-dns-fragmented.pcap",
    "pcaps/amp-proto/zeek-mdns.pcap",
    "pcaps/amp-proto/ndpi-netbios-ns.pcap",
    "pcaps/iot-malware/zeek-sshguess.pcap",
    "pcaps/exploit/ndpi-web-rce.pcap",
};

struct tally {
    size_t frames, written, told, v6, quoted;
};

/* One frame: right stays right, wrong stays wrong, and what comes out is a packet. */
static void check_frame(
    const struct site *s, const struct frame *in, struct tally *t, const char *file)
{
    struct bytes ip = bytes_over(in->data, in->len);
    struct anon_frame out;
    t->frames++;
    bool is_ip = decode_link(in->link, &ip) == DECODE_OK;
    if (change(s, in->link, in->data, in->len, &out) != ANON_FRAME_WRITTEN)
        return;
    assert_true(is_ip);
    t->written++;
    assert_true(out.len <= out.wire_len);
    bool four = ip.at[0] >> 4 == 4;
    t->v6 += !four;
    if (four && (ip.at[2] || ip.at[3]))
        assert_int_equal(header_is_right(ip.at), header_is_right(out.data));
    size_t total =
        four ? (size_t)(ip.at[2] << 8 | ip.at[3]) : 40 + (size_t)(ip.at[4] << 8 | ip.at[5]);
    if (total > ip.left || !total)
        return;
    int before = sum_is_right(ip.at, total, total);
    int after = sum_is_right(out.data, out.len, out.wire_len);
    if (before < 0 || after < 0)
        return;
    t->told++;
    if (before != after)
        fail_msg("%s, frame %zu: checksum was %s, is %s", file, t->frames,
            before ? "right" : "wrong", after ? "right" : "wrong");
}

static void check_capture(const struct site *s, const char *file, struct tally *t)
{
    char path[512];
    struct source *source;
    struct frame frames[64];
    struct fault f;
    size_t n;
    assert_int_equal(source_open_file(&source, test_data(file, path), &f), OK);
    while (source_next(source, frames, 64, 0, &n, &f) == OK)
        for (size_t i = 0; i < n; i++)
            check_frame(s, &frames[i], t, file);
    source_close(source);
}

/* Skips the test if one is missing, before there is what could leak. */
static void need_captures(void)
{
    char path[512];
    for (size_t i = 0; i < sizeof captures / sizeof *captures; i++)
        test_data(captures[i], path);
}

static void checksums(void **state)
{
    (void)state;
    need_captures();
    static const char *const documents[] = {
        ("{\"source\": \"prefix\", \"destination\": \"prefix\", \"payload\": \"keep\","
         "\"dns\": \"keep\"}"),
        "{\"source\": \"hash\", \"payload\": \"drop\", \"numbers\": \"drop\"}",
        "{\"destination\": \"drop\", \"payload\": \"hash\", \"source_port\": \"class\"}",
        "{\"destination\": \"keep\", \"payload\": \"keep\", \"dns\": \"hash\"}",
        "{\"payload\": {\"method\": \"first\", \"bytes\": 64}, \"dns\": \"domain\"}",
    };
    for (size_t d = 0; d < sizeof documents / sizeof *documents; d++) {
        struct site s = site_with(documents[d]);
        struct tally t = {0};
        for (size_t i = 0; i < sizeof captures / sizeof *captures; i++)
            check_capture(&s, captures[i], &t);
        assert_true(t.written > t.frames * 9 / 10);
        assert_true(t.told > t.frames / 2);
        assert_true(t.v6 > 0);
        site_done(&s);
    }
}

/* Does an address of four different bytes stand anywhere in what came out? */
static bool stands_in(const struct ip *ip, const struct anon_frame *f)
{
    const uint8_t *b = ip->byte + 12;
    if (!ip_is_v4(ip) || !b[0] || !b[1] || !b[2] || b[3] < 2)
        return false;
    return memmem(f->data, f->len, b, 4) != NULL;
}

static void no_address(void **state)
{
    (void)state;
    need_captures();
    struct site s = site_with("{\"source\": \"hash\", \"destination\": \"hash\","
                              "\"payload\": \"length\", \"numbers\": \"relation\"}");
    for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
        char path[512];
        struct source *source;
        struct frame frames[64];
        struct fault f;
        size_t n;
        assert_int_equal(source_open_file(&source, test_data(captures[i], path), &f), OK);
        while (source_next(source, frames, 64, 0, &n, &f) == OK)
            for (size_t k = 0; k < n; k++) {
                struct anon_frame out;
                if (change(&s, frames[k].link, frames[k].data, frames[k].len, &out) !=
                    ANON_FRAME_WRITTEN)
                    continue;
                if (stands_in(&out.src, &out) || stands_in(&out.dst, &out))
                    fail_msg("%s: an address is left", captures[i]);
            }
        source_close(source);
    }
    site_done(&s);
}

/* Ethernet, VLAN 7, a port unreachable from 198.51.100.9 to our 192.0.2.5, about a UDP packet
 * that claims to be from 192.0.2.5 port 4000 to 203.0.113.8 port 53. */
static const uint8_t unreachable[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7, 8, 0,
    0x45, 0, 0, 56, 0x12, 0x34, 0, 0, 64, 1, 0, 0, 198, 51, 100, 9, 192, 0, 2, 5, 3, 3, 0, 0, 0,
    0, 0, 0, 0x45, 0, 0, 60, 0xab, 0xcd, 0, 0, 63, 17, 0, 0, 192, 0, 2, 5, 203, 0, 113, 8, 0x0f,
    0xa0, 0, 53, 0, 40, 0x77, 0x77,
    /* Padding, which is none of the packet's. */
    9, 9, 9, 9};

enum {
    OUTER = 18,
    ICMP = OUTER + 20,
    INNER = ICMP + 8,
};

static void put_sum(uint8_t *data, size_t len, size_t at)
{
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, data, len));
    data[at] = (uint8_t)(sum >> 8);
    data[at + 1] = (uint8_t)sum;
}

static void make_unreachable(uint8_t frame[sizeof unreachable])
{
    memcpy(frame, unreachable, sizeof unreachable);
    put_sum(frame + OUTER, 20, 10);
    put_sum(frame + INNER, 20, 10);
    put_sum(frame + ICMP, 36, 2);
}

static void quotes(void **state)
{
    (void)state;
    uint8_t frame[sizeof unreachable];
    struct anon_frame out;
    make_unreachable(frame);
    struct site s = site_with("{\"source\": \"prefix\", \"destination\": \"hash\","
                              "\"source_port\": \"class\", \"destination_port\": \"drop\"}");
    assert_int_equal(change(&s, LINK_ETHERNET, frame, sizeof frame, &out), ANON_FRAME_WRITTEN);
    assert_int_equal(out.len, 56);
    assert_true(header_is_right(out.data));
    assert_true(header_is_right(out.data + 28));
    assert_int_equal(checksum_fold(checksum_add(0, out.data + 20, 36)), 0xffff);
    /* Our address is one, wherever it stands. */
    assert_memory_equal(out.data + 16, out.data + 28 + 12, 4);
    assert_memory_not_equal(out.data + 16, frame + OUTER + 16, 4);
    assert_memory_not_equal(out.data + 28 + 16, frame + INNER + 16, 4);
    /* 4000 was our port, 53 the victim's. */
    static const uint8_t ports[4] = {0, 0, 0, 0};
    assert_memory_equal(out.data + 48, ports, 4);
    /* The quoted checksum differs by what has changed under it. */
    uint64_t before =
        checksum_add(checksum_add(0, frame + INNER + 12, 8), frame + INNER + 20, 6);
    uint64_t after = checksum_add(checksum_add(0, out.data + 28 + 12, 8), out.data + 48, 6);
    assert_int_equal(out.data[54] << 8 | out.data[55], checksum_mend(0x7777, before, after));
    site_done(&s);
}

static void cuts(void **state)
{
    (void)state;
    uint8_t frame[sizeof unreachable];
    make_unreachable(frame);
    struct site s = site_with("{\"source\": \"prefix\"}");
    for (size_t len = 0; len <= sizeof frame; len++) {
        struct anon_frame out;
        enum anon_frame_result r = change(&s, LINK_ETHERNET, frame, len, &out);
        assert_true(len >= OUTER + 20 ? r == ANON_FRAME_WRITTEN : r != ANON_FRAME_WRITTEN);
        if (r == ANON_FRAME_WRITTEN)
            assert_true(out.len <= out.wire_len && out.len <= len);
    }
    site_done(&s);
}

/* A query for www.example.com to 192.0.2.5, raw IPv4. */
static size_t make_query(uint8_t *ip)
{
    static const uint8_t head[] = {0x45, 0, 0, 61, 0, 1, 0, 0, 64, 17, 0, 0, 198, 51, 100, 9,
        192, 0, 2, 5, 0x30, 0x39, 0, 53, 0, 41, 0, 0, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    static const char name[] = "\3www\7example\3com\0\0\1\0\1";
    memcpy(ip, head, sizeof head);
    memcpy(ip + sizeof head, name, sizeof name - 1);
    size_t len = sizeof head + sizeof name - 1;
    assert_int_equal(len, 61);
    put_sum(ip, 20, 10);
    uint64_t sum = checksum_add(checksum_add(17 + 41, ip + 12, 8), ip + 20, 41);
    uint16_t right = (uint16_t)~checksum_fold(sum);
    ip[26] = (uint8_t)(right >> 8);
    ip[27] = (uint8_t)right;
    assert_int_equal(sum_is_right(ip, len, len), 1);
    return len;
}

static void queries(void **state)
{
    (void)state;
    uint8_t ip[128];
    struct anon_frame out;
    size_t len = make_query(ip);
    struct site s = site_with("{\"payload\": \"keep\", \"dns\": \"hash\"}");
    assert_int_equal(change(&s, LINK_RAW, ip, len, &out), ANON_FRAME_WRITTEN);
    /* Two labels of 12 letters, "com", type and class. */
    assert_int_equal(out.len, 28 + 12 + 2 * 13 + 5 + 4);
    assert_int_equal(out.wire_len, out.len);
    assert_int_equal(out.data[2] << 8 | out.data[3], out.len);
    assert_int_equal(out.data[24] << 8 | out.data[25], out.len - 20);
    assert_int_equal(sum_is_right(out.data, out.len, out.wire_len), 1);
    assert_true(header_is_right(out.data));
    assert_null(memmem(out.data, out.len, "example", 7));
    assert_memory_equal(out.data + out.len - 9, "\3com\0\0\1\0\1", 9);
    site_done(&s);
}

static void sequence(void **state)
{
    (void)state;
    uint8_t syn[40] = {0x45, 0, 0, 40, 0xd4, 0x31, 0, 0, 64, 6, 0, 0, 198, 51, 100, 9, 192, 0,
        2, 5, 0x30, 0x39, 0, 23, 192, 0, 2, 5, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0};
    struct anon_frame out;
    struct site s = site_with("{}");
    assert_int_equal(change(&s, LINK_RAW, syn, sizeof syn, &out), ANON_FRAME_WRITTEN);
    assert_memory_equal(out.data + 16, out.data + 24, 4);
    assert_memory_not_equal(out.data + 24, syn + 24, 4);
    assert_memory_equal(out.data + 4, "\0\0", 2);
    site_done(&s);
}

static void left_out(void **state)
{
    (void)state;
    static const uint8_t arp[42] = {[12] = 8, [13] = 6};
    static const uint8_t neighbour[64] = {0x60, 0, 0, 0, 0, 24, 58, 255, [40] = 135};
    static const uint8_t routed[64] = {0x60, 0, 0, 0, 0, 24, 43, 64, [40] = 59, [43] = 1};
    struct anon_frame out;
    struct site s = site_with("{}");
    assert_int_equal(change(&s, LINK_ETHERNET, arp, sizeof arp, &out), ANON_FRAME_NON_IP);
    assert_int_equal(change(&s, 9999, arp, sizeof arp, &out), ANON_FRAME_NON_IP);
    assert_int_equal(change(&s, LINK_RAW, neighbour, sizeof neighbour, &out), ANON_FRAME_LOCAL);
    assert_int_equal(change(&s, LINK_RAW, routed, sizeof routed, &out), ANON_FRAME_ROUTED);
    site_done(&s);
}

static const struct CMUnitTest tests[] = {
    SAYS("checksums of real captures that were right are right, wrong ones wrong", checksums),
    SAYS("no address of a real packet stands anywhere in what comes out of it", no_address),
    SAYS("what an ICMP error quotes changes with its sides swapped, and all sums are mended",
        quotes),
    SAYS("a frame that is cut anywhere is left out or stays within its bytes", cuts),
    SAYS("a DNS query keeps its form with another name, lengths and checksums", queries),
    SAYS("a sequence number that is the destination follows it", sequence),
    SAYS("frames that hold a link's own addresses are left out", left_out),
};
TEST_MAIN(tests)
