#include "base/rng.h"

#include "base/hash.h"

#include <assert.h>
#include <math.h>

void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ull;
        r->state[i] = hash_u64(seed);
    }
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t rng_u32(struct rng *r)
{
    return (uint32_t)(rng_u64(r) >> 32);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    uint64_t reject = -n % n; /* 2^64 mod n */
    for (;;) {
        uint64_t x = rng_u64(r);
        if (x >= reject)
            return x % n;
    }
}

double rng_unit(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_exponential(struct rng *r)
{
    return -log1p(-rng_unit(r));
}

double rng_normal(struct rng *r)
{
    double radius = sqrt(2.0 * rng_exponential(r));
    return radius * cos(6.283185307179586 * rng_unit(r));
}

/* Hormann, "The transformed rejection method for generating Poisson random variables",
 * Insurance: Mathematics and Economics 12(1), 1993, algorithm PTRS: mean >= 10, about 1.2
 * rounds whatever the mean. */
static uint64_t poisson_by_rejection(struct rng *r, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean);
    double a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    double most = 0.9277 - 3.6224 / (b - 2.0);
    double log_mean = log(mean);
    for (;;) {
        double u = rng_unit(r) - 0.5;
        double v = 1.0 - rng_unit(r);
        double us = 0.5 - fabs(u);
        double k = floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= most)
            return (uint64_t)k;
        if (k < 0.0 || (us < 0.013 && v > us))
            continue;
        int sign;
        double bound = k * log_mean - mean - lgamma_r(k + 1.0, &sign);
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= bound)
            return (uint64_t)k;
    }
}

uint64_t rng_poisson(struct rng *r, double mean)
{
    assert(mean >= 0.0);
    if (mean > 1e9) {
        double x = mean + sqrt(mean) * rng_normal(r) + 0.5;
        return x < 0.0 ? 0 : (uint64_t)x;
    }
    if (mean >= 10.0)
        return poisson_by_rejection(r, mean);
    double limit = exp(-mean);
    double product = rng_unit(r);
    uint64_t count = 0;
    while (product > limit) {
        product *= rng_unit(r);
        count++;
    }
    return count;
}

/* Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000. */
double rng_gamma(struct rng *r, double shape)
{
    assert(shape > 0.0);
    if (shape < 1.0)
        return rng_gamma(r, shape + 1.0) * pow(1.0 - rng_unit(r), 1.0 / shape);
    double d = shape - 1.0 / 3.0;
    double c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = rng_normal(r);
        double v = 1.0 + c * x;
        if (v <= 0.0)
            continue;
        v = v * v * v;
        if (log(1.0 - rng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double rng_pareto(struct rng *r, double index)
{
    return pow(1.0 - rng_unit(r), -1.0 / index);
}
