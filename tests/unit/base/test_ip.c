#include "base/ip.h"
#include "base/rng.h"
#include "test.h"

static struct ip address(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), OK);
    return ip;
}

static struct prefix network(const char *text)
{
    struct prefix p;
    assert_int_equal(prefix_parse(text, false, &p), OK);
    return p;
}

static void v4_form(void **state)
{
    (void)state;
    struct ip ip = address("192.0.2.1");
    assert_true(ip_is_v4(&ip));
    assert_true(ip_v4(&ip) == 0xc0000201u);
    struct ip same = ip_from_v4(0xc0000201u);
    assert_true(ip_same(&ip, &same));
    char text[IP_TEXT];
    assert_string_equal(ip_format(&ip, text), "192.0.2.1");
    struct ip mapped = address("::ffff:192.0.2.1");
    assert_true(ip_same(&ip, &mapped));
    struct ip six = address("2001:db8::1");
    assert_false(ip_is_v4(&six));
}

/* RFC 5952, section 4: the examples. */
static void canonical_text(void **state)
{
    (void)state;
    static const struct {
        const char *given, *shown;
    } rows[] = {
        {"2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:DB8::ABCD", "2001:db8::abcd"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"ff02:0:0:0:0:0:0:0", "ff02::"},
    };
    char text[IP_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip = address(rows[i].given);
        assert_string_equal(ip_format(&ip, text), rows[i].shown);
    }
}

static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", "192.0.2", "192.0.2.1.", "192.0.2.256",
        "192.0.2.1 ", " 192.0.2.1", "0x7f.1", "1", "192.0.02.1", "192.0.2.1/32", ":",
        ":::", "1::2::3", "2001:db8", "2001:db8::g", "12345::", "fe80::1%eth0", "::192.0.2",
        "1:2:3:4:5:6:7:8:9"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ip ip = ip_from_v4(7);
        assert_int_equal(ip_parse(texts[i], &ip), ERR_BAD);
        assert_int_equal(ip_v4(&ip), 7);
    }
}

static void round_trip(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 11);
    for (int i = 0; i < 20000; i++) {
        struct ip ip;
        for (int k = 0; k < 16; k++)
            ip.byte[k] = rng_below(&r, 3) ? 0 : (uint8_t)rng_u64(&r);
        if (i % 2)
            ip = ip_from_v4(rng_u32(&r));
        char text[IP_TEXT];
        struct ip again = address(ip_format(&ip, text));
        assert_true(ip_same(&ip, &again));
    }
}

static void order(void **state)
{
    (void)state;
    struct ip low = address("1.2.3.4");
    struct ip high = address("1.2.4.0");
    struct ip six = address("2001:db8::");
    assert_true(ip_compare(&low, &high) < 0);
    assert_true(ip_compare(&high, &low) > 0);
    assert_true(ip_compare(&high, &six) < 0);
    assert_true(ip_compare(&six, &six) == 0);
    assert_true(ip_hash(&low) != ip_hash(&high));
}

static void prefix_members(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *first, *last, *before, *after;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"},
        {"192.0.2.128/25", "192.0.2.128", "192.0.2.255", "192.0.2.127", "192.0.3.0"},
        {"10.0.0.0/15", "10.0.0.0", "10.1.255.255", "9.255.255.255", "10.2.0.0"},
        {"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.0", "192.0.2.2"},
        {"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::", "2001:db8::"},
        {"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db7::1",
            "2001:db8:8000::"},
        {"2001:db8::1", "2001:db8::1", "2001:db8::1", "2001:db8::", "2001:db8::2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prefix p = network(rows[i].prefix);
        struct ip first = address(rows[i].first);
        struct ip last = address(rows[i].last);
        struct ip before = address(rows[i].before);
        struct ip after = address(rows[i].after);
        struct ip end = prefix_last(&p);
        assert_true(ip_same(&p.ip, &first));
        assert_true(ip_same(&end, &last));
        assert_true(prefix_holds(&p, &first) && prefix_holds(&p, &last));
        assert_false(prefix_holds(&p, &before) || prefix_holds(&p, &after));
    }
    struct prefix all = network("::/0");
    struct ip any = address("255.255.255.255");
    assert_true(prefix_holds(&all, &any));
}

static void prefix_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "/", "/24", "192.0.2.0/", "192.0.2.0/33",
        "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/ 8", "192.0.2.0/8x", "192.0.2.0/24/24",
        "2001:db8::/129", "192.0.2.0/99999999999999999999", "192.0.2/24",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64"};
    struct prefix p;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(prefix_parse(texts[i], false, &p), ERR_BAD);
        assert_int_equal(prefix_parse(texts[i], true, &p), ERR_BAD);
    }
}

static void lenient(void **state)
{
    (void)state;
    struct prefix p;
    assert_int_equal(prefix_parse("192.0.2.77/24", false, &p), ERR_BAD);
    assert_int_equal(prefix_parse("192.0.2.77/24", true, &p), OK);
    struct prefix whole = network("192.0.2.0/24");
    assert_true(ip_same(&p.ip, &whole.ip));
    assert_int_equal(p.bits, 120);
}

static void stays_here(void **state)
{
    (void)state;
    static const char *const here[] = {
        "localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1"};
    static const char *const away[] = {"", "localhost.example", "128.0.0.1", "::2", "0.0.0.0",
        "a-name-that-is-longer-than-any-address-could-be.example"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        assert_true(ip_host_is_loopback(here[i], strlen(here[i])));
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        assert_false(ip_host_is_loopback(away[i], strlen(away[i])));
    assert_true(ip_host_is_loopback("localhost:80", 9));
}

static const struct CMUnitTest tests[] = {
    SAYS("IPv4 is kept as a mapped IPv6 address and shown as a dotted quad", v4_form),
    SAYS("IPv6 is shown as RFC 5952 asks", canonical_text),
    SAYS("a text that is not exactly one address is refused and writes nothing", refused),
    SAYS("any address that is shown is parsed to itself", round_trip),
    SAYS("addresses sort by value, IPv4 before global IPv6", order),
    SAYS("localhost and loopback addresses stay on this machine, no other name does",
        stays_here),
    SAYS("a prefix holds its first to its last address and no other", prefix_members),
    SAYS("a malformed prefix is refused, leniently too", prefix_refused),
    SAYS("bits beyond the length are refused, or cleared when lenient", lenient),
};
TEST_MAIN(tests)
