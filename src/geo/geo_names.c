#include "geo/geo_names_int.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "geo/geo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The place of a network in the index: of its entry, or of none yet. */
static size_t place_of(
    const struct geo_names *n, uint32_t asn, const struct geo_name **ret_name)
{
    uint64_t hash = hash_u64(asn);
    uint32_t entry;
    size_t place = index_first(&n->by_asn, hash);
    *ret_name = NULL;
    for (; index_at(&n->by_asn, place, hash, &entry); place = index_next(&n->by_asn, place))
        if (entry != INDEX_OTHER && n->entry[entry].asn == asn) {
            *ret_name = &n->entry[entry];
            break;
        }
    return place;
}

/* Room for so many, in the list and in the index. */
static enum err entries_grow(struct geo_names *n, size_t room)
{
    struct geo_name *entry = realloc(n->entry, room * sizeof *entry);
    if (!entry)
        return ERR_NOMEM;
    n->entry = entry;
    struct index larger;
    enum err e = index_init(&larger, room);
    if (e)
        return e;
    index_done(&n->by_asn);
    n->by_asn = larger;
    n->room = room;
    for (size_t i = 0; !e && i < n->count; i++) {
        const struct geo_name *same;
        size_t place = place_of(n, entry[i].asn, &same);
        e = index_put(&n->by_asn, place, hash_u64(entry[i].asn), (uint32_t)i);
    }
    return e;
}

static enum err reserve_entry(struct geo_names *n)
{
    return n->count < n->room ? OK : entries_grow(n, n->room ? n->room * 2 : 1024);
}

enum err geo_names_reserve(struct geo_names *n, size_t count)
{
    size_t room = count < GEO_NAMES_MAX ? count : GEO_NAMES_MAX;
    return room > n->room ? entries_grow(n, room) : OK;
}

static enum err reserve_bytes(struct geo_names *n, size_t len)
{
    if (n->pool_room - n->pool_count >= len)
        return OK;
    size_t room = n->pool_room * 2 + len + 4096;
    char *pool = realloc(n->pool, room);
    if (!pool)
        return ERR_NOMEM;
    n->pool = pool;
    n->pool_room = room;
    return OK;
}

/* Bytes of what stands first in a name, and whether it may be shown. */
static size_t first_of(const uint8_t *p, size_t left, bool *ret_fit)
{
    *ret_fit = *p > ' ' && *p < 0x7f;
    if (*ret_fit)
        return 1;
    size_t sequence = utf8_sequence(p, left);
    *ret_fit = sequence && *p != ' ' && !utf8_is_control(p, sequence);
    return sequence ? sequence : 1;
}

/* What may be shown of a name, with one blank for each run of what may not. */
static size_t make_fit(const char *name, size_t len, char ret_name[GEO_NAME_MAX])
{
    const uint8_t *p = (const uint8_t *)name;
    size_t used = 0;
    bool apart = false;
    for (size_t i = 0, step; i < len; i += step) {
        bool fit;
        step = first_of(p + i, len - i, &fit);
        if (!fit) {
            apart = used > 0;
            continue;
        }
        if (used + apart + step > GEO_NAME_MAX)
            break;
        if (apart)
            ret_name[used++] = ' ';
        apart = false;
        for (size_t k = 0; k < step; k++)
            ret_name[used++] = name[i + k];
    }
    return used;
}

enum err geo_names_add(struct geo_names *n, uint32_t asn, const char *name, size_t len)
{
    char fit[GEO_NAME_MAX];
    const struct geo_name *same = NULL;
    enum err e = n->count < GEO_NAMES_MAX ? reserve_entry(n) : OK;
    if (e)
        return e;
    size_t place = place_of(n, asn, &same);
    len = same ? 0 : make_fit(name, len, fit);
    if (!len)
        return OK;
    e = n->count < GEO_NAMES_MAX ? reserve_bytes(n, len + 1) : ERR_FULL;
    if (!e)
        e = index_put(&n->by_asn, place, hash_u64(asn), (uint32_t)n->count);
    if (e)
        return e;
    n->entry[n->count++] = (struct geo_name){.asn = asn, .name = (uint32_t)n->pool_count};
    memcpy(n->pool + n->pool_count, fit, len);
    n->pool[n->pool_count + len] = 0;
    n->pool_count += len + 1;
    return OK;
}

const char *geo_names_find(const struct geo_names *n, uint32_t asn)
{
    const struct geo_name *found = NULL;
    if (n->count)
        (void)place_of(n, asn, &found);
    return found ? n->pool + found->name : "";
}

void geo_names_done(struct geo_names *n)
{
    free(n->entry);
    free(n->pool);
    if (n->room)
        index_done(&n->by_asn);
    *n = (struct geo_names){0};
}
