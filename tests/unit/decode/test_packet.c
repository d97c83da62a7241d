#include "decode/packet.h"
#include "decode/tcp_options.h"
#include "hex.h"

#include <string.h>
#include <test.h>

/* 192.0.2.1:40000 -> 198.51.100.7:23, SYN, with the options of Linux and no payload. */
#define IP4_SYN                                                                                \
    "4500003c d4314000 f9060000 c0000201 c6336407"                                             \
    "9c40 0017 01020304 00000000 a002 faf0 0000 0000"                                          \
    "020405b4 0402 080a 0000000100000000 01 030307"

/* 2001:db8::1 -> 2001:db8::2, UDP 53 -> 123, payload "hello". */
#define IP6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002"
#define UDP_HELLO     "0035007b 000d0000 68656c6c6f"

static struct packet packet;

static enum decode_result decode(uint32_t link, const char *digits, uint32_t extra_on_wire)
{
    struct hex h = hex_of(digits);
    /* An exact copy, so that a sanitizer sees the edge. */
    static uint8_t *frame;
    free(frame);
    frame = malloc(h.len ? h.len : 1);
    assert_non_null(frame);
    memcpy(frame, h.data, h.len);
    return decode_packet(
        link, bytes_over(frame, h.len), (uint32_t)h.len + extra_on_wire, &packet);
}

static void assert_is_syn(uint16_t quirks)
{
    char text[IP_TEXT];
    assert_string_equal(ip_format(&packet.src, text), "192.0.2.1");
    assert_string_equal(ip_format(&packet.dst, text), "198.51.100.7");
    assert_int_equal(packet.proto, PROTO_TCP);
    assert_int_equal(packet.ttl, 249);
    assert_int_equal(packet.ip_id, 0xd431);
    assert_int_equal(packet.ip_len, 60);
    assert_int_equal(packet.sport, 40000);
    assert_int_equal(packet.dport, 23);
    assert_int_equal(packet.tcp_flags, TCP_SYN);
    assert_int_equal(packet.tcp_offset, 10);
    assert_int_equal(packet.tcp_win, 0xfaf0);
    assert_int_equal(packet.tcp_mss, 1460);
    assert_int_equal(packet.tcp_seq, 0x01020304);
    assert_int_equal(packet.tcp_ack, 0);
    assert_int_equal(packet.tcp_opts, 0x24813);
    assert_int_equal(packet.quirks, quirks);
    assert_int_equal(packet.payload.left, 0);
}

