#include "anon/permute_int.h"

#include "base/rng.h"
#include "test.h"

static struct permute *permute_of(const char *key)
{
    struct permute *p;
    assert_int_equal(permute_new(&p, (const uint8_t *)key), OK);
    return p;
}

static const char key_a[PERMUTE_KEY + 1] = "an example of a key, 32 bytes, a";
static const char key_b[PERMUTE_KEY + 1] = "an example of a key, 32 bytes, b";

static void one_to_one(void **state)
{
    (void)state;
    enum {
        COUNT = 1 << 20
    };
    struct permute *p = permute_of(key_a);
    struct ip *all = calloc(COUNT, sizeof *all);
    uint8_t *seen = calloc(1u << 29, 1); /* a bit an address */
    assert_non_null(all);
    assert_non_null(seen);
    for (uint32_t i = 0; i < COUNT; i++)
        all[i] = ip_from_v4(0x0a000000u + i);
    permute_map(p, all, COUNT);
    size_t near = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(ip_is_v4(&all[i]));
        uint32_t v = ip_v4(&all[i]);
        assert_false(seen[v >> 3] >> (v & 7) & 1);
        seen[v >> 3] |= (uint8_t)(1u << (v & 7));
        near += v >> 20 == 0x0a0;
    }
    /* Of 2^20 addresses 256 belong into one /12; four deviations are 64. */
    assert_true(near > 192 && near < 320);
    free(all);
    free(seen);
    permute_free(p);
}

static void mixed(void **state)
{
    (void)state;
    struct permute *p = permute_of(key_a);
    struct ip together[200], alone[200];
    struct rng r;
    rng_seed(&r, 1);
    for (size_t i = 0; i < 200; i++) {
        together[i] = ip_from_v4(rng_u32(&r));
        if (i % 3 == 0)
            for (size_t k = 0; k < 16; k++)
                together[i].byte[k] = (uint8_t)rng_u32(&r);
        alone[i] = together[i];
    }
    permute_map(p, together, 200);
    for (size_t i = 0; i < 200; i++) {
        struct ip before = alone[i];
        permute_map(p, &alone[i], 1);
        assert_int_equal(ip_is_v4(&before), ip_is_v4(&alone[i]));
        assert_memory_equal(&alone[i], &together[i], sizeof alone[i]);
        assert_memory_not_equal(&alone[i], &before, sizeof before);
    }
    permute_free(p);
}

static void keyed(void **state)
{
    (void)state;
    struct permute *a = permute_of(key_a), *b = permute_of(key_b);
    struct ip x[2] = {ip_from_v4(1), {.byte = {0x20, 1}}}, y[2];
    memcpy(y, x, sizeof y);
    permute_map(a, x, 2);
    /* The last byte is in the half of the key that IPv6 has. */
    permute_map(b, y, 2);
    assert_memory_equal(&x[0], &y[0], sizeof x[0]);
    assert_memory_not_equal(&x[1], &y[1], sizeof x[1]);
    permute_free(a);
    permute_free(b);
}

static const struct CMUnitTest tests[] = {
    SAYS("a million addresses stay a million, and lie anywhere", one_to_one),
    SAYS("both families in one batch come out as each by itself", mixed),
    SAYS("each half of the key goes to one family", keyed),
};
TEST_MAIN(tests)
