#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdint.h>

/* Numbers in network order into the middle of a packet, where a struct buf has no place. */

static inline void wire_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *at, uint32_t value)
{
    wire_put16(at, value >> 16);
    wire_put16(at + 2, value);
}

#endif
