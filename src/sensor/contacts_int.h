#ifndef SENSOR_CONTACTS_INT_H
#define SENSOR_CONTACTS_INT_H

#include "base/hash.h"
#include "base/index.h"
#include "base/memory.h"
#include "record/record.h"

#include <string.h>

/* What the open window has seen of each (source, service, class). The first few contacts of a
 * source hang on the source itself, so that most packets find theirs without a search; those of
 * a source with more are in an index. */

enum {
    CONTACT_SLOTS_COUNT = 60,
    CONTACT_CHAIN = 4,          /* contacts that hang on their source */
    CONTACT_NONE = 0xffffff,    /* no contact; the end of a chain */
    CONTACT_INDEXED = 0xfffffe, /* in place of the next one: hangs on no chain */
    CONTACTS_MOST = 0xfffff0    /* more are never kept */
};

/* One cache line. */
struct contact {
    uint64_t key; /* contact_key() */
    uint64_t bytes;
    uint64_t dsts;  /* linear-counting map of the destinations */
    uint64_t slots; /* sixtieths of the window in which it was seen */
    int64_t first, last;
    uint32_t packets;
    uint32_t next; /* of its source */
    uint16_t win;  /* TCP window of all its packets; 0 if they differ */
    uint8_t flags;
    uint8_t tool; /* of its latest packet that was given one: rule + 1 */
    uint8_t spare[4];
};

/* The contacts of a source that hang on it, the one that was asked for last or is new first. */
struct contact_chain {
    uint32_t first : 24;
    uint32_t count : 8; /* CONTACT_CHAIN: there may be others in the index */
};

struct contacts {
    struct index index;
    size_t indexed;          /* in it */
    struct contact *contact; /* whole pages */
    size_t count, room, cap;
    uint64_t secret;
};

/* At most `cap` of them, and never more than CONTACTS_MOST. */
enum err contacts_init(struct contacts *t, size_t cap, uint64_t secret) MUST_CHECK;
void contacts_done(struct contacts *t);

/* Empty it for the next window; memory that this window had no use for is given back. */
enum err contacts_clear(struct contacts *t) MUST_CHECK;

static inline struct contact_chain contact_chain_empty(void)
{
    return (struct contact_chain){.first = CONTACT_NONE};
}

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

/* Have the memory that contacts_find() will read first. The contact is read, not only asked
 * for: as a prefetch it came too late, or not at all, and that was a quarter of the time of a
 * packet. */
static inline void contacts_prefetch(
    const struct contacts *t, const struct contact_chain *chain, uint64_t key)
{
    if (chain->first != CONTACT_NONE)
        memory_touch(&t->contact[chain->first]);
    if (chain->count == CONTACT_CHAIN)
        index_prefetch(&t->index, contacts_hash(t, key));
}

/* The entry for a key of the source that `chain` hangs on, made empty if there is none;
 * ERR_FULL if there is no room for it. */
enum err contacts_find(struct contacts *t, struct contact_chain *chain, uint64_t key,
    uint32_t *ret_contact) MUST_CHECK;

/* The entry for a key, or CONTACT_NONE. */
uint32_t contacts_peek(
    const struct contacts *t, const struct contact_chain *chain, uint64_t key);

/* Renumber the sources: moved[old] is the new number, UINT32_MAX drops its contacts. All others
 * hang on nothing after it, until contacts_hang() is called for each in turn. */
void contacts_move(struct contacts *t, const uint32_t *moved);

/* Hang a contact on its source, or put it into the index. */
enum err contacts_hang(
    struct contacts *t, struct contact_chain *chain, uint32_t contact) MUST_CHECK;

#endif
