#ifndef ANON_PUBLICATION_H
#define ANON_PUBLICATION_H

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What statistics look like that leave the hub. Who publishes counts for each port tells where
 * its sensors are to anybody who sends marked packets and looks which of them are counted
 * (Bethencourt, Franklin, Vernon; Shinoda, Ikai, Itoh: both USENIX Security 2005). What each
 * part of the policy does against it, measured: docs/publication.md. */
struct publication_policy {
    int64_t step;           /* us: counts are of so long a time */
    int64_t delay;          /* us: and come out so long after it, at the earliest */
    int64_t jitter;         /* us: and up to so much later, which nobody can foresee */
    uint32_t least_sources; /* fewer distinct sources: no row */
    uint32_t least_sites;   /* seen at fewer sites: no row */
    uint32_t most_rows;     /* the largest only; 0: all */
    uint32_t round;         /* down to a power of the root of 2 of this order; 0: not rounded */
    double noise;           /* scale of Laplace noise, as a share of the count */
    bool merge_sites;       /* one row for all sites, each source once */
};

/* Ours: an hour, 2 to 4 hours late, at least 250 sources at 3 sites, the 25 largest, rounded to
 * powers of the root of 2, noise of a tenth, sites merged. */
void publication_default(struct publication_policy *ret_policy);

/* Everything, at once, a row a site: what a careless hub would publish. */
void publication_open(struct publication_policy *ret_policy);

/* As JSON, every member named, and back; the fault names the member. */
enum err publication_read(
    struct publication_policy *ret_policy, const json_t *document, struct fault *f) MUST_CHECK;
json_t *publication_json(const struct publication_policy *p);

struct publication_row {
    uint32_t key;     /* protocol and port, or what else is counted */
    uint32_t sites;   /* that saw it */
    uint64_t sources; /* distinct; in what comes out: as published */
};

/**
 * Rows of one step as they may leave, in place: the largest first, ties by key.
 *
 * @param secret of the hub: noise and jitter follow from it, the step and the key, so that who
 * asks again gets the same again.
 * @return how many rows are left.
 */
size_t publication_rows(const struct publication_policy *p, uint64_t secret, int64_t start,
    struct publication_row *rows, size_t count);

/* When the rows of the step that starts then may leave. */
int64_t publication_time(const struct publication_policy *p, uint64_t secret, int64_t start);

#endif
