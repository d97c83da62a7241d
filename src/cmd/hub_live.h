#ifndef CMD_HUB_LIVE_H
#define CMD_HUB_LIVE_H

#include "api/api.h"
#include "fleet/watch.h"
#include "ingest/remote.h"
#include "ingest/site.h"

/* What the running hub knows of its sites, in the forms that the API shows: SiteLive, Tick,
 * health and figures for Prometheus. Safe to ask from any thread. */
struct hub_live;

enum hub_source {
    HUB_FILE,
    HUB_INTERFACE,
    HUB_REMOTE,
    HUB_DEMO
};

struct hub_site {
    struct site *site; /* borrowed */
    enum hub_source kind;
    char source[256];   /* "eth1", "a.pcap and 3 more", "simulated" */
    uint64_t addresses; /* 0: not known */
};

enum err hub_live_new(struct hub_live **ret_live, const struct hub_site *sites, size_t count,
    int64_t now) MUST_CHECK;
void hub_live_free(struct hub_live *l);

/* A site more, from any thread. */
enum err hub_live_add(struct hub_live *l, const struct hub_site *site, int64_t now) MUST_CHECK;

/* A site's telescope has another size. */
void hub_live_addresses(struct hub_live *l, const char *site, uint64_t addresses);

/* Measure rates and states: call every two seconds. */
void hub_live_measure(struct hub_live *l, int64_t now);

/* A site's capture broke, or ingest as a whole has a trouble that lasts; `detail` NULL: mended.
 */
void hub_live_trouble(struct hub_live *l, const char *site, const char *detail);
void hub_live_health(struct hub_live *l, const char *part, const char *detail);

/* Whether a site elsewhere has been heard, what of it the engines did not see, by now, and how
 * the fleet says that it is: of a site that is down nothing is live here. */
void hub_live_far(
    struct hub_live *l, const char *site, const struct remote_counts *c, enum site_state fleet);

/* The engines have been shown a window. */
void hub_live_window(struct hub_live *l);
/* One of them (NULL: all) was so far behind that it had to leave a window out. */
void hub_live_skipped(struct hub_live *l, const char *engine);

/* For the API; the context is the hub_live. Data sets are the caller's. */
json_t *hub_live_sites(void *context);
json_t *hub_live_reasons(void *context);
void hub_live_metrics(void *context, struct buf *out);

#endif
