#include "base/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err index_init(struct index *ix, size_t cap)
{
    assert(cap > 0 && cap <= (size_t)1 << 31);
    size_t slots = 16;
    while (slots < cap * 2)
        slots *= 2;
    uint64_t *memory = calloc(slots, sizeof *memory);
    if (!memory)
        return ERR_NOMEM;
    *ix = (struct index){.slots = memory, .mask = slots - 1, .cap = cap};
    return OK;
}

void index_done(struct index *ix)
{
    free(ix->slots);
    *ix = (struct index){0};
}

void index_clear(struct index *ix)
{
    memset(ix->slots, 0, (ix->mask + 1) * sizeof *ix->slots);
    ix->used = 0;
}
