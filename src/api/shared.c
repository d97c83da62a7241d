#include "api/shared_int.h"

#include "base/clock.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FRESH = 2 * US_SECOND,
    KEY_MAX = 1024, /* bytes of a target; longer ones are not kept */
    WAYS = 4,
    SETS = SHARED_ANSWERS / WAYS
};

struct answer {
    char key[KEY_MAX];
    int64_t made;   /* 0: nothing is here */
    uint64_t round; /* of the last shared_forget() */
    bool in_work;   /* somebody is working it out */
    size_t waiting;
    const char *type;
    char next[ASK_CURSOR];
    struct buf body;
};

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t done;
    uint64_t round;
    struct answer answers[SHARED_ANSWERS];
};

enum err shared_new(struct shared **ret_shared)
{
    struct shared *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->done, NULL);
    for (size_t i = 0; i < SHARED_ANSWERS; i++)
        buf_init(&s->answers[i].body, SHARED_BYTES);
    *ret_shared = s;
    return OK;
}

void shared_free(struct shared *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < SHARED_ANSWERS; i++)
        buf_done(&s->answers[i].body);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void shared_forget(struct shared *s)
{
    pthread_mutex_lock(&s->lock);
    s->round++;
    pthread_mutex_unlock(&s->lock);
}

static bool is_fresh(const struct shared *s, const struct answer *a, int64_t now)
{
    return a->made && a->round == s->round && now >= a->made && now - a->made < FRESH;
}

/* The key's place, or the oldest that nobody is at; NULL if there is none. */
static struct answer *place_of(struct shared *s, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key), 0);
    struct answer *set = &s->answers[hash % SETS * WAYS];
    struct answer *oldest = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (strcmp(set[i].key, key) == 0)
            return &set[i];
        if (!set[i].in_work && !set[i].waiting && (!oldest || set[i].made < oldest->made))
            oldest = &set[i];
    }
    if (oldest) {
        memcpy(oldest->key, key, strlen(key) + 1);
        oldest->made = 0;
    }
    return oldest;
}

/* The lock is held. */
static void give(const struct answer *a, struct request *r)
{
    buf_put(&r->reply.body, a->body.data, a->body.len);
    memcpy(r->reply.next, a->next, sizeof r->reply.next);
    r->reply.type = a->type;
}

static void keep(struct answer *a, const struct request *r, uint64_t round)
{
    bool whole = (!r->reply.status || r->reply.status == 200) && !r->reply.body.err &&
                 r->reply.body.len <= SHARED_BYTES;
    buf_clear(&a->body);
    if (whole)
        buf_put(&a->body, r->reply.body.data, r->reply.body.len);
    a->made = whole && !a->body.err ? r->now : 0;
    a->body.err = OK;
    a->round = round;
    a->type = r->reply.type;
    memcpy(a->next, r->reply.next, sizeof a->next);
}

/* True: the answer was there, or came while we waited. False: it is ours to work out, and
 * `*ret_place`, if not NULL, is marked so. */
static bool find(
    struct shared *s, const char *key, struct request *r, struct answer **ret_place)
{
    struct answer *a = place_of(s, key);
    *ret_place = a;
    if (!a)
        return false;
    a->waiting++;
    while (a->in_work)
        pthread_cond_wait(&s->done, &s->lock);
    a->waiting--;
    if (is_fresh(s, a, r->now)) {
        give(a, r);
        return true;
    }
    a->in_work = true;
    return false;
}

enum err shared_run(struct shared *s, struct request *r)
{
    char key[KEY_MAX];
    struct answer *place;
    bool csv = r->in.accept && strncasecmp(r->in.accept, "text/csv", 8) == 0;
    size_t len = strlen(r->target);
    if (len + 2 > sizeof key)
        return r->route->run(r);
    key[0] = csv ? 'c' : 'j';
    memcpy(key + 1, r->target, len + 1);
    pthread_mutex_lock(&s->lock);
    bool found = find(s, key, r, &place);
    uint64_t round = s->round;
    pthread_mutex_unlock(&s->lock);
    if (found)
        return OK;
    enum err e = r->route->run(r);
    if (!place)
        return e;
    pthread_mutex_lock(&s->lock);
    if (e)
        place->made = 0;
    else
        keep(place, r, round);
    place->in_work = false;
    pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
    return e;
}
