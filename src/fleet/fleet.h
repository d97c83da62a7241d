#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include "base/json.h"
#include "fleet/watch.h"
#include "store/catalog_fleet.h"

#include <stdint.h>

/* All sites that run by themselves, as the hub knows them: how each is and was. What changes
 * goes into the catalogue first. Every function may be called from any thread; the time is the
 * hub's clock and a parameter. */
struct fleet;

enum {
    FLEET_SITES = 4096
};

struct fleet_change {
    const char *site;
    enum site_state before, after;
    int64_t since;
    const char *reason; /* "" for none */
    const char *detail; /* a sentence; "" for none */
};

struct fleet_events {
    void *context;
    /* A site's state is another one; called without locks held, on the thread that noticed. */
    void (*changed)(void *context, const struct fleet_change *change);
};

/* With all sites that the catalogue has heard of. The catalogue is borrowed. */
enum err fleet_open(struct fleet **ret_fleet, struct catalog *c,
    const struct fleet_events *events, int64_t now, struct fault *f) MUST_CHECK;
/* The hub drops packets that are older than the newest of all sites by more than this, us: a
 * site all of whose captures are has that said of it. Once, before heartbeats come. */
void fleet_keeps(struct fleet *fleet, int64_t packets);
/* Notes when it last watched. NULL is fine. */
void fleet_close(struct fleet *f, int64_t now);

/* A site that is expected to speak. ERR_FULL beyond FLEET_SITES; known already: nothing. */
enum err fleet_expect(
    struct fleet *fleet, const char *site, int64_t now, struct fault *f) MUST_CHECK;

/* A site no longer belongs to the fleet; its history stays in the catalogue. */
void fleet_forget(struct fleet *fleet, const char *site);

/* A heartbeat came; the bus has made sure that it is from `h->site`. */
enum err fleet_heartbeat(
    struct fleet *fleet, const struct heartbeat *h, int64_t now, struct fault *f) MUST_CHECK;

/* How it is; SITE_NEW for one that is not known. */
enum site_state fleet_state(struct fleet *fleet, const char *site);

/* Look at the time: call it every second or so. */
enum err fleet_look(struct fleet *fleet, int64_t now, struct fault *f) MUST_CHECK;

/* New references that fit FleetRow and FleetSite of openapi.yaml; NULL: out of memory. */
json_t *fleet_rows(struct fleet *fleet, int64_t now);
/* ERR_NOTFOUND: no such site. Figures and strip over [from, to). */
enum err fleet_site(struct fleet *fleet, const char *site, int64_t from, int64_t to,
    int64_t now, json_t **ret_site) MUST_CHECK;

#endif
