#ifndef BUS_NATS_INT_H
#define BUS_NATS_INT_H

#include "base/buf.h"
#include "bus/nats.h"

#include <nats/nats.h>
#include <pthread.h>

enum {
    NATS_TEXT = 256,
    NATS_WATCHED_MAX = 1024,
    NATS_STREAM_ROOM = 256 << 20, /* bytes, as long as the server has them */
    NATS_WAIT_MS = 3000,          /* for an answer of the server */
    NATS_LOOSE_MAX = 1024         /* messages no stream keeps that may wait for bus_next() */
};

#define NATS_SECOND INT64_C(1000000000) /* the library's times are in nanoseconds */

/* An event on its way out. */
struct nats_event {
    struct nats_event *next;
    struct bus_event event;
    natsMsg *msg; /* owns the event's data; NULL: none */
    bool kept;    /* by a stream: the server waits to hear that it is done with */
};

/* A site that the hub receives from. */
struct nats_watched {
    char site[BUS_SITE_MAX + 1];
    natsSubscription *subscription;
    int64_t room; /* bytes that its stream may hold; 0: not known yet */
};

struct nats_bus {
    struct bus bus;
    struct bus_nats_options options;
    char site[BUS_SITE_MAX + 1];
    natsOptions *connection_options;
    natsConnection *connection;
    jsCtx *js;
    pthread_mutex_t making; /* held while connection and js change, or another thread uses js */
    natsSubscription *subscriptions[2]; /* site: words, configuration; hub: heartbeats */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct nats_event *first, *last;
    size_t loose; /* of these, with a message that no stream keeps */
    bool connected;
    size_t calling;   /* connections and subscriptions of the library that may still call us */
    bool closed;      /* the library has given up: a new connection is made */
    int64_t tried_ms; /* when one was tried last, monotonic */
    struct nats_watched *watched; /* hub */
    size_t watched_count;
    int64_t stream_room; /* hub: what a new stream may hold, in bytes */
};

/* Put an event behind the others; `msg` is taken. */
void nats_push(struct nats_bus *n, enum bus_event_kind kind, const char *subject_site,
    uint64_t tag, natsMsg *msg, bool kept);

/* A subscription was made: the bus is there until its last message has been handed over. */
void nats_subscribed(struct nats_bus *n, natsSubscription *s);

enum err nats_fault(struct fault *f, const char *what, natsStatus status, int code);

/* The second token of a subject; false: no site has that name. */
bool nats_site_of(const char *subject, char ret_site[BUS_SITE_MAX + 1]);

/* A site's side (nats_site.c). */
natsStatus nats_site_start(struct nats_bus *n);
enum err nats_site_publish(void *context, const struct bus_message *m, struct fault *f);
void nats_site_beat(void *context, struct bytes text);

/* The hub's side (nats_hub.c). */
natsStatus nats_hub_start(struct nats_bus *n);
enum err nats_hub_watch(void *context, const char *site, struct fault *f);
void nats_hub_unwatch(void *context, const char *site);
void nats_hub_say(void *context, const char *site, struct bytes text);
enum err nats_hub_config_put(
    void *context, const char *site, struct bytes text, struct fault *f);
/* A site's stream (nats_stream.c): its name; it is made if it is not there. ERR_FULL: the
 * server has no room for it. */
void nats_stream_name(const char *site, char ret_stream[NATS_TEXT]);
enum err nats_stream_have(struct nats_bus *n, struct nats_watched *w, struct fault *f);
/* Forget what belongs to a connection that is gone; who is watched stays known. */
void nats_hub_stop(struct nats_bus *n);

#endif
