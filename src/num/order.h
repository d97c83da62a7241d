#ifndef NUM_ORDER_H
#define NUM_ORDER_H

#include <stddef.h>

/* For qsort() and bsearch() over uint32_t and uint64_t, rising. */
int compare_u32(const void *a, const void *b);
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

#endif
