#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

/* How messages get from sites to the hub and back: in one process (bus/local.h), or over NATS
 * JetStream (bus/nats.h). A bus may lose, repeat and reorder whatever it likes: what makes
 * delivery certain is above it, in the site's spool and sender and in the hub's receiver.
 *
 * A bus belongs to one thread at a time; what happens comes out of bus_next(). */
struct bus;

enum {
    BUS_SITE_MAX = 32,       /* letters in the name of a site that uses a bus */
    BUS_TEXT_MAX = 64 << 10, /* of a beat, a word or a configuration */
};

enum bus_event_kind {
    BUS_NOTHING,      /* nothing happened within the time */
    BUS_CONNECTED,    /* the way is open; what was under way before may be lost */
    BUS_DISCONNECTED, /* and closed */
    BUS_DENIED,       /* nor is it opened: the server does not know our certificate any more */
    BUS_TAKEN,        /* site: the bus has the message with this tag */
    BUS_REFUSED,      /* site: the message with this tag may not have arrived */
    BUS_WORD,         /* site: the hub says something (a commitment) */
    BUS_CONFIG,       /* site: its configuration, as it is now */
    BUS_BLOCK,        /* hub: a site's message */
    BUS_BEAT,         /* hub: a site's heartbeat */
};

struct bus_event {
    enum bus_event_kind kind;
    uint64_t tag;                /* BUS_TAKEN, BUS_REFUSED: the sender's */
    char site[BUS_SITE_MAX + 1]; /* BUS_BLOCK, BUS_BEAT: who sent it, as the bus vouches */
    struct bytes data;           /* borrowed until bus_release() */
    void *own;                   /* the bus's */
};

/* Wait for the next event, at most `wait_ms`. Every event is given back with bus_release(). */
void bus_next(struct bus *b, int wait_ms, struct bus_event *ret_event);

/* Give an event back. A block that is `done` is not brought again by the bus; one that is not
 * may come again after a new start. */
void bus_release(struct bus *b, struct bus_event *event, bool done);

/* --- a site's side ------------------------------------------------------------------------ */

/* Send an entry: `parts` are its bytes, one after the other. `id` makes the bus pass over a
 * copy that it has already (it may forget ids at any time); `tag` comes back with BUS_TAKEN or
 * BUS_REFUSED. ERR_BUSY: too much is under way, or there is no way now; try later. */
struct bus_message {
    const char *kind;
    const char *id;
    uint64_t tag;
    struct bytes data;
};
enum err bus_publish(struct bus *b, const struct bus_message *m, struct fault *f) MUST_CHECK;

/* Say how we are. Never waits, may be lost. */
void bus_beat(struct bus *b, struct bytes text);

/* --- the hub's side ----------------------------------------------------------------------- */

/* Receive from a site, or no longer. Asking again for what is so already mends what the bus may
 * have lost of it. */
enum err bus_watch(struct bus *b, const char *site, struct fault *f) MUST_CHECK;
void bus_unwatch(struct bus *b, const char *site);

/* Say something to a site. Never waits, may be lost. */
void bus_say(struct bus *b, const char *site, struct bytes text);

/* Set a site's configuration: a site that is there gets it now. May be called from any thread,
 * beside the one that has the bus. */
enum err bus_config_put(
    struct bus *b, const char *site, struct bytes text, struct fault *f) MUST_CHECK;

/* Can messages be sent just now? */
bool bus_is_connected(const struct bus *b);
void bus_close(struct bus *b);

/* Is this a name for a site on the bus: 1 to BUS_SITE_MAX of a-z, 0-9, hyphen and underscore,
 * beginning with a letter or digit? */
bool bus_site_fits(const char *name);

/* --- for those who make a bus ------------------------------------------------------------- */

struct bus_ops {
    void (*next)(void *context, int wait_ms, struct bus_event *ret_event);
    void (*release)(void *context, struct bus_event *event, bool done);
    enum err (*publish)(void *context, const struct bus_message *m, struct fault *f);
    void (*beat)(void *context, struct bytes text);
    enum err (*watch)(void *context, const char *site, struct fault *f);
    void (*unwatch)(void *context, const char *site);
    void (*say)(void *context, const char *site, struct bytes text);
    enum err (*config_put)(void *context, const char *site, struct bytes text, struct fault *f);
    bool (*is_connected)(void *context);
    void (*close)(void *context);
};

struct bus {
    const struct bus_ops *ops;
    void *context;
};

#endif
