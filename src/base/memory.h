#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Memory of large tables: whole pages, zero where they are new, which grow and shrink by moving
 * page tables and not what is in them. Large pages are asked for, so that a random look-up
 * seldom waits for the page tables; without effect where that is not allowed. */

/* Make a table of `old_bytes` (NULL: none yet) one of `bytes`, at least 1. NULL: no memory, and
 * the table is as it was. */
static inline void *memory_resize(void *old, size_t old_bytes, size_t bytes)
{
    void *memory =
        old ? mremap(old, old_bytes, bytes, MREMAP_MAYMOVE)
            : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

/* Read a byte so that its line is in the cache when it is needed. Unlike a prefetch, which the
 * processor may drop, it is waited for; of several in a row, together. */
static inline void memory_touch(const void *at)
{
    (void)*(const volatile uint8_t *)at;
}

/* NULL is fine. */
static inline void memory_free(void *memory, size_t bytes)
{
    if (memory)
        (void)munmap(memory, bytes);
}

#endif
