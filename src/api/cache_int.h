#ifndef API_CACHE_INT_H
#define API_CACHE_INT_H

#include "base/buf.h"
#include "base/err.h"
#include "store/ask.h"

/* Answers by key, in a fixed number of places of a fixed size. While one thread works an answer
 * out, others that want the same wait for it. How long an answer serves is its user's to say.
 */

struct cache;
struct cache_place;

/* What stands beside an answer's bytes; users set what they need. */
struct cache_note {
    int64_t made; /* never 0 */
    int64_t took;
    uint64_t stamp;   /* of the state that it was made from */
    const char *type; /* static */
    char cursor[ASK_CURSOR];
    int64_t from, to;
};

enum {
    CACHE_KEY = 1024, /* bytes, with the end; longer keys are not kept */
    CACHE_WAYS = 4
};

/* Room for `answers` (a multiple of CACHE_WAYS) of at most `bytes` each. */
enum err cache_new(struct cache **ret_cache, size_t answers, size_t bytes) MUST_CHECK;
void cache_free(struct cache *c);

struct cache_wish {
    const char *key;
    /* Does an answer still serve? Called with the cache locked. */
    bool (*serves)(const struct cache_note *note, const void *context);
    const void *context;
};

/* True: an answer that serves was there, or came while we waited; its bytes are appended to
 * `out`. False: the caller works it out, and gives `*ret_place` (NULL: no room for it) to
 * cache_keep() or cache_drop(), once. */
bool cache_find(struct cache *c, const struct cache_wish *wish, struct buf *out,
    struct cache_note *ret_note, struct cache_place **ret_place);

/* The answer, for others; one that is too large is not kept. */
void cache_keep(struct cache *c, struct cache_place *place, const struct cache_note *note,
    const void *data, size_t len);
/* There is none. */
void cache_drop(struct cache *c, struct cache_place *place);

#endif
