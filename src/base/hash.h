#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Hashes for tables in memory and for digests of content that nobody attacks. Not for secrets:
 * keyed and cryptographic hashes come from libsodium. */

/* Mix 64 bits so that every input bit moves every output bit (the finaliser of SplitMix64:
 * Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). */
static inline uint64_t hash_u64(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static inline uint64_t hash_two(uint64_t a, uint64_t b)
{
    return hash_u64(a + 0x9e3779b97f4a7c15ull * (hash_u64(b) + 1));
}

/* Mix two words quickly: the halves of their product, one laid over the other, as in wyhash
 * (Wang Yi). Good in all bits where one of them is secret or well mixed itself; a product of 0
 * is 0. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Any bytes; the seed makes independent functions. About 1 ns for 8 bytes. */
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

#endif
