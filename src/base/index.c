#include "base/index.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGES_FROM = 1 << 21 /* bytes of an index that is worth whole, large pages */
};

static size_t bytes_of(const struct index *ix)
{
    return (ix->mask + 1) * sizeof *ix->slots;
}

enum err index_init(struct index *ix, size_t cap)
{
    assert(cap > 0 && cap <= (size_t)1 << 31);
    size_t slots = 16;
    while (slots < cap * 2)
        slots *= 2;
    size_t bytes = slots * sizeof *ix->slots;
    uint64_t *memory = bytes < PAGES_FROM ? calloc(1, bytes) : memory_resize(NULL, 0, bytes);
    if (!memory)
        return ERR_NOMEM;
    *ix = (struct index){.slots = memory, .mask = slots - 1, .cap = cap};
    return OK;
}

void index_done(struct index *ix)
{
    if (ix->slots && bytes_of(ix) >= PAGES_FROM)
        memory_free(ix->slots, bytes_of(ix));
    else
        free(ix->slots);
    *ix = (struct index){0};
}

void index_clear(struct index *ix)
{
    memset(ix->slots, 0, bytes_of(ix));
    ix->used = 0;
}
