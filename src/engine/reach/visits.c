#include "engine/reach/reach_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_LEAST = 1024
};

/* Where the visit is, or where it would go. */
static size_t visits_slot(const struct visits *t, uint64_t source, uint32_t service)
{
    size_t at = (size_t)hash_fold(source, service + 0x9e3779b97f4a7c15ull) & (t->room - 1);
    while (visit_sites(&t->slots[at]) &&
           (t->slots[at].source != source || t->slots[at].service != service))
        at = (at + 1) & (t->room - 1);
    return at;
}

const struct visit *visits_find(const struct visits *t, uint64_t source, uint32_t service)
{
    if (!t->room)
        return NULL;
    const struct visit *v = &t->slots[visits_slot(t, source, service)];
    return visit_sites(v) ? v : NULL;
}

/* Into a table of `room`, without those hours and without what the sample leaves out. */
static enum err visits_rebuild(struct visits *t, size_t room, unsigned slots, unsigned shift)
{
    struct visits fresh = {.room = room, .most = t->most};
    fresh.slots = calloc(room, sizeof *fresh.slots);
    if (!fresh.slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->room; i++) {
        struct visit v = t->slots[i];
        for (unsigned k = 0; k < SPAN_HOURS; k++)
            if (slots >> k & 1)
                v.sites[k] = 0;
        if (!visit_sites(&v) || !sample_has(v.source, shift))
            continue;
        fresh.slots[visits_slot(&fresh, v.source, v.service)] = v;
        fresh.count++;
    }
    free(t->slots);
    *t = fresh;
    return OK;
}

enum err visits_forget(struct visits *t, unsigned slots, unsigned shift)
{
    if (!t->room)
        return OK;
    size_t room = t->room;
    while (room > ROOM_LEAST && t->count * 4 < room)
        room /= 2;
    return visits_rebuild(t, room, slots, shift);
}

enum err visits_note(struct visits *t, const struct visit *v, unsigned slot, size_t place)
{
    assert(slot < SPAN_HOURS && place < SITES_CAP);
    if (!t->room || (t->count < t->most && t->count * 4 >= t->room * 3)) {
        size_t room = t->room ? t->room * 2 : ROOM_LEAST;
        enum err e = visits_rebuild(t, room, 0, 0);
        if (e)
            return e;
    }
    struct visit *here = &t->slots[visits_slot(t, v->source, v->service)];
    if (!visit_sites(here)) {
        if (t->count == t->most)
            return ERR_FULL;
        here->source = v->source;
        here->service = v->service;
        here->network = v->network;
        t->count++;
    }
    here->sites[slot] |= UINT64_C(1) << place;
    return OK;
}

void visits_done(struct visits *t)
{
    free(t->slots);
    *t = (struct visits){.most = t->most};
}
