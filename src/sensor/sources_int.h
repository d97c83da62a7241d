#ifndef SENSOR_SOURCES_INT_H
#define SENSOR_SOURCES_INT_H

#include "base/index.h"
#include "base/ip.h"
#include "sensor/fingerprint.h"

/* What is remembered of each source address: where it is, what it has sent, and the evidence
 * for the tool that it uses. Bounded: when the table is full, sources that were silent in the
 * open window are forgotten, and if that frees too little, half of all addresses are left out,
 * by their hash. What is decided about a source depends on its own packets only. */

enum {
    HOST_EVIDENCE = 4 /* rules remembered for one source */
};

#define HOST_NONE UINT32_MAX

/* Packets by what the signatures can say about them. */
enum host_scope {
    SCOPE_SYN, /* TCP that opens a connection */
    SCOPE_TCP, /* other TCP */
    SCOPE_UDP,
    SCOPE_ICMP, /* both versions */
    SCOPE_OTHER,
    SCOPE_COUNT
};

/* Packets of one source that match one rule. */
struct host_evidence {
    uint32_t matches;
    uint32_t last; /* digest of the latest that counted: a repetition is no further evidence */
};

struct host {
    struct ip ip;
    uint32_t asn;
    char country[2];  /* NULs if not known */
    uint16_t survey;  /* number of its list + 1 */
    uint32_t window;  /* the latest in which it was seen */
    uint32_t contact; /* of that window: its latest contact */
    uint32_t packets[SCOPE_COUNT];
    uint8_t named; /* the first rule with enough evidence, + 1 */
    uint8_t rule_count;
    uint8_t rule[HOST_EVIDENCE];
    uint8_t proven; /* bit i: there is enough evidence for rule[i] */
    uint8_t spare[5];
    /* From here on the second cache line, which traffic that matches nothing does not touch. */
    struct host_evidence evidence[HOST_EVIDENCE];
    struct fingerprint_packet last; /* the latest that met the condition of a pairwise rule */
    uint32_t last_each;             /* and of which */
    uint8_t spare_too[8];
};

struct hosts {
    struct index index;
    struct host *host; /* whole pages */
    size_t count, room, cap;
    uint64_t secret;
    uint32_t share; /* addresses with a hash up to this are kept */
};

enum err hosts_init(struct hosts *t, size_t cap, uint64_t secret) MUST_CHECK;
void hosts_done(struct hosts *t);

/* Where an address is looked for in the table. Keyed, so that nobody outside can choose
 * addresses that collide. */
static inline uint64_t hosts_hash(const struct hosts *t, const struct ip *ip)
{
    uint64_t half[2];
    memcpy(half, ip, sizeof half);
    return hash_two(half[0] ^ t->secret, half[1] + t->secret);
}

/* Is the address among those that are kept? The same at all sites and in all runs. */
static inline bool hosts_keeps(const struct hosts *t, const struct ip *ip)
{
    return t->share == UINT32_MAX || (uint32_t)(ip_hash(ip) >> 32) <= t->share;
}

/* Ask for the memory that hosts_find() and what follows will read: first the index, and when
 * that has come, the entry that it most likely leads to, which is returned (or HOST_NONE). */
static inline void hosts_prefetch_index(const struct hosts *t, uint64_t hash)
{
    index_prefetch(&t->index, hash);
}

static inline uint32_t hosts_prefetch(const struct hosts *t, uint64_t hash)
{
    uint32_t e;
    for (size_t p = index_first(&t->index, hash); index_at(&t->index, p, hash, &e);
         p = index_next(&t->index, p)) {
        if (e == INDEX_OTHER)
            continue;
        __builtin_prefetch(&t->host[e]);
        __builtin_prefetch((const char *)&t->host[e] + 64);
        return e;
    }
    return HOST_NONE;
}

/* The entry of an address, or HOST_NONE. */
uint32_t hosts_find(const struct hosts *t, const struct ip *ip, uint64_t hash);

/* Add an address that is not there; ERR_FULL if the table has its cap (then call
 * hosts_thin()). */
enum err hosts_add(
    struct hosts *t, const struct ip *ip, uint64_t hash, uint32_t *ret_host) MUST_CHECK;

/* Forget what `keep` refuses. ret_moved[old] is the new number or HOST_NONE; it has room for
 * t->count. */
void hosts_filter(struct hosts *t, bool (*keep)(void *context, const struct host *h),
    void *context, uint32_t *ret_moved);

#endif
