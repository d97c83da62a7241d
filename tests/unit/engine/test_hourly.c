#include "engine/hourly.h"
#include "test.h"

#include <string.h>

enum {
    SPAN = 6,
    WINDOWS = 18
};

/* What was seen k windows ago: `place` at whole hours, `others` elsewhere. */
static void fill(double strength[WINDOWS], double place, double others)
{
    for (unsigned k = 0; k < WINDOWS; k++)
        strength[k] = k % SPAN ? others : place;
}

static void what_comes_every_hour(void **state)
{
    (void)state;
    double s[WINDOWS];
    fill(s, 8.0, 0.0);
    assert_true(hourly_is(s, WINDOWS, SPAN));
    s[6] = 0.0; /* one hour missed */
    assert_true(hourly_is(s, WINDOWS, SPAN));
    s[7] = 8.0; /* it fell across the border */
    assert_true(hourly_is(s, WINDOWS, SPAN));
}

static void what_comes_more_often(void **state)
{
    (void)state;
    double s[WINDOWS];
    fill(s, 8.0, 2.1);
    assert_false(hourly_is(s, WINDOWS, SPAN));
    for (unsigned k = 0; k < WINDOWS; k++)
        s[k] = k % 3 ? 0.0 : 8.0; /* every half hour */
    assert_false(hourly_is(s, WINDOWS, SPAN));
}

static void what_is_new(void **state)
{
    (void)state;
    double s[WINDOWS] = {8.0};
    assert_false(hourly_is(s, WINDOWS, SPAN));
    s[6] = 1.9; /* less than a quarter: chance */
    assert_false(hourly_is(s, WINDOWS, SPAN));
    s[6] = 2.0;
    assert_true(hourly_is(s, WINDOWS, SPAN));
    s[0] = 0.0;
    assert_false(hourly_is(s, WINDOWS, SPAN));
}

static void a_young_watch(void **state)
{
    (void)state;
    double s[WINDOWS] = {8.0};
    assert_true(hourly_is(s, 6, SPAN)); /* no full hour yet: nobody knows */
    assert_false(hourly_is(s, 7, SPAN));
    s[3] = 8.0; /* but what came twice within it is not a timer's */
    assert_false(hourly_is(s, 6, SPAN));
    assert_false(hourly_is(s, 0, SPAN));
    assert_false(hourly_is(s, 3, 1));
}

static const struct CMUnitTest tests[] = {
    SAYS("what comes every hour, and between them not, is hourly", what_comes_every_hour),
    SAYS("what comes every half hour, or is always there, is not", what_comes_more_often),
    SAYS("what was not there an hour ago, or hardly, is not", what_is_new),
    SAYS("before an hour has been watched, what came once may be", a_young_watch),
};
TEST_MAIN(tests)
