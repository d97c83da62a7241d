#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* Seeded randomness, the same on every machine (xoshiro256**: Blackman, Vigna, "Scrambled
 * Linear Pseudorandom Number Generators", ACM TOMS 47(4), 2021). Not for secrets. Independent
 * streams come from independent seeds: rng_seed(&r, hash_two(seed, what)). */
struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
uint32_t rng_u32(struct rng *r);

/* Uniform over 0..n-1, n > 0, without bias. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* Uniform in [0, 1). */
double rng_unit(struct rng *r);

/* Samples: mean 1 exponential; standard normal; Poisson of a mean >= 0 (normal approximation
 * above 1e9); gamma of shape > 0 and scale 1; Pareto with least value 1 and tail index > 0. */
double rng_exponential(struct rng *r);
double rng_normal(struct rng *r);
uint64_t rng_poisson(struct rng *r, double mean);
double rng_gamma(struct rng *r, double shape);
double rng_pareto(struct rng *r, double index);

#endif
