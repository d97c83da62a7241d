#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t cap)
{
    assert(cap < SIZE_MAX / 2);
    *b = (struct buf){.cap = cap};
}

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.cap = b->cap};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = OK;
    if (b->data)
        b->data[0] = 0;
}

static enum err buf_grow(struct buf *b, size_t len)
{
    size_t room = b->room ? b->room * 2 : 256;
    while (room < b->len + len + 1)
        room *= 2;
    if (room > b->cap + 1)
        room = b->cap + 1;
    uint8_t *data = realloc(b->data, room);
    if (!data)
        return ERR_NOMEM;
    b->data = data;
    b->room = room;
    return OK;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    if (b->err)
        return NULL;
    if (len > b->cap - b->len) {
        b->err = ERR_FULL;
        return NULL;
    }
    if (b->len + len + 1 > b->room)
        b->err = buf_grow(b, len);
    return b->err ? NULL : b->data + b->len;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    uint8_t *to = buf_reserve(b, len);
    if (!to)
        return;
    if (len)
        memcpy(to, data, len);
    b->len += len;
    b->data[b->len] = 0;
}

void buf_u8(struct buf *b, uint8_t v)
{
    buf_put(b, &v, 1);
}

void buf_le16(struct buf *b, uint16_t v)
{
    buf_put(b, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8)}, 2);
}

void buf_le32(struct buf *b, uint32_t v)
{
    buf_put(b,
        (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)}, 4);
}

void buf_le64(struct buf *b, uint64_t v)
{
    buf_le32(b, (uint32_t)v);
    buf_le32(b, (uint32_t)(v >> 32));
}

void buf_be16(struct buf *b, uint16_t v)
{
    buf_put(b, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void buf_be32(struct buf *b, uint32_t v)
{
    buf_put(b,
        (uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}, 4);
}

void buf_varint(struct buf *b, uint64_t v)
{
    uint8_t out[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    buf_put(b, out, n);
}

void buf_str(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 && !b->err)
        b->err = ERR_BAD; /* a wide character that the locale lacks, or more than INT_MAX */
    uint8_t *to = len < 0 ? NULL : buf_reserve(b, (size_t)len);
    if (to) {
        vsnprintf((char *)to, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}
