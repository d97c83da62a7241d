#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash index over entries that live in an array of the caller's: 64-bit hash -> entry number.
 * Open addressing; a slot keeps 32 bits of the hash beside the number, so a look-up touches one
 * line of the index and, nearly always, only the entry that matches. Keys stay with the caller:
 *
 *     for (size_t p = index_first(&ix, h); index_at(&ix, p, h, &e); p = index_next(&ix, p))
 *         if (e != INDEX_OTHER && same(&entries[e], key))
 *             return &entries[e];
 *
 * Capacity is fixed at birth. Removing single entries is not offered: tables here are cleared
 * or rebuilt, never thinned in place. */
struct index {
    uint64_t *slots; /* hash high half << 32 | entry + 1; 0 = empty; owned */
    size_t mask;
    size_t used;
    size_t cap; /* entries that fit: half of the slots */
};

#define INDEX_OTHER UINT32_MAX

/* Room for `cap` entries (at most 2^31), 16 to 32 bytes each. */
enum err index_init(struct index *ix, size_t cap) MUST_CHECK;
void index_done(struct index *ix);
void index_clear(struct index *ix);

static inline size_t index_first(const struct index *ix, uint64_t hash)
{
    return (size_t)hash & ix->mask;
}

static inline size_t index_next(const struct index *ix, size_t place)
{
    return (place + 1) & ix->mask;
}

/* False at the end of the chain. True otherwise, with the entry in *ret_entry if its hash
 * agrees and INDEX_OTHER if it does not. */
static inline bool index_at(
    const struct index *ix, size_t place, uint64_t hash, uint32_t *ret_entry)
{
    uint64_t slot = ix->slots[place];
    if (!slot)
        return false;
    *ret_entry = slot >> 32 == hash >> 32 ? (uint32_t)slot - 1 : INDEX_OTHER;
    return true;
}

/* Note entry number `entry` at `place`, the place where index_at() said false. ERR_FULL at cap.
 */
static inline enum err index_put(struct index *ix, size_t place, uint64_t hash, uint32_t entry)
{
    if (ix->used >= ix->cap)
        return ERR_FULL;
    ix->slots[place] = hash >> 32 << 32 | (entry + 1u);
    ix->used++;
    return OK;
}

static inline void index_prefetch(const struct index *ix, uint64_t hash)
{
    __builtin_prefetch(&ix->slots[(size_t)hash & ix->mask]);
}

#endif
