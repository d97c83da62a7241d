#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/* Memory that is given out piece by piece and taken back all at once: per window, per request.
 */
struct arena_chunk;
struct arena {
    struct arena_chunk *chunks; /* newest first; owned */
    size_t used;                /* bytes given out since the last clear, with their padding */
    size_t cap;                 /* no more than this is ever given out */
};

void arena_init(struct arena *a, size_t cap);
void arena_done(struct arena *a);

/* Take everything back. Room for as much as was used is kept in one piece, so that rounds that
 * are alike ask the system for nothing. */
void arena_clear(struct arena *a);

/* `count` items of `size` bytes, zeroed, aligned to 16; NULL past the cap, on overflow, or when
 * memory is short. Belongs to the arena. */
void *arena_take(struct arena *a, size_t count, size_t size);

/* The same, but with any content: for what is large and written before it is read. */
void *arena_room(struct arena *a, size_t count, size_t size);

#endif
