#include "sensor/fingerprint.h"

#include "base/rng.h"
#include "capture.h"

#include <math.h>

static struct fingerprints *builtin(void)
{
    struct fingerprints *set;
    struct fault fault;
    enum err e = fingerprints_new(&set, &fault);
    if (e)
        fail_msg("%s", fault.text);
    return set;
}

static size_t rule_of(const struct fingerprints *set, const char *id)
{
    for (size_t i = 0; i < fingerprints_count(set); i++)
        if (strcmp(fingerprints_at(set, i)->id, id) == 0)
            return i;
    fail_msg("no rule %s", id);
    return 0;
}

static bool hit(const struct fingerprint_hits *h, size_t rule)
{
    for (unsigned i = 0; i < h->count; i++)
        if (h->rule[i] == rule)
            return true;
    return false;
}

/* Packets of a capture that match a rule for single packets. */
static size_t matches(const char *name, const char *id)
{
    struct capture c;
    size_t n = 0;
    capture_read(&c, name);
    struct fingerprints *set = builtin();
    for (size_t i = 0; i < c.count; i++) {
        struct fingerprint_hits h;
        fingerprints_match(set, &c.packet[i], &h);
        n += hit(&h, rule_of(set, id));
    }
    capture_free(&c);
    fingerprints_free(set);
    return n;
}

/* Consecutive packets that meet a pairwise rule's condition, and how many of these pairs
 * satisfy it. */
static void pair_matches(const char *name, const char *id, size_t *pairs, size_t *satisfied)
{
    struct capture c;
    struct fingerprint_packet last = {0};
    uint32_t last_each = 0;
    *pairs = *satisfied = 0;
    capture_read(&c, name);
    struct fingerprints *set = builtin();
    size_t rule = rule_of(set, id);
    for (size_t i = 0; i < c.count; i++) {
        struct fingerprint_hits h;
        fingerprints_match(set, &c.packet[i], &h);
        if (!h.each)
            continue;
        struct fingerprint_packet now = fingerprint_packet_of(&c.packet[i]);
        struct fingerprint_hits paired = {0};
        fingerprints_match_pair(set, &last, &now, h.each & last_each, &paired);
        *satisfied += hit(&paired, rule);
        *pairs += (h.each & last_each) != 0;
        last = now;
        last_each = h.each;
    }
    capture_free(&c);
    fingerprints_free(set);
}

static void zmap_captures(void **state)
{
    (void)state;
    assert_int_equal(matches("pcaps/tool-generated/zmap-tcp23.pcap", "zmap-tcp"), 256);
    assert_int_equal(matches("pcaps/tool-generated/zmap-icmp.pcap", "zmap-icmp"), 256);
    assert_int_equal(matches("pcaps/scan/ndpi-srvloc427-real-scans.pcap", "zmap-udp"), 343);
}

static void masscan_capture(void **state)
{
    (void)state;
    assert_int_equal(matches("pcaps/tool-generated/masscan-tcp.pcap", "masscan-2013"), 768);
    assert_int_equal(matches("pcaps/tool-generated/masscan-tcp.pcap", "masscan-other"), 768);
}

static void mirai_capture(void **state)
{
    (void)state;
    assert_int_equal(matches("pcaps/scan/sv-mirai-syn23.pcap", "mirai"), 2);
}

static void nmap_captures(void **state)
{
    (void)state;
    size_t pairs, satisfied;
    pair_matches("pcaps/tool-generated/nmap-ss.pcap", "nmap-syn", &pairs, &satisfied);
    assert_int_equal(pairs, 127);
    assert_true(satisfied >= 125);
    assert_int_equal(
        matches("pcaps/scan/sanders-nmap-os-detect.pcapng", "nmap-os-sequence"), 6);
    assert_int_equal(matches("pcaps/tool-generated/nmap-os.pcap", "nmap-os-tests"), 3);
    assert_int_equal(matches("pcaps/tool-generated/nmap-os.pcap", "nmap-os-icmp"), 2);
    assert_int_equal(matches("pcaps/tool-generated/nmap-os.pcap", "nmap-os-udp"), 1);
}

