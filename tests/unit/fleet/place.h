#ifndef TESTS_UNIT_FLEET_PLACE_H
#define TESTS_UNIT_FLEET_PLACE_H

#include "test.h"

#include "fleet/fleet.h"

/* A catalogue in a folder of its own, and a fleet over it that notes what it is told. */
#define START (INT64_C(1700000000) * US_SECOND)

struct place {
    char folder[64];
    struct catalog *catalog;
    struct fleet *fleet;
    char told[2048]; /* "jp-01 new>up; " */
};

static inline void place_changed(void *context, const struct fleet_change *change)
{
    struct place *p = context;
    size_t used = strlen(p->told);
    snprintf(p->told + used, sizeof p->told - used, "%s %s>%s; ", change->site,
        site_state_name(change->before), site_state_name(change->after));
}

static inline int place_open(struct place *p, int64_t now)
{
    char path[96];
    struct fault f = {0};
    snprintf(path, sizeof path, "%s/catalog.sqlite", p->folder);
    if (catalog_open(&p->catalog, path, &f) != OK ||
        fleet_open(&p->fleet, p->catalog, &(struct fleet_events){p, place_changed}, now, &f) !=
            OK) {
        fprintf(stderr, "# %s\n", f.text);
        return -1;
    }
    return 0;
}

static inline int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->folder, sizeof p->folder, "/tmp/kizashi-test-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    *state = p;
    return place_open(p, START);
}

static inline void place_close(struct place *p, int64_t now)
{
    fleet_close(p->fleet, now);
    catalog_close(p->catalog);
}

static inline int place_drop(void **state)
{
    struct place *p = *state;
    char command[128];
    place_close(p, 0);
    snprintf(command, sizeof command, "rm -r %s", p->folder);
    int status = system(command);
    free(p);
    return status;
}

static inline struct heartbeat beat_of(const char *site, int64_t now)
{
    struct heartbeat h;
    heartbeat_init(&h);
    snprintf(h.site, sizeof h.site, "%s", site);
    h.sent = now;
    h.started = START - US_HOUR;
    return h;
}

static inline void place_beat(struct place *p, const char *site, int64_t now)
{
    struct heartbeat h = beat_of(site, now);
    struct fault f = {0};
    assert_int_equal(fleet_heartbeat(p->fleet, &h, now, &f), OK);
}

static inline void place_look(struct place *p, int64_t now)
{
    struct fault f = {0};
    assert_int_equal(fleet_look(p->fleet, now, &f), OK);
}

#endif
