#include "anon/cryptopan_int.h"

#include "base/rng.h"
#include "test.h"

/* The key and the results that came with the authors' own program (sample_trace_raw.dat and
 * sample_trace_sanitized.dat). */
static const uint8_t sample_key[CRYPTOPAN_KEY] = {21, 34, 23, 141, 51, 164, 207, 128, 19, 10,
    91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132,
    34, 2};

struct vector {
    const char *before, *after;
};

static const struct vector sample[] = {
    {"128.11.68.132", "135.242.180.132"},
    {"129.118.74.4", "134.136.186.123"},
    {"130.132.252.244", "133.68.164.234"},
    {"141.223.7.43", "141.167.8.160"},
    {"141.233.145.108", "141.129.237.235"},
    {"152.163.225.39", "151.140.114.167"},
    {"156.29.3.236", "147.225.12.42"},
    {"165.247.96.84", "162.9.99.234"},
    {"166.107.77.190", "160.132.178.185"},
    {"192.102.249.13", "252.138.62.131"},
    {"192.215.32.125", "252.43.47.189"},
    {"192.233.80.103", "252.25.108.8"},
    {"192.41.57.43", "252.222.221.184"},
    {"193.150.244.223", "253.169.52.216"},
    {"195.205.63.100", "255.186.223.5"},
    {"198.200.171.101", "249.199.68.213"},
    {"198.26.132.101", "249.36.123.202"},
    {"198.36.213.5", "249.7.21.132"},
    {"198.51.77.238", "249.18.186.254"},
    {"199.217.79.101", "248.38.184.213"},
    {"202.49.198.20", "245.206.7.234"},
    {"203.12.160.252", "244.248.163.4"},
    {"204.184.162.189", "243.192.77.90"},
    {"204.202.136.230", "243.178.4.198"},
    {"204.29.20.4", "243.33.20.123"},
    {"205.178.38.67", "242.108.198.51"},
    {"205.188.147.153", "242.96.16.101"},
    {"205.188.248.25", "242.96.88.27"},
    {"205.245.121.43", "242.21.121.163"},
    {"207.105.49.5", "241.118.205.138"},
    {"207.135.65.238", "241.202.129.222"},
    {"207.155.9.214", "241.220.250.22"},
    {"207.188.7.45", "241.255.249.220"},
    {"207.25.71.27", "241.33.119.156"},
    {"207.33.151.131", "241.1.233.131"},
    {"208.147.89.59", "227.237.98.191"},
    {"208.234.120.210", "227.154.67.17"},
    {"208.28.185.184", "227.39.94.90"},
    {"208.52.56.122", "227.8.63.165"},
    {"209.12.231.7", "226.243.167.8"},
    {"209.238.72.3", "226.6.119.243"},
    {"209.246.74.109", "226.22.124.76"},
    {"209.68.60.238", "226.184.220.233"},
    {"209.85.249.6", "226.170.70.6"},
    {"212.120.124.31", "228.135.163.231"},
    {"212.146.8.236", "228.19.4.234"},
    {"212.186.227.154", "228.59.98.98"},
    {"212.204.172.118", "228.71.195.169"},
    {"212.206.130.201", "228.69.242.193"},
    {"216.148.237.145", "235.84.194.111"},
    {"216.157.30.252", "235.89.31.26"},
    {"216.184.159.48", "235.96.225.78"},
    {"216.227.10.221", "235.28.253.36"},
    {"216.254.18.172", "235.7.16.162"},
    {"216.32.132.250", "235.192.139.38"},
    {"216.35.217.178", "235.195.157.81"},
    {"24.0.250.221", "100.15.198.226"},
    {"24.13.62.231", "100.2.192.247"},
    {"24.14.213.138", "100.1.42.141"},
    {"24.5.0.80", "100.9.15.210"},
    {"24.7.198.88", "100.10.6.25"},
    {"24.94.26.44", "100.88.228.35"},
    {"38.15.67.68", "64.3.66.187"},
    {"4.3.88.225", "124.60.155.63"},
    {"63.14.55.111", "95.9.215.7"},
    {"63.195.241.44", "95.179.238.44"},
    {"63.97.7.140", "95.97.9.123"},
    {"64.14.118.196", "0.255.183.58"},
    {"64.34.154.117", "0.221.154.117"},
    {"64.39.15.238", "0.219.7.41"},
    /* Of Yawning Angel's cryptopan, for 128 bits. */
    {"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
    {"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
    {"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
    {"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
    {"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
};

/* Of yacryptopan. */
static const struct vector other[] = {
    {"192.0.2.1", "192.0.125.244"},
    {"2001:db8::1", "27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fd"},
};

static struct cryptopan *pan_of(const void *key)
{
    struct cryptopan *p;
    assert_int_equal(cryptopan_new(&p, key), OK);
    return p;
}

static void expect(const void *key, const struct vector *rows, size_t count)
{
    struct cryptopan *p = pan_of(key);
    struct ip all[128];
    assert_true(count <= sizeof all / sizeof *all);
    /* Twice: the second time from the cache. */
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++)
            assert_int_equal(ip_parse(rows[i].before, &all[i]), OK);
        cryptopan_map(p, all, count);
        for (size_t i = 0; i < count; i++) {
            char text[IP_TEXT];
            assert_string_equal(ip_format(&all[i], text), rows[i].after);
        }
    }
    cryptopan_free(p);
}

static void vectors(void **state)
{
    (void)state;
    expect(sample_key, sample, sizeof sample / sizeof *sample);
    expect("32-char-str-for-AES-key-and-pad.", other, sizeof other / sizeof *other);
}

static unsigned common4(uint32_t a, uint32_t b)
{
    return a == b ? 32 : (unsigned)__builtin_clz(a ^ b);
}

static void prefixes(void **state)
{
    (void)state;
    enum {
        PAIRS = 1000000,
        BATCH = 1000
    };
    struct cryptopan *p = pan_of(sample_key);
    struct rng r;
    rng_seed(&r, 1);
    for (size_t at = 0; at < PAIRS; at += BATCH) {
        uint32_t before[2 * BATCH], after[2 * BATCH];
        for (size_t i = 0; i < BATCH; i++) {
            before[2 * i] = rng_u32(&r);
            /* A pair that shares 0 to 32 bits, all lengths alike. */
            uint64_t tail = UINT64_C(0xffffffff) >> rng_below(&r, 33);
            before[2 * i + 1] = before[2 * i] ^ (rng_u32(&r) & (uint32_t)tail);
        }
        memcpy(after, before, sizeof after);
        cryptopan_map4(p, after, 2 * BATCH, false);
        for (size_t i = 0; i < BATCH; i++)
            assert_int_equal(common4(before[2 * i], before[2 * i + 1]),
                common4(after[2 * i], after[2 * i + 1]));
    }
    cryptopan_free(p);
}

static unsigned common6(const struct ip *a, const struct ip *b)
{
    unsigned bits = 0;
    while (bits < 128 && !((a->byte[bits / 8] ^ b->byte[bits / 8]) >> (7 - bits % 8) & 1))
        bits++;
    return bits;
}

static void prefixes6(void **state)
{
    (void)state;
    struct cryptopan *p = pan_of(sample_key);
    struct rng r;
    rng_seed(&r, 2);
    for (size_t i = 0; i < 20000; i++) {
        struct ip pair[2], after[2];
        for (size_t k = 0; k < 16; k++)
            pair[0].byte[k] = (uint8_t)rng_u32(&r);
        pair[1] = pair[0];
        unsigned turned = (unsigned)rng_below(&r, 128);
        pair[1].byte[turned / 8] ^= (uint8_t)(0x80 >> turned % 8);
        memcpy(after, pair, sizeof after);
        cryptopan_map(p, after, 2);
        assert_int_equal(common6(&after[0], &after[1]), turned);
    }
    cryptopan_free(p);
}

static void cache(void **state)
{
    (void)state;
    struct cryptopan *p = pan_of(sample_key);
    struct rng r;
    rng_seed(&r, 3);
    uint32_t cached[4096], fresh[4096];
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < 4096; i++)
            cached[i] = fresh[i] = i % 3 ? rng_u32(&r) : (uint32_t)rng_below(&r, 1000);
        cryptopan_map4(p, cached, 4096, false);
        cryptopan_map4(p, fresh, 4096, true);
        assert_memory_equal(cached, fresh, sizeof cached);
    }
    cryptopan_free(p);
}

static const struct CMUnitTest tests[] = {
    SAYS("the published results come out, for both families", vectors),
    SAYS("a million pairs of addresses share as many first bits after as before", prefixes),
    SAYS("pairs of IPv6 that part at a bit part at that bit", prefixes6),
    SAYS("an address from the cache is what it is without", cache),
};
TEST_MAIN(tests)