/* 16 packets of each scan: 15 pairs within each of Xmas, FIN and NULL, and 15 of ACK. */
static void nmap_stealth(void **state)
{
    (void)state;
    static const char name[] = "pcaps/tool-generated/nmap-xmas-fin-null-ack.pcap";
    size_t pairs, satisfied;
    pair_matches(name, "nmap-stealth", &pairs, &satisfied);
    assert_int_equal(satisfied, 45);
    pair_matches(name, "nmap-ack", &pairs, &satisfied);
    assert_int_equal(satisfied, 15);
}

static struct packet plain_syn(void)
{
    return (struct packet){.ts = INT64_C(1767225600000000),
        .src = ip_from_v4(0xc6336401),
        .dst = ip_from_v4(0xc0000207),
        .proto = PROTO_TCP,
        .ttl = 50,
        .ip_len = 40,
        .sport = 40000,
        .dport = 23,
        .tcp_flags = TCP_SYN,
        .tcp_offset = 5,
        .tcp_win = 1024};
}

/* Does a rule with this expression match? */
static bool holds(const char *on, const char *expression, const struct packet *p)
{
    struct fingerprints *set = builtin();
    struct fault fault;
    struct fingerprint_hits h;
    char text[1024];
    snprintf(text, sizeof text,
        "signature t { on %s; chance 2^-16; source \"test\"; match %s; }", on, expression);
    enum err e = fingerprints_add(set, "t", bytes_over(text, strlen(text)), &fault);
    if (e)
        fail_msg("%s", fault.text);
    fingerprints_match(set, p, &h);
    bool result = hit(&h, rule_of(set, "t"));
    fingerprints_free(set);
    return result;
}

static void expressions(void **state)
{
    (void)state;
    struct packet p = plain_syn();
    p.ip_id = 0x1234;
    p.tcp_seq = 0xc0000207;
    p.tcp_mss = 1460;
    p.payload = bytes_over("GET /\0\0\0", 8);
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"seq == dst", true},
        {"seq != dst", false},
        {"seq ^ dst == 0", true},
        {"id == 0x1234 && win == 1024", true},
        {"id == 0x1234 && win == 1025", false},
        {"id == 1 || win == 1024", true},
        {"!(id == 1)", true},
        {"win & 0x3ff == 0", true},
        {"win >> 10 == 1 && win << 1 == 2048", true},
        {"win < 1025 && win <= 1024 && win > 1023 && win >= 1024", true},
        {"win < 1024", false},
        {"1025 > win", true},
        {"2 + 3 * 4 == 14", true},
        {"(2 + 3) * 4 == 20", true},
        {"0 - 1 == 0xffffffff", true},
        {"1 << 32 == 0", true},
        {"1 << dport == 1 * 8388608", true},
        {"~0 == 0xffffffff", true},
        {"swap(dst) == 0x070200c0", true},
        {"id | 1 == 0x1235", true},
        {"6 ^ 3 & 1 == 7", true},
        {"ttl0 == 64 && ttl == 50", true},
        {"version == 4 && proto == 6 && flags == 2 && off == 5", true},
        {"payload[0] == 71 && payload[5] == 0", true},
        {"payload[8] == 0", false},
        {"payload[8] == 256", true},
        {"payload16[0] == 0x4745", true},
        {"payload16[7] == 0", false},
        {"starts(\"GET /\")", true},
        {"starts(\"GET /index.html\")", false},
        {"zeros(5, 8)", true},
        {"zeros(4, 8)", false},
        {"zeros(5, 9)", false},
        {"plen == 8 && len == 40 && mss == 1460", true},
        {"opts == options(\"mss,sok\")", false},
        {"(dst ^ src) & 0xffff == 0x6606 || sport == 1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (holds("syn", rows[i].text, &p) != rows[i].want)
            fail_msg("%s is not %d", rows[i].text, rows[i].want);
}

