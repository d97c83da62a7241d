#include "store/groups_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNIT_BITS = 11, /* 1,440 units a day, with their sign */
    WORD_BITS = 10
};

void groups_done(struct groups *g)
{
    free(g->of);
    free(g->row);
    free(g->row_keys);
    free(g->keys);
    index_done(&g->index);
    *g = (struct groups){0};
}

static enum err reserve(struct groups *g, size_t rows)
{
    if (rows <= g->room)
        return OK;
    groups_done(g);
    enum err e = index_init(&g->index, rows);
    g->of = malloc(rows * sizeof *g->of);
    g->row = malloc(rows * sizeof *g->row);
    g->row_keys = malloc(rows * sizeof *g->row_keys);
    g->keys = malloc(rows * sizeof *g->keys);
    if (!e && (!g->of || !g->row || !g->row_keys || !g->keys))
        e = ERR_NOMEM;
    if (e)
        groups_done(g);
    else
        g->room = rows;
    return e;
}

#define ADD_TO_KEYS(type)                                                                      \
    do {                                                                                       \
        const type *value = b->column[column].rows;                                            \
        for (size_t i = 0; i < b->rows; i++)                                                   \
            keys[i] |= (uint64_t)value[i] << shift;                                            \
    } while (0)

/* Returns how many bits the dimension takes. */
static unsigned add_to_keys(
    const struct block *b, size_t column, unsigned shift, uint64_t *keys)
{
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        ADD_TO_KEYS(uint8_t);
        return 8;
    case COLUMN_U16:
        ADD_TO_KEYS(uint16_t);
        return 16;
    case COLUMN_U32:
        ADD_TO_KEYS(uint32_t);
        return 32;
    case COLUMN_NAME:
        ADD_TO_KEYS(uint16_t);
        return WORD_BITS;
    default:
        assert(false && "a rollup by a column that is no number");
        return 0;
    }
}

/* Keys are made column by column: time within the day in the low bits, then the dimensions. */
static void make_keys(const struct rollup *r, const struct block *b, uint64_t *keys)
{
    const int64_t *start = block_time(b, CONTACT_START);
    unsigned shift = UNIT_BITS;
    _Static_assert(NAMES_MAX <= 1 << WORD_BITS, "a word's number fits the bits it is given");
    assert(r->unit >= US_MINUTE);
    for (size_t i = 0; i < b->rows; i++)
        keys[i] = i && start[i] == start[i - 1]
                      ? keys[i - 1]
                      : (uint64_t)(start[i] / r->unit) & ((1u << UNIT_BITS) - 1);
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        if (r->dimensions & 1u << d)
            shift += add_to_keys(b, dimension_of_contact((enum dimension)d), shift, keys);
    assert(shift <= 64);
}

static enum err find(struct groups *g)
{
    enum {
        AHEAD = 16 /* rows: the index is larger than the caches */
    };
    for (size_t i = 0; i < g->rows; i++) {
        uint64_t key = g->row_keys[i];
        uint64_t hash = hash_u64(key);
        uint32_t entry = INDEX_OTHER;
        size_t place = index_first(&g->index, hash);
        if (i + AHEAD < g->rows)
            index_prefetch(&g->index, hash_u64(g->row_keys[i + AHEAD]));
        for (; index_at(&g->index, place, hash, &entry); place = index_next(&g->index, place))
            if (entry != INDEX_OTHER && g->keys[entry] == key)
                break;
            else
                entry = INDEX_OTHER;
        if (entry == INDEX_OTHER) {
            enum err e = index_put(&g->index, place, hash, (uint32_t)g->count);
            if (e)
                return e;
            entry = (uint32_t)g->count++;
            g->keys[entry] = key;
            g->row[entry] = (uint32_t)i;
        }
        g->of[i] = entry;
    }
    return OK;
}

enum err groups_make(struct groups *g, const struct rollup *r, const struct block *contacts)
{
    enum err e = reserve(g, contacts->rows);
    if (e)
        return e;
    g->rows = contacts->rows;
    g->count = 0;
    index_clear(&g->index);
    make_keys(r, contacts, g->row_keys);
    return find(g);
}
