#ifndef SENSOR_SOURCES_INT_H
#define SENSOR_SOURCES_INT_H

#include "base/index.h"
#include "base/ip.h"
#include "sensor/contacts_int.h"
#include "sensor/fingerprint.h"

/* What is remembered of each source address: where it is, what it has sent, and the evidence
 * for the tool that it uses. Bounded: when the table is full, sources that were silent in the
 * open window are forgotten, and if that frees too little, half of all addresses are left out,
 * by their hash. What is decided about a source depends on its own packets only. */

enum {
    HOST_EVIDENCE = 4, /* rules remembered for one source */
    HOST_TOOLS = 4     /* tools that are counted once for one source */
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

/* One cache line, for what every packet needs. */
struct host {
    struct ip ip;
    uint32_t window;                /* the latest in which it was seen */
    struct contact_chain chain;     /* of that window */
    uint32_t asn;                   /* with the country, once it is `located` */
    uint32_t last_each;             /* the pairwise rules whose condition `last` met */
    struct fingerprint_packet last; /* the latest that met one at all */
    uint32_t syn_packets;           /* of SCOPE_SYN */
    char country[2];                /* NULs if not known */
    uint16_t survey;                /* number of its list + 1 */
    uint8_t named;                  /* the first rule with enough evidence, + 1 */
    uint8_t rule_count;
    uint8_t proven; /* bit i: there is enough evidence for rule[i] */
    bool located;
};

/* One more, in an array beside it, for packets that match a rule or open no TCP connection:
 * what nobody touches takes no memory. Zero where there is no source. */
struct host_rest {
    uint32_t other_packets[SCOPE_COUNT]; /* of the other scopes */
    struct host_evidence evidence[HOST_EVIDENCE];
    uint8_t rule[HOST_EVIDENCE];
    uint8_t told[HOST_TOOLS]; /* tools, by first rule + 1, that its closed contacts carry */
    uint8_t spare[4];
};

/* Both lines of a source. */
struct host_lines {
    struct host *host;
    struct host_rest *rest;
};

/* Where a source's packets of a scope are counted. */
static inline uint32_t *host_packets(struct host_lines l, unsigned scope)
{
    return scope == SCOPE_SYN ? &l.host->syn_packets : &l.rest->other_packets[scope];
}

struct hosts {
    struct index index;
    struct host *host;           /* whole pages */
    struct host_rest *rest;      /* the same */
    size_t host_room, rest_room; /* of the two arrays */
    size_t count, room, cap;
    uint64_t secret, secret_too;
    uint32_t share; /* addresses with a hash up to this are kept */
};

static inline struct host_lines hosts_lines(const struct hosts *t, uint32_t number)
{
    return (struct host_lines){&t->host[number], &t->rest[number]};
}

/* Ask for the line that few packets need. */
static inline void hosts_prefetch_rest(const struct hosts *t, uint32_t number)
{
    __builtin_prefetch(&t->rest[number]);
}

enum err hosts_init(struct hosts *t, size_t cap, uint64_t secret) MUST_CHECK;
void hosts_done(struct hosts *t);

/* Where an address is looked for in the table. Keyed, so that nobody outside can choose
 * addresses that collide. */
static inline uint64_t hosts_hash(const struct hosts *t, const struct ip *ip)
{
    uint64_t half[2];
    memcpy(half, ip, sizeof half);
    return hash_fold(half[0] ^ t->secret, half[1] ^ t->secret_too);
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
