#ifndef SENSOR_MEMORY_INT_H
#define SENSOR_MEMORY_INT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Tell the system that a large table is read all over, so that it may use large pages: a random
 * look-up then seldom waits for the page tables. Without effect where that is not allowed. */
static inline void memory_is_table(void *memory, size_t bytes)
{
    enum {
        LARGE_PAGE = 2 << 20
    };
    uintptr_t from = ((uintptr_t)memory + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    uintptr_t to = ((uintptr_t)memory + bytes) / LARGE_PAGE * LARGE_PAGE;
    if (from < to)
        (void)madvise((char *)memory + (from - (uintptr_t)memory), to - from, MADV_HUGEPAGE);
}

#endif
