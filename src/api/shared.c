#include "api/shared_int.h"

#include "api/cache_int.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FRESH = 2 * US_SECOND
};

struct shared {
    struct cache *cache;
    atomic_uint_fast64_t round; /* of the last shared_forget() */
};

enum err shared_new(struct shared **ret_shared)
{
    struct shared *s = calloc(1, sizeof *s);
    enum err e = s ? cache_new(&s->cache, SHARED_ANSWERS, SHARED_BYTES) : ERR_NOMEM;
    if (e) {
        free(s);
        return e;
    }
    *ret_shared = s;
    return OK;
}

void shared_free(struct shared *s)
{
    if (!s)
        return;
    cache_free(s->cache);
    free(s);
}

void shared_forget(struct shared *s)
{
    atomic_fetch_add(&s->round, 1);
}

/* Who asks, and when. */
struct asker {
    struct shared *shared;
    int64_t now;
};

static bool serves(const struct cache_note *note, const void *context)
{
    const struct asker *a = context;
    int64_t age = a->now - note->made;
    return note->stamp == atomic_load(&a->shared->round) && age >= 0 && age < FRESH;
}

/* `round` was the newest when the work began. */
static void keep(
    struct shared *s, struct cache_place *place, const struct request *r, uint64_t round)
{
    const struct buf *body = &r->reply.body;
    bool whole = (!r->reply.status || r->reply.status == 200) && !body->err && r->now;
    struct cache_note note = {.made = r->now, .stamp = round, .type = r->reply.type};
    memcpy(note.cursor, r->reply.next, sizeof note.cursor);
    if (whole)
        cache_keep(s->cache, place, &note, body->data, body->len);
    else
        cache_drop(s->cache, place);
}

enum err shared_run(struct shared *s, struct request *r)
{
    char key[CACHE_KEY];
    struct cache_place *place;
    struct cache_note note;
    const struct asker asker = {s, r->now};
    const struct cache_wish wish = {key, serves, &asker};
    bool csv = r->in.accept && strncasecmp(r->in.accept, "text/csv", 8) == 0;
    size_t len = strlen(r->target);
    if (len + 2 > sizeof key)
        return r->route->run(r);
    key[0] = csv ? 'c' : 'j';
    memcpy(key + 1, r->target, len + 1);
    if (cache_find(s->cache, &wish, &r->reply.body, &note, &place)) {
        memcpy(r->reply.next, note.cursor, sizeof r->reply.next);
        r->reply.type = note.type;
        return OK;
    }
    uint64_t round = atomic_load(&s->round);
    enum err e = r->route->run(r);
    if (e)
        cache_drop(s->cache, place);
    else
        keep(s, place, r, round);
    return e;
}
