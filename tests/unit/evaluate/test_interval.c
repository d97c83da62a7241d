#include "evaluate/interval.h"
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

static const struct CMUnitTest tests[] = {
    SAYS("Wilson's interval agrees with published values", shares),
    SAYS("the exact Poisson interval agrees with Garwood's table", counts),
};

TEST_MAIN(tests)
