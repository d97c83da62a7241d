#include "sensor/sources_int.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

enum {
    HOSTS_START = 1024,
    REINDEX_AHEAD = 16
};

_Static_assert(sizeof(struct host) == 64, "most packets need one cache line of a source");
_Static_assert(sizeof(struct host_rest) == 64, "the others need one more");

/* One of the two arrays; what has grown stays so if the other one cannot. */
static void *lines_grow(void *lines, size_t *room, size_t wanted, size_t size)
{
    void *larger = memory_resize(lines, *room * size, wanted * size);
    if (larger)
        *room = wanted;
    return larger;
}

/* Leaves the index empty. */
static enum err grow(struct hosts *t, size_t room)
{
    struct index index;
    struct host *host = lines_grow(t->host, &t->host_room, room, sizeof *host);
    if (!host)
        return ERR_NOMEM;
    t->host = host;
    struct host_rest *rest = lines_grow(t->rest, &t->rest_room, room, sizeof *rest);
    if (!rest)
        return ERR_NOMEM;
    t->rest = rest;
    if (index_init(&index, room))
        return ERR_NOMEM;
    index_done(&t->index);
    t->index = index;
    t->room = room;
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
    memory_free(t->host, t->host_room * sizeof *t->host);
    memory_free(t->rest, t->rest_room * sizeof *t->rest);
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
        t->rest[kept] = t->rest[i];
        t->host[kept++] = t->host[i];
    }
    memset(t->rest + kept, 0, (t->count - kept) * sizeof *t->rest);
    t->count = kept;
    index_clear(&t->index);
    reindex(t);
}
