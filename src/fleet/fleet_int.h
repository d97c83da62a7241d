#ifndef FLEET_FLEET_INT_H
#define FLEET_FLEET_INT_H

#include "fleet/fleet.h"
#include "fleet/history.h"

#include <pthread.h>

struct fleet_member {
    char name[CATALOG_SITE];
    struct watch watch;
    struct history history;
};

/* Members are in order of name. */
struct fleet {
    pthread_mutex_t lock;
    struct catalog *catalog;
    struct fleet_events events;
    struct fleet_member *members[FLEET_SITES];
    size_t count;
    int64_t noted; /* when "watched" was last written */
};

/* With the lock held; NULL: no such site. */
struct fleet_member *fleet_find(const struct fleet *fleet, const char *site);

#endif
