#ifndef API_API_INT_H
#define API_API_INT_H

#include "api/api.h"
#include "api/throttle_int.h"
#include "base/ip.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Daemon;
struct events;
struct kept;
struct publisher;
struct shared;
struct ticker;
struct warmer;
struct workers;
struct connections;

/* What the store holds, remembered for a moment: nearly every answer needs it. */
struct held {
    pthread_mutex_t lock;
    int64_t asked; /* when; 0: never */
    int64_t first, last;
    uint64_t packets;
};

struct counters {
    _Atomic uint64_t requests[6]; /* by the hundreds of the status; 0: without one */
    _Atomic uint64_t logins, logins_refused, throttled;
    _Atomic uint64_t seconds_us; /* spent answering */
    _Atomic uint64_t exports;    /* running now */
    _Atomic uint64_t export_threads;
    _Atomic uint64_t events_lost; /* ticks that could not be made */
};

/* The running interface. Written by api_start(), then only read, but for what has a lock. */
struct api {
    struct api_options options;
    struct api_parts parts;
    struct clock clock;
    struct api_publication publication;
    struct prefix proxy;
    bool has_proxy;
    bool loopback; /* bound to an address of this machine only */
    bool tls;
    char address[128];
    char version[64];
    char *hosts[API_HOSTS];
    int64_t started;
    struct throttle_rule rule_requests, rule_login_address, rule_login_account;
    struct throttle *throttle;
    struct held held;
    struct shared *shared;
    struct kept *kept;
    struct counters counters;
    pthread_mutex_t hashing; /* one password hash at a time: each takes 64 MiB */
    char *decoy;             /* hash of no password: what unknown users are checked against */
    unsigned long long hash_passes;
    size_t hash_memory;
    struct events *events;
    struct workers *workers;
    struct connections *connections;
    struct ticker *ticker;
    struct warmer *warmer;
    struct publisher *publisher; /* NULL: nothing is published */
    struct MHD_Daemon *daemon;
    char *certificate, *key; /* PEM, as MHD wants them */
    _Atomic bool stopping;
    atomic_flag backing_up; /* a backup is being made */
};

/* Everything of an api but its threads and sockets, for tests that call request_answer()
 * themselves; api_bare_free() undoes it. */
enum err api_bare_new(struct api **ret_api, const struct api_options *options,
    const struct api_parts *parts, struct fault *f) MUST_CHECK;
void api_bare_free(struct api *a);

#endif
