#include "num/tail.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum {
    STEPS_MAX = 100000
}; /* of a series or fraction; about sqrt(argument) are needed near the mean */

static const double tiny = 1e-300;

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* ln(1 - e^x) for x <= 0, without cancellation at either end. */
static double log_complement(double x)
{
    return x > -0.6931471805599453 ? log(-expm1(x)) : log1p(-exp(x));
}

/* ln of x^a e^-x / Gamma(a). */
static double gamma_front(double a, double x)
{
    return a * log(x) - x - log_gamma(a);
}

/* ln P(a, x) by the series in x^k / (a)_{k+1}; good for x < a + 1. */
static double log_gamma_lower(double a, double x)
{
    double term = 1.0 / a;
    double sum = term;
    for (int k = 1; k < STEPS_MAX && term > sum * DBL_EPSILON * 0.25; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return gamma_front(a, x) + log(sum);
}

/* ln Q(a, x) by Lentz's evaluation of the continued fraction; good for x >= a + 1. */
static double log_gamma_upper(double a, double x)
{
    double b = x + 1.0 - a;
    double c = 1.0 / tiny;
    double d = 1.0 / b;
    double h = d;
    for (int k = 1; k < STEPS_MAX; k++) {
        double n = -k * (k - a);
        b += 2.0;
        d = n * d + b;
        c = b + n / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1.0) < DBL_EPSILON)
            break;
    }
    return gamma_front(a, x) + log(h);
}

double log_tail_poisson(double u, double mean)
{
    assert(mean >= 0.0 && !isnan(u));
    if (u <= 0.0)
        return 0.0;
    if (mean == 0.0)
        return -INFINITY;
    if (mean < u + 1.0)
        return fmin(0.0, log_gamma_lower(u, mean));
    return log_complement(fmin(0.0, log_gamma_upper(u, mean)));
}

/* The continued fraction of I_x(a, b), without the factor before it. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1.0;
    double d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < STEPS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 + even * d;
        c = 1.0 + even / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 + odd * d;
        c = 1.0 + odd / c;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1.0) < DBL_EPSILON)
            break;
    }
    return h;
}

/* ln I_x(a, b) with ln x and ln(1 - x) given, so that neither is lost next to 0 or 1. */
static double log_beta_inc(double a, double b, double log_x, double log_y)
{
    double front = a * log_x + b * log_y + log_gamma(a + b) - log_gamma(a) - log_gamma(b);
    if (exp(log_x) < (a + 1.0) / (a + b + 2.0))
        return fmin(0.0, front + log(beta_fraction(a, b, exp(log_x)) / a));
    double other = front + log(beta_fraction(b, a, exp(log_y)) / b);
    return log_complement(fmin(0.0, other));
}

double log_tail_negbin(double u, double mean, double dispersion)
{
    assert(mean >= 0.0 && dispersion >= 0.0 && !isnan(u));
    if (u <= 0.0)
        return 0.0;
    if (mean == 0.0)
        return -INFINITY;
    if (dispersion * mean < 1e-7)
        return log_tail_poisson(u, mean);
    double size = 1.0 / dispersion;
    return log_beta_inc(u, size, log(mean) - log(mean + size), -log1p(mean / size));
}

double log_tail_normal(double z)
{
    assert(!isnan(z));
    if (z < 30.0)
        return log(0.5 * erfc(z * 0.7071067811865476));
    /* Asymptotic series, DLMF 7.12.1; four terms are exact to 1e-10 here. */
    double w = 1.0 / (z * z);
    double series = 1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w)));
    return -0.5 * z * z - log(z) - 0.9189385332046727 + log(series);
}

double normal_from_log_tail(double log_p)
{
    assert(log_p < 0.0);
    double low = -40.0;
    double high = 40.0;
    while (log_tail_normal(high) > log_p)
        high *= 2.0;
    for (int i = 0; i < 80; i++) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) /* neighbours: nothing between them */
            break;
        if (log_tail_normal(middle) > log_p)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

double log_p_fisher(const double *log_p, unsigned n)
{
    assert(n >= 1);
    double sum = 0.0;
    for (unsigned i = 0; i < n; i++)
        sum -= log_p[i];
    /* P(chi2 with 2 n degrees >= 2 sum) = Q(n, sum): the chance of less than n Poisson events.
     */
    if (sum <= 0.0)
        return 0.0;
    if (sum < n + 1.0)
        return log_complement(fmin(-DBL_MIN, log_gamma_lower(n, sum)));
    return fmin(0.0, log_gamma_upper(n, sum));
}
