#ifndef ENGINE_GLASSO_STEP_INT_H
#define ENGINE_GLASSO_STEP_INT_H

#include "engine/glasso/glasso_int.h"
#include "engine/portrait.h"

/* One window on its way through the engine; everything here lives in the scratch arena. */

/* One contact that counts. */
struct sync_entry {
    uint64_t key;   /* service << 42 | network << 10 | site of the window */
    uint64_t slots; /* bit t: active in slot t */
    uint32_t row;   /* of the window, over all blocks */
};

static inline uint32_t sync_entry_service(const struct sync_entry *e)
{
    return (uint32_t)(e->key >> 42);
}

static inline uint32_t sync_entry_site(const struct sync_entry *e)
{
    return (uint32_t)(e->key & 1023);
}

/* One network of hosts with its entries. */
struct sync_host {
    uint32_t first, count; /* of the entries */
    uint64_t slots;
};

/* What the hosts of one view did, by service. */
struct sync_picture {
    const struct sync_entry *entries; /* by key */
    size_t entry_count;
    double weight[SLOTS_MOST]; /* of a slot among all: mean 1 */
    /* How much more often than by chance a host that is active is so again, so many slots
     * later: retries, and scans that last. 1 or more. */
    double echo[SLOTS_MOST];
};

/* Hosts of one service. */
struct sync_graph {
    uint32_t service;
    const struct sync_entry *entries;
    struct sync_host *hosts;
    size_t count;
    size_t active[SLOTS_MOST + 1]; /* hosts by their number of active slots */
};

/* Hosts that act in the same slots. */
struct sync_group {
    uint64_t slots;  /* in which all of them act */
    size_t hosts;    /* of the graph */
    double expected; /* such hosts by chance */
    double log_p;    /* -log10 of the chance of such a group, over all sets of slots */
};

/* What one view adds to its densities. */
struct sync_sums {
    double edges[PENALTIES_MOST];
    double pairs[PENALTIES_MOST];
    uint64_t too_large[PENALTIES_MOST]; /* graphs left out of it */
    struct {
        uint32_t service;
        double edges;
    } most[FINDING_PORTS]; /* services with the most edges at the smallest penalty */
    size_t most_count;
};

struct sync_step {
    const struct window *window;
    uint32_t *block_first;      /* number of each block's first row */
    struct sync_entry *entries; /* by key */
    struct sync_entry *by_site; /* by site, then key */
    size_t entry_count;
    size_t *site_first; /* of by_site; one past the last at the end */
};

/* entries.c: contacts to entries, sorted. */
enum err sync_entries_build(
    const struct sync *s, struct sync_step *step, struct arena *scratch) MUST_CHECK;
/* The block and row of an entry's contact. */
const struct block *sync_entry_row(
    const struct sync_step *step, const struct sync_entry *e, size_t *ret_row);
/* Weights and echoes; counts each service's hosts into the view's usual. */
struct sync_picture sync_picture_take(
    const struct sync *s, struct view *v, const struct sync_entry *entries, size_t count);
/* One view being looked at. */
struct sync_look {
    struct sync *s;
    const struct sync_step *step;
    struct view *view;
    struct sync_picture picture;
    struct sync_sums sums;
    struct arena *scratch; /* cleared between graphs */
    struct sink *out;
};

/* The graph of the entries [from, ...) of one service (or of all); where the next one begins
 * comes in *ret_next. */
enum err sync_graph_take(const struct sync_look *l, size_t from, size_t *ret_next,
    struct sync_graph *ret_graph) MUST_CHECK;

/* groups.c: the path of penalties over one graph; its edges go into the sums. ret_group->hosts
 * is 0 if there is no group of min_hosts. */
enum err sync_graph_judge(struct sync_look *l, const struct sync_graph *graph,
    struct sync_group *ret_group) MUST_CHECK;

/* density.c: what the sums say at one penalty. */
struct sync_jump {
    double value, normal, threshold; /* densities */
    double score;
    bool fires;
};
struct sync_jump sync_density_judge(struct sync_look *l, size_t penalty);
/* The published change test: is the newest of the values among those that it removes? At most
 * HISTORY values. */
bool sync_removal_test(const double *values, size_t count, double theta);
/* Median of what is known and not held, and the spread around it. False: too little is. */
bool sync_density_normal(
    const struct sync *s, const struct density *d, double *ret_median, double *ret_spread);

/* report.c */
enum err sync_report_group(const struct sync_look *l, const struct episode *e,
    const struct sync_graph *graph, const struct sync_group *group, double score) MUST_CHECK;
enum err sync_report_jump(
    const struct sync_look *l, size_t penalty, const struct sync_jump *jump) MUST_CHECK;

/* judge.c: all views of the window. */
enum err sync_step_judge(
    struct sync *s, const struct sync_step *step, struct sink *out) MUST_CHECK;

#endif
