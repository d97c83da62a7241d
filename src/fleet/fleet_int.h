#ifndef FLEET_FLEET_INT_H
#define FLEET_FLEET_INT_H

#include "fleet/config.h"
#include "fleet/history.h"

#include <pthread.h>
#include <stdatomic.h>

/* Where a site's document is on its way. */
struct fleet_way {
    int64_t version;   /* the newest; 0: it has none */
    bool pushed;       /* the bus has it */
    int64_t pushed_at; /* when it was first tried, by the hub's clock */
    int64_t tried_at;  /* when the bus last took it */
    bool behind;       /* the site has said since that it has an older one */
    bool answered;     /* the site said that it is in effect, or why not */
    int64_t answered_at;
    char refused[HEARTBEAT_TEXT];
    struct site_action action; /* that the site has yet to answer; id 0: none */
};

struct fleet_member {
    char name[CATALOG_SITE];
    struct watch watch;
    int64_t heard;       /* when it last spoke, also to a hub before this one; 0: never */
    int64_t heard_noted; /* what the catalogue has of that */
    struct history history;
    struct fleet_way way;
    bool own_known;           /* the catalogue has it */
    struct site_document own; /* what it does by itself */
};

/* Members are in order of name. */
struct fleet {
    pthread_mutex_t lock;
    struct catalog *catalog;
    struct fleet_events events;
    struct fleet_member *members[FLEET_SITES];
    size_t count;
    int64_t keep;                            /* of packets, us; 0: not known */
    int64_t newest;                          /* packet of all sites, not after now; 0: none */
    int64_t noted;                           /* when "watched" was last written */
    struct catalog_heard heard[FLEET_SITES]; /* on its way into the catalogue */
    struct fleet_push push;
    _Atomic int64_t push_tried;  /* when pushing again was last tried; 0: do it now */
    pthread_mutex_t configuring; /* one change at a time; taken before `lock` */
};

/* With the lock held; NULL: no such site. */
struct fleet_member *fleet_find(const struct fleet *fleet, const char *site);

/* What the heartbeat says of the document's way goes into the catalogue. The lock is held. */
enum err fleet_way_answer(struct fleet *fleet, struct fleet_member *m,
    const struct heartbeat *h, int64_t now, struct fault *f) MUST_CHECK;

/* An action that nobody answered in time is over. The lock is held. */
enum err fleet_action_expire(
    struct fleet *fleet, struct fleet_member *m, int64_t now) MUST_CHECK;

/* What the catalogue knows of documents, at the start. */
enum err fleet_ways_read(struct fleet *fleet, int64_t now) MUST_CHECK;

/* A new reference: FleetConfig of openapi.yaml. The lock is held. */
json_t *fleet_way_json(const struct fleet_member *m);

#endif
