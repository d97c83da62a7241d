#include "audit/correlate.h"

#include "base/rng.h"
#include "test.h"

#include <math.h>

enum {
    COUNT = 300
};

static void noise(struct rng *r, double *out)
{
    for (size_t i = 0; i < COUNT; i++)
        out[i] = 100 + 10 * rng_normal(r);
}

static void shifted(void **state)
{
    (void)state;
    double a[COUNT], b[COUNT];
    struct rng r;
    struct correlate_result result;
    rng_seed(&r, 1);
    noise(&r, a);
    for (size_t i = 0; i < COUNT; i++)
        b[i] = a[(i + COUNT - 7) % COUNT] + rng_normal(&r);
    assert_int_equal(correlate(a, b, COUNT, 24, 1, &result), OK);
    assert_int_equal(result.lag, 7);
    assert_true(result.r > 0.95);
    assert_true(result.p < 0.01);
    assert_int_equal(result.steps, COUNT - 7);
}

static void unrelated(void **state)
{
    (void)state;
    unsigned small = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        double a[COUNT], b[COUNT];
        struct rng r;
        struct correlate_result result;
        rng_seed(&r, seed);
        noise(&r, a);
        noise(&r, b);
        assert_int_equal(correlate(a, b, COUNT, 5, seed, &result), OK);
        small += result.p <= 0.05;
    }
    assert_true(small <= 6); /* 2 expected; more than 6 in one of 200 */
}

static void daily(void **state)
{
    (void)state;
    double a[COUNT], b[COUNT];
    struct rng r;
    struct correlate_result result;
    rng_seed(&r, 3);
    noise(&r, b);
    for (size_t i = 0; i < COUNT; i++)
        a[i] = 1000 + 300 * sin((double)i * 2 * 3.14159265 / 24) + rng_normal(&r);
    assert_int_equal(correlate(a, b, COUNT, 30, 1, &result), OK);
    assert_true(result.r_auto > 0.9);
    assert_true(result.lag_auto == 1 || result.lag_auto == 24);
}

static void refused(void **state)
{
    (void)state;
    double a[COUNT] = {0}, b[COUNT];
    struct rng r;
    struct correlate_result result;
    rng_seed(&r, 1);
    noise(&r, b);
    assert_int_equal(correlate(a, b, COUNT, 5, 1, &result), ERR_RANGE);
    assert_int_equal(correlate(b, b, 8, 1, 1, &result), ERR_RANGE);
    assert_int_equal(correlate(b, b, COUNT, COUNT / 2, 1, &result), ERR_RANGE);
}

static const struct CMUnitTest tests[] = {
    SAYS("a series that is seven steps late is found so", shifted),
    SAYS("independent series are seldom found alike", unrelated),
    SAYS("a daily rhythm shows in the series with itself", daily),
    SAYS("constant and short series are refused", refused),
};
TEST_MAIN(tests)
