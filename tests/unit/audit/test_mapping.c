#include "audit/mapping.h"

#include "test.h"

static const uint8_t secret[ANON_SECRET] = "a secret of thirty-two bytes...";

static struct mapping_result audit(
    const char *document, const struct ip *addresses, size_t count, size_t injected)
{
    struct anon_policy p;
    struct anon_keys *keys;
    struct anon *a;
    struct fault f = {0};
    struct mapping_result r;
    if (anon_policy_parse(&p, bytes_over(document, strlen(document)), &f) != OK)
        fail_msg("%s", f.text);
    assert_int_equal(anon_keys_from(&keys, secret), OK);
    assert_int_equal(anon_new(&a, &p, keys, 0), OK);
    assert_int_equal(mapping_audit(a, ANON_SOURCE, addresses, count, injected, &r), OK);
    anon_free(a);
    anon_keys_close(keys);
    return r;
}

/* Address i of 64 sends 64 - i packets, as busy in both halves. */
static size_t skewed(struct ip *addresses)
{
    size_t n = 0;
    for (unsigned half = 0; half < 2; half++)
        for (uint32_t i = 0; i < 64; i++)
            for (uint32_t k = i; k < 64; k++)
                addresses[n++] = ip_from_v4(0xc0000200u + i * 0x010203u);
    return n;
}

static void frequency(void **state)
{
    (void)state;
    static struct ip addresses[8192];
    size_t n = skewed(addresses);
    struct mapping_result r = audit("{\"source\": \"hash\"}", addresses, n, 0);
    assert_int_equal(r.addresses, 64);
    assert_int_equal(r.frequency_ranks, 64);
    assert_int_equal(r.frequency_right, 64);
    assert_true(r.frequency_share > 0.999);
}

static void injection(void **state)
{
    (void)state;
    static struct ip addresses[8192];
    size_t n = skewed(addresses);
    struct mapping_result r = audit("{\"source\": \"hash\"}", addresses, n, 16);
    assert_int_equal(r.injected, 16);
    assert_true(r.known_bits < 0.001);
    assert_int_equal(r.known_24, 0);
    r = audit("{\"source\": \"prefix\"}", addresses, n, 16);
    assert_true(r.known_bits > 8);
    r = audit("{\"source\": {\"method\": \"truncate\", \"ipv4\": 24, \"ipv6\": 48}}", addresses,
        n, 16);
    assert_true(r.known_bits > 23.999 && r.known_bits < 24.001);
    assert_int_equal(r.known_24, 48);
    r = audit("{\"source\": \"keep\"}", addresses, n, 16);
    assert_int_equal(r.known_24, 48);
}

/* By hand: 10.0.0.0 is known; 10.0.0.1 shares 31 bits with it, 10.0.1.0 shares 23. */
static void by_hand(void **state)
{
    (void)state;
    const struct ip three[] = {ip_from_v4(0x0a000000), ip_from_v4(0x0a000001)};
    struct mapping_result r = audit("{\"source\": \"prefix\"}", three, 2, 1);
    assert_int_equal(r.injected, 1);
    assert_true(r.known_bits > 31.999);
    const struct ip apart[] = {ip_from_v4(0x0a000000), ip_from_v4(0x0a000100)};
    r = audit("{\"source\": \"prefix\"}", apart, 2, 1);
    assert_true(r.known_bits > 23.999 && r.known_bits < 24.001);
}

static const struct CMUnitTest tests[] = {
    SAYS(
        "who knows how busy addresses are finds them behind any one-to-one mapping", frequency),
    SAYS("known addresses tell of others what the method lets survive", injection),
    SAYS("with prefixes preserved, a neighbour tells the bits shared and one more", by_hand),
};
TEST_MAIN(tests)
