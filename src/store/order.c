#include "store/order_int.h"

#include <stdlib.h>

enum err order_begin(struct order *o, size_t count)
{
    if (count > o->room) {
        order_done(o);
        o->rows = malloc(count * sizeof *o->rows);
        o->spare = malloc(count * sizeof *o->spare);
        if (!o->rows || !o->spare) {
            order_done(o);
            return ERR_NOMEM;
        }
        o->room = count;
    }
    o->count = count;
    for (size_t i = 0; i < count; i++)
        o->rows[i] = (uint32_t)i;
    return OK;
}

void order_done(struct order *o)
{
    free(o->rows);
    free(o->spare);
    *o = (struct order){0};
}

void order_by(struct order *o, const void *values, size_t width, size_t byte)
{
    const uint8_t *at = (const uint8_t *)values + byte;
    uint32_t place[256] = {0};
    for (size_t i = 0; i < o->count; i++)
        place[at[i * width]]++;
    if (!o->count || place[at[0]] == o->count)
        return;
    uint32_t sum = 0;
    for (size_t i = 0; i < 256; i++) {
        uint32_t here = place[i];
        place[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < o->count; i++)
        o->spare[place[at[o->rows[i] * width]]++] = o->rows[i];
    uint32_t *sorted = o->spare;
    o->spare = o->rows;
    o->rows = sorted;
}

void order_by_number(struct order *o, const void *values, size_t width)
{
    for (size_t byte = 0; byte < width; byte++)
        order_by(o, values, width, byte);
}
