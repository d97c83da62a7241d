#include "base/rng.h"
#include "num/edetector.h"
#include "test.h"

#include <math.h>

/* p = e^-2: (1 - p - 2 p) / (4 p). */
static void calibrator_by_hand(void **state)
{
    (void)state;
    double p = exp(-2.0);
    assert_true(fabs(evalue_from_p(-2.0) - (1.0 - 3.0 * p) / (4.0 * p)) < 1e-12);
    assert_true(fabs(evalue_from_p(0.0) - 0.5) < 1e-12);
    assert_true(fabs(evalue_from_p(-1e-3) - 0.5) < 1e-3);
    assert_true(evalue_from_p(-1e6) > 1e11 && evalue_from_p(-1e6) <= 1e12);
}

/* A fair bet: its mean over uniform p-values is 1 (half of it at p below e^-50 or so is not
 * seen by any sum), and less for p-values that are too large. */
static void mean_is_at_most_one(void **state)
{
    (void)state;
    double sum = 0.0;
    const double step = 1e-3;
    for (double log_p = -step / 2; log_p > -60.0; log_p -= step)
        sum += evalue_from_p(log_p) * exp(log_p) * step;
    assert_true(sum <= 1.0 && sum > 0.97);
}

/* While nothing happens, evidence of 500 is reached after 500 steps or more in the mean. */
static void false_alarms_are_as_rare_as_promised(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 5);
    double steps = 0.0;
    const int runs = 200;
    for (int i = 0; i < runs; i++) {
        double m = 0.0;
        for (; m < 500.0; steps += 1.0 / runs)
            m = edetector_step(m, evalue_from_p(log(1.0 - rng_unit(&r))), 1e10);
    }
    assert_true(steps >= 500.0);
}

/* p-values of a shift by two deviations: found within some twenty steps. */
static void a_change_is_found(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 6);
    double steps = 0.0;
    const int runs = 200;
    for (int i = 0; i < runs; i++) {
        double m = 0.0;
        for (; m < 500.0; steps += 1.0 / runs) {
            double p = 0.5 * erfc((rng_normal(&r) + 2.0) * 0.7071067811865476);
            m = edetector_step(m, evalue_from_p(log(p)), 1e10);
        }
    }
    assert_true(steps < 20.0);
}

static const struct CMUnitTest tests[] = {
    SAYS("the e-value of a p-value agrees with a calculation by hand", calibrator_by_hand),
    SAYS("the mean e-value is at most one under the null", mean_is_at_most_one),
    SAYS("the time to a false alarm is as long as promised, or longer",
        false_alarms_are_as_rare_as_promised),
    SAYS("a shift by two deviations is found within twenty steps", a_change_is_found),
};
TEST_MAIN(tests)
