#include "api/throttle_int.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 8
};

struct slot {
    uint64_t key;
    int64_t due; /* when the next of a steady stream would be due; 0: empty */
};

struct throttle {
    pthread_mutex_t lock;
    uint8_t secret[crypto_shorthash_KEYBYTES];
    size_t mask; /* of sets */
    struct slot slots[];
};

enum err throttle_new(struct throttle **ret_throttle, size_t keys)
{
    size_t sets = 1;
    while (sets * WAYS < keys)
        sets *= 2;
    struct throttle *t = calloc(1, sizeof *t + sets * WAYS * sizeof t->slots[0]);
    if (!t)
        return ERR_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    randombytes_buf(t->secret, sizeof t->secret);
    t->mask = sets - 1;
    *ret_throttle = t;
    return OK;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static uint64_t key_of(const struct throttle *t, const void *key, size_t len)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, key, len, t->secret);
    return hash;
}

/* The key's slot, or the one that it takes over. */
static struct slot *slot_of(struct throttle *t, uint64_t key)
{
    struct slot *set = &t->slots[(key & t->mask) * WAYS];
    struct slot *least = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].due && set[i].key == key)
            return &set[i];
        if (set[i].due < least->due)
            least = &set[i];
    }
    *least = (struct slot){.key = key};
    return least;
}

bool throttle_take(struct throttle *t, const void *key, size_t len,
    const struct throttle_rule *rule, int64_t now, int64_t *ret_wait)
{
    uint64_t hash = key_of(t, key, len);
    pthread_mutex_lock(&t->lock);
    struct slot *slot = slot_of(t, hash);
    int64_t due = slot->due > now ? slot->due : now;
    int64_t ahead = due - now - (rule->burst - 1) * rule->interval;
    if (ahead <= 0)
        slot->due = due + rule->interval;
    pthread_mutex_unlock(&t->lock);
    if (ahead > 0)
        *ret_wait = ahead;
    return ahead <= 0;
}

void throttle_give_back(
    struct throttle *t, const void *key, size_t len, const struct throttle_rule *rule)
{
    uint64_t hash = key_of(t, key, len);
    pthread_mutex_lock(&t->lock);
    struct slot *slot = slot_of(t, hash);
    if (slot->due)
        slot->due -= rule->interval;
    pthread_mutex_unlock(&t->lock);
}
