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

/* Below 30 by multiplying uniforms; above by halving through the gamma distribution (Ahrens,
 * Dieter 1974), which is exact and needs about log2(mean) steps. */
uint64_t rng_poisson(struct rng *r, double mean)
{
    assert(mean >= 0.0);
    if (mean > 1e6) {
        double x = mean + sqrt(mean) * rng_normal(r) + 0.5;
        return x < 0.0 ? 0 : (uint64_t)x;
    }
    uint64_t count = 0;
    while (mean >= 30.0) {
        uint64_t m = (uint64_t)(mean * 0.875);
        double x = rng_gamma(r, (double)m);
        if (x > mean) {
            double part = mean / x;
            for (uint64_t i = 1; i < m; i++)
                count += rng_unit(r) < part;
            return count;
        }
        count += m;
        mean -= x;
    }
    double product = rng_unit(r);
    for (double limit = exp(-mean); product > limit; product *= rng_unit(r))
        count++;
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
