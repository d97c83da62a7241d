/* What engines that tag say of every window that is looked at, with and without crowds: kept,
 * as the other engines, which see it, go through the tape one after the other. */
#include "evaluate/plant_int.h"

#include <stdlib.h>
#include <string.h>

enum err plant_tags_open(struct plant_tags *k, const struct plant *p)
{
    size_t cells = p->o->size_count * p->o->slot_count;
    *k = (struct plant_tags){.count = tape_count(p->tape) + p->o->trials * cells};
    k->looks = calloc(k->count, sizeof *k->looks);
    return k->looks ? OK : ERR_NOMEM;
}

void plant_tags_close(struct plant_tags *k)
{
    for (size_t i = 0; k->looks && i < k->count; i++)
        free(k->looks[i]);
    free(k->looks);
    *k = (struct plant_tags){0};
}

/* Several engines that tag add to each other. */
enum err plant_tags_keep(
    struct plant_tags *k, size_t look, const struct window *w, const struct tagging *tagging)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->block_count; i++)
        rows += w->blocks[i]->rows;
    if (!k->looks[look])
        k->looks[look] = calloc(rows + 1, 1);
    uint8_t *to = k->looks[look];
    if (!to)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->block_count; i++)
        for (size_t row = 0; row < w->blocks[i]->rows; row++)
            *to++ |= tagging->tags[i][row];
    return OK;
}

enum err plant_tags_show(
    const struct plant_tags *k, size_t look, struct window *w, struct arena *a)
{
    if (!k->looks[look])
        return OK;
    const uint8_t **tags = arena_take(a, w->block_count + 1, sizeof *tags);
    if (!tags)
        return ERR_NOMEM;
    const uint8_t *from = k->looks[look];
    for (size_t i = 0; i < w->block_count; i++) {
        tags[i] = from;
        from += w->blocks[i]->rows;
    }
    w->tags = tags;
    return OK;
}
