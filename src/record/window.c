#include "record/window.h"

#include <stdlib.h>
#include <string.h>

/* Room for lists that may be empty. */
static void *list_new(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

static enum err block_copy(const struct block **ret_block, const struct block *b)
{
    struct block *copy;
    enum err e = block_new(&copy, b->kind, b->rows ? b->rows : 1);
    if (e)
        return e;
    *ret_block = copy; /* the window's, whole or not */
    return block_append(copy, b, 0, b->rows);
}

static enum err tags_copy(const uint8_t **ret_tags, const uint8_t *tags, size_t rows)
{
    uint8_t *copy = list_new(rows, 1);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, tags, rows);
    *ret_tags = copy;
    return OK;
}

enum err window_copy(struct window *ret_window, const struct window *w)
{
    struct window_site *sites = list_new(w->site_count, sizeof *sites);
    const struct block **blocks = list_new(w->block_count, sizeof *blocks);
    const uint8_t **tags = w->tags ? list_new(w->block_count, sizeof *tags) : NULL;
    struct window copy = *w;
    copy.sites = sites;
    copy.blocks = blocks;
    copy.tags = tags;
    copy.shelf = NULL;
    enum err e = sites && blocks && (tags || !w->tags) ? OK : ERR_NOMEM;
    if (!e && w->site_count)
        memcpy(sites, w->sites, w->site_count * sizeof *sites);
    if (e)
        copy.block_count = 0;
    for (size_t i = 0; !e && i < w->block_count; i++)
        e = block_copy(&blocks[i], w->blocks[i]);
    for (size_t i = 0; !e && tags && i < w->block_count; i++)
        e = tags_copy(&tags[i], w->tags[i], w->blocks[i]->rows);
    if (e)
        window_done(&copy);
    else
        *ret_window = copy;
    return e;
}

void window_done(struct window *w)
{
    for (size_t i = 0; i < w->block_count; i++) {
        block_free((struct block *)(uintptr_t)w->blocks[i]);
        if (w->tags)
            free((void *)(uintptr_t)w->tags[i]);
    }
    free((void *)(uintptr_t)w->tags);
    free((void *)(uintptr_t)w->blocks);
    free((void *)(uintptr_t)w->sites);
    *w = (struct window){0};
}
