#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The Internet checksum (RFC 1071), and mending one by what has changed under it (RFC 1624,
 * equation 3): the difference to the right value stays what it was. */

/* One's complement sum of big-endian words; an odd last byte is a high one. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
    for (; len > 1; data += 2, len -= 2)
        sum += (uint64_t)(data[0] << 8 | data[1]);
    return len ? sum + (uint64_t)(data[0] << 8) : sum;
}

static inline uint16_t checksum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The checksum over what adds up to `sum` and these bytes, in which its own field is 0. */
static inline uint16_t checksum_seal(uint64_t sum, const uint8_t *data, size_t len)
{
    return (uint16_t)~checksum_fold(checksum_add(sum, data, len));
}

/* `before` and `after`: sums of all that it covers, the checksum's own field left out. */
static inline uint16_t checksum_mend(uint16_t old, uint64_t before, uint64_t after)
{
    uint64_t sum = (uint16_t)~old;
    sum += (uint16_t)~checksum_fold(before);
    sum += checksum_fold(after);
    return (uint16_t)~checksum_fold(sum);
}

#endif
