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

/* The example of section 3.1 of the paper: 15 p-values, rate 5 %: the first four are rejected.
 */
static void fdr_of_the_paper(void **state)
{
    (void)state;
    const double p[] = {0.0278, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0298, 0.0344, 0.0459,
        0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
    double order[15];
    assert_true(false_discovery_limit(p, 15, 0.05, order) == 0.0095);
    assert_true(false_discovery_limit(p + 9, 6, 0.05, order) == -1.0);
    assert_true(false_discovery_limit(p, 0, 0.05, order) == -1.0);
}

static const struct CMUnitTest tests[] = {
    SAYS("quantiles are linear between neighbours", quantiles_by_hand),
    SAYS("median and deviation do not move with one wild value", median_ignores_wild),
    SAYS("false discovery control rejects what its paper's example rejects", fdr_of_the_paper),
};
TEST_MAIN(tests)
