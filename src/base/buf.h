#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow up to a cap. A write that would pass the cap, or that memory refuses, writes
 * nothing and sets `err`, which stays set: a writer may write a whole document and ask once. */
struct buf {
    uint8_t *data; /* owned; NUL follows the last byte, so it may be read as a string; NULL
                      until the first write */
    size_t len;
    size_t room;
    size_t cap;
    enum err err;
};

/* An empty buffer of at most `cap` bytes, less than half of the address space; nothing is
 * allocated yet. */
void buf_init(struct buf *b, size_t cap);
void buf_done(struct buf *b);
void buf_clear(struct buf *b);

/* Make room for `len` more bytes and return where they go, or NULL; the caller then adds to
 * `len`, and has to write the NUL itself if it wants to read a string. */
uint8_t *buf_reserve(struct buf *b, size_t len);

void buf_put(struct buf *b, const void *data, size_t len);
void buf_u8(struct buf *b, uint8_t v);
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_varint(struct buf *b, uint64_t v);
void buf_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);

#endif
