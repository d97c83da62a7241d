#include "api/kept_int.h"

#include "base/hash.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WINDOW = 10 * US_MINUTE,
    KEY_MAX = 1024,
    WAYS = 4,
    SETS = KEPT_ANSWERS / WAYS
};

struct entry {
    char key[KEY_MAX];
    int64_t made; /* 0: nothing is here */
    int64_t took;
    uint64_t packets;
    bool in_work; /* somebody asks the store */
    size_t waiting;
    int64_t from, to;
    char cursor[ASK_CURSOR];
    struct buf rows;
};

struct kept {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct entry entries[KEPT_ANSWERS];
};

enum err kept_new(struct kept **ret_kept)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->done, NULL);
    for (size_t i = 0; i < KEPT_ANSWERS; i++)
        buf_init(&k->entries[i].rows, KEPT_BYTES);
    *ret_kept = k;
    return OK;
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < KEPT_ANSWERS; i++)
        buf_done(&k->entries[i].rows);
    pthread_cond_destroy(&k->done);
    pthread_mutex_destroy(&k->lock);
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
static bool make_key(const struct kept_ask *q, char key[KEY_MAX])
{
    const struct ask *a = q->ask;
    char src[IP_TEXT] = "";
    int64_t from = time_floor(a->from, WINDOW);
    int64_t to = time_floor(a->to + WINDOW - 1, WINDOW);
    if (a->has_src)
        ip_format(&a->src.ip, src);
    int len = snprintf(key, KEY_MAX,
        "%d %d %" PRId64 " %" PRId64 " %" PRId64 " %d %d %s %s %s %s %d %d %" PRId64
        " %s/%d %zu %s",
        (int)q->format, (int)a->what, from, to, a->step, (int)a->by, (int)a->measure, a->site,
        a->country, a->tool, a->class, a->proto, a->port, a->asn, src,
        a->has_src ? a->src.bits : 0, a->limit, a->cursor);
    return len > 0 && len < KEY_MAX;
}

static int64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_SECOND + now.tv_nsec / 1000;
}

static bool is_fresh(const struct entry *e, const struct kept_ask *q)
{
    int64_t age = q->now - e->made;
    int64_t most = e->took * KEPT_COST;
    most = most < KEPT_MOST ? most : KEPT_MOST;
    /* Losses and victims come without contacts that would show the change. */
    bool counted = q->ask->what != ASK_SITES && q->ask->what != ASK_VICTIMS;
    if (counted && e->packets == q->packets)
        most = KEPT_UNCHANGED;
    return e->made && age >= 0 && age < most;
}

/* The key's place, or the oldest that nobody is at; NULL if there is none. */
static struct entry *place_of(struct kept *k, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key), 0);
    struct entry *set = &k->entries[hash % SETS * WAYS];
    struct entry *oldest = NULL;
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

/* True: the answer was there, or came while we waited. False: it is ours to ask, and
 * `*ret_place`, if not NULL, is marked so. */
static bool find(struct kept *k, const char *key, const struct kept_ask *q,
    struct kept_answer *answer, struct entry **ret_place)
{
    struct entry *e = place_of(k, key);
    *ret_place = e;
    if (!e)
        return false;
    e->waiting++;
    while (e->in_work)
        pthread_cond_wait(&k->done, &k->lock);
    e->waiting--;
    if (!is_fresh(e, q)) {
        e->in_work = true;
        return false;
    }
    buf_put(answer->out, e->rows.data, e->rows.len);
    memcpy(answer->cursor, e->cursor, sizeof e->cursor);
    answer->from = e->from;
    answer->to = e->to;
    return true;
}

static enum err ask_store(const struct api_store *store, const struct kept_ask *q,
    struct kept_answer *answer, struct fault *f)
{
    answer->from = q->ask->from;
    answer->to = q->ask->to;
    return store->ask(store->context, q->ask, q->format, answer->out, answer->cursor, f);
}

/* Rows from `at` of `out` on. */
static void keep(struct entry *e, const struct kept_ask *q, const struct kept_answer *answer,
    size_t at, int64_t took)
{
    const struct buf *out = answer->out;
    buf_clear(&e->rows);
    e->made = 0;
    if (out->err || out->len - at > KEPT_BYTES)
        return;
    buf_put(&e->rows, out->data + at, out->len - at);
    e->made = e->rows.err ? 0 : q->now;
    e->rows.err = OK;
    e->took = took;
    e->packets = q->packets;
    e->from = answer->from;
    e->to = answer->to;
    memcpy(e->cursor, answer->cursor, sizeof e->cursor);
}

enum err kept_run(struct kept *k, const struct api_store *store, const struct kept_ask *q,
    struct kept_answer *answer, struct fault *f)
{
    char key[KEY_MAX];
    struct entry *place;
    answer->cursor[0] = 0;
    if (!is_keepable(q->ask) || !make_key(q, key))
        return ask_store(store, q, answer, f);
    pthread_mutex_lock(&k->lock);
    bool found = find(k, key, q, answer, &place);
    pthread_mutex_unlock(&k->lock);
    if (found)
        return OK;
    size_t at = answer->out->len;
    int64_t began = monotonic();
    enum err e = ask_store(store, q, answer, f);
    if (!place)
        return e;
    pthread_mutex_lock(&k->lock);
    if (e)
        place->made = 0;
    else
        keep(place, q, answer, at, monotonic() - began);
    place->in_work = false;
    pthread_cond_broadcast(&k->done);
    pthread_mutex_unlock(&k->lock);
    return e;
}
