#ifndef ENGINE_SERVICE_H
#define ENGINE_SERVICE_H

#include "record/proto.h"

#include <stdint.h>

/* What a contact reaches, as one number: TCP ports, UDP ports, ICMP types, ICMPv6 types, and
 * one number for each other protocol. */
enum {
    SERVICE_TCP = 0,
    SERVICE_UDP = 1 << 16,
    SERVICE_ICMP = 2 << 16,
    SERVICE_ICMPV6 = SERVICE_ICMP + 256,
    SERVICE_OTHER = SERVICE_ICMPV6 + 256,
    SERVICES = SERVICE_OTHER + 256
};

static inline uint32_t service_of(uint8_t proto, uint16_t port)
{
    switch (proto) {
    case PROTO_TCP:
        return SERVICE_TCP + (uint32_t)port;
    case PROTO_UDP:
        return SERVICE_UDP + (uint32_t)port;
    case PROTO_ICMP:
        return SERVICE_ICMP + (uint32_t)(port & 0xff);
    case PROTO_ICMPV6:
        return SERVICE_ICMPV6 + (uint32_t)(port & 0xff);
    default:
        return SERVICE_OTHER + (uint32_t)proto;
    }
}

static inline uint8_t service_proto(uint32_t service)
{
    if (service < SERVICE_UDP)
        return PROTO_TCP;
    if (service < SERVICE_ICMP)
        return PROTO_UDP;
    if (service < SERVICE_ICMPV6)
        return PROTO_ICMP;
    if (service < SERVICE_OTHER)
        return PROTO_ICMPV6;
    return (uint8_t)(service - SERVICE_OTHER);
}

static inline uint16_t service_port(uint32_t service)
{
    if (service < SERVICE_ICMP)
        return (uint16_t)service;
    return service < SERVICE_OTHER ? (uint16_t)(service & 0xff) : 0;
}

enum {
    SERVICE_TEXT = 32
};

/* "3389/tcp", "icmp type 8", "protocol 47". Returns `text`. */
const char *service_format(uint32_t service, char text[SERVICE_TEXT]);

#endif
