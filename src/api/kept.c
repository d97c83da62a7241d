#include "api/kept_int.h"

#include "api/cache_int.h"
#include "base/steady.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 10 * US_MINUTE
};

struct kept {
    struct cache *cache;
};

enum err kept_new(struct kept **ret_kept)
{
    struct kept *k = calloc(1, sizeof *k);
    enum err e = k ? cache_new(&k->cache, KEPT_ANSWERS, KEPT_BYTES) : ERR_NOMEM;
    if (e) {
        free(k);
        return e;
    }
    *ret_kept = k;
    return OK;
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    cache_free(k->cache);
    free(k);
}

/* Packets are exact in time, and so are series of steps that windows are too coarse for. What
 * the store is asked about itself is how changes are known. */
static bool is_keepable(const struct ask *a)
{
    return a->what != ASK_SPAN && a->what != ASK_PACKETS &&
           (a->what != ASK_SERIES || (a->step && a->step % WINDOW == 0));
}

/* False: too long. */
static bool make_key(const struct kept_ask *q, char key[CACHE_KEY])
{
    const struct ask *a = q->ask;
    char src[IP_TEXT] = "";
    int64_t from = time_floor(a->from, WINDOW);
    int64_t to = time_floor(a->to + WINDOW - 1, WINDOW);
    if (a->has_src)
        ip_format(&a->src.ip, src);
    int len = snprintf(key, CACHE_KEY,
        "%d %d %" PRId64 " %" PRId64 " %" PRId64 " %d %d %s %s %s %s %s %s %d %d %" PRId64
        " %s/%d %zu %s",
        (int)q->format, (int)a->what, from, to, a->step, (int)a->by, (int)a->measure, a->site,
        a->country, a->tool, a->class, a->tag, a->reason, a->proto, a->port, a->asn, src,
        a->has_src ? a->src.bits : 0, a->limit, a->cursor);
    return len > 0 && len < CACHE_KEY;
}

static bool serves(const struct cache_note *note, const void *context)
{
    const struct kept_ask *q = context;
    int64_t age = q->now - note->made;
    int64_t most = note->took * KEPT_COST;
    most = most < KEPT_MOST ? most : KEPT_MOST;
    /* Losses, victims and tags come without contacts that would show the change. */
    enum ask_what what = q->ask->what;
    bool counted = what != ASK_SITES && what != ASK_VICTIMS && what != ASK_LOSSES &&
                   what != ASK_SCREENED && what != ASK_TAGGED && !q->ask->tag[0];
    if (counted && note->stamp == q->packets)
        most = KEPT_UNCHANGED;
    return age >= 0 && age < most;
}

static enum err ask_store(const struct api_store *store, const struct kept_ask *q,
    struct kept_answer *answer, struct fault *f)
{
    answer->from = q->ask->from;
    answer->to = q->ask->to;
    return store->ask(store->context, q->ask, q->format, answer->out, answer->cursor, f);
}

/* Rows from `at` of the answer on. */
static void keep(struct kept *k, struct cache_place *place, const struct kept_ask *q,
    const struct kept_answer *answer, size_t at, int64_t took)
{
    struct cache_note note = {.made = q->now,
        .took = took,
        .stamp = q->packets,
        .from = answer->from,
        .to = answer->to};
    memcpy(note.cursor, answer->cursor, sizeof note.cursor);
    if (answer->out->err || !q->now)
        cache_drop(k->cache, place);
    else
        cache_keep(k->cache, place, &note, answer->out->data + at, answer->out->len - at);
}

enum err kept_run(struct kept *k, const struct api_store *store, const struct kept_ask *q,
    struct kept_answer *answer, struct fault *f)
{
    char key[CACHE_KEY];
    struct cache_place *place;
    struct cache_note note;
    const struct cache_wish wish = {key, serves, q};
    answer->cursor[0] = 0;
    if (!is_keepable(q->ask) || !make_key(q, key))
        return ask_store(store, q, answer, f);
    if (cache_find(k->cache, &wish, answer->out, &note, &place)) {
        memcpy(answer->cursor, note.cursor, sizeof note.cursor);
        answer->from = note.from;
        answer->to = note.to;
        return OK;
    }
    size_t at = answer->out->len;
    int64_t began = steady_now();
    enum err e = ask_store(store, q, answer, f);
    if (e)
        cache_drop(k->cache, place);
    else
        keep(k, place, q, answer, at, steady_now() - began);
    return e;
}
