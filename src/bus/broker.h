#ifndef BUS_BROKER_H
#define BUS_BROKER_H

#include "base/buf.h"
#include "bus/authority.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The configuration of the message server (nats-server), and one that runs beside the hub. */

enum {
    BROKER_ROUTES_MAX = 8,
    BROKER_ENDING = 256
};

/* Who may use the server: the hub, and each site within its own subjects. */
struct broker_user {
    char site[BUS_SITE_MAX + 1];
    char dn[AUTHORITY_DN]; /* authority_dn() of its certificate */
};

struct broker_options {
    const char *folder;   /* ca.pem, server.pem, server.key; absolute */
    const char *listen;   /* "0.0.0.0:4222" */
    const char *name;     /* of the server, unique in its cluster; NULL: "hub" */
    const char *store;    /* folder of JetStream; NULL: FOLDER/jetstream */
    uint64_t store_bytes; /* 0: 16 GiB */
    const char *hub_dn;   /* of the hub's certificate */
    const struct broker_user *users;
    size_t user_count;
    const char *cluster_listen;            /* NULL: the server is alone */
    const char *routes[BROKER_ROUTES_MAX]; /* HOST:PORT of the other servers' clusters */
    size_t route_count;
};

/* The text of nats-server's configuration file. Values that could end their quotes are refused
 * (ERR_BAD). */
enum err broker_config(
    const struct broker_options *options, struct buf *out, struct fault *f) MUST_CHECK;

/* A process that keeps a server running: it starts the server when it is told first, again when
 * the server ends, lets it read its configuration again when told again, and ends it when the
 * caller ends, however that happens. */
struct broker;

/* Begin it, as this user and group if the caller is root: before the caller has threads and
 * gives up the right to start programs. `program` NULL: nats-server from the usual places. The
 * fault says what to install. */
struct broker_run {
    const char *program;
    const char *config; /* file */
    const char *log;    /* file */
    const char *user;   /* NULL: the caller's */
};
enum err broker_start(
    struct broker **ret_broker, const struct broker_run *run, struct fault *f) MUST_CHECK;

/* The message server's program: `given`, or where the system keeps it; NULL: it is not there.
 */
const char *broker_program(const char *given);

/* Could a server listen at ADDR:PORT? One of an earlier hub may just be ending: for so long it
 * is tried again. ERR_BUSY: another program listens there; ERR_IO: it is no address of ours, or
 * we may not; ERR_BAD: it is no address. */
enum err broker_listen_check(const char *listen, int64_t patience, struct fault *f) MUST_CHECK;

/* What a server's log says, from byte `from` on, of why it ended; false: it has been ready
 * since, or nothing. */
bool broker_ending(const char *log, int64_t from, char ret_text[BROKER_ENDING]);

/* The configuration is there, or is another. */
void broker_reload(struct broker *b);
void broker_stop(struct broker *b);

#endif
