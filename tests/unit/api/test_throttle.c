#include "test.h"

#include "api/throttle_int.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const struct throttle_rule ten_a_minute = {6 * US_SECOND, 10};

static bool take(struct throttle *t, const char *key, int64_t now, int64_t *ret_wait)
{
    return throttle_take(t, key, strlen(key), &ten_a_minute, now, ret_wait);
}

static void allows_the_burst_then_the_rate(void **state)
{
    struct throttle *t;
    int64_t now = 1000 * US_SECOND;
    int64_t wait = 0;
    (void)state;
    assert_int_equal(throttle_new(&t, 64), OK);
    for (int i = 0; i < 10; i++)
        assert_true(take(t, "a", now, &wait));
    assert_false(take(t, "a", now, &wait));
    assert_int_equal(wait, 6 * US_SECOND);
    assert_true(take(t, "b", now, &wait));
    assert_false(take(t, "a", now + 5999999, &wait));
    assert_int_equal(wait, 1);
    assert_true(take(t, "a", now + 6 * US_SECOND, &wait));
    assert_false(take(t, "a", now + 6 * US_SECOND, &wait));
    assert_true(take(t, "a", now + 600 * US_SECOND, &wait));
    throttle_free(t);
}

static void gives_back(void **state)
{
    struct throttle *t;
    int64_t wait;
    (void)state;
    assert_int_equal(throttle_new(&t, 64), OK);
    for (int i = 0; i < 100; i++) {
        assert_true(take(t, "a", US_SECOND, &wait));
        throttle_give_back(t, "a", 1, &ten_a_minute);
    }
    throttle_free(t);
}

static void holds_out_against_a_flood(void **state)
{
    struct throttle *t;
    int64_t wait;
    int64_t now = US_DAY;
    (void)state;
    assert_int_equal(throttle_new(&t, 1024), OK);
    for (int i = 0; i < 11; i++)
        (void)take(t, "guesser", now, &wait);
    for (int i = 0; i < 100000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_true(take(t, key, now, &wait));
    }
    assert_false(take(t, "guesser", now, &wait));
    throttle_free(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("a burst passes, then the steady rate, for each key apart",
        allows_the_burst_then_the_rate),
    SAYS("what is given back does not count", gives_back),
    SAYS("a flood of new keys does not free one that is held back", holds_out_against_a_flood),
};
TEST_MAIN(tests)
