#include "num/order.h"
#include "test.h"

#include <math.h>

static void quantiles_by_hand(void **state)
{
    (void)state;
    double v[] = {7, 1, 3, 5};
    assert_true(quantile(v, 4, 0.0) == 1.0);
    assert_true(quantile(v, 4, 1.0) == 7.0);
    assert_true(quantile(v, 4, 0.5) == 4.0);
    assert_true(fabs(quantile(v, 4, 0.25) - 2.5) < 1e-12);
    double one[] = {9};
    assert_true(quantile(one, 1, 0.3) == 9.0);
}

static void median_ignores_wild(void **state)
{
    (void)state;
    double v[] = {10, 11, 9, 1e9, 10};
    double middle = 0;
    double spread = median_deviation(v, 5, &middle);
    assert_true(middle == 10.0);
    assert_true(fabs(spread - 1.4826) < 1e-12);
}

static const struct CMUnitTest tests[] = {
    SAYS("quantiles are linear between neighbours", quantiles_by_hand),
    SAYS("median and deviation do not move with one wild value", median_ignores_wild),
};
TEST_MAIN(tests)
