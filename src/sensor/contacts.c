#include "sensor/contacts_int.h"

#include "base/memory.h"

#include <assert.h>

enum {
    CONTACTS_START = 1024,
    INDEX_START = 256
};

_Static_assert(sizeof(struct contact) == 64, "a contact takes one cache line");
_Static_assert(sizeof(struct contact_chain) == 4, "it is part of a source's first cache line");

static enum err resize(struct contacts *t, size_t room)
{
    struct contact *contact =
        memory_resize(t->contact, t->room * sizeof *t->contact, room * sizeof *t->contact);
    if (!contact)
        return ERR_NOMEM;
    t->contact = contact;
    t->room = room;
    return OK;
}

enum err contacts_init(struct contacts *t, size_t cap, uint64_t secret)
{
    *t = (struct contacts){.cap = cap < CONTACTS_MOST ? cap : CONTACTS_MOST, .secret = secret};
    enum err e = index_init(&t->index, INDEX_START);
    return e ? e : resize(t, t->cap < CONTACTS_START ? t->cap : CONTACTS_START);
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
    size_t indexed = t->indexed;
    t->count = t->indexed = 0;
    if (t->index.cap > INDEX_START && indexed < t->index.cap / 8) {
        struct index smaller;
        if (index_init(&smaller, t->index.cap / 4))
            return ERR_NOMEM;
        index_done(&t->index);
        t->index = smaller;
    } else if (indexed) {
        index_clear(&t->index);
    }
    return t->room > CONTACTS_START && used < t->room / 8 ? resize(t, t->room / 4) : OK;
}

/* The place of a key that is not in the index. */
static size_t place_free(const struct index *index, uint64_t hash)
{
    uint32_t other;
    size_t p = index_first(index, hash);
    while (index_at(index, p, hash, &other))
        p = index_next(index, p);
    return p;
}

/* Twice the room, with everything that hangs on no source. */
static enum err index_grow(struct contacts *t)
{
    struct index larger;
    if (index_init(&larger, t->index.cap * 2))
        return ERR_NOMEM;
    for (size_t i = 0; i < t->count; i++) {
        if (t->contact[i].next != CONTACT_INDEXED)
            continue;
        uint64_t hash = contacts_hash(t, t->contact[i].key);
        enum err e = index_put(&larger, place_free(&larger, hash), hash, (uint32_t)i);
        assert(!e);
    }
    index_done(&t->index);
    t->index = larger;
    return OK;
}

enum err contacts_hang(struct contacts *t, struct contact_chain *chain, uint32_t contact)
{
    struct contact *c = &t->contact[contact];
    if (chain->count < CONTACT_CHAIN) {
        c->next = chain->first;
        chain->first = contact & CONTACT_NONE;
        chain->count++;
        return OK;
    }
    enum err e = t->indexed == t->index.cap ? index_grow(t) : OK;
    if (e)
        return e;
    uint64_t hash = contacts_hash(t, c->key);
    e = index_put(&t->index, place_free(&t->index, hash), hash, contact);
    assert(!e);
    c->next = CONTACT_INDEXED;
    t->indexed++;
    return OK;
}

static uint32_t index_find(const struct contacts *t, uint64_t key)
{
    uint64_t hash = contacts_hash(t, key);
    uint32_t e;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);
         p = index_next(&t->index, p))
        if (e != INDEX_OTHER && t->contact[e].key == key)
            return e;
    return CONTACT_NONE;
}

uint32_t contacts_peek(
    const struct contacts *t, const struct contact_chain *chain, uint64_t key)
{
    for (uint32_t c = chain->first; c != CONTACT_NONE; c = t->contact[c].next)
        if (t->contact[c].key == key)
            return c;
    return chain->count == CONTACT_CHAIN ? index_find(t, key) : CONTACT_NONE;
}

/* Like contacts_peek(); what hangs on the source becomes the first to be asked, as a source's
 * next packet is most often for the same service. */
static uint32_t find_known(struct contacts *t, struct contact_chain *chain, uint64_t key)
{
    struct contact *before = NULL;
    for (uint32_t c = chain->first; c != CONTACT_NONE; c = before->next) {
        struct contact *contact = &t->contact[c];
        if (contact->key == key && before) {
            before->next = contact->next;
            contact->next = chain->first;
            chain->first = c & CONTACT_NONE;
        }
        if (contact->key == key)
            return c;
        before = contact;
    }
    return chain->count == CONTACT_CHAIN ? index_find(t, key) : CONTACT_NONE;
}

enum err contacts_find(
    struct contacts *t, struct contact_chain *chain, uint64_t key, uint32_t *ret_contact)
{
    uint32_t known = find_known(t, chain, key);
    if (known != CONTACT_NONE) {
        *ret_contact = known;
        return OK;
    }
    if (t->count >= t->cap)
        return ERR_FULL;
    enum err e =
        t->count < t->room ? OK : resize(t, t->room * 2 < t->cap ? t->room * 2 : t->cap);
    if (e)
        return e;
    t->contact[t->count] = (struct contact){.key = key};
    e = contacts_hang(t, chain, (uint32_t)t->count);
    if (e)
        return e;
    *ret_contact = (uint32_t)t->count++;
    return OK;
}

void contacts_move(struct contacts *t, const uint32_t *moved)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct contact c = t->contact[i];
        uint32_t host = moved[contact_host(&c)];
        if (host == UINT32_MAX)
            continue;
        c.key = (uint64_t)host << 32 | (uint32_t)c.key;
        c.next = CONTACT_NONE;
        t->contact[kept++] = c;
    }
    t->count = kept;
    t->indexed = 0;
    index_clear(&t->index);
}