/* Packets are sifted by the rules before these are run, 64 at a time. */
static void many_rules(void **state)
{
    (void)state;
    enum {
        RULES = 150
    };
    struct fingerprints *set = builtin();
    struct fault fault;
    for (int i = 0; i < RULES; i++) {
        char text[256];
        snprintf(text, sizeof text,
            "signature r%d { on syn; chance 2^-16; source \"t\"; match dport == %d%s; }", i,
            1000 + 3 * i, i % 2 ? "" : " && win & 0xf == 3 && id >= 7");
        assert_int_equal(
            fingerprints_add(set, "t", bytes_over(text, strlen(text)), &fault), OK);
    }
    size_t first = rule_of(set, "r0");
    for (unsigned port = 990; port < 1000 + 3 * RULES + 10; port++) {
        for (unsigned odd = 0; odd < 2; odd++) {
            struct packet p = plain_syn();
            struct fingerprint_hits h;
            p.dport = (uint16_t)port;
            p.tcp_win = odd ? 0x7f03 : 0x7f04;
            p.ip_id = 7;
            fingerprints_match(set, &p, &h);
            for (unsigned i = 0; i < RULES; i++)
                assert_int_equal(hit(&h, first + i), port == 1000 + 3 * i && (i % 2 || odd));
        }
    }
    fingerprints_free(set);
}

/* A pairwise relation on what both packets share is run on their difference, and on both
 * packets where it is written so that this cannot be; both must agree. */
static void pair_forms(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 8);
    struct fingerprints *set = builtin();
    struct fault fault;
    static const char text[] =
        "signature fast { on syn; chance 2^-16; source \"t\"; each off >= 5;"
        " pair (a.seq ^ b.seq) >> 16 == (a.seq ^ b.seq) & 0xffff; }"
        "signature slow { on syn; chance 2^-16; source \"t\"; each off >= 5;"
        " pair (a.seq ^ b.seq) >> 16 == (a.seq ^ b.seq) & 0xffff || a.id + 1 == 0; }"
        "signature ports { on syn; chance 2^-16; source \"t\"; each off >= 5;"
        " pair a.seq ^ swap(a.dst) ^ a.dport << 4 == b.seq ^ swap(b.dst) ^ b.dport << 4; }";
    assert_int_equal(fingerprints_add(set, "t", bytes_over(text, strlen(text)), &fault), OK);
    size_t found = 0;
    for (int i = 0; i < 100000; i++) {
        struct fingerprint_packet a = {
            .seq = rng_u32(&rng), .dst = rng_u32(&rng), .dport = (uint16_t)rng_u32(&rng)};
        struct fingerprint_packet b = a;
        uint32_t half = rng_u32(&rng) & 0xffff;
        b.seq ^= i % 2 ? half << 16 | (half ^ (rng_u32(&rng) & 1)) : rng_u32(&rng);
        if (i % 3 == 0) {
            b.dst ^= __builtin_bswap32(a.seq ^ b.seq);
            b.dport ^= (uint16_t)(rng_u32(&rng) & 1);
        }
        struct fingerprint_hits h = {0};
        fingerprints_match_pair(set, &a, &b, UINT32_MAX >> 1, &h);
        uint32_t x = a.seq ^ b.seq;
        assert_int_equal(hit(&h, rule_of(set, "fast")), x >> 16 == (x & 0xffff));
        assert_int_equal(hit(&h, rule_of(set, "slow")), x >> 16 == (x & 0xffff));
        uint32_t y = x ^ __builtin_bswap32(a.dst ^ b.dst) ^ (uint32_t)(a.dport ^ b.dport) << 4;
        assert_int_equal(hit(&h, rule_of(set, "ports")), y == 0);
        found += hit(&h, rule_of(set, "fast"));
    }
    assert_true(found > 1000);
    fingerprints_free(set);
}

