#include "sensor/classify.h"
#include "test.h"

#include <string.h>

static struct packet tcp(uint8_t flags)
{
    return (struct packet){.proto = PROTO_TCP,
        .src = ip_from_v4(0xc6336401),
        .dst = ip_from_v4(0xc0000201),
        .sport = 443,
        .dport = 50000,
        .tcp_flags = flags};
}

static struct packet udp(uint16_t sport, const void *payload, size_t len)
{
    return (struct packet){.proto = PROTO_UDP,
        .src = ip_from_v4(0xc6336401),
        .dst = ip_from_v4(0xc0000201),
        .sport = sport,
        .dport = 50000,
        .payload = bytes_over(payload, len)};
}

static struct packet icmp(uint8_t proto, uint16_t type)
{
    return (struct packet){.proto = proto, .dport = type, .dst = ip_from_v4(0xc0000201)};
}

static void expect(const struct packet *p, enum packet_class want)
{
    assert_string_equal(class_name(classify_packet(p)), class_name(want));
}

static void tcp_by_flags(void **state)
{
    (void)state;
    static const struct {
        uint8_t flags;
        enum packet_class want;
    } rows[] = {
        {TCP_SYN, CLASS_SCAN},
        {TCP_SYN | TCP_ECE | TCP_CWR, CLASS_SCAN},
        {TCP_SYN | TCP_ACK, CLASS_BACKSCATTER},
        {TCP_RST, CLASS_BACKSCATTER},
        {TCP_RST | TCP_ACK, CLASS_BACKSCATTER},
        {TCP_RST | TCP_ACK | TCP_PSH, CLASS_BACKSCATTER},
        {0, CLASS_SCAN},
        {TCP_FIN, CLASS_SCAN},
        {TCP_FIN | TCP_PSH | TCP_URG, CLASS_SCAN},
        {TCP_ACK, CLASS_OTHER},
        {TCP_ACK | TCP_PSH, CLASS_OTHER},
        {TCP_SYN | TCP_FIN, CLASS_OTHER},
        {TCP_SYN | TCP_RST, CLASS_OTHER},
        {TCP_FIN | TCP_ACK, CLASS_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct packet p = tcp(rows[i].flags);
        expect(&p, rows[i].want);
    }
}

static void udp_by_payload(void **state)
{
    (void)state;
    static const uint8_t dns_answer[12] = {0x12, 0x34, 0x81, 0x80};
    static const uint8_t dns_query[12] = {0x12, 0x34, 0x01, 0x00};
    static const uint8_t ntp_server[48] = {0x24};
    static const uint8_t ntp_client[48] = {0x23};
    static const uint8_t ntp_monlist_answer[48] = {0xd7, 0x00, 0x03, 0x2a};
    static const uint8_t ntp_monlist_query[48] = {0x17, 0x00, 0x03, 0x2a};
    static const uint8_t ntp_control_answer[12] = {0x16, 0x82};
    static const uint8_t ntp_control_query[12] = {0x16, 0x02};
    static const uint8_t snmp_answer[] = {
        0x30, 0x0d, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xa2, 0x00};
    static const uint8_t snmp_query[] = {
        0x30, 0x0d, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xa5, 0x00};
    static const uint8_t snmp_broken[] = {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1};
    static const uint8_t cldap_answer[] = {0x30, 0x84, 0, 0, 0, 9, 2, 1, 7, 0x64, 0x00};
    const struct {
        uint16_t sport;
        const void *payload;
        size_t len;
        enum packet_class want;
    } rows[] = {
        {53, dns_answer, 12, CLASS_BACKSCATTER},
        {53, dns_query, 12, CLASS_SCAN},
        {53, dns_answer, 11, CLASS_SCAN},
        {5353, dns_answer, 12, CLASS_BACKSCATTER},
        {54, dns_answer, 12, CLASS_SCAN},
        {123, ntp_server, 48, CLASS_BACKSCATTER},
        {123, ntp_client, 48, CLASS_SCAN},
        {123, ntp_monlist_answer, 48, CLASS_BACKSCATTER},
        {123, ntp_monlist_query, 48, CLASS_SCAN},
        {123, ntp_control_answer, 12, CLASS_BACKSCATTER},
        {123, ntp_control_query, 12, CLASS_SCAN},
        {161, snmp_answer, sizeof snmp_answer, CLASS_BACKSCATTER},
        {161, snmp_query, sizeof snmp_query, CLASS_SCAN},
        {161, snmp_broken, sizeof snmp_broken, CLASS_SCAN},
        {389, cldap_answer, sizeof cldap_answer, CLASS_BACKSCATTER},
        {1900, "HTTP/1.1 200 OK", 15, CLASS_BACKSCATTER},
        {1900, "M-SEARCH * HTTP/1.1", 19, CLASS_SCAN},
        {5060, "SIP/2.0 200 OK", 14, CLASS_BACKSCATTER},
        {5060, "OPTIONS sip:100@192.0.2.1", 25, CLASS_SCAN},
        {40000, "", 0, CLASS_SCAN},
        {53, "", 0, CLASS_SCAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct packet p = udp(rows[i].sport, rows[i].payload, rows[i].len);
        expect(&p, rows[i].want);
    }
}

static void icmp_by_type(void **state)
{
    (void)state;
    static const uint8_t answers[] = {0, 3, 4, 5, 11, 12, 14, 16, 18};
    static const uint8_t questions[] = {8, 13, 15, 17};
    static const uint8_t answers6[] = {1, 2, 3, 4, 129, 140};
    for (size_t i = 0; i < sizeof answers; i++) {
        struct packet p = icmp(PROTO_ICMP, answers[i]);
        expect(&p, CLASS_BACKSCATTER);
    }
    for (size_t i = 0; i < sizeof questions; i++) {
        struct packet p = icmp(PROTO_ICMP, questions[i]);
        expect(&p, CLASS_SCAN);
    }
    for (size_t i = 0; i < sizeof answers6; i++) {
        struct packet p = icmp(PROTO_ICMPV6, answers6[i]);
        expect(&p, CLASS_BACKSCATTER);
    }
    struct packet request = icmp(PROTO_ICMPV6, 128), advertisement = icmp(PROTO_ICMPV6, 134);
    expect(&request, CLASS_SCAN);
    expect(&advertisement, CLASS_OTHER);
}

static void cut_headers(void **state)
{
    (void)state;
    struct packet p = tcp(TCP_SYN);
    p.quirks = QUIRK_SHORT_HEADER;
    expect(&p, CLASS_OTHER);
    p.quirks = QUIRK_FRAG_LATER;
    expect(&p, CLASS_OTHER);
    p.quirks = QUIRK_SNAPPED;
    expect(&p, CLASS_SCAN);
}

static void quoted_victim(void **state)
{
    (void)state;
    uint8_t quote[28] = {0x45, [9] = PROTO_TCP};
    memcpy(quote + 12, (const uint8_t[]){192, 0, 2, 1}, 4);
    memcpy(quote + 16, (const uint8_t[]){203, 0, 113, 9}, 4);
    struct packet p = icmp(PROTO_ICMP, 11);
    p.src = ip_from_v4(0x0a000001);
    p.payload = bytes_over(quote, sizeof quote);
    struct ip victim = classify_victim(&p);
    assert_int_equal(ip_v4(&victim), 0xcb007109);

    /* The quote is cut before its destination. */
    p.payload = bytes_over(quote, 19);
    victim = classify_victim(&p);
    assert_int_equal(ip_v4(&victim), 0x0a000001);

    /* The quote is about another address than the one that got the error. */
    quote[15] = 7;
    p.payload = bytes_over(quote, sizeof quote);
    victim = classify_victim(&p);
    assert_int_equal(ip_v4(&victim), 0x0a000001);
}

static void quoted_victim6(void **state)
{
    (void)state;
    struct packet p = icmp(PROTO_ICMPV6, 1);
    struct ip want;
    assert_int_equal(ip_parse("2001:db8::1", &p.dst), OK);
    assert_int_equal(ip_parse("2001:db8:1::9", &want), OK);
    assert_int_equal(ip_parse("2001:db8:2::1", &p.src), OK);
    uint8_t quote[48] = {0x60};
    memcpy(quote + 8, &p.dst, 16);
    memcpy(quote + 24, &want, 16);
    p.payload = bytes_over(quote, sizeof quote);
    struct ip victim = classify_victim(&p);
    assert_true(ip_same(&victim, &want));
}

static void services(void **state)
{
    (void)state;
    struct packet p = tcp(TCP_SYN | TCP_ACK);
    assert_int_equal(classify_service(&p, CLASS_BACKSCATTER), 443);
    assert_int_equal(classify_service(&p, CLASS_SCAN), 50000);
    struct packet echo = icmp(PROTO_ICMP, 3);
    assert_int_equal(classify_service(&echo, CLASS_BACKSCATTER), 3);
}

static const struct CMUnitTest tests[] = {
    SAYS("TCP is told by its flags: SYN and stealth probes ask, SYN-ACK and RST answer",
        tcp_by_flags),
    SAYS("UDP is an answer only when its payload has what answers alone have", udp_by_payload),
    SAYS("ICMP and ICMPv6 are told by type", icmp_by_type),
    SAYS("a packet without its whole transport header is in no class", cut_headers),
    SAYS("the victim of an ICMP error is whom the quoted packet went to", quoted_victim),
    SAYS("the victim of an ICMPv6 error is whom the quoted packet went to", quoted_victim6),
    SAYS("backscatter is counted under the port that answers", services),
};
TEST_MAIN(tests)
