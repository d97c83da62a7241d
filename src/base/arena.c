#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_CHUNK = 1 << 16,
    ARENA_ALIGN = 16
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t room;
    size_t pad; /* keeps the bytes that follow aligned to 16 */
};

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
}

static void chunks_free(struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void arena_done(struct arena *a)
{
    chunks_free(a->chunks);
    *a = (struct arena){.cap = a->cap};
}

static struct arena_chunk *chunk_new(size_t len)
{
    size_t room = len > ARENA_CHUNK ? len : ARENA_CHUNK;
    struct arena_chunk *c = malloc(sizeof *c + room);
    if (c)
        *c = (struct arena_chunk){.room = room};
    return c;
}

void arena_clear(struct arena *a)
{
    if (a->chunks && a->chunks->next) {
        chunks_free(a->chunks);
        /* Half as much again, so that rounds that differ a little fit too. NULL is fine. */
        a->chunks = chunk_new(a->used + a->used / 2);
    } else if (a->chunks) {
        a->chunks->used = 0;
    }
    a->used = 0;
}

void *arena_room(struct arena *a, size_t count, size_t size)
{
    size_t len;
    if (__builtin_mul_overflow(count, size, &len) ||
        len > SIZE_MAX - sizeof(struct arena_chunk) - ARENA_ALIGN)
        return NULL;
    size_t whole = (len + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (whole > a->cap - a->used)
        return NULL;
    struct arena_chunk *c = a->chunks;
    if (!c || c->room - c->used < whole) {
        c = chunk_new(whole);
        if (!c)
            return NULL;
        c->next = a->chunks;
        a->chunks = c;
    }
    uint8_t *p = (uint8_t *)(c + 1) + c->used;
    c->used += whole;
    a->used += whole;
    return p;
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
    void *p = arena_room(a, count, size);
    if (p)
        memset(p, 0, count * size);
    return p;
}
