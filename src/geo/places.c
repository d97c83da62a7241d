#include "geo/places.h"

#include "base/memory.h"

enum {
    SLOTS = 65536,
    SCAN = 32 /* keys that are gone through one by one */
};

/* One of the two that are merged: which interval holds the address that has been reached. */
struct side {
    const struct range4 *range;
    size_t count, at;
};

static struct side side_of(const struct ranges *r)
{
    static const struct range4 nothing = {0, RANGES_NONE};
    return r && r->count4 ? (struct side){r->range4, r->count4, 0}
                          : (struct side){&nothing, 1, 0};
}

/* Where the next interval begins; 2^32 if there is none. */
static uint64_t side_next(const struct side *s)
{
    return s->at + 1 < s->count ? s->range[s->at + 1].start : UINT64_C(1) << 32;
}

/* The intervals of both, side by side; their slots are filled on the way. */
static void merge(struct places *p, struct side c, struct side a)
{
    size_t slot = 0;
    for (uint64_t start = 0; start >> 32 == 0;) {
        for (; slot <= start >> 16; slot++)
            p->first[slot] = (uint32_t)p->count;
        p->key[p->count] = (uint16_t)start;
        p->place[p->count++] =
            (struct place){a.range[a.at].value, (uint16_t)c.range[c.at].value};
        uint64_t next_country = side_next(&c), next_asn = side_next(&a);
        start = next_country < next_asn ? next_country : next_asn;
        c.at += next_country == start;
        a.at += next_asn == start;
    }
    for (; slot <= SLOTS; slot++)
        p->first[slot] = (uint32_t)p->count;
}

enum err places_build(struct places *p, const struct ranges *country, const struct ranges *asn)
{
    struct side c = side_of(country), a = side_of(asn);
    size_t most = c.count + a.count;
    *p = (struct places){
        .room = most,
        .first = memory_resize(NULL, 0, (SLOTS + 1) * sizeof *p->first),
        .key = memory_resize(NULL, 0, most * sizeof *p->key),
        .place = memory_resize(NULL, 0, most * sizeof *p->place),
    };
    if (!p->first || !p->key || !p->place) {
        places_done(p);
        return ERR_NOMEM;
    }
    merge(p, c, a);
    return OK;
}

void places_done(struct places *p)
{
    memory_free(p->first, (SLOTS + 1) * sizeof *p->first);
    memory_free(p->key, p->room * sizeof *p->key);
    memory_free(p->place, p->room * sizeof *p->place);
    *p = (struct places){0};
}

/* The interval of an address: the last of its slot that begins by it, or the last one before
 * the slot. */
static size_t search(const struct places *p, uint32_t address)
{
    uint32_t low = p->first[address >> 16], n = p->first[(address >> 16) + 1] - low;
    uint16_t rest = (uint16_t)address;
    const uint16_t *key = p->key + low;
    for (; n > SCAN; n -= n / 2)
        key = key[n / 2 - 1] <= rest ? key + n / 2 : key;
    uint32_t by = 0;
    for (uint32_t i = 0; i < n; i++)
        by += key[i] <= rest;
    return (size_t)(key - p->key) + by - 1;
}

const struct place *places_find(const struct places *p, uint32_t address)
{
    return &p->place[search(p, address)];
}

void places_prefetch(const struct places *p, uint32_t address, unsigned step)
{
    const uint32_t *first = &p->first[address >> 16];
    if (step == 0)
        __builtin_prefetch(first);
    else if (step == 1)
        /* Networks are mostly of one size where they are dense. */
        __builtin_prefetch(
            &p->key[first[0] + ((first[1] - first[0]) * (address & 0xffff) >> 16)]);
    else
        __builtin_prefetch(&p->place[search(p, address)]);
}
