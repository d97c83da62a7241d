#ifndef ENGINE_COUNTS_H
#define ENGINE_COUNTS_H

#include <stdint.h>

/* Sums over runs of windows in a ring, where every engine that compares with the past spends
 * its time. Counts are floats, 0 or more; NAN stands for a window that was not watched, and
 * counts as none. */

/* Neither argument is NaN, unlike those of fmax() and fmin(), which are calls for that reason.
 */
static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline float count_known(float x)
{
    return x >= 0.0F ? x : 0.0F;
}

/* NAN if one of them is. In four lanes, as each step waits for the one before; sums of counts
 * are exact in a double, so that their order makes no difference. */
static inline double counts_sum(const float *values, uint32_t count)
{
    double a = 0.0;
    double b = 0.0;
    double c = 0.0;
    double d = 0.0;
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        a += (double)values[i];
        b += (double)values[i + 1];
        c += (double)values[i + 2];
        d += (double)values[i + 3];
    }
    for (; i < count; i++)
        a += (double)values[i];
    return a + b + (c + d);
}

/* Of those that are known; *known grows by how many these are. */
static inline double counts_sum_known(const float *values, uint32_t count, unsigned *known)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        sum += (double)count_known(values[i]);
        *known += values[i] >= 0.0F;
    }
    return sum;
}

/* The two largest counts. */
struct top {
    float most, second;
};

static inline struct top top_with(struct top t, float x)
{
    float less = x < t.most ? x : t.most;
    t.second = less > t.second ? less : t.second;
    t.most = x > t.most ? x : t.most;
    return t;
}

static inline struct top counts_top(struct top t, const float *values, uint32_t count)
{
    struct top b = {0.0F, 0.0F};
    struct top c = b;
    struct top d = b;
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        t = top_with(t, count_known(values[i]));
        b = top_with(b, count_known(values[i + 1]));
        c = top_with(c, count_known(values[i + 2]));
        d = top_with(d, count_known(values[i + 3]));
    }
    for (; i < count; i++)
        t = top_with(t, count_known(values[i]));
    t = top_with(top_with(t, b.second), b.most);
    c = top_with(top_with(c, d.second), d.most);
    return top_with(top_with(t, c.second), c.most);
}

#endif
