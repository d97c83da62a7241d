#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include "sim/probe.h"

#include <stddef.h>
#include <stdint.h>

/* Services that the Internet's noise asks for, how much, and by what kind of host. The figures
 * are assumptions in the order of magnitude of what telescopes report; docs/simulator.md says
 * which. */

/* What a pool's hosts run, as parts of a hundred. */
enum mix {
    MIX_MIRAI,   /* 90 Mirai, 10 bare */
    MIX_WINDOWS, /* 85 Windows, 10 Linux, 5 bare */
    MIX_LINUX,   /* 60 Linux, 40 bare */
    MIX_ANY,     /* 40 Linux, 30 Windows, 30 bare */
};

struct service {
    uint8_t kind;  /* enum probe_kind: PROBE_SYN, PROBE_UDP or PROBE_ECHO */
    uint16_t port; /* 0: a rare port, each host its own */
    uint8_t mix;
    uint8_t payload;
    double share;  /* parts of a thousand of all that pools send */
    double pps;    /* mean scanning rate of a host, over all of IPv4 */
    double rhythm; /* amplitude of its day, 0..1 */
    double life_h; /* mean time until another host takes its place */
    double shape;  /* of the gamma factor on its volume; larger is steadier */
};

extern const struct service services[];
extern const size_t service_count;

/* Packets that the background sends to one address in a day at scale 1, and the parts of it. */
#define BACKGROUND_DAY 600.0
#define SHARE_POOLS    0.53
#define SHARE_SCANNERS 0.26
#define SHARE_SURVEYS  0.11
#define SHARE_ANSWERS  0.08

/* Packets of pools to one address in a day at scale 1, for one service; 0 for an unlisted one
 * (a rare port). */
double service_rate(uint8_t proto, uint16_t port);

/* The program of a new host. */
enum style service_style(enum mix mix, struct rng *r);

/* A listed TCP or UDP service by its share; for scanners' choice of what to ask for. */
const struct service *service_pick(struct rng *r);

/* A rare port: density falls as one over its rank, and which port has which rank is drawn by
 * `key`. */
uint16_t service_rare_port(uint64_t key, struct rng *r);

/* A port above 1023 that no listed service has. */
uint16_t service_free_port(uint8_t proto, struct rng *r);

#endif
