#ifndef SENSOR_CONTACTS_INT_H
#define SENSOR_CONTACTS_INT_H

#include "base/hash.h"
#include "base/index.h"
#include "record/record.h"

#include <string.h>

/* What the open window has seen of each (source, service, class). */

enum {
    CONTACT_SLOTS_COUNT = 60
};

#define CONTACT_UNKNOWN UINT32_MAX

struct contact {
    uint64_t key; /* contact_key() */
    uint64_t bytes;
    uint64_t dsts;  /* linear-counting map of the destinations */
    uint64_t slots; /* sixtieths of the window in which it was seen */
    int64_t first, last;
    uint64_t src; /* ip_hash() of the source */
    uint32_t packets;
    uint16_t win; /* TCP window of all its packets; 0 if they differ */
    uint8_t flags;
    uint8_t tool; /* of its latest packet that was given one: rule + 1; one cache line in all */
};

struct contacts {
    struct index index;
    struct contact *contact; /* whole pages */
    size_t count, room, cap;
    uint64_t secret;
};

enum err contacts_init(struct contacts *t, size_t cap, uint64_t secret) MUST_CHECK;
void contacts_done(struct contacts *t);

/* Empty it for the next window; memory that this window had no use for is given back. */
enum err contacts_clear(struct contacts *t) MUST_CHECK;

static inline uint64_t contact_key(
    uint32_t host, uint8_t proto, uint16_t service, enum packet_class c)
{
    return (uint64_t)host << 32 | (uint64_t)service << 16 | (uint64_t)proto << 8 | (uint64_t)c;
}

static inline uint32_t contact_host(const struct contact *c)
{
    return (uint32_t)(c->key >> 32);
}

static inline uint8_t contact_proto(const struct contact *c)
{
    return (uint8_t)(c->key >> 8);
}

static inline uint16_t contact_service(const struct contact *c)
{
    return (uint16_t)(c->key >> 16);
}

static inline enum packet_class contact_class(const struct contact *c)
{
    return (enum packet_class)(c->key & 0xff);
}

static inline uint64_t contacts_hash(const struct contacts *t, uint64_t key)
{
    return hash_u64(key ^ t->secret);
}

/* Ask for the memory that contacts_find() will read: first the index, then the entry. */
static inline void contacts_prefetch_index(const struct contacts *t, uint64_t key)
{
    index_prefetch(&t->index, contacts_hash(t, key));
}

static inline void contacts_prefetch(const struct contacts *t, uint64_t key)
{
    uint64_t hash = contacts_hash(t, key);
    uint32_t e;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);
         p = index_next(&t->index, p)) {
        if (e == INDEX_OTHER)
            continue;
        __builtin_prefetch(&t->contact[e]);
        return;
    }
}

/* The entry for a key, made empty if there is none; ERR_FULL if there is no room for it. */
enum err contacts_find(struct contacts *t, uint64_t key, uint32_t *ret_contact) MUST_CHECK;

/* The entry for a key, or CONTACT_UNKNOWN. */
uint32_t contacts_peek(const struct contacts *t, uint64_t key);

/* Renumber the sources: moved[old] is the new number, UINT32_MAX drops its contacts. */
void contacts_move(struct contacts *t, const uint32_t *moved);

#endif