static void every_link(void **state)
{
    (void)state;
    static const struct {
        uint32_t link;
        const char *header;
        uint16_t quirks;
    } rows[] = {
        {LINK_ETHERNET, "020000000001 020000000002 0800", 0},
        {LINK_ETHERNET, "020000000001 020000000002 8100 0064 0800", QUIRK_VLAN},
        {LINK_ETHERNET, "020000000001 020000000002 88a8 0064 8100 0065 0800", QUIRK_VLAN},
        {LINK_ETHERNET, "020000000001 020000000002 9100 0064 8100 0065 0800", QUIRK_VLAN},
        {LINK_ETHERNET,
            "020000000001 020000000002 8100 0001 8100 0002 8100 0003 8100 0004"
            "8100 0005 8100 0006 8100 0007 8100 0008 0800",
            QUIRK_VLAN},
        {LINK_ETHERNET, "020000000001 020000000002 0044 aaaa03 000000 0800", 0},
        {LINK_RAW, "", 0},
        {LINK_RAW_BSD, "", 0},
        {LINK_RAW_OPENBSD, "", 0},
        {LINK_IPV4, "", 0},
        {LINK_SLL, "0000 0001 0006 0200000000020000 0800", 0},
        {LINK_SLL, "0000 0001 0006 0200000000020000 8100 0007 0800", QUIRK_VLAN},
        {LINK_SLL, "0000 0001 0006 0200000000020000 0060 020000000001 020000000002 0800", 0},
        {LINK_SLL, "0000 0001 0006 0200000000020000 0004 aaaa03 000000 0800", 0},
        {LINK_SLL2, "0800 0000 00000002 0001 00 06 0200000000020000", 0},
        {LINK_NULL, "02000000", 0},
        {LINK_NULL, "00000002", 0},
        {LINK_LOOP, "00000002", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char digits[512];
        snprintf(digits, sizeof digits, "%s %s", rows[i].header, IP4_SYN);
        assert_int_equal(decode(rows[i].link, digits, 0), DECODE_OK);
        assert_is_syn(rows[i].quirks);
    }
}

static void ip6_families(void **state)
{
    (void)state;
    static const char *const families[] = {
        "0a000000", "17000000", "18000000", "1c000000", "1e000000", "0000001e"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        char digits[512];
        snprintf(digits, sizeof digits, "%s 60000000 000d 11 40 %s %s", families[i],
            IP6_ADDRESSES, UDP_HELLO);
        assert_int_equal(decode(LINK_NULL, digits, 0), DECODE_OK);
        assert_int_equal(packet.dport, 123);
    }
}

static void link_failures(void **state)
{
    (void)state;
    static const struct {
        uint32_t link;
        const char *frame;
        enum decode_result result;
    } rows[] = {
        {LINK_ETHERNET, "", DECODE_LINK_SHORT},
        {LINK_ETHERNET, "020000000001 020000000002 08", DECODE_LINK_SHORT},
        {LINK_ETHERNET, "020000000001 020000000002 0806 0001", DECODE_NON_IP},
        {LINK_ETHERNET, "020000000001 020000000002 0026 424203 0000", DECODE_NON_IP},
        {LINK_ETHERNET, "020000000001 020000000002 8100 0064 08", DECODE_LINK_SHORT},
        {LINK_ETHERNET,
            "020000000001 020000000002 8100 0001 8100 0002 8100 0003 8100 0004"
            "8100 0005 8100 0006 8100 0007 8100 0008 8100 0009 0800" IP4_SYN,
            DECODE_LINK_BAD},
        {LINK_SLL, "0000 0001 0006 0200000000020000 08", DECODE_LINK_SHORT},
        {LINK_SLL, "0000 0001 0006 0200000000020000 0806", DECODE_NON_IP},
        {LINK_SLL2, "0800 0000 00000002 0001 00 06 02000000000200", DECODE_LINK_SHORT},
        {LINK_SLL2, "0806 0000 00000002 0001 00 06 0200000000020000", DECODE_NON_IP},
        {LINK_NULL, "020000", DECODE_LINK_SHORT},
        {LINK_NULL, "07000000", DECODE_NON_IP},
        {LINK_NULL, "07000700", DECODE_LINK_BAD},
        {LINK_RAW, "", DECODE_IP_SHORT},
        {LINK_RAW, "15", DECODE_IP_SHORT},
        {LINK_IPV6, IP4_SYN, DECODE_IP_BAD},
        {LINK_IPV4, "60000000 0000 3b 40" IP6_ADDRESSES, DECODE_IP_BAD},
        {105, "00", DECODE_LINK_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(decode(rows[i].link, rows[i].frame, 0), rows[i].result);
    assert_true(link_known(LINK_SLL2));
    assert_false(link_known(105));
}

static void padding(void **state)
{
    (void)state;
    assert_int_equal(decode(LINK_ETHERNET,
                         "020000000001 020000000002 0800"
                         "4500001e 00000000 40110000 c0000201 c6336407 0035007b 000a0000 6869"
                         "55555555555555555555555555555555",
                         0),
        DECODE_OK);
    assert_int_equal(packet.payload.left, 2);
    assert_memory_equal(packet.payload.at, "hi", 2);
    assert_int_equal(packet.quirks, 0);
    assert_int_equal(packet.ip_len, 30);
}

static void ip4_options(void **state)
{
    (void)state;
    assert_int_equal(
        decode(LINK_RAW,
            "46000021 00000000 40110000 c0000201 c6336407 94040000 0035007b 00090000 68", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_IP_OPTIONS);
    assert_int_equal(packet.sport, 53);
    assert_int_equal(packet.payload.left, 1);
    assert_int_equal(decode(LINK_RAW, "46000021 00000000 40110000 c0000201 c6336407 9404", 10),
        DECODE_IP_SHORT);
    assert_int_equal(
        decode(LINK_RAW, "44000021 00000000 40110000 c0000201 c6336407", 0), DECODE_IP_BAD);
}

static void ip4_fragments(void **state)
{
    (void)state;
    assert_int_equal(decode(LINK_RAW,
                         "45000024 00072000 40110000 c0000201 c6336407 0035007b 00640000"
                         "0102030405060708",
                         0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_FRAG_FIRST);
    assert_int_equal(packet.dport, 123);
    assert_int_equal(packet.payload.left, 8);
    assert_int_equal(
        decode(LINK_RAW, "4500001c 00070002 40110000 c0000201 c6336407 0102030405060708", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_FRAG_LATER);
    assert_int_equal(packet.proto, PROTO_UDP);
    assert_int_equal(packet.sport, 0);
    assert_int_equal(packet.dport, 0);
    assert_int_equal(packet.payload.left, 8);
    /* Do not fragment is no fragment. */
    assert_int_equal(
        decode(LINK_RAW, "4500001c 00074000 40110000 c0000201 c6336407 0035007b 00080000", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, 0);
}

static void big_tcp(void **state)
{
    (void)state;
    static uint8_t frame[70000];
    struct hex head = hex_of("45000000 00000000 40060000 c0000201 c6336407"
                             "9c400017 00000000 00000000 50100001 00000000");
    memcpy(frame, head.data, head.len);
    assert_int_equal(
        decode_packet(LINK_RAW, bytes_over(frame, sizeof frame), sizeof frame, &packet),
        DECODE_OK);
    assert_int_equal(packet.payload.left, sizeof frame - 40);
    assert_int_equal(packet.ip_len, 65535);
    assert_int_equal(packet.quirks, 0);
    /* Short enough for the field, and yet it says 0. */
    assert_int_equal(
        decode_packet(LINK_RAW, bytes_over(frame, 1000), 1000, &packet), DECODE_OK);
    assert_int_equal(packet.payload.left, 960);
    assert_int_equal(packet.ip_len, 0);
    assert_int_equal(packet.quirks, QUIRK_BAD_LENGTH);
}

static void ip4_lengths(void **state)
{
    (void)state;
    /* Says 100 bytes, the frame had 28. */
    assert_int_equal(
        decode(LINK_RAW, "45000064 00000000 40110000 c0000201 c6336407 0035007b 00080000", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_BAD_LENGTH);
    assert_int_equal(packet.dport, 123);
    /* Says 19 bytes, which is less than its header. */
    assert_int_equal(
        decode(LINK_RAW, "45000013 00000000 40110000 c0000201 c6336407 0035007b 00080000", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_BAD_LENGTH);
    assert_int_equal(packet.ip_len, 19);
    assert_int_equal(packet.dport, 123);
    /* Says 22 bytes: the ports end there, whatever follows in the frame. */
    assert_int_equal(
        decode(LINK_RAW, "45000016 00000000 40110000 c0000201 c6336407 0035007b 00080000", 0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_SHORT_HEADER);
    assert_int_equal(packet.sport, 53);
    assert_int_equal(packet.dport, 0);
}

static void ip6_plain(void **state)
{
    (void)state;
    assert_int_equal(
        decode(LINK_RAW, "60000000 000d 11 40" IP6_ADDRESSES UDP_HELLO "000000", 0), DECODE_OK);
    char text[IP_TEXT];
    assert_string_equal(ip_format(&packet.src, text), "2001:db8::1");
    assert_string_equal(ip_format(&packet.dst, text), "2001:db8::2");
    assert_int_equal(packet.proto, PROTO_UDP);
    assert_int_equal(packet.ttl, 64);
    assert_int_equal(packet.ip_len, 53);
    assert_int_equal(packet.ip_id, 0);
    assert_int_equal(packet.quirks, 0);
    assert_int_equal(packet.payload.left, 5);
    assert_memory_equal(packet.payload.at, "hello", 5);
}

static void ip6_extensions(void **state)
{
    (void)state;
    static const struct {
        const char *length_next, *chain;
        uint8_t proto;
        uint16_t quirks, dport;
    } rows[] = {
        {"0015 00", "11 00 0000 00000000" UDP_HELLO, 17, QUIRK_IP_OPTIONS, 123},
        {"001d 2b", "11 01 0000 00000000 0000000000000000" UDP_HELLO, 17, QUIRK_IP_OPTIONS,
            123},
        {"001d 00", "3c 00 0000 00000000 11 00 0000 00000000" UDP_HELLO, 17, QUIRK_IP_OPTIONS,
            123},
        {"0019 33", "11 01 0000 00000000 00000000" UDP_HELLO, 17, QUIRK_IP_OPTIONS, 123},
        {"0008 87", "3b 00 0000 00000000", 59, QUIRK_IP_OPTIONS, 0},
        {"0015 8b", "11 00 0000 00000000" UDP_HELLO, 17, QUIRK_IP_OPTIONS, 123},
        /* An atomic fragment (RFC 6946) is a whole packet. */
        {"0015 2c", "11 00 0000 00000007" UDP_HELLO, 17, QUIRK_IP_OPTIONS, 123},
        {"0015 2c", "11 00 0001 00000007 0035007b 00640000 0000000000", 17,
            QUIRK_IP_OPTIONS | QUIRK_FRAG_FIRST, 123},
        {"0015 2c", "11 00 0009 00000007" UDP_HELLO, 17, QUIRK_IP_OPTIONS | QUIRK_FRAG_LATER,
            0},
        /* Later fragments hold no headers, not even of extensions. */
        {"000a 2c", "3c 00 0008 00000007 ffff", 60, QUIRK_IP_OPTIONS | QUIRK_FRAG_LATER, 0},
        {"0008 32", "00000001 00000002", 50, 0, 0},
        {"0000 3b", "", 59, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char digits[512];
        snprintf(digits, sizeof digits, "60000000 %s 40 %s %s", rows[i].length_next,
            IP6_ADDRESSES, rows[i].chain);
        assert_int_equal(decode(LINK_IPV6, digits, 0), DECODE_OK);
        assert_int_equal(packet.proto, rows[i].proto);
        assert_int_equal(packet.quirks, rows[i].quirks);
        assert_int_equal(packet.dport, rows[i].dport);
    }
}

static enum decode_result decode_chain(int extensions)
{
    char digits[1024];
    int used = snprintf(
        digits, sizeof digits, "60000000 %04x 3c 40 %s", extensions * 8 + 13, IP6_ADDRESSES);
    for (int i = 1; i <= extensions; i++)
        used += snprintf(digits + used, sizeof digits - (size_t)used, "%s 00 0000 00000000",
            i == extensions ? "11" : "3c");
    snprintf(digits + used, sizeof digits - (size_t)used, UDP_HELLO);
    return decode(LINK_IPV6, digits, 0);
}

static void ip6_chain_cap(void **state)
{
    (void)state;
    assert_int_equal(decode_chain(8), DECODE_OK);
    assert_int_equal(packet.dport, 123);
    assert_int_equal(decode_chain(9), DECODE_EXT_BAD);
    /* Cut inside the chain. */
    assert_int_equal(
        decode(LINK_IPV6, "60000000 000d 00 40" IP6_ADDRESSES "11 00 0000", 9), DECODE_EXT_BAD);
    /* A header that says it is longer than the packet. */
    assert_int_equal(
        decode(LINK_IPV6, "60000000 0008 00 40" IP6_ADDRESSES "11 05 0000 00000000", 0),
        DECODE_EXT_BAD);
}

static void jumbogram(void **state)
{
    (void)state;
    static uint8_t frame[70000];
    struct hex head =
        hex_of("60000000 0000 00 40" IP6_ADDRESSES
               "06 00 c204 00011148 9c400017 00000000 00000000 50100001 00000000");
    memcpy(frame, head.data, head.len);
    assert_int_equal(
        decode_packet(LINK_IPV6, bytes_over(frame, sizeof frame), sizeof frame, &packet),
        DECODE_OK);
    assert_int_equal(packet.proto, PROTO_TCP);
    assert_int_equal(packet.payload.left, sizeof frame - 68);
    assert_int_equal(packet.ip_len, 65535);
    /* No payload at all, only padding of the frame. */
    assert_int_equal(
        decode(LINK_IPV6, "60000000 0000 06 40" IP6_ADDRESSES "000000000000", 0), DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_SHORT_HEADER);
    assert_int_equal(packet.ip_len, 40);
}

static void tcp_payload(void **state)
{
    (void)state;
    assert_int_equal(decode(LINK_RAW,
                         "4500002b 00000000 40060000 c0000201 c6336407 0050c000 00000001"
                         "00000002 50 d9 0400 00000000 616263 0000",
                         0),
        DECODE_OK);
    assert_int_equal(packet.payload.left, 3);
    assert_memory_equal(packet.payload.at, "abc", 3);
    assert_int_equal(packet.tcp_flags, TCP_CWR | TCP_ECE | TCP_ACK | TCP_PSH | TCP_FIN);
    assert_int_equal(packet.tcp_ack, 2);
    assert_int_equal(packet.tcp_opts, 0);
    assert_int_equal(packet.quirks, 0);
}

/* A SYN whose header has `options`, padded by the writer of the row to words. */
static void decode_options(const char *options, int words)
{
    char digits[512];
    snprintf(digits, sizeof digits,
        "4500 %04x 00000000 40060000 c0000201 c6336407 0050c000 00000001 00000002"
        "%x0 02 0400 00000000 %s",
        20 + words * 4, words, options);
    assert_int_equal(decode(LINK_RAW, digits, 0), DECODE_OK);
    assert_int_equal(packet.dport, 0xc000);
}

static void tcp_option_digests(void **state)
{
    (void)state;
    static const struct {
        const char *options, *text;
        int words;
        uint32_t digest;
        uint16_t mss, quirks;
    } rows[] = {
        {"", "-", 5, 0, 0, 0},
        {"020405b4", "mss", 6, 0x2, 1460, 0},
        {"02040218 01010402", "mss,nop,nop,sok", 7, 0x2114, 536, 0},
        {"020405b4 01030308 01010402", "mss,nop,ws,nop,nop,sok", 8, 0x213114, 1460, 0},
        {"020405b4 01030306 0101080a 00000001 00000000 04020000",
            "mss,nop,ws,nop,nop,ts,sok,eol", 11, 0x2131184e, 1460, 0},
        {"01010101 01010101 020405b4", "nop,nop,nop,nop,nop,nop,nop,nop", 8, 0x11111111, 1460,
            0},
        {"22020000", "tfo,eol", 6, 0xce, 0, 0},
        {"fe04f989", "?", 6, 0xf, 0, 0},
        /* What follows the end of the list is not looked at. */
        {"00020405", "eol", 6, 0xe, 0, 0},
        /* An MSS of the wrong length is one option more and no MSS. */
        {"0203050101010101", "mss,nop,nop,nop,nop,nop", 7, 0x211111, 0, 0},
        /* Lengths 0, 1, and past the end. */
        {"02000000", "mss", 6, 0x2, 0, QUIRK_BAD_LENGTH},
        {"01020100", "nop,mss", 6, 0x12, 0, QUIRK_BAD_LENGTH},
        {"01010209", "nop,nop,mss", 6, 0x112, 0, QUIRK_BAD_LENGTH},
        {"01010102", "nop,nop,nop,mss", 6, 0x1112, 0, QUIRK_BAD_LENGTH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        decode_options(rows[i].options, rows[i].words);
        assert_int_equal(packet.tcp_opts, rows[i].digest);
        assert_int_equal(packet.tcp_mss, rows[i].mss);
        assert_int_equal(packet.quirks, rows[i].quirks);
        assert_int_equal(packet.payload.left, 0);
        uint32_t parsed = 1;
        assert_int_equal(tcp_options_parse(rows[i].text, &parsed), OK);
        assert_int_equal(parsed, rows[i].digest);
    }
}

static void tcp_option_words(void **state)
{
    (void)state;
    uint32_t digest = 7;
    static const char *const bad[] = {"", ",", "mss,", "mss,,nop", "MSS", "mss nop", "-,mss",
        "nop,nop,nop,nop,nop,nop,nop,nop,nop"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tcp_options_parse(bad[i], &digest), ERR_BAD);
    assert_int_equal(digest, 7);
}

static void tcp_lengths(void **state)
{
    (void)state;
    /* A data offset of four words. */
    assert_int_equal(decode(LINK_RAW,
                         "4500002b 00000000 40060000 c0000201 c6336407 0050c000 00000001"
                         "00000002 4002 0400 00000000 616263",
                         0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_BAD_LENGTH);
    assert_int_equal(packet.tcp_win, 0x400);
    assert_int_equal(packet.payload.left, 3);
    /* Fifteen words in a packet that has seven. */
    assert_int_equal(decode(LINK_RAW,
                         "45000030 00000000 40060000 c0000201 c6336407 0050c000 00000001"
                         "00000002 f002 0400 00000000 020405b4 01010402",
                         0),
        DECODE_OK);
    assert_int_equal(packet.quirks, QUIRK_BAD_LENGTH);
    assert_int_equal(packet.tcp_mss, 1460);
    assert_int_equal(packet.tcp_opts, 0x2114);
    assert_int_equal(packet.payload.left, 0);
}

static void udp_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *length;
        uint16_t quirks;
        size_t payload;
    } rows[] = {
        {"000d", 0, 5},
        {"000a", QUIRK_BAD_LENGTH, 2},
        {"0008", QUIRK_BAD_LENGTH, 0},
        {"0007", QUIRK_BAD_LENGTH, 5},
        {"0000", QUIRK_BAD_LENGTH, 5},
        {"0100", QUIRK_BAD_LENGTH, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char digits[256];
        snprintf(digits, sizeof digits,
            "45000021 00000000 40110000 c0000201 c6336407 0035007b %s 0000 68656c6c6f",
            rows[i].length);
        assert_int_equal(decode(LINK_RAW, digits, 0), DECODE_OK);
        assert_int_equal(packet.quirks, rows[i].quirks);
        assert_int_equal(packet.payload.left, rows[i].payload);
        assert_int_equal(packet.dport, 123);
    }
}

static void icmp(void **state)
{
    (void)state;
    assert_int_equal(
        decode(LINK_RAW,
            "4500001e 00000000 40010000 c0000201 c6336407 0800 0000 1234 0007 6869", 0),
        DECODE_OK);
    assert_int_equal(packet.dport, 8);
    assert_int_equal(packet.sport, 0);
    assert_int_equal(packet.icmp_id, 0x1234);
    assert_int_equal(packet.icmp_seq, 7);
    assert_int_equal(packet.payload.left, 2);
    /* Port unreachable: the payload is the packet that it answers. */
    assert_int_equal(decode(LINK_RAW,
                         "45000038 00000000 40010000 c0000201 c6336407 0303 0000 00000005"
                         "4500001c 00000000 40110000 c6336407 c0000201 0035007b 00080000",
                         0),
        DECODE_OK);
    assert_int_equal(packet.dport, 3);
    assert_int_equal(packet.sport, 3);
    assert_int_equal(packet.icmp_id, 0);
    assert_int_equal(packet.icmp_seq, 0);
    assert_int_equal(packet.payload.left, 28);
    assert_int_equal(packet.payload.at[0], 0x45);
    assert_int_equal(
        decode(LINK_RAW, "60000000 0008 3a ff" IP6_ADDRESSES "8100 0000 0102 0304", 0),
        DECODE_OK);
    assert_int_equal(packet.dport, 129);
    assert_int_equal(packet.icmp_id, 0x0102);
    assert_int_equal(packet.icmp_seq, 0x0304);
    /* Type 8 of ICMPv6 is no echo. */
    assert_int_equal(
        decode(LINK_RAW, "60000000 0008 3a ff" IP6_ADDRESSES "0800 0000 0102 0304", 0),
        DECODE_OK);
    assert_int_equal(packet.icmp_id, 0);
}

static void other_protocols(void **state)
{
    (void)state;
    assert_int_equal(
        decode(LINK_RAW, "45000018 00000000 402f0000 c0000201 c6336407 00000800", 0),
        DECODE_OK);
    assert_int_equal(packet.proto, 47);
    assert_int_equal(packet.sport, 0);
    assert_int_equal(packet.payload.left, 4);
    assert_int_equal(packet.quirks, 0);
}

/* Fields of a header that is cut at `len` bytes of the frame. */
static void cut_everywhere(void **state)
{
    (void)state;
    struct hex whole = hex_of("020000000001 020000000002 0800" IP4_SYN);
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *frame = malloc(len ? len : 1);
        assert_non_null(frame);
        memcpy(frame, whole.data, len);
        enum decode_result result =
            decode_packet(LINK_ETHERNET, bytes_over(frame, len), (uint32_t)whole.len, &packet);
        assert_int_equal(result, len < 14   ? DECODE_LINK_SHORT
                                 : len < 34 ? DECODE_IP_SHORT
                                            : DECODE_OK);
        if (result == DECODE_OK) {
            assert_int_equal(packet.quirks, QUIRK_SNAPPED | QUIRK_SHORT_HEADER);
            assert_int_equal(packet.sport, len < 36 ? 0 : 40000);
            assert_int_equal(packet.dport, len < 38 ? 0 : 23);
            assert_int_equal(packet.tcp_seq, len < 42 ? 0 : 0x01020304);
            assert_int_equal(packet.tcp_flags, len < 48 ? 0 : TCP_SYN);
            assert_int_equal(packet.tcp_win, len < 50 ? 0 : 0xfaf0);
            assert_int_equal(packet.tcp_mss, len < 58 ? 0 : 1460);
            assert_int_equal(packet.payload.left, 0);
        }
        free(frame);
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(decode_name(DECODE_OK), "ok");
    assert_string_equal(decode_name(DECODE_LINK_UNKNOWN), "link_unknown");
    assert_string_equal(decode_name(DECODE_RESULTS), "unknown");
}

static const struct CMUnitTest tests[] = {
    SAYS("the same packet comes out of every link type", every_link),
    SAYS("the IPv6 address families of all systems are known", ip6_families),
    SAYS("a link header that is cut, impossible or not IP gives its own cause", link_failures),
    SAYS("padding of the frame is not payload", padding),
    SAYS("IPv4 options are stepped over and told", ip4_options),
    SAYS("first fragments have ports, later ones have none", ip4_fragments),
    SAYS("an IPv4 total length of 0 means the whole frame", big_tcp),
    SAYS("an IPv4 length that contradicts the frame is told", ip4_lengths),
    SAYS("an IPv6 packet ends where its length says", ip6_plain),
    SAYS("IPv6 extension headers lead to the transport", ip6_extensions),
    SAYS("a chain of more than eight extension headers, or a cut one, is refused",
        ip6_chain_cap),
    SAYS("a jumbogram has no length of its own", jumbogram),
    SAYS("TCP flags and payload are those of the segment", tcp_payload),
    SAYS(
        "the digest of TCP options reads as their kinds, also of bad ones", tcp_option_digests),
    SAYS("words that are no TCP options are refused", tcp_option_words),
    SAYS("a TCP data offset that is too small or too large is told", tcp_lengths),
    SAYS("a UDP length that contradicts IP is told", udp_lengths),
    SAYS("ICMP has type and code for ports, echo its numbers", icmp),
    SAYS("other protocols keep their number and have a payload", other_protocols),
    SAYS("a frame cut anywhere gives the fields before the cut and zero after it",
        cut_everywhere),
    SAYS("every result has its name", names),
};
TEST_MAIN(tests)
