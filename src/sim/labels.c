#include "sim/labels.h"

#include "base/hash.h"
#include "base/index.h"
#include "sim/family.h"

#include <stdlib.h>

struct entry {
    uint32_t src;
    uint8_t label, event;
    uint16_t unused;
    uint64_t packets;
};

struct labels {
    struct entry *list; /* owned */
    struct index index;
    size_t count, room;
};

static uint64_t hash_of(const struct entry *e)
{
    return hash_u64((uint64_t)e->src << 16 | (uint64_t)e->label << 8 | e->event);
}

static enum err resize(struct labels *l, size_t room)
{
    struct index index;
    if (room > LABELS_MAX)
        return ERR_FULL;
    if (index_init(&index, room))
        return ERR_NOMEM;
    struct entry *list = realloc(l->list, room * sizeof *list);
    if (!list) {
        index_done(&index);
        return ERR_NOMEM;
    }
    index_done(&l->index);
    l->list = list;
    l->index = index;
    l->room = room;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t other;
        uint64_t hash = hash_of(&list[i]);
        size_t at = index_first(&l->index, hash);
        while (index_at(&l->index, at, hash, &other))
            at = index_next(&l->index, at);
        enum err e = index_put(&l->index, at, hash, (uint32_t)i);
        if (e)
            return e;
    }
    return OK;
}

enum err labels_new(struct labels **ret_labels)
{
    struct labels *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    enum err e = resize(l, 1 << 12);
    if (e) {
        labels_free(l);
        return e;
    }
    *ret_labels = l;
    return OK;
}

void labels_free(struct labels *l)
{
    if (!l)
        return;
    free(l->list);
    index_done(&l->index);
    free(l);
}

enum err labels_add(struct labels *l, uint32_t src, unsigned label, unsigned event)
{
    struct entry wanted = {.src = src, .label = (uint8_t)label, .event = (uint8_t)event};
    uint64_t hash = hash_of(&wanted);
    uint32_t number;
    size_t at = index_first(&l->index, hash);
    for (; index_at(&l->index, at, hash, &number); at = index_next(&l->index, at)) {
        if (number == INDEX_OTHER)
            continue;
        struct entry *e = &l->list[number];
        if (e->src == src && e->label == wanted.label && e->event == wanted.event) {
            e->packets++;
            return OK;
        }
    }
    if (l->count == l->room) {
        enum err e = resize(l, l->room * 2);
        return e ? e : labels_add(l, src, label, event); /* there is room now */
    }
    wanted.packets = 1;
    l->list[l->count] = wanted;
    return index_put(&l->index, at, hash, (uint32_t)l->count++);
}

static int by_source(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->src != y->src)
        return x->src < y->src ? -1 : 1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->event > y->event) - (x->event < y->event);
}

enum err labels_write(struct labels *l, const struct truth *truth, struct buf *out)
{
    qsort(l->list, l->count, sizeof *l->list, by_source);
    buf_str(out, "source,label,packets\n");
    for (size_t i = 0; i < l->count; i++) {
        const struct entry *e = &l->list[i];
        char text[IP_TEXT];
        struct ip ip = ip_from_v4(e->src);
        buf_printf(out, "%s,%s,%llu\n", ip_format(&ip, text),
            e->event ? truth->events[e->event - 1].id : label_name(e->label),
            (unsigned long long)e->packets);
    }
    return resize(l, l->room) ? ERR_NOMEM : out->err;
}
