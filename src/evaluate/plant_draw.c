/* Which crowds are planted, and where. */
#include "base/rng.h"
#include "evaluate/plant_int.h"
#include "record/proto.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOT_BITS = 5, /* sixtieths of a window in a slot */
    TWELVE = 12
};

static int by_window(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    if (x->window != y->window)
        return x->window < y->window ? -1 : 1;
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

/* The TCP port and site of a contact that the generator picks. */
static bool draw_place(
    const struct plant *p, const struct window *w, struct rng *r, struct trial *t)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->block_count; i++)
        rows += w->blocks[i]->rows;
    for (int attempt = 0; rows && attempt < 1000; attempt++) {
        size_t row = rng_below(r, rows), block = 0;
        while (row >= w->blocks[block]->rows)
            row -= w->blocks[block++]->rows;
        const struct block *b = w->blocks[block];
        const char *class = block_word_at(b, CONTACT_CLASS, row);
        const char *site = block_word_at(b, CONTACT_SITE, row);
        if (block_u8(b, CONTACT_PROTO)[row] != PROTO_TCP || strcmp(class, "scan") != 0)
            continue;
        uint32_t number = 0;
        while (number < p->counts->site_count && strcmp(p->counts->sites[number], site) != 0)
            number++;
        size_t k = 0;
        while (k < w->site_count && strcmp(w->sites[k].name, site) != 0)
            k++;
        if (k == w->site_count || number == p->counts->site_count || !w->sites[k].watching)
            continue;
        t->site = (uint32_t)k;
        t->where = (struct host_count){
            .window = (uint32_t)((w->start - p->counts->start) / p->counts->window),
            .port = block_u16(b, CONTACT_DPORT)[row],
            .proto = PROTO_TCP,
            .site = (uint8_t)number};
        return true;
    }
    return false;
}

enum err plant_draw(struct plant *p, size_t first, struct fault *f)
{
    size_t count = tape_count(p->tape);
    enum err e = OK;
    p->trials = calloc(p->o->trials, sizeof *p->trials);
    if (!p->trials)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; !e && i < p->o->trials; i++) {
        struct trial *t = &p->trials[i];
        struct rng r;
        t->seed = hash_two(p->o->seed, i);
        rng_seed(&r, t->seed);
        bool placed = false;
        for (int attempt = 0; !e && !placed && attempt < 100; attempt++) {
            const struct window *w;
            t->window = first + rng_below(&r, count - first);
            e = tape_read(p->tape, t->window, &w, f);
            placed = !e && draw_place(p, w, &r, t);
        }
        if (!e && !placed)
            e = fault_set(f, ERR_RANGE, "planting: the captures hold no scans over TCP");
    }
    if (!e)
        qsort(p->trials, p->o->trials, sizeof *p->trials, by_window);
    return e;
}

static struct ip draw_host(struct rng *r)
{
    for (;;) {
        uint32_t address = rng_u32(r);
        uint32_t first = address >> 24;
        if (first >= 1 && first <= 223 && first != 10 && first != 127 && first != 169 &&
            first != 172 && first != 192 && first != 198)
            return ip_from_v4(address);
    }
}

/* Slots that all hosts share; within one, each host's packet falls where it falls. */
static unsigned draw_slots(struct rng *r, uint32_t slots)
{
    unsigned chosen = 0;
    while ((uint32_t)__builtin_popcount(chosen) < slots)
        chosen |= 1u << rng_below(r, TWELVE);
    return chosen;
}

enum err plant_crowd(struct block *b, const struct window *w, const struct crowd *crowd)
{
    static const struct {
        size_t column;
        const char *word;
    } words[] = {{CONTACT_CLASS, "scan"}, {CONTACT_TOOL, ""}, {CONTACT_COUNTRY, ""}};
    const struct trial *t = crowd->trial;
    struct rng r;
    uint16_t number[3], site;
    enum err e = block_word(b, CONTACT_SITE, w->sites[t->site].name, &site);
    for (size_t i = 0; !e && i < 3; i++)
        e = block_word(b, words[i].column, words[i].word, &number[i]);
    if (e)
        return e;
    rng_seed(&r, hash_two(t->seed, (uint64_t)crowd->size << 8 | crowd->slots));
    unsigned chosen = draw_slots(&r, crowd->slots);
    for (size_t i = 0; i < crowd->size; i++) {
        uint64_t map = 0, targets = 0;
        for (unsigned k = 0; k < TWELVE; k++)
            if (chosen >> k & 1) {
                map |= (uint64_t)1 << (k * SLOT_BITS + rng_below(&r, SLOT_BITS));
                targets |= (uint64_t)1 << rng_below(&r, 64);
            }
        int64_t tick = w->length / 60;
        block_time(b, CONTACT_START)[i] = w->start;
        block_name(b, CONTACT_SITE)[i] = site;
        block_ip(b, CONTACT_SRC)[i] = draw_host(&r);
        block_u8(b, CONTACT_PROTO)[i] = PROTO_TCP;
        block_u16(b, CONTACT_DPORT)[i] = t->where.port;
        for (size_t k = 0; k < 3; k++)
            block_name(b, words[k].column)[i] = number[k];
        block_u32(b, CONTACT_ASN)[i] = 0;
        block_u32(b, CONTACT_PACKETS)[i] = crowd->slots;
        block_u64(b, CONTACT_BYTES)[i] = 40ull * crowd->slots;
        block_u64(b, CONTACT_DSTS)[i] = targets;
        block_u64(b, CONTACT_SLOTS)[i] = map;
        block_time(b, CONTACT_FIRST)[i] = w->start + __builtin_ctzll(map) * tick;
        block_time(b, CONTACT_LAST)[i] = w->start + (63 - __builtin_clzll(map)) * tick;
        block_u8(b, CONTACT_FLAGS)[i] = 2;
        block_u16(b, CONTACT_WIN)[i] = 0;
    }
    b->rows = crowd->size;
    return OK;
}
