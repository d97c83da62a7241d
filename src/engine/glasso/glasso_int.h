#ifndef ENGINE_GLASSO_GLASSO_INT_H
#define ENGINE_GLASSO_GLASSO_INT_H

#include "base/clock.h"
#include "engine/glasso/glasso.h"
#include "engine/quiet.h"
#include "engine/tail.h"

enum {
    SLOTS_MOST = 60,    /* as many as a contact tells apart */
    PENALTIES_MOST = 8, /* of one path */
    HISTORY = 432       /* windows of densities kept: three days of 10 minutes */
};

/* Densities of one view at one penalty. */
struct density {
    float ring[HISTORY];                /* log10, by window number; NAN: not known */
    uint64_t held[(HISTORY + 63) / 64]; /* bit: strange, so not learned from */
    struct tail tail;                   /* of their scores */
    uint8_t history;                    /* bit k: a finding k windows ago */
    uint32_t first;                     /* window where they began; 0: none now */
    uint32_t last;
};

/* One site, or all together. */
struct view {
    char name[RECORD_NAME_MAX + 1]; /* "" for all sites together */
    uint32_t windows;               /* watched */
    double graphs;                  /* a window that were judged: moving mean */
    struct tail tail;               /* of the scores of its graphs */
    struct quiet *usual;            /* SERVICES: how many hosts */
    struct density densities[PENALTIES_MOST];
};

/* A service of a view on which hosts were in step, until an hour of none. */
struct episode {
    uint32_t service; /* SERVICES: all of them in one graph */
    uint16_t view;
    uint64_t history; /* bit k: a finding k windows ago */
    uint32_t first;   /* window of the first finding, and of the last */
    uint32_t last;
    int64_t start;
};

struct sync_options {
    double penalties[PENALTIES_MOST]; /* falling */
    size_t penalty_count;
    unsigned slots;
    unsigned host_bits;
    size_t min_hosts;
    unsigned active_most;
    size_t hosts_most; /* 0: all */
    bool across;       /* one graph for all services */
    bool counts;       /* packets of a slot, not presence */
    double busy;       /* hosts a window past which a service is left out; 0: none is */
    bool removal;      /* the published change test */
    unsigned leave_out;
    int64_t learn, freeze;
    size_t component_most;
    size_t sites_max, suspects_max;
};

struct sync {
    struct engine_state state; /* first */
    struct sync_options options;
    int64_t window;
    uint32_t now;       /* number of the window in hand, from 1; 0 before the first */
    int64_t origin;     /* start of window number 0 */
    struct view *views; /* the first is all sites; then in order of appearance */
    size_t view_count;
    struct episode *episodes;
    size_t episode_count;
    uint64_t left_out; /* sites and suspicions for which there was no room, graphs too large */
};

static inline int64_t sync_window_start(const struct sync *s, uint32_t number)
{
    return s->origin + (int64_t)number * s->window;
}

/* --- glasso.c ---------------------------------------------------------------------------- */

/* A new view, or ERR_FULL, ERR_NOMEM. */
enum err sync_view_add(struct sync *s, const char *name, struct view **ret_view) MUST_CHECK;
/* Room for the episodes, once. */
enum err sync_episode_room(struct sync *s) MUST_CHECK;
/* Free everything but the options. */
void sync_clear(struct sync *s);

/* --- state.c ----------------------------------------------------------------------------- */

enum err sync_save(const struct engine_state *st, struct buf *out) MUST_CHECK;
enum err sync_load(struct engine_state *st, struct bytes saved, struct fault *f) MUST_CHECK;

#endif
