#ifndef SENSOR_CLASSIFY_H
#define SENSOR_CLASSIFY_H

#include "decode/packet.h"

/* What sort of traffic a packet is, by its own headers and payload alone: CLASS_SCAN,
 * CLASS_BACKSCATTER or CLASS_OTHER. The classes that need memory (survey, misconfiguration,
 * worm) are made of scans by the sensor. The rules and their sources: docs/formats/classes.md.
 */
enum packet_class classify_packet(const struct packet *p);

/* Who was attacked, for a packet of backscatter: its source; or, for an ICMP error that quotes
 * the packet it is about, the address which that packet was sent to (the error may come from a
 * router on the way). */
struct ip classify_victim(const struct packet *p);

/* The service that a packet is counted under: what it asks for, or, for backscatter, what
 * answers. TCP and UDP: a port; ICMP: the type. */
static inline uint16_t classify_service(const struct packet *p, enum packet_class c)
{
    bool ports = p->proto == PROTO_TCP || p->proto == PROTO_UDP;
    return c == CLASS_BACKSCATTER && ports ? p->sport : p->dport;
}

#endif
