#include "base/hash.h"

#include <string.h>

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ (uint64_t)len * 0x9e3779b97f4a7c15ull;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = hash_u64(h ^ word);
    }
    uint64_t tail = 0;
    if (len)
        memcpy(&tail, p, len);
    return hash_u64(h ^ tail ^ (uint64_t)len << 56);
}
