#include "geo/ranges.h"

#include "base/rng.h"
#include "test.h"

static void add(struct ranges *r, const char *prefix, uint32_t value)
{
    struct prefix p;
    assert_int_equal(prefix_parse(prefix, true, &p), OK);
    struct ip last = prefix_last(&p);
    assert_int_equal(ranges_add(r, &p.ip, &last, value), OK);
}

static void build(struct ranges *r)
{
    size_t crossing[2];
    assert_int_equal(ranges_build(r, crossing), OK);
}

static uint32_t find(const struct ranges *r, const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), OK);
    return ranges_find(r, &ip);
}

static void nothing(void **state)
{
    (void)state;
    struct ranges r;
    ranges_init(&r);
    assert_int_equal(find(&r, "192.0.2.1"), RANGES_NONE);
    assert_int_equal(find(&r, "2001:db8::1"), RANGES_NONE);
    build(&r);
    assert_int_equal(find(&r, "192.0.2.1"), RANGES_NONE);
    assert_int_equal(find(&r, "255.255.255.255"), RANGES_NONE);
    assert_int_equal(find(&r, "ffff:ffff::"), RANGES_NONE);
    ranges_done(&r);
}

static void innermost(void **state)
{
    (void)state;
    struct ranges r;
    ranges_init(&r);
    add(&r, "10.0.0.0/8", 1);
    add(&r, "10.1.0.0/16", 2);
    add(&r, "10.1.255.0/24", 3);
    add(&r, "10.1.255.0/24", 4);
    add(&r, "0.0.0.0/32", 5);
    add(&r, "255.255.255.0/24", 6);
    add(&r, "2001:db8::/32", 7);
    add(&r, "2001:db8:1::/48", 8);
    add(&r, "::/128", 9);
    add(&r, "ffff::/16", 10);
    build(&r);
    static const struct {
        const char *ip;
        uint32_t value;
    } rows[] = {
        {"9.255.255.255", 0},
        {"10.0.0.0", 1},
        {"10.0.255.255", 1},
        {"10.1.0.0", 2},
        {"10.1.254.255", 2},
        {"10.1.255.0", 3},
        {"10.1.255.255", 3},
        {"10.2.0.0", 1},
        {"10.255.255.255", 1},
        {"11.0.0.0", 0},
        {"0.0.0.0", 5},
        {"0.0.0.1", 0},
        {"255.255.254.255", 0},
        {"255.255.255.255", 6},
        {"2001:db8::", 7},
        {"2001:db8:0:ffff::", 7},
        {"2001:db8:1::", 8},
        {"2001:db8:1:ffff::", 8},
        {"2001:db8:2::", 7},
        {"2001:db9::", 0},
        {"::", 9},
        {"::1", 0},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (find(&r, rows[i].ip) != rows[i].value)
            fail_msg("%s is %u", rows[i].ip, find(&r, rows[i].ip));
    ranges_done(&r);
}

static void crossing(void **state)
{
    (void)state;
    struct ranges r;
    size_t which[2] = {9, 9};
    ranges_init(&r);
    struct ip a = ip_from_v4(10), b = ip_from_v4(20), c = ip_from_v4(15), d = ip_from_v4(30);
    assert_int_equal(ranges_add(&r, &c, &d, 1), OK);
    assert_int_equal(ranges_add(&r, &a, &b, 2), OK);
    assert_int_equal(ranges_build(&r, which), ERR_BAD);
    assert_int_equal(which[0], 1);
    assert_int_equal(which[1], 0);
    ranges_done(&r);
}

static void backwards(void **state)
{
    (void)state;
    struct ranges r;
    ranges_init(&r);
    struct ip a = ip_from_v4(10), b = ip_from_v4(20), six = {.byte = {0x20}};
    assert_int_equal(ranges_add(&r, &b, &a, 1), ERR_RANGE);
    assert_int_equal(ranges_add(&r, &a, &six, 1), ERR_RANGE);
    ranges_done(&r);
}

/* Random prefixes of a small space against a search through all of them. */
static void brute_force(void **state)
{
    (void)state;
    enum {
        PREFIXES = 400
    };
    struct prefix p[PREFIXES];
    struct rng rng;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct ranges r;
        ranges_init(&r);
        rng_seed(&rng, seed);
        bool six = seed % 2;
        for (size_t i = 0; i < PREFIXES; i++) {
            uint32_t v = rng_u32(&rng) & 0x00ffff0f;
            p[i] = (struct prefix){
                .ip = ip_from_v4(v), .bits = (uint8_t)(104 + rng_below(&rng, 25))};
            if (six)
                p[i].ip.byte[0] = 0x20;
            for (unsigned bit = p[i].bits; bit < 128; bit++)
                p[i].ip.byte[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
            struct ip last = prefix_last(&p[i]);
            assert_int_equal(ranges_add(&r, &p[i].ip, &last, (uint32_t)i + 1), OK);
        }
        build(&r);
        for (int k = 0; k < 5000; k++) {
            struct ip ip = ip_from_v4(rng_u32(&rng) & 0x00ffff0f);
            if (six)
                ip.byte[0] = 0x20;
            uint32_t want = 0;
            unsigned bits = 0;
            for (size_t i = 0; i < PREFIXES; i++)
                if (prefix_holds(&p[i], &ip) && (!want || p[i].bits > bits)) {
                    want = (uint32_t)i + 1;
                    bits = p[i].bits;
                }
            assert_int_equal(ranges_find(&r, &ip), want);
        }
        ranges_done(&r);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("without ranges there is no value", nothing),
    SAYS("the innermost range wins, of equal ones the first", innermost),
    SAYS("ranges that cross are refused by number", crossing),
    SAYS("a range backwards or of two families is refused", backwards),
    SAYS("look-ups agree with a search through all prefixes", brute_force),
};
TEST_MAIN(tests)
