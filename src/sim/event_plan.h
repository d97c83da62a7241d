#ifndef SIM_EVENT_PLAN_H
#define SIM_EVENT_PLAN_H

#include "sim/event.h"

/* A campaign: hosts that become active one after the other and ask for the same ports. */
enum event_kind {
    EVENT_WORM_GROWTH,
    EVENT_BOTNET_TURN,
    EVENT_COUNTRY_BOTNET,
    EVENT_IN_STEP,
    EVENT_SPREADING,
    EVENT_ONE_SITE,
    EVENT_KINDS
};

struct event_row {
    const char *name;
    const char *text;
    uint8_t kind;    /* enum probe_kind */
    uint8_t style;   /* enum style */
    uint8_t payload; /* enum payload */
    uint8_t port_count;
    uint16_t ports[2]; /* unless drawn by seed */
    uint32_t hosts;    /* at size 1 */
    double pps;        /* probes a second of one host, over the space that it searches */
    double share;      /* of IPv4 that it searches: smaller is denser where it looks */
    int64_t length;    /* how long it lasts; cut to fit */
};

extern const struct event_row event_rows[EVENT_KINDS];

struct campaign {
    const struct event_row *row;
    uint8_t kind;   /* enum event_kind */
    uint8_t number; /* place in truth.events + 1 */
    uint16_t ports[TRUTH_PORTS];
    uint8_t port_count;
    struct host *hosts; /* owned; in the order in which they become active */
    uint32_t host_count;
    bool hosts_ready;
    int64_t onset[TELESCOPE_SITES_MAX]; /* INT64_MAX: does not come here */
    int64_t end;
    int64_t ramp;   /* until all hosts are active; doubling time for worm growth */
    uint32_t first; /* hosts at the onset, for worm growth */
    int64_t slot, slot_width, slot_next; /* in step: period and width of a slot */
    double visits[TELESCOPE_SITES_MAX];  /* in step: chance that a host visits in a slot */
    struct rng rng;
};

/* One entry of the list of events. */
struct event_wish {
    uint8_t kind;
    bool placed;
    int64_t offset;
    double size;
};

/* Read telescope_options.events. ERR_BAD with what is allowed. */
enum err event_list_parse(const char *list, struct event_wish wishes[TRUTH_EVENTS],
    size_t *ret_count, struct fault *f) MUST_CHECK;

/* Everything of a campaign but its hosts: when, where, which ports, how many. */
enum err campaign_plan(struct campaign *c, const struct event_wish *wish,
    const struct telescope_options *o, const struct world *w, struct fault *f) MUST_CHECK;

/* The campaign as the truth states it. */
void campaign_tell(const struct campaign *c, const struct world *w, struct truth_event *e);

/* Hosts that are active at a site at a moment. */
uint32_t campaign_active(const struct campaign *c, size_t site, int64_t now);

#endif
