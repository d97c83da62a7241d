#ifndef NUM_DISTINCT_H
#define NUM_DISTINCT_H

#include <stdint.h>

/* How many different things were seen, in 1 KiB whatever their number: HyperLogLog (Flajolet,
 * Fusy, Gandouet, Meunier, AofA 2007) with 1,024 registers; standard error 1.04 / sqrt(1024) =
 * 3.3 %, and linear counting below 2,560, where it is better (1 % at 200). */
enum {
    DISTINCT_BITS = 10,
    DISTINCT_REGISTERS = 1 << DISTINCT_BITS,
    DISTINCT_RANK_MAX = 64 - DISTINCT_BITS + 1
};

struct distinct {
    uint8_t rank[DISTINCT_REGISTERS]; /* each at most DISTINCT_RANK_MAX; all zero is empty */
};

/* `hash` is of good quality in all 64 bits (base/hash.h). */
static inline void distinct_add(struct distinct *d, uint64_t hash)
{
    uint64_t rest = hash << DISTINCT_BITS | (uint64_t)1 << (DISTINCT_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *kept = &d->rank[hash >> (64 - DISTINCT_BITS)];
    if (rank > *kept)
        *kept = rank;
}

/* The register that distinct_add() looks at; for those who want to ask for its memory. */
static inline const uint8_t *distinct_place(const struct distinct *d, uint64_t hash)
{
    return &d->rank[hash >> (64 - DISTINCT_BITS)];
}

double distinct_count(const struct distinct *d);

#endif
