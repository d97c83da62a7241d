#include "sensor/contacts_int.h"

#include "sensor/memory_int.h"

#include <assert.h>

enum {
    CONTACTS_START = 1024
};

_Static_assert(sizeof(struct contact) == 64, "a contact takes one cache line");

/* Leaves the index empty. */
static enum err resize(struct contacts *t, size_t room)
{
    struct index index;
    if (index_init(&index, room))
        return ERR_NOMEM;
    struct contact *contact =
        memory_resize(t->contact, t->room * sizeof *t->contact, room * sizeof *t->contact);
    if (!contact) {
        index_done(&index);
        return ERR_NOMEM;
    }
    index_done(&t->index);
    t->contact = contact;
    t->index = index;
    t->room = room;
    return OK;
}

/* Note every entry in an empty index. */
static void reindex(struct contacts *t)
{
    for (size_t i = 0; i < t->count; i++) {
        uint64_t hash = contacts_hash(t, t->contact[i].key);
        uint32_t other;
        size_t p = index_first(&t->index, hash);
        while (index_at(&t->index, p, hash, &other))
            p = index_next(&t->index, p);
        enum err e = index_put(&t->index, p, hash, (uint32_t)i);
        assert(!e);
    }
}

enum err contacts_init(struct contacts *t, size_t cap, uint64_t secret)
{
    *t = (struct contacts){.cap = cap, .secret = secret};
    return resize(t, cap < CONTACTS_START ? cap : CONTACTS_START);
}

void contacts_done(struct contacts *t)
{
    memory_free(t->contact, t->room * sizeof *t->contact);
    index_done(&t->index);
    *t = (struct contacts){0};
}

enum err contacts_clear(struct contacts *t)
{
    size_t used = t->count;
    t->count = 0;
    if (t->room > CONTACTS_START && used < t->room / 8)
        return resize(t, t->room / 4);
    index_clear(&t->index);
    return OK;
}

enum err contacts_find(struct contacts *t, uint64_t key, uint32_t *ret_contact)
{
    uint64_t hash = contacts_hash(t, key);
    uint32_t e;
    size_t p = index_first(&t->index, hash);
    for (; index_at(&t->index, p, hash, &e); p = index_next(&t->index, p)) {
        if (e != INDEX_OTHER && t->contact[e].key == key) {
            *ret_contact = e;
            return OK;
        }
    }
    if (t->count >= t->cap)
        return ERR_FULL;
    if (t->count >= t->room) {
        enum err failed = resize(t, t->room * 2 < t->cap ? t->room * 2 : t->cap);
        if (failed)
            return failed;
        reindex(t);
        for (p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);)
            p = index_next(&t->index, p);
    }
    enum err failed = index_put(&t->index, p, hash, (uint32_t)t->count);
    if (failed)
        return failed;
    t->contact[t->count] = (struct contact){.key = key};
    *ret_contact = (uint32_t)t->count++;
    return OK;
}

uint32_t contacts_peek(const struct contacts *t, uint64_t key)
{
    uint64_t hash = contacts_hash(t, key);
    uint32_t e;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);
         p = index_next(&t->index, p))
        if (e != INDEX_OTHER && t->contact[e].key == key)
            return e;
    return CONTACT_UNKNOWN;
}

void contacts_move(struct contacts *t, const uint32_t *moved)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct contact c = t->contact[i];
        uint32_t host = moved[contact_host(&c)];
        if (host == CONTACT_UNKNOWN)
            continue;
        c.key = (uint64_t)host << 32 | (uint32_t)c.key;
        t->contact[kept++] = c;
    }
    t->count = kept;
    index_clear(&t->index);
    reindex(t);
}