/* The relation of Masscan has a form of its own when compiled; a bracket around it takes that
 * away, and both must agree. */
static void relation_forms(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    struct fingerprints *set = builtin();
    struct fault fault;
    static const char text[] = "signature fast { on syn; chance 2^-16; source \"t\";"
                               " match id == (dst ^ dport ^ seq) & 0xffff; }"
                               "signature slow { on syn; chance 2^-16; source \"t\";"
                               " match id + 0 == (dst ^ dport ^ seq) & 0xffff || id + 1 == 0; }"
                               "signature whole { on syn; chance 2^-16; source \"t\"; match id "
                               "== dst ^ dport ^ seq; }";
    assert_int_equal(fingerprints_add(set, "t", bytes_over(text, strlen(text)), &fault), OK);
    size_t fast = rule_of(set, "fast"), slow = rule_of(set, "slow"),
           whole = rule_of(set, "whole");
    size_t found = 0;
    for (int i = 0; i < 400000; i++) {
        struct packet p = plain_syn();
        struct fingerprint_hits h;
        p.dst = ip_from_v4(rng_u32(&rng));
        p.dport = (uint16_t)rng_u32(&rng);
        p.tcp_seq = i % 2 ? rng_u32(&rng) : ip_v4(&p.dst) ^ (rng_u32(&rng) & 3);
        p.ip_id = (uint16_t)(i % 2 ? rng_u32(&rng) : p.dport ^ (rng_u32(&rng) & 3));
        fingerprints_match(set, &p, &h);
        uint32_t x = ip_v4(&p.dst) ^ p.dport ^ p.tcp_seq;
        assert_int_equal(hit(&h, fast), p.ip_id == (x & 0xffff));
        assert_int_equal(hit(&h, slow), p.ip_id == (x & 0xffff));
        assert_int_equal(hit(&h, whole), p.ip_id == x);
        found += hit(&h, fast);
    }
    assert_true(found > 1000);
    fingerprints_free(set);
}

static void scopes(void **state)
{
    (void)state;
    struct packet p = plain_syn();
    assert_true(holds("syn", "dport == 23", &p));
    assert_true(holds("tcp", "dport == 23", &p));
    assert_true(holds("any", "dport == 23", &p));
    assert_false(holds("udp", "dport == 23", &p));
    p.tcp_flags = TCP_SYN | TCP_ACK;
    assert_false(holds("syn", "dport == 23", &p));
    assert_true(holds("tcp", "dport == 23", &p));
    p.proto = PROTO_UDP;
    assert_true(holds("udp", "dport == 23 && seq == 0", &p));
    p.quirks = QUIRK_SHORT_HEADER;
    assert_false(holds("udp", "dport == 23", &p));
}

static void ipv6(void **state)
{
    (void)state;
    struct packet p = plain_syn();
    assert_int_equal(ip_parse("2001:db8::c000:207", &p.dst), OK);
    assert_int_equal(ip_parse("2001:db8::1", &p.src), OK);
    p.tcp_seq = 0xc0000207;
    assert_false(holds("syn", "seq == dst", &p));
    assert_false(holds("syn", "id == 0", &p));
    assert_true(holds("syn", "version == 6 && win == 1024", &p));
}

