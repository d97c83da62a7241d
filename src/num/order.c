#include "num/order.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double middle_of_three(double a, double b, double c)
{
    if (a > b) {
        double other = a;
        a = b;
        b = other;
    }
    return c < a ? a : c < b ? c : b;
}

/* Returns p < high: none of values[low..p] is larger than any of values[p + 1..high]. Hoare's
 * partition, with the middle of three as the pivot. */
static size_t partition(double *values, size_t low, size_t high)
{
    double pivot = middle_of_three(values[low], values[low + (high - low) / 2], values[high]);
    size_t i = low;
    size_t k = high;
    for (;;) {
        while (values[i] < pivot)
            i++;
        while (values[k] > pivot)
            k--;
        if (i >= k)
            return k < high ? k : high - 1;
        double other = values[i];
        values[i++] = values[k];
        values[k--] = other;
    }
}

/* Put the value of rank `rank` in its place, none larger before it and none smaller behind it.
 */
static void select_rank(double *values, size_t count, size_t rank)
{
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        size_t end = partition(values, low, high);
        if (rank <= end)
            high = end;
        else
            low = end + 1;
    }
}

double quantile(double *values, size_t count, double q)
{
    assert(count >= 1 && q >= 0.0 && q <= 1.0);
    double place = q * (double)(count - 1);
    size_t low = (size_t)place;
    if (low + 1 >= count)
        low = count - 1;
    select_rank(values, count, low);
    double part = place - (double)low;
    if (low + 1 >= count)
        return values[low];
    double next = values[low + 1];
    for (size_t i = low + 2; i < count; i++)
        next = values[i] < next ? values[i] : next;
    return values[low] + part * (next - values[low]);
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
