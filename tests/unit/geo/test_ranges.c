#include "geo/ranges.h"

#include "base/rng.h"
#include "test.h"

#include <string.h>

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

static struct range_span span_of(bool six, uint64_t first, uint64_t last)
{
    struct range_span span = {.v4 = !six};
    if (six) {
        span.first = (struct range_key){first, first};
        span.last = (struct range_key){last, last};
    } else {
        span.first.low = first & UINT32_MAX;
        span.last.low = last & UINT32_MAX;
    }
    return span;
}

static struct ip ip_of(bool six, uint64_t number)
{
    if (!six)
        return ip_from_v4((uint32_t)number);
    struct ip ip;
    uint64_t half = __builtin_bswap64(number);
    memcpy(ip.byte, &half, 8);
    memcpy(ip.byte + 8, &half, 8);
    return ip;
}

/* Ranges apart from each other, some touching, with few values: laid out as they come, and
 * gathered. */
static void in_order(void **state)
{
    (void)state;
    enum {
        RANGES = 3000
    };
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct ranges follow, gather;
        struct rng rng;
        bool six = seed % 2;
        uint64_t top = six ? UINT64_MAX : UINT32_MAX;
        uint64_t at = seed % 3, border[2 * RANGES];
        rng_seed(&rng, seed);
        ranges_init(&follow);
        ranges_init(&gather);
        for (size_t i = 0; i < RANGES; i++) {
            uint64_t last = i + 1 == RANGES ? top : at + rng_below(&rng, 5);
            struct range_span span = span_of(six, at, last);
            uint32_t value = 1 + (uint32_t)rng_below(&rng, 3);
            assert_int_equal(ranges_follow(&follow, &span, value), OK);
            assert_int_equal(ranges_add_span(&gather, &span, value), OK);
            border[2 * i] = at;
            border[2 * i + 1] = last;
            at = last + 1 + rng_below(&rng, 2);
        }
        build(&follow);
        build(&gather);
        for (size_t i = 0; i < 2 * RANGES; i++)
            for (uint64_t k = 0; k < 3; k++) {
                struct ip ip = ip_of(six, (border[i] + k - 1) & top);
                assert_int_equal(ranges_find(&follow, &ip), ranges_find(&gather, &ip));
            }
        assert_int_equal(
            six ? follow.count6 : follow.count4, six ? gather.count6 : gather.count4);
        ranges_done(&follow);
        ranges_done(&gather);
    }
}

static void out_of_order(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct ranges r;
        uint64_t top = six ? UINT64_MAX : UINT32_MAX;
        const struct range_span first = span_of(six, 10, 20), within = span_of(six, 15, 18),
                                touching = span_of(six, 20, 30), before = span_of(six, 1, 5),
                                after = span_of(six, 21, 30), last = span_of(six, 40, top),
                                top_only = span_of(six, top, top);
        ranges_init(&r);
        assert_int_equal(ranges_follow(&r, &first, 1), OK);
        assert_int_equal(ranges_follow(&r, &within, 1), ERR_RANGE);
        assert_int_equal(ranges_follow(&r, &first, 2), ERR_RANGE);
        assert_int_equal(ranges_follow(&r, &touching, 1), ERR_RANGE);
        assert_int_equal(ranges_follow(&r, &before, 1), ERR_RANGE);
        assert_int_equal(ranges_follow(&r, &after, 2), OK);
        assert_int_equal(ranges_follow(&r, &last, 3), OK);
        assert_int_equal(ranges_follow(&r, &top_only, 3), ERR_RANGE);
        build(&r);
        struct ip ip = ip_of(six, 20);
        assert_int_equal(ranges_find(&r, &ip), 1);
        ip = ip_of(six, 21);
        assert_int_equal(ranges_find(&r, &ip), 2);
        ip = ip_of(six, 31);
        assert_int_equal(ranges_find(&r, &ip), RANGES_NONE);
        ip = ip_of(six, top);
        assert_int_equal(ranges_find(&r, &ip), 3);
        ranges_done(&r);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("without ranges there is no value", nothing),
    SAYS("the innermost range wins, of equal ones the first", innermost),
    SAYS("ranges that cross are refused by number", crossing),
    SAYS("a range backwards or of two families is refused", backwards),
    SAYS("ranges that come in order are laid out as those that are gathered", in_order),
    SAYS("what does not come in order is told", out_of_order),
    SAYS("look-ups agree with a search through all prefixes", brute_force),
};
TEST_MAIN(tests)
