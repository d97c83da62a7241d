#ifndef CMD_HUB_FLEET_H
#define CMD_HUB_FLEET_H

#include "api/api.h"
#include "cmd/hub_live.h"
#include "fleet/fleet.h"

/* The hub's side of sites that run by themselves: it tells the fleet of time and of the
 * interfaces that the hub watches itself, and passes on what changed to the log and the portal.
 */
struct hub_fleet {
    struct fleet *fleet;
    _Atomic(struct api *) api; /* who is told of changes; NULL: nobody yet */
    int64_t spoken;            /* when the hub's own interfaces last spoke */
    int64_t started;
    struct fault trouble; /* what the log was last told */
};

/* `packets` is how long the hub keeps these, us. */
enum err hub_fleet_open(struct hub_fleet *h, struct catalog *c, int64_t packets, int64_t now,
    struct fault *f) MUST_CHECK;

/* Call every two seconds. `sites` are those that the hub captures itself. */
void hub_fleet_look(
    struct hub_fleet *h, const struct hub_site *sites, size_t count, int64_t now);

void hub_fleet_close(struct hub_fleet *h, int64_t now);

#endif
