#include "base/hash.h"
#include "num/distinct.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void fill(struct distinct *d, uint64_t seed, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        distinct_add(d, hash_two(seed, i));
}

/* Four standard errors, so that fixed seeds leave room for none to be luck. */
static void error_is_as_stated(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        double allowed;
    } rows[] = {
        {1, 0.01}, {10, 0.06}, {200, 0.05}, {2000, 0.12}, {20000, 0.14}, {300000, 0.14}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct distinct d = {{0}};
            fill(&d, seed, 0, rows[i].count);
            double n = (double)rows[i].count;
            assert_true(fabs(distinct_count(&d) - n) <= rows[i].allowed * n);
        }
}

static void repeats_are_one(void **state)
{
    (void)state;
    struct distinct d = {{0}};
    assert_true(distinct_count(&d) == 0.0);
    for (int i = 0; i < 10; i++)
        fill(&d, 1, 0, 5);
    assert_true(fabs(distinct_count(&d) - 5.0) < 0.05);
}

static const struct CMUnitTest tests[] = {
    SAYS("distinct counts stay within four stated errors", error_is_as_stated),
    SAYS("what was seen before counts no more", repeats_are_one),
};
TEST_MAIN(tests)
