#ifndef FLEET_APPLY_H
#define FLEET_APPLY_H

#include "anon/anon.h"
#include "base/hash.h"
#include "base/ip.h"
#include "fleet/document.h"
#include "fleet/heartbeat.h"

#include <stdatomic.h>

/* The site's side of its document: a new one is compiled beside the one in effect, and takes
 * its place whole at the border between two batches of packets, so that no packet is lost and
 * none sees half of each.
 *
 * Two threads: one offers what comes from the hub, one captures and turns. */
struct applier;

struct applied {
    _Atomic int holders; /* it goes with the last one */
    int64_t version;     /* 0: nothing came yet, the document is the default */
    struct site_document document;
    struct filter *filter;
    struct anon *anon; /* NULL without keys */
    uint64_t secret;   /* of the sampling of sources */
};

struct applier_options {
    const char *site;                  /* copied */
    uint64_t secret;                   /* chooses the sources that are sampled */
    struct anon_keys *keys;            /* borrowed; NULL: nothing is anonymised here */
    const struct anon_policy *limit;   /* the most that the site lets out; NULL: anything */
    const struct site_document *first; /* in effect before anything came; NULL: the default */
    int64_t window;                    /* as anon_new() wants it */
};

/* With the first document in effect, anonymised as the limit says where there is one. */
enum err applier_new(struct applier **ret_applier, const struct applier_options *options,
    struct fault *f) MUST_CHECK;
void applier_free(struct applier *a);

/**
 * What came from the hub, at `now` on any clock that never goes back.
 *
 * @return OK: it is compiled and waits for the border, or is no newer than what the site has;
 * ERR_BAD, ERR_RANGE, ERR_DENIED: refused, what is in effect stays, and the next heartbeat says
 * why.
 */
enum err applier_offer(
    struct applier *a, struct bytes parcel, int64_t now, struct fault *f) MUST_CHECK;

/* At the border between two batches: true if something new is in effect from here on. Costs one
 * atomic load when there is not. */
bool applier_turn(struct applier *a, int64_t now);

/* What is in effect; on the capturing thread, until the next turn. */
const struct applied *applier_now(const struct applier *a);

/* The same to hold on to, beyond turns and on other threads, until it is dropped. */
struct applied *applier_hold(struct applier *a);
void applied_drop(struct applied *applied);

/* Would a turn change anything? From any thread. */
bool applier_has_news(const struct applier *a);

/* Is this source one of those that are collected? */
static inline bool applied_samples(const struct applied *a, const struct ip *source)
{
    return a->document.sample <= 1 || hash_bytes(source->byte, sizeof source->byte, a->secret) %
                                              (uint64_t)a->document.sample ==
                                          0;
}

/* Fill in what a heartbeat says of the document; from any thread. */
void applier_report(struct applier *a, struct heartbeat *h);

/* What the site does by itself, without any document: it stays as it is. From any thread. */
const struct site_document *applier_own(const struct applier *a);

/* Grows with everything that a heartbeat should say at once: in effect, or refused. */
uint64_t applier_changes(struct applier *a);

/* Time between heartbeats, as the document in effect has it, us. */
int64_t applier_heartbeat(struct applier *a);

#endif
