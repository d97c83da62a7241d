#include "evaluate/interval.h"
#include "evaluate/verdict.h"
#include "test.h"

#include <math.h>

static void near_to(double got, double want, double within)
{
    if (fabs(got - want) > within)
        fail_msg("%.6f is not %.6f", got, want);
}

/* Worked by hand from Wilson's formula with z = 1.95996: 5 of 5 is [5/(5+z^2), 1] = [0.5655,
 * 1]; 8 of 10 is [0.4902, 0.9433], as in Brown, Cai, DasGupta 2001, Statistical Science 16(2).
 */
static void shares(void **state)
{
    (void)state;
    struct interval ci = interval_share(5, 5);
    near_to(ci.low, 0.5655, 1e-4);
    near_to(ci.high, 1.0, 1e-9);
    ci = interval_share(8, 10);
    near_to(ci.low, 0.4902, 1e-4);
    near_to(ci.high, 0.9433, 1e-4);
    ci = interval_share(0, 5);
    near_to(ci.low, 0.0, 1e-9);
    near_to(ci.high, 0.4345, 1e-4);
    ci = interval_share(0, 0);
    near_to(ci.low, 0.0, 0.0);
    near_to(ci.high, 1.0, 0.0);
}

/* Garwood's table: 0 is [0, 3.689], 1 is [0.0253, 5.572], 10 is [4.795, 18.390]. */
static void counts(void **state)
{
    (void)state;
    struct interval ci = interval_count(0);
    near_to(ci.low, 0.0, 0.0);
    near_to(ci.high, 3.6889, 1e-3);
    ci = interval_count(1);
    near_to(ci.low, 0.0253, 1e-4);
    near_to(ci.high, 5.5716, 1e-3);
    ci = interval_count(10);
    near_to(ci.low, 4.7954, 1e-3);
    near_to(ci.high, 18.3904, 1e-3);
}

/* With no alert, 3.6889 / 0.1 = 36.9 days say that there are at most 0.1 a day. */
static void verdicts(void **state)
{
    (void)state;
    char text[VERDICT_TEXT];
    struct verdict v = verdict_of(0, 10.0, 0.1);
    assert_int_equal(v.kept, VERDICT_TOO_SHORT);
    near_to(v.about.high, 0.36889, 1e-4);
    near_to(v.days, 36.889, 0.02);
    assert_string_equal(verdict_format(&v, text), "not against it; 37 days would tell");
    v = verdict_of(0, 37.0, 0.1);
    assert_int_equal(v.kept, VERDICT_YES);
    v = verdict_of(4, 10.0, 0.1); /* 1.09 of Garwood's at the least */
    assert_int_equal(v.kept, VERDICT_NO);
    near_to(v.about.low, 0.10899, 1e-4);
    v = verdict_of(1, 20.0, 0.1); /* half of the level */
    assert_int_equal(v.kept, VERDICT_TOO_SHORT);
    assert_true(interval_count((uint64_t)ceil(v.days / 20.0)).high <= 0.1 * v.days + 1e-9);
    assert_true(v.days > 37.0 && v.days < 400.0);
    v = verdict_of(1, 10.0, 0.1);
    assert_true(isinf(v.days));
    assert_string_equal(
        verdict_format(&v, text), "not against it; the rate is at or above the level");
    v = verdict_of(12, 20.0, 0.1 * 6); /* as doubles: just above 0.6 */
    assert_true(isinf(v.days));
    v = verdict_of(30, 10.0, 0.1);
    assert_true(isinf(v.days) && v.kept == VERDICT_NO);
}

static const struct CMUnitTest tests[] = {
    SAYS("Wilson's interval agrees with published values", shares),
    SAYS("the exact Poisson interval agrees with Garwood's table", counts),
    SAYS("a null that is too short says how many days would tell", verdicts),
};

TEST_MAIN(tests)
