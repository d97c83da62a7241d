#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The only way into untrusted bytes: a reader over bytes that it does not own. Reading past the
 * end returns zero, moves nothing and sets `cut`, which stays set; a parser may therefore read
 * a whole header and ask once. */
struct bytes {
    const uint8_t *at;
    size_t left;
    bool cut;
};

/* NULL is fine for no bytes at all. */
static inline struct bytes bytes_over(const void *data, size_t len)
{
    return (struct bytes){.at = data ? data : (const void *)"", .left = len, .cut = false};
}

/* True, and `len` bytes are there; false, and the reader is cut. */
static inline bool bytes_has(struct bytes *b, size_t len)
{
    if (!b->cut && len <= b->left)
        return true;
    b->cut = true;
    return false;
}

static inline const uint8_t *bytes_step(struct bytes *b, size_t len)
{
    const uint8_t *here = b->at;
    b->at += len;
    b->left -= len;
    return here;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
    return bytes_has(b, 1) ? *bytes_step(b, 1) : 0;
}

static inline uint16_t bytes_be16(struct bytes *b)
{
    if (!bytes_has(b, 2))
        return 0;
    const uint8_t *p = bytes_step(b, 2);
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t bytes_be32(struct bytes *b)
{
    if (!bytes_has(b, 4))
        return 0;
    const uint8_t *p = bytes_step(b, 4);
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint16_t bytes_le16(struct bytes *b)
{
    if (!bytes_has(b, 2))
        return 0;
    const uint8_t *p = bytes_step(b, 2);
    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t bytes_le32(struct bytes *b)
{
    if (!bytes_has(b, 4))
        return 0;
    const uint8_t *p = bytes_step(b, 4);
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t bytes_le64(struct bytes *b)
{
    if (!bytes_has(b, 8))
        return 0;
    uint64_t low = bytes_le32(b);
    uint64_t high = bytes_le32(b);
    return high << 32 | low;
}

/* An unsigned LEB128 number of at most 64 bits; a longer one sets `cut`. */
static inline uint64_t bytes_varint(struct bytes *b)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = bytes_u8(b);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return b->cut ? 0 : value;
    }
    b->cut = true;
    return 0;
}

/* A reader over the next `len` bytes, which are consumed from `b`; empty and cut if `b` is
 * short. */
static inline struct bytes bytes_take(struct bytes *b, size_t len)
{
    if (!bytes_has(b, len))
        return (struct bytes){.at = b->at, .left = 0, .cut = true};
    return bytes_over(bytes_step(b, len), len);
}

static inline void bytes_skip(struct bytes *b, size_t len)
{
    if (bytes_has(b, len))
        bytes_step(b, len);
}

#endif
