#include "base/hash.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* The first outputs of SplitMix64 from the seed 1234567, as its authors' program gives them. */
static void known_values(void **state)
{
    (void)state;
    static const uint64_t want[] = {
        6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u};
    uint64_t seed = 1234567;
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        assert_true(hash_u64(seed) == want[i]);
    }
}

/* Turning one input bit turns each output bit half of the time: 64 x 1000 trials a bit, so the
 * share is within 0.02 of a half (10 standard deviations). */
static void avalanche(void **state)
{
    (void)state;
    int turned[64] = {0};
    for (uint64_t x = 0; x < 1000; x++)
        for (int in = 0; in < 64; in++) {
            uint64_t d = hash_u64(x) ^ hash_u64(x ^ (uint64_t)1 << in);
            for (int out = 0; out < 64; out++)
                turned[out] += (int)(d >> out & 1);
        }
    for (int out = 0; out < 64; out++)
        assert_true(fabs(turned[out] / 64000.0 - 0.5) < 0.02);
}

static void order_matters(void **state)
{
    (void)state;
    assert_true(hash_two(1, 2) != hash_two(2, 1));
    assert_true(hash_two(0, 0) != hash_two(0, 1));
    assert_true(hash_two(0, 0) != hash_two(1, 0));
}

static void lengths(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint64_t seen[65];
    for (size_t len = 0; len <= 64; len++) {
        seen[len] = hash_bytes(zeros, len, 0);
        for (size_t k = 0; k < len; k++)
            assert_true(seen[k] != seen[len]);
    }
    assert_true(hash_bytes(NULL, 0, 0) == seen[0]);
}

static void every_byte_counts(void **state)
{
    (void)state;
    uint8_t data[40];
    for (size_t len = 1; len <= sizeof data; len++) {
        memset(data, 0x5a, sizeof data);
        uint64_t before = hash_bytes(data, len, 9);
        for (size_t i = 0; i < len; i++) {
            data[i] ^= 1;
            assert_true(hash_bytes(data, len, 9) != before);
            data[i] ^= 1;
        }
        assert_true(hash_bytes(data, len, 9) == before);
        assert_true(hash_bytes(data, len, 10) != before);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("the mixer is SplitMix64's", known_values),
    SAYS("one bit of input turns half of the bits of output", avalanche),
    SAYS("the hash of two numbers depends on their order", order_matters),
    SAYS("zeros of different lengths hash differently", lengths),
    SAYS("every byte and the seed change the hash, at any length and end", every_byte_counts),
};
TEST_MAIN(tests)
