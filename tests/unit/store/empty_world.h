#ifndef TESTS_UNIT_STORE_EMPTY_WORLD_H
#define TESTS_UNIT_STORE_EMPTY_WORLD_H

#include "test.h"

#include "store_test.h"

#include <stdlib.h>

/* A store in which there is nothing yet; NULL where the store is not possible. */
struct world {
    char folder[256];
    struct store *store;
};

static inline int world_open(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (!w || !store_is_possible())
        return 0;
    new_folder(w->folder);
    w->store = open_store(w->folder);
    return 0;
}

static inline int world_close(void **state)
{
    struct world *w = *state;
    store_close(w->store);
    if (w->folder[0])
        remove_folder(w->folder);
    free(w);
    return 0;
}

#endif
