#ifndef NUM_TAIL_H
#define NUM_TAIL_H

/* Tails of count distributions, in natural logarithms so that they stay exact far out, where
 * the probability itself is zero in a double. Arguments that are NaN or out of range are bugs
 * (asserted). */

/* ln P(U >= u) of a Poisson count with mean >= 0. u <= 0 gives 0. Absolute error below
 * 1e-9 * (1 + |result|). Source: regularised incomplete gamma function, DLMF 8.11.4 (series)
 * and 8.9.2 (continued fraction). */
double log_tail_poisson(double u, double mean);

/* ln P(U >= u) of a negative binomial count with mean >= 0 and variance
 * mean + dispersion * mean^2, dispersion >= 0 (0 is Poisson). u need not be whole. Source:
 * regularised incomplete beta function, DLMF 8.17.22 (continued fraction). */
double log_tail_negbin(double u, double mean, double dispersion);

/* ln P(Z >= z) of a standard normal. */
double log_tail_normal(double z);

/* The z with P(Z >= z) = exp(log_p), log_p < 0; the inverse of log_tail_normal() to 1e-9. */
double normal_from_log_tail(double log_p);

/* One p-value from several independent ones (natural logarithms) after Fisher: minus twice the
 * sum is chi-square with 2 n degrees of freedom. n >= 1. */
double log_p_fisher(const double *log_p, unsigned n);

#endif
