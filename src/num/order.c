#include "num/order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sorted_quantile(const double *values, size_t count, double q)
{
    double place = q * (double)(count - 1);
    size_t low = (size_t)place;
    if (low + 1 >= count)
        return values[count - 1];
    double part = place - (double)low;
    return values[low] + part * (values[low + 1] - values[low]);
}

double quantile(double *values, size_t count, double q)
{
    assert(count >= 1 && q >= 0.0 && q <= 1.0);
    qsort(values, count, sizeof *values, compare);
    return sorted_quantile(values, count, q);
}

double median(double *values, size_t count)
{
    return quantile(values, count, 0.5);
}

double median_deviation(double *values, size_t count, double *ret_median)
{
    double middle = median(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - middle);
    if (ret_median)
        *ret_median = middle;
    return 1.4826 * median(values, count);
}

double false_discovery_limit(const double *p, size_t n, double rate, double *order)
{
    if (!n)
        return -1.0;
    memcpy(order, p, n * sizeof *order);
    qsort(order, n, sizeof *order, compare);
    for (size_t i = n; i-- > 0;)
        if (order[i] <= rate * (double)(i + 1) / (double)n)
            return order[i];
    return -1.0;
}
