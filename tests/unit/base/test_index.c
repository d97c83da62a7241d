#include "base/hash.h"
#include "base/index.h"
#include "base/rng.h"
#include "test.h"

enum {
    MANY = 50000
};

static uint32_t find(const struct index *ix, const uint64_t *keys, uint64_t key, uint64_t hash)
{
    uint32_t e;
    for (size_t p = index_first(ix, hash); index_at(ix, p, hash, &e); p = index_next(ix, p))
        if (e != INDEX_OTHER && keys[e] == key)
            return e;
    return INDEX_OTHER;
}

static enum err add(struct index *ix, uint64_t hash, uint32_t entry)
{
    uint32_t e;
    size_t p = index_first(ix, hash);
    while (index_at(ix, p, hash, &e))
        p = index_next(ix, p);
    return index_put(ix, p, hash, entry);
}

static void finds(void **state)
{
    (void)state;
    static uint64_t keys[MANY];
    struct index ix;
    struct rng r;
    rng_seed(&r, 1);
    assert_int_equal(index_init(&ix, MANY), OK);
    for (uint32_t i = 0; i < MANY; i++) {
        keys[i] = rng_u64(&r);
        assert_int_equal(add(&ix, hash_u64(keys[i]), i), OK);
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(find(&ix, keys, keys[i], hash_u64(keys[i])), i);
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t other = rng_u64(&r);
        assert_int_equal(find(&ix, keys, other, hash_u64(other)), INDEX_OTHER);
    }
    index_done(&ix);
}

/* Every key has the same hash: the worst that can come. */
static void collisions(void **state)
{
    (void)state;
    uint64_t keys[100];
    struct index ix;
    assert_int_equal(index_init(&ix, 100), OK);
    for (uint32_t i = 0; i < 100; i++) {
        keys[i] = i;
        assert_int_equal(add(&ix, UINT64_MAX, i), OK);
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(find(&ix, keys, i, UINT64_MAX), i);
    assert_int_equal(find(&ix, keys, 100, UINT64_MAX), INDEX_OTHER);
    index_done(&ix);
}

static void full(void **state)
{
    (void)state;
    struct index ix;
    assert_int_equal(index_init(&ix, 10), OK);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(add(&ix, hash_u64(i), i), OK);
    assert_int_equal(add(&ix, hash_u64(10), 10), ERR_FULL);
    assert_int_equal(ix.used, 10);
    index_done(&ix);
}

static void clear(void **state)
{
    (void)state;
    uint64_t keys[1] = {7};
    struct index ix;
    assert_int_equal(index_init(&ix, 1), OK);
    assert_int_equal(add(&ix, 0, 0), OK);
    assert_int_equal(find(&ix, keys, 7, 0), 0);
    index_clear(&ix);
    assert_int_equal(find(&ix, keys, 7, 0), INDEX_OTHER);
    assert_int_equal(add(&ix, 0, 0), OK);
    index_done(&ix);
    index_done(&ix);
}

static const struct CMUnitTest tests[] = {
    SAYS("what was put in is found, and nothing else", finds),
    SAYS("entries whose hashes all agree are still told apart", collisions),
    SAYS("past its cap an index says that it is full", full),
    SAYS("a cleared index holds nothing and takes its cap again", clear),
};
TEST_MAIN(tests)
