#ifndef CMD_HUB_BUS_H
#define CMD_HUB_BUS_H

#include "bus/nats.h"
#include "cmd/hub_fleet.h"
#include "cmd/hub_live.h"
#include "cmd/keep.h"
#include "cmd/setup.h"
#include "cmd/site_office.h"
#include "ingest/intake.h"
#include "ingest/pipeline.h"

/* The hub's sites elsewhere: those that the catalogue names are received from, as soon as they
 * are added and until they are revoked, and become sites of the pipeline. */
struct hub_bus;

struct hub_bus_options {
    struct bus_nats_options nats;
    const struct setup *setup; /* borrowed, as what follows */
    struct keep *keep;
    struct pipeline *pipeline;
    struct hub_live *live;
    struct fleet *fleet;
    struct site_office *office;
    struct broker *broker; /* NULL: the message server is not the hub's */
    const char *listen;    /* where it listens */
    const char *data;      /* the hub's folder; the logbook is in it */
    uint64_t logbook_cap;  /* bytes; 0: none is kept */
    int64_t seen;          /* end of the last window that the engines have seen; 0: none */
    bool careless;         /* nobody keeps the folder */
    const atomic_bool *stop;
};

/* Connect, and receive on a thread of its own. */
enum err hub_bus_start(struct hub_bus **ret_bus, const struct hub_bus_options *options,
    struct fault *f) MUST_CHECK;

/* Have all sites that the catalogue names been added to the pipeline? It waits for that, so
 * that they are in its first window together. From any thread; NULL: yes. */
bool hub_bus_is_ready(struct hub_bus *h);

/* The engines' states of the window that was shown last are in the catalogue. From any thread;
 * NULL is fine. */
void hub_bus_covered(struct hub_bus *h);

/* End receiving, once the stop flag is set; its sites stay for the pipeline. */
void hub_bus_stop(struct hub_bus *h);
/* After the pipeline is gone. NULL is fine for both. */
void hub_bus_free(struct hub_bus *h);

#endif
