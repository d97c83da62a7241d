#ifndef SENSOR_DOS_INT_H
#define SENSOR_DOS_INT_H

#include "base/index.h"
#include "decode/packet.h"
#include "geo/geo.h"
#include "record/block.h"
#include "sensor/sensor.h"

/* Randomly-spoofed denial of service, seen by its backscatter. A vector is one victim and one
 * protocol; it becomes a row when it has dos_packets packets over dos_duration and dos_rate
 * packets in some 60 seconds. Source: Moore, Shannon, Brown, Voelker, Savage, "Inferring
 * Internet denial-of-service activity", ACM TOCS 24(2), 2006; thresholds as CAIDA's corsaro has
 * them. Differs from it: the 60 seconds slide by 10 on the clock's own tens, not on the
 * vector's start; protocols are vectors of their own; the victim of an ICMP error is who the
 * quoted packet was for. */

enum {
    DOS_BINS = 6, /* of 10 seconds */
    DOS_PORTS = 4,
    DOS_REGISTERS = 64
};

struct dos_port {
    uint16_t port;
    uint32_t count;
};

struct dos_vector {
    struct ip victim;
    int64_t start, end; /* us */
    int64_t bin;        /* the latest of 10 s since 1970 */
    uint64_t packets;
    uint32_t in_bin[DOS_BINS]; /* by bin mod DOS_BINS */
    uint32_t peak;
    struct dos_port port[DOS_PORTS]; /* the most frequent (Misra-Gries) */
    uint8_t targets[DOS_REGISTERS];  /* HyperLogLog */
    uint8_t proto;
    struct sensor_place place; /* if it was told */
    bool changed;              /* since its row was written */
};

struct dos {
    struct index index;
    struct dos_vector *vector;
    size_t count, room, cap;
    uint64_t secret;
    int64_t thinned; /* bin in which room was last sought in vain */
    uint64_t missed; /* packets of victims for which there was no room */
    struct sensor_dos_options options;
    struct block *out; /* rows of the open window; owned */
    const struct geo *geo;
    const char *site;
};

/* `geo` and `site` are borrowed. */
enum err dos_init(struct dos *d, const struct sensor_dos_options *options, uint64_t secret,
    const struct geo *geo, const char *site) MUST_CHECK;
void dos_done(struct dos *d);

/* Ask for the memory that dos_add() will read for a packet, in steps 0 and 1, the second one
 * when what the first one asked for has had time to come. */
void dos_prefetch(const struct dos *d, const struct packet *p, unsigned step);

/* Count one packet of backscatter at `ts`; `place` of its source, NULL: nobody has told it. */
enum err dos_add(struct dos *d, const struct packet *p, const struct sensor_place *place,
    int64_t ts) MUST_CHECK;

/* Begin a window: no rows. */
void dos_open_window(struct dos *d);

/* Write a row for every attack that changed, and forget vectors that are idle at `now`. */
enum err dos_close_window(struct dos *d, int64_t now) MUST_CHECK;

#endif
