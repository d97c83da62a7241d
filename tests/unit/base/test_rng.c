#include "base/rng.h"
#include "test.h"

#include <math.h>

enum {
    DRAWS = 200000
};

/* The first outputs from the state 1, 2, 3, 4, as the authors' program gives them. */
static void known_values(void **state)
{
    (void)state;
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240u,
        1216172134540287360u, 607988272756665600u, 16172922978634559625u, 8476171486693032832u,
        10595114339597558777u, 2904607092377533576u};
    struct rng r = {{1, 2, 3, 4}};
    for (int i = 0; i < 10; i++)
        assert_true(rng_u64(&r) == want[i]);
}

static void same_seed(void **state)
{
    (void)state;
    struct rng a;
    struct rng b;
    struct rng c;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    rng_seed(&c, 43);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_u64(&a);
        assert_true(x == rng_u64(&b));
        same += x == rng_u64(&c);
    }
    assert_int_equal(same, 0);
}

/* Chi-squared with 9 degrees of freedom: above 33.7 once in 10,000. */
static void below(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 3);
    int counts[10] = {0};
    for (int i = 0; i < DRAWS; i++)
        counts[rng_below(&r, 10)]++;
    double chi = 0;
    for (int i = 0; i < 10; i++)
        chi += (counts[i] - DRAWS / 10.0) * (counts[i] - DRAWS / 10.0) / (DRAWS / 10.0);
    assert_true(chi < 33.7);
    for (int i = 0; i < 100; i++)
        assert_true(rng_below(&r, 1) == 0);
    uint64_t wide = (uint64_t)3 << 62;
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&r, wide) < wide);
}

static void unit(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 4);
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = rng_unit(&r);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 5 * sqrt(1 / 12.0 / DRAWS));
}

struct moments {
    double mean, variance;
};

static struct moments moments_of(double (*draw)(struct rng *, double), double parameter)
{
    struct rng r;
    rng_seed(&r, 5);
    double mean = 0;
    double squares = 0;
    for (int i = 1; i <= DRAWS; i++) {
        double x = draw(&r, parameter);
        double d = x - mean;
        mean += d / i;
        squares += d * (x - mean);
    }
    return (struct moments){mean, squares / (DRAWS - 1)};
}

/* Mean and variance agree with theory within five standard errors; `kurtosis` is that of the
 * distribution, less 3. */
static void check(struct moments m, double mean, double variance, double kurtosis)
{
    assert_true(fabs(m.mean - mean) <= 5 * sqrt(variance / DRAWS));
    assert_true(fabs(m.variance - variance) <= 5 * variance * sqrt((kurtosis + 2) / DRAWS));
}

static double draw_normal(struct rng *r, double unused)
{
    (void)unused;
    return rng_normal(r);
}

static double draw_exponential(struct rng *r, double unused)
{
    (void)unused;
    return rng_exponential(r);
}

static double draw_poisson(struct rng *r, double mean)
{
    return (double)rng_poisson(r, mean);
}

static void normal(void **state)
{
    (void)state;
    check(moments_of(draw_normal, 0), 0, 1, 0);
}

static void exponential(void **state)
{
    (void)state;
    check(moments_of(draw_exponential, 0), 1, 1, 6);
}

static void gamma_shapes(void **state)
{
    (void)state;
    static const double shapes[] = {0.1, 0.5, 1, 2.5, 30, 1000};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(moments_of(rng_gamma, shapes[i]), shapes[i], shapes[i], 6 / shapes[i]);
}

/* On both sides of each border between methods. */
static void poisson_means(void **state)
{
    (void)state;
    static const double means[] = {0.001, 0.7, 9.99, 10, 29, 1234.5, 1e6, 9.9e8, 2e9};
    for (size_t i = 0; i < sizeof means / sizeof *means; i++)
        check(moments_of(draw_poisson, means[i]), means[i], means[i], 1 / means[i]);
    struct rng r;
    rng_seed(&r, 6);
    for (int i = 0; i < 100; i++)
        assert_true(rng_poisson(&r, 0.0) == 0);
}

/* Against the probabilities themselves, where the rejection method begins: 21 cells,
 * chi-squared with 20 degrees of freedom, above 52.4 once in 10,000. */
static void poisson_shape(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 7);
    int counts[21] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = rng_poisson(&r, 10.0);
        counts[k < 20 ? k : 20]++;
    }
    double chi = 0;
    double rest = 1;
    double p = exp(-10.0);
    for (int k = 0; k < 20; k++) {
        chi += (counts[k] - p * DRAWS) * (counts[k] - p * DRAWS) / (p * DRAWS);
        rest -= p;
        p *= 10.0 / (k + 1);
    }
    chi += (counts[20] - rest * DRAWS) * (counts[20] - rest * DRAWS) / (rest * DRAWS);
    assert_true(chi < 52.4);
}

/* P(X > x) = x^-index: counted at 2 and 10. */
static void pareto(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 8);
    int above[2] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x = rng_pareto(&r, 1.2);
        assert_true(x >= 1.0);
        above[0] += x > 2;
        above[1] += x > 10;
    }
    for (int i = 0; i < 2; i++) {
        double p = pow(i ? 10.0 : 2.0, -1.2);
        assert_true(fabs(above[i] - p * DRAWS) < 5 * sqrt(p * (1 - p) * DRAWS));
    }
}

static const struct CMUnitTest tests[] = {
    SAYS("the generator is xoshiro256**", known_values),
    SAYS("the same seed gives the same numbers, another seed others", same_seed),
    SAYS("numbers below n are uniform", below),
    SAYS("the unit interval is uniform and lacks 1", unit),
    SAYS("normal numbers have mean 0 and variance 1", normal),
    SAYS("exponential numbers have mean and variance 1", exponential),
    SAYS("gamma numbers have the moments of their shape", gamma_shapes),
    SAYS("Poisson numbers have the moments of their mean, by every method", poisson_means),
    SAYS("Poisson numbers have the Poisson probabilities", poisson_shape),
    SAYS("Pareto numbers have the tail of their index", pareto),
};
TEST_MAIN(tests)
