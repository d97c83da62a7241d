#ifndef NUM_ORDER_H
#define NUM_ORDER_H

#include <stddef.h>

/* For qsort() and bsearch() over uint64_t, rising. */
int compare_u64(const void *a, const void *b);

/* Statistics by order, which a few wild values cannot move. All of them reorder the array that
 * they are given; values must not be NaN, count >= 1. */

/* The q-quantile, 0 <= q <= 1, linear between neighbours (type 7 of Hyndman, Fan, "Sample
 * quantiles in statistical packages", The American Statistician 50(4), 1996). O(n), by Hoare's
 * FIND (CACM 4(7), 1961): medians of three make a slow order unlikely, not impossible. */
double quantile(double *values, size_t count, double q);

double median(double *values, size_t count);

/* Median absolute deviation from the median, times 1.4826: estimates the standard deviation of
 * a normal sample whatever less than half of the values are. */
double median_deviation(double *values, size_t count, double *ret_median);

/**
 * Which of n p-values stay below a false discovery rate (Benjamini, Hochberg, "Controlling the
 * false discovery rate", JRSS B 57(1), 1995).
 *
 * @param p      n values in [0, 1]; left as they are.
 * @param order  room for n numbers.
 * @return the largest p-value that is rejected; -1 if none is: reject p[i] <= result.
 */
double false_discovery_limit(const double *p, size_t n, double rate, double *order);

#endif
