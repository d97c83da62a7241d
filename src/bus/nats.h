#ifndef BUS_NATS_H
#define BUS_NATS_H

#include "bus/bus.h"

#include <stddef.h>

/* A bus over NATS JetStream. A site publishes on `kz.SITE.spool.KIND`, which the stream kz_SITE
 * keeps until the hub has it in its store; its heartbeats go over `kz.SITE.heartbeat`, the
 * hub's words over `kzh.SITE`, neither kept; its configuration is the key SITE of the bucket
 * kz_config. Both ends reconnect for ever. docs/formats/bus.md tells subjects and permissions.
 */

enum {
    BUS_SERVERS_MAX = 8
};

struct bus_nats_options {
    const char *servers[BUS_SERVERS_MAX]; /* "nats://HOST:PORT", or "tls://..." */
    size_t server_count;
    const char *site; /* the site's name; NULL: this is the hub */
    /* PEM files: whom to trust, who we are. All, or none: then the bus is in clear, and servers
     * beyond loopback are refused. */
    const char *ca, *certificate, *key;
    const char *host;      /* name in the servers' certificates; NULL: that of the URL */
    unsigned replicas;     /* hub: copies of each stream; 0: 1 */
    uint64_t stream_bytes; /* hub: most that a site's stream holds at first; 0: 256 MiB */
};

/* Open; the options are read now and not kept. The connection is made, and kept, by threads of
 * its own: BUS_CONNECTED says when. A server that refuses us is asked again, for ever. The
 * fault names files that cannot be read, or a server's address that is none. */
enum err bus_nats_open(
    struct bus **ret_bus, const struct bus_nats_options *options, struct fault *f) MUST_CHECK;

/* Are these addresses of message servers, as --bus takes them: nats://HOST:PORT or
 * tls://HOST:PORT, at most BUS_SERVERS_MAX? The fault names the first that is none. */
enum err bus_servers_check(
    const char *const *servers, size_t count, struct fault *f) MUST_CHECK;

/* May these be spoken to without a certificate? Only 127.0.0.0/8, ::1 and localhost may; the
 * fault names the first other one. No name is looked up. bus_nats_open() checks it as well. */
enum err bus_clear_check(const char *const *servers, size_t count, struct fault *f) MUST_CHECK;

#endif
