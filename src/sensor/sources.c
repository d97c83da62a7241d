#include "sensor/sources_int.h"

#include "base/memory.h"

#include <assert.h>
#include <stddef.h>

enum {
    HOSTS_START = 1024,
    REINDEX_AHEAD = 16
};

_Static_assert(sizeof(struct host) == 128, "a source takes two cache lines");
_Static_assert(offsetof(struct host, other_packets) == 64, "most packets need the first one");

/* Leaves the index empty. */
static enum err grow(struct hosts *t, size_t room)
{
    struct index index;
    if (index_init(&index, room))
        return ERR_NOMEM;
    struct host *host =
        memory_resize(t->host, t->room * sizeof *t->host, room * sizeof *t->host);
    if (!host) {
        index_done(&index);
        return ERR_NOMEM;
    }
    index_done(&t->index);
    t->host = host;
    t->room = room;
    t->index = index;
    return OK;
}

/* Note every entry in an empty index. */
static void reindex(struct hosts *t)
{
    for (size_t i = 0; i < t->count; i++) {
        uint64_t hash = hosts_hash(t, &t->host[i].ip);
        uint32_t other;
        if (i + REINDEX_AHEAD < t->count)
            index_prefetch(&t->index, hosts_hash(t, &t->host[i + REINDEX_AHEAD].ip));
        size_t p = index_first(&t->index, hash);
        while (index_at(&t->index, p, hash, &other))
            p = index_next(&t->index, p);
        enum err e = index_put(&t->index, p, hash, (uint32_t)i);
        assert(!e);
    }
}

enum err hosts_init(struct hosts *t, size_t cap, uint64_t secret)
{
    *t = (struct hosts){.cap = cap,
        .secret = hash_u64(secret),
        .secret_too = hash_u64(~secret),
        .share = UINT32_MAX};
    return grow(t, cap < HOSTS_START ? cap : HOSTS_START);
}

void hosts_done(struct hosts *t)
{
    memory_free(t->host, t->room * sizeof *t->host);
    index_done(&t->index);
    *t = (struct hosts){0};
}

uint32_t hosts_find(const struct hosts *t, const struct ip *ip, uint64_t hash)
{
    uint32_t e;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);
         p = index_next(&t->index, p))
        if (e != INDEX_OTHER && ip_same(&t->host[e].ip, ip))
            return e;
    return HOST_NONE;
}

enum err hosts_add(struct hosts *t, const struct ip *ip, uint64_t hash, uint32_t *ret_host)
{
    if (t->count >= t->cap)
        return ERR_FULL;
    if (t->count >= t->room) {
        enum err e = grow(t, t->room * 2 < t->cap ? t->room * 2 : t->cap);
        if (e)
            return e;
        reindex(t);
    }
    uint32_t other;
    size_t p = index_first(&t->index, hash);
    while (index_at(&t->index, p, hash, &other))
        p = index_next(&t->index, p);
    enum err e = index_put(&t->index, p, hash, (uint32_t)t->count);
    if (e)
        return e;
    t->host[t->count] = (struct host){.ip = *ip, .chain = contact_chain_empty()};
    *ret_host = (uint32_t)t->count++;
    return OK;
}

void hosts_filter(struct hosts *t, bool (*keep)(void *context, const struct host *h),
    void *context, uint32_t *ret_moved)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!keep(context, &t->host[i])) {
            ret_moved[i] = HOST_NONE;
            continue;
        }
        ret_moved[i] = (uint32_t)kept;
        t->host[kept++] = t->host[i];
    }
    t->count = kept;
    index_clear(&t->index);
    reindex(t);
}
