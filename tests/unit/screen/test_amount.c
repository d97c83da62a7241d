#include "screen/pattern.h"
#include "test.h"

enum {
    DAY = 144
};

/* Is any of so many windows of the same count a surge, from window `from` on? */
static bool surges_within(struct amount *a, uint32_t from, uint32_t windows, uint32_t count)
{
    bool any = false;
    for (uint32_t now = from; now < from + windows; now++)
        any |= amount_take(a, now, DAY, count);
    return any;
}

static void what_stays_as_much_is_no_surge(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 10, 65535, 200000, 1000000000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct amount a = {.seen = 0};
        if (surges_within(&a, 1, 3 * DAY, counts[i]))
            fail_msg("%u a window", (unsigned)counts[i]);
        assert_int_equal(a.most, counts[i]);
        assert_false(amount_take(&a, 3 * DAY + 1, DAY, counts[i] + counts[i] / 2 + 10));
        assert_true(amount_take(&a, 3 * DAY + 2, DAY, counts[i] + counts[i] / 2 + 11));
    }
}

static void nothing_surges_before_a_day_is_known(void **state)
{
    (void)state;
    struct amount a = {.seen = 0};
    assert_false(surges_within(&a, 1, DAY - 1, 5));
    assert_false(amount_take(&a, DAY, DAY, 1000));
    assert_true(amount_take(&a, DAY + 1, DAY, 1000));
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct amount a = {.seen = 0};
    struct amount b;
    struct buf saved;
    surges_within(&a, 1, 2 * DAY, 70000);
    buf_init(&saved, 1 << 16);
    amount_save(&a, DAY, &saved);
    struct bytes in = bytes_over(saved.data, saved.len);
    assert_true(amount_load(&b, DAY, 2 * DAY, &in));
    assert_int_equal(in.left, 0);
    assert_int_equal(b.seen, 2 * DAY);
    assert_memory_equal(a.past, b.past, sizeof a.past);
    in = bytes_over(saved.data, saved.len - 1);
    assert_false(amount_load(&b, DAY, 2 * DAY, &in));
    in = bytes_over(saved.data, saved.len);
    assert_false(amount_load(&b, DAY, 2 * DAY - 1, &in));
    buf_done(&saved);
}

static const struct CMUnitTest tests[] = {
    SAYS("what stays as much is no surge, however much it is", what_stays_as_much_is_no_surge),
    SAYS("nothing surges before a day is known", nothing_surges_before_a_day_is_known),
    SAYS("what is saved is loaded, and checked", what_is_saved_is_loaded),
};
TEST_MAIN(tests)
