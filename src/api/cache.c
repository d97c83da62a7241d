#include "api/cache_int.h"

#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct cache_place {
    char key[CACHE_KEY];
    struct cache_note note; /* made 0: nothing is here */
    bool in_work;           /* somebody is working it out */
    size_t waiting;
    struct buf body;
};

struct cache {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t bytes; /* of one answer */
    size_t count;
    struct cache_place places[];
};

enum err cache_new(struct cache **ret_cache, size_t answers, size_t bytes)
{
    assert(answers && answers % CACHE_WAYS == 0);
    struct cache *c = calloc(1, sizeof *c + answers * sizeof c->places[0]);
    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->done, NULL);
    c->bytes = bytes;
    c->count = answers;
    for (size_t i = 0; i < answers; i++)
        buf_init(&c->places[i].body, bytes);
    *ret_cache = c;
    return OK;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        buf_done(&c->places[i].body);
    pthread_cond_destroy(&c->done);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The key's place, or the oldest that nobody is at; NULL if there is none. */
static struct cache_place *place_of(struct cache *c, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key), 0);
    struct cache_place *set = &c->places[hash % (c->count / CACHE_WAYS) * CACHE_WAYS];
    struct cache_place *oldest = NULL;
    for (size_t i = 0; i < CACHE_WAYS; i++) {
        if (strcmp(set[i].key, key) == 0)
            return &set[i];
        if (!set[i].in_work && !set[i].waiting &&
            (!oldest || set[i].note.made < oldest->note.made))
            oldest = &set[i];
    }
    if (oldest) {
        memcpy(oldest->key, key, strlen(key) + 1);
        oldest->note.made = 0;
    }
    return oldest;
}

bool cache_find(struct cache *c, const struct cache_wish *wish, struct buf *out,
    struct cache_note *ret_note, struct cache_place **ret_place)
{
    *ret_place = NULL;
    if (strlen(wish->key) >= CACHE_KEY)
        return false;
    pthread_mutex_lock(&c->lock);
    struct cache_place *p = place_of(c, wish->key);
    bool found = false;
    if (p) {
        p->waiting++;
        while (p->in_work)
            pthread_cond_wait(&c->done, &c->lock);
        p->waiting--;
        found = p->note.made && wish->serves(&p->note, wish->context);
        p->in_work = !found;
    }
    if (found) {
        buf_put(out, p->body.data, p->body.len);
        *ret_note = p->note;
    } else
        *ret_place = p;
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void leave(struct cache *c, struct cache_place *p)
{
    assert(p->in_work);
    p->in_work = false;
    pthread_cond_broadcast(&c->done);
}

void cache_keep(struct cache *c, struct cache_place *place, const struct cache_note *note,
    const void *data, size_t len)
{
    if (!place)
        return;
    assert(note->made);
    pthread_mutex_lock(&c->lock);
    buf_clear(&place->body);
    place->note = *note;
    if (len > c->bytes)
        place->note.made = 0;
    else
        buf_put(&place->body, data, len);
    if (place->body.err)
        place->note.made = 0;
    place->body.err = OK;
    leave(c, place);
    pthread_mutex_unlock(&c->lock);
}

void cache_drop(struct cache *c, struct cache_place *place)
{
    if (!place)
        return;
    pthread_mutex_lock(&c->lock);
    place->note.made = 0;
    leave(c, place);
    pthread_mutex_unlock(&c->lock);
}