/* Rules that are refused, and how the fault begins. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"rule x {}", "f:1:1: 'signature NAME {' expected, not 'rule'"},
        {"signature X { }", "f:1:11: a name of at most 63 small letters"},
        {"signature x\n{ colour 1; }",
            "f:2:3: 'colour' is no statement; there are tool kind on"},
        {"signature x { on tls; }",
            "f:1:18: one of syn, tcp, udp, icmp, any expected, not 'tls'"},
        {"signature x { on syn }", "f:1:22: ';' expected, not '}'"},
        {"signature x { on syn; on syn; }", "f:1:23: 'on' is given twice"},
        {"signature x { chance 1/1; }", "f:1:22: a chance as in 2^-16 or 1/65536"},
        {"signature x { chance 2^16; }", "f:1:24: a chance as in"},
        {"signature x { from 2024-02-30; }", "f:1:20: 2024-02-30 is no date"},
        {"signature x { match foo == 1; }", "f:1:21: 'foo' is no field; there are id ttl"},
        {"signature x { match id; }", "f:1:21: the expression is a number"},
        {"signature x { match id = 1; }", "f:1:24: '=' has no meaning here"},
        {"signature x { match id == 1 && win; }",
            "f:1:29: '&&' needs comparisons on both sides"},
        {"signature x { match id == (1 == 1); }", "f:1:24: '==' needs numbers on both sides"},
        {"signature x { match id == 5000000000; }", "f:1:27: number above 4294967295"},
        {"signature x { match id == 12ab; }", "f:1:27: not a number"},
        {"signature x { match (id == 1; }", "f:1:29: ')' expected, not ';'"},
        {"signature x { match payload[9999] == 1; }", "f:1:29: a number from 0 to 1499"},
        {"signature x { match starts(\"a; }", "f:1:28: text without its closing quote"},
        {"signature x { match opts == options(\"mss,foo\"); }", "f:1:37: names of TCP options"},
        {"signature x { match id == ; }", "f:1:27: a field, number or '(' expected, not ';'"},
        {"signature x { pair seq == 1; }", "f:1:20: fields of a pairwise rule begin a."},
        {"signature x { pair a.ttl == 1; }", "f:1:22: 'ttl' is no field of a pairwise rule"},
        {"signature x { match id == 1;", "f:1:29: a statement or '}' expected, not the end"},
        {"signature x { match id == 1; }", "f:1:11: signature x has no 'on'"},
        {"signature x { on syn; chance 2^-9; source \"s\"; }",
            "f:1:11: signature x needs either 'match'"},
        {"signature x { on syn; chance 2^-9; source \"s\"; each id == 1; }",
            "f:1:11: signature x needs either 'match'"},
        {"signature mirai { on syn; chance 2^-9; source \"s\"; match id == 1; }",
            "f:1:11: there is already a signature mirai"},
        {"\x01", "f:1:1: byte 0x01 has no meaning here"},
    };
    struct fingerprints *set = builtin();
    size_t before = fingerprints_count(set);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {0};
        struct bytes text = bytes_over(rows[i].text, strlen(rows[i].text));
        assert_int_equal(fingerprints_add(set, "f", text, &fault), ERR_BAD);
        if (strncmp(fault.text, rows[i].fault, strlen(rows[i].fault)) != 0)
            fail_msg(
                "%s\n  gives    %s\n  and not  %s", rows[i].text, fault.text, rows[i].fault);
        assert_int_equal(fingerprints_count(set), before);
    }
    fingerprints_free(set);
}

static void nesting(void **state)
{
    (void)state;
    char text[4096] = "signature x { on syn; chance 2^-9; source \"s\"; match ";
    for (int i = 0; i < 1000; i++)
        strcat(text, "(");
    struct fingerprints *set = builtin();
    struct fault fault;
    struct bytes in = bytes_over(text, strlen(text));
    assert_int_equal(fingerprints_add(set, "f", in, &fault), ERR_BAD);
    assert_non_null(strstr(fault.text, "nested more than 32 deep"));
    fingerprints_free(set);
}

/* A rule of 16 bits matches one random packet in 65,536. */
static void chance_rate(void **state)
{
    (void)state;
    enum {
        PACKETS = 4000000
    };
    struct rng rng;
    rng_seed(&rng, 2026);
    struct fingerprints *set = builtin();
    size_t relation = rule_of(set, "masscan-other"), mirai = rule_of(set, "mirai");
    size_t found = 0, found_mirai = 0;
    for (int i = 0; i < PACKETS; i++) {
        struct packet p = plain_syn();
        struct fingerprint_hits h;
        p.dst = ip_from_v4(rng_u32(&rng));
        p.tcp_seq = rng_u32(&rng);
        p.ip_id = (uint16_t)rng_u32(&rng);
        fingerprints_match(set, &p, &h);
        found += hit(&h, relation);
        found_mirai += hit(&h, mirai);
    }
    double expected = PACKETS / 65536.0;
    assert_true(fabs((double)found - expected) < 4 * sqrt(expected));
    assert_true(found_mirai <= 1);
    fingerprints_free(set);
}

