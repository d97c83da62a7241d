#ifndef SIM_POOL_H
#define SIM_POOL_H

#include "sim/service.h"
#include "sim/world_int.h"

/* The many slow hosts: bots, worms and misled programs, a pool for each service. A pool stands
 * for all such hosts on the Internet; a telescope sees the share of their probes that its
 * addresses are of the IPv4 space. */

struct pools;

enum err pools_open(struct pools **ret_pools, const struct world *w, uint64_t seed) MUST_CHECK;
void pools_close(struct pools *p);
void pools_tick(void *pools, const struct world *w, struct outbox *o);

/* Up to `count` different hosts that are in the pool of a service at its start: bots that
 * later do something else. Returns how many. */
size_t pools_hosts(
    const struct pools *p, uint8_t proto, uint16_t port, struct host *ret_hosts, size_t count);

#endif
