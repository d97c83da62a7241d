/* Expected values: Debian's python3-mpmath, 40 digits, e.g.
 *   mp.log(mp.gammainc(u, 0, m, regularized=True))                        for Poisson,
 *   mp.log(sum of the probability mass from u until a term is below 1e-24 of it)  for NB,
 *   mp.log(mp.erfc(z / mp.sqrt(2)) / 2)                                   for the normal. */
#include "base/rng.h"
#include "num/tail.h"
#include "test.h"

#include <math.h>

static void is_close(double got, double want)
{
    if (fabs(got - want) > 1e-9 * (1.0 + fabs(want)))
        fail_msg("got %.15g, want %.15g", got, want);
}

static void poisson_table(void **state)
{
    (void)state;
    static const struct {
        double u, mean, log_p;
    } rows[] = {
        {1, 0.001, -6.908255237315471},
        {10, 0.01, -61.16520499755018},
        {3, 2.5, -0.7848527198374081},
        {50, 12, -35.96594297944621},
        {12, 50, -3.004353682500192e-11},
        {1000, 500, -196.8289190608625},
        {100000, 90000, -540.4252806833239},
        {20, 20, -0.6353637994157613},
        {500, 1, -2612.328460465461},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_close(log_tail_poisson(rows[i].u, rows[i].mean), rows[i].log_p);
    assert_true(log_tail_poisson(0, 3) == 0.0);
    assert_true(isinf(log_tail_poisson(1, 0)));
}

static void negbin_table(void **state)
{
    (void)state;
    static const struct {
        double u, mean, dispersion, log_p;
    } rows[] = {
        {1, 0.01, 0.5, -4.612648388811582},
        {10, 0.01, 1, -46.15120516841259},
        {30, 12, 0.1, -5.712238384923014},
        {214, 12, 0.1, -101.0587656640379},
        {5, 12, 0.1, -0.04694787231824561},
        {1000, 500, 0.02, -17.03322362615611},
        {10000, 5000, 0.3, -2.907909401866889},
        {100000, 50000, 0.001, -306.2948440819692},
        {40, 20, 2, -1.825237906899501},
        {300, 100, 0.00001, -132.7526398130601},
        {100000, 2, 0.05, -239611.9305547296},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_close(log_tail_negbin(rows[i].u, rows[i].mean, rows[i].dispersion), rows[i].log_p);
}

static void negbin_meets_poisson(void **state)
{
    (void)state;
    is_close(log_tail_negbin(50, 12, 0.0), log_tail_poisson(50, 12));
    double near = log_tail_negbin(50, 12, 1e-8);
    assert_true(fabs(near - log_tail_poisson(50, 12)) < 1e-4);
    near = log_tail_negbin(50, 12, 2e-8);
    assert_true(fabs(near - log_tail_poisson(50, 12)) < 1e-4);
}

/* By hand: mean 1, dispersion 1 is geometric with P(U >= u) = 2^-u. */
static void geometric_by_hand(void **state)
{
    (void)state;
    for (int u = 1; u <= 1000; u += 37)
        is_close(log_tail_negbin(u, 1.0, 1.0), -u * log(2.0));
}

static void tails_fall(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 7);
    for (int i = 0; i < 2000; i++) {
        double mean = exp(12.0 * rng_unit(&r) - 4.0);
        double dispersion = exp(8.0 * rng_unit(&r) - 7.0);
        double last = 0.0;
        for (int k = 0; k < 12; k++) {
            double u = floor(mean * k * 0.4 + k);
            double now = log_tail_negbin(u, mean, dispersion);
            assert_true(isfinite(now) && now <= last + 1e-9);
            last = now;
        }
    }
}

static void matches_samples(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 11);
    const double mean = 20.0;
    const double dispersion = 0.3;
    int over = 0;
    for (int i = 0; i < 100000; i++) {
        double rate = rng_gamma(&r, 1.0 / dispersion) * mean * dispersion;
        over += rng_poisson(&r, rate) >= 45;
    }
    double p = exp(log_tail_negbin(45, mean, dispersion));
    double deviation = sqrt(p * (1.0 - p) / 100000.0);
    assert_true(fabs(over / 100000.0 - p) < 4.0 * deviation);
}

static void normal_table(void **state)
{
    (void)state;
    static const struct {
        double z, log_p;
    } rows[] = {
        {-3, -0.001350809964748194},
        {0, -0.6931471805599453},
        {1.5, -2.70594440082389},
        {8, -35.01343715991455},
        {29, -424.7874199097302},
        {31, -484.8539636271793},
        {100, -5005.524208694205},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is_close(log_tail_normal(rows[i].z), rows[i].log_p);
        assert_true(fabs(normal_from_log_tail(rows[i].log_p) - rows[i].z) < 1e-8);
    }
}

static void combines(void **state)
{
    (void)state;
    const double few[] = {log(0.01), log(0.2), log(0.03)};
    const double far[] = {log(1e-20), log(1e-30), log(0.5), log(1e-8)};
    const double dull[] = {log(0.9), log(0.8)};
    is_close(log_p_fisher(few, 3), -5.661211032648624);
    is_close(log_p_fisher(far, 4), -121.3134559178349);
    is_close(log_p_fisher(dull, 2), -0.04445051943265576);
    const double one = log(0.25);
    is_close(log_p_fisher(&one, 1), one);
}

static const struct CMUnitTest tests[] = {
    SAYS("the Poisson tail agrees with a 40-digit table far out", poisson_table),
    SAYS("the negative binomial tail agrees with a 40-digit table far out", negbin_table),
    SAYS("without dispersion the negative binomial is Poisson", negbin_meets_poisson),
    SAYS("a geometric tail is a power of one half", geometric_by_hand),
    SAYS("tails are finite and fall over twelve decades of parameters", tails_fall),
    SAYS("the tail is the share of samples that lie in it", matches_samples),
    SAYS("normal tail and its inverse agree with a 40-digit table", normal_table),
    SAYS("Fisher joins p-values as the table says", combines),
};
TEST_MAIN(tests)