static void evidence(void **state)
{
    (void)state;
    struct signature s = {.chance_bits = 16};
    assert_true(fabs(fingerprint_evidence(&s, 2, 2) - 32) < 1e-9);
    assert_true(fabs(fingerprint_evidence(&s, 2, 4) - (32 - log2(6))) < 1e-9);
    assert_true(fabs(fingerprint_evidence(&s, 12, 12) - 192) < 1e-9);
    /* As many as chance gives, or fewer, say nothing. */
    assert_true(fingerprint_evidence(&s, 1, 65536) == 0);
    assert_true(fingerprint_evidence(&s, 0, 10) == 0);
    assert_true(fingerprint_evidence(&s, 15, 1000000) < 3);
}

static void every_rule_is_told(void **state)
{
    (void)state;
    struct fingerprints *set = builtin();
    assert_true(fingerprints_count(set) >= 16);
    for (size_t i = 0; i < fingerprints_count(set); i++) {
        const struct signature *s = fingerprints_at(set, i);
        assert_true(strlen(s->source) > 10);
        assert_true(strlen(s->limits) > 10);
        assert_true(strlen(s->match) > 3);
        assert_true(s->scopes != 0);
        assert_true(s->chance_bits >= 1);
    }
    const struct signature *m = fingerprints_at(set, rule_of(set, "masscan-2013"));
    assert_string_equal(m->tool, "masscan");
    assert_string_equal(m->match,
        "id == (dst ^ dport ^ seq) & 0xffff && ttl0 == 255 && win == 1024 && off == 5");
    fingerprints_free(set);
}

static void from_date(void **state)
{
    (void)state;
    struct fingerprints *set = builtin();
    struct fingerprint_hits h;
    struct packet p = plain_syn();
    p.tcp_seq = ip_v4(&p.dst);
    fingerprints_match(set, &p, &h);
    assert_true(hit(&h, rule_of(set, "mirai")));
    p.ts = INT64_C(1420070400000000); /* 2015 */
    fingerprints_match(set, &p, &h);
    assert_false(hit(&h, rule_of(set, "mirai")));
    fingerprints_free(set);
}

static const struct CMUnitTest tests[] = {
    SAYS("every probe of real ZMap captures matches its rule", zmap_captures),
    SAYS("all 768 SYN of masscan 1.3.2 match, and its 768 RST do not", masscan_capture),
    SAYS("both SYN of a Mirai capture carry the destination as sequence number", mirai_capture),
    SAYS("Nmap's SYN scan is told by pairs, its OS detection by single probes", nmap_captures),
    SAYS("Nmap's NULL, FIN, Xmas and ACK scans are told by pairs", nmap_stealth),
    SAYS("expressions mean what the page on the language says", expressions),
    SAYS("a relation means the same whatever form it is compiled to", relation_forms),
    SAYS("any number of rules is tried, each on what it is about", many_rules),
    SAYS(
        "a relation of two packets means the same whatever form it is compiled to", pair_forms),
    SAYS("a rule is tried on the packets that it is for", scopes),
    SAYS("rules on addresses or identification are for IPv4 alone", ipv6),
    SAYS("a bad rule names line, column and what is allowed, and adds nothing", refusals),
    SAYS("brackets nest to a limit", nesting),
    SAYS("a 16-bit relation matches one random packet in 65,536", chance_rate),
    SAYS("evidence is the binomial bound", evidence),
    SAYS("every built-in rule says where it comes from and what it cannot tell",
        every_rule_is_told),
    SAYS("a rule is not tried on packets older than its tool", from_date),
};
TEST_MAIN(tests)
