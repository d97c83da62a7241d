#ifndef SENSOR_SERVICES_INT_H
#define SENSOR_SERVICES_INT_H

#include "num/distinct.h"
#include "sensor/sensor.h"
#include "sensor/sources_int.h"

/* The busiest services since the start, by distinct sources; backscatter asks for nothing and
 * is not counted. Bounded: at the cap, a service gives its place to one that had more sources
 * in a single window than it had in all. */

enum {
    SERVICES_MAX = 4096,
    SERVICE_CODES = 2 * 65536 + 3 * 256, /* TCP, UDP ports; ICMP types; other protocols */
};

/* A service as a small number, below SERVICE_CODES. */
static inline uint32_t service_code(uint8_t proto, uint16_t port)
{
    switch (proto) {
    case PROTO_TCP:
        return port;
    case PROTO_UDP:
        return 65536u + port;
    case PROTO_ICMP:
        return 131072u + (port & 0xff);
    case PROTO_ICMPV6:
        return 131328u + (port & 0xff);
    default:
        return 131584u + proto;
    }
}

struct service {
    uint32_t code;
    bool stale; /* `sources` is of a time before the latest were added: too few, if anything */
    uint64_t packets;
    double sources; /* estimate */
};

/* A contact whose service has no place: what most of them are asked for, without the contact.
 */
struct service_other {
    uint32_t contact, code;
};

struct services {
    uint16_t *number; /* by code: entry + 1 */
    uint32_t *window; /* by code without an entry: sources in the window that is being added */
    struct service *entry;
    struct distinct *distinct; /* one an entry */
    size_t count, room;
    double least;                /* no entry of a full table has fewer sources than this ... */
    size_t hand;                 /* ... and none before this one as few */
    struct service_other *other; /* contacts of the window whose services have no place */
    size_t other_count, other_room;
};

enum err services_init(struct services *t) MUST_CHECK;
void services_done(struct services *t);

/* Begin with a closed window of that many contacts. */
enum err services_begin(struct services *t, size_t contacts) MUST_CHECK;

/* Ask for the memory that services_count() will need: first where the service has its place,
 * and when that has come, the place; `src` is ip_hash() of the source. */
void services_prefetch_place(const struct services *t, const struct contact *c);
void services_prefetch(const struct services *t, const struct contact *c, uint64_t src);

/* Count each contact in turn, and then those whose service has no place yet. */
void services_count(struct services *t, const struct contact *c, uint64_t src, uint32_t number);
enum err services_settle(
    struct services *t, const struct contacts *contacts, const struct hosts *hosts) MUST_CHECK;

size_t services_top(const struct services *t, struct sensor_port *ret_ports, size_t cap);

#endif
