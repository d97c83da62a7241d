#ifndef AUDIT_LOCATE_H
#define AUDIT_LOCATE_H

#include "anon/publication.h"

/* Probe-response: somebody sends packets that he will know again to candidate networks, waits
 * for the statistics, and learns from what is counted where the sensors are. Here both sides
 * are simulated: sites hidden among 65,536 networks of one size, statistics published by a
 * policy (anon/publication.c, the very code that publishes), and an attacker who knows the
 * policy and everything but its secret and the sites.
 *
 * He sends from `sources` addresses, on keys (ports) that nobody else asks, `keys` of them in
 * each step, for `steps` steps, and each key to a set of networks of his choice. Two ways:
 *
 * - groups: the networks are divided among the keys; a key that is counted is divided again.
 *   Two steps are enough against statistics that show each site, or one site.
 * - halves: each key goes to a random share of all networks, such that about half of the keys
 *   are counted; each network is then scored by the likelihood of what was counted. That needs
 *   no single site to be seen, and so passes a least number of sites.
 *
 * In the end he names one network. He is right if there is a sensor. */

/* Who publishes: rows of the step that starts then, in, and as they come out, in their place.
 */
struct locate_publisher {
    void *context;
    size_t (*publish)(void *context, int64_t start, struct publication_row *rows, size_t count);
};

struct locate_options {
    const struct publication_policy *policy;
    uint64_t seed;
    unsigned trials;  /* each with other sites */
    unsigned sites;   /* 1..64 */
    unsigned steps;   /* of the policy's length */
    unsigned keys;    /* in each step, 2..65536 */
    uint32_t sources; /* of the attacker */
    /* Sources of the busiest real keys in a step, the largest first: rows that the attacker's
     * keys compete with where only the largest are published. */
    const uint32_t *background;
    size_t background_count;
    struct locate_publisher publisher; /* publish NULL: publication_rows() of the policy */
};

struct locate_result {
    unsigned trials;
    unsigned located;
    double share; /* of trials */
    double upper; /* of the share, 95 % (Clopper, Pearson) */
    double rows;  /* of his keys that were published in a trial, mean */
};

enum {
    LOCATE_NETWORKS = 65536,
    LOCATE_SITES_MAX = 64,
    LOCATE_ROWS_MAX = 8192 /* published rows of his that he works with, in one trial */
};

/* Cost: 5 to 20 ms a trial. */
enum err locate_run(
    const struct locate_options *o, struct locate_result *ret_result) MUST_CHECK;

/* The busiest 64 ports of twelve telescopes in an hour, as simulated (docs/publication.md). */
extern const uint32_t locate_background[64];

#endif
