/* Services that rise somewhere, and whose their sources are. */
#include "engine/growth/growth_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY_TARGETS = 16 /* bits of a site's addresses: fewer, and all reach the same ones */
};
static const double aimed_share = 0.4;

struct rising *rising_of(struct growth *g, uint32_t service)
{
    uint32_t number = g->rise_of ? g->rise_of[service] : 0;
    return number ? &g->rises[number - 1] : NULL;
}

enum err rising_add(struct growth *g, uint32_t service, struct rising **ret_rising)
{
    if (g->rise_count == g->options.rises_max)
        return ERR_FULL;
    if (!g->rises)
        g->rises = calloc(g->options.rises_max, sizeof *g->rises);
    if (!g->rise_of)
        g->rise_of = calloc(SERVICES + 1, sizeof *g->rise_of);
    if (!g->rises || !g->rise_of)
        return ERR_NOMEM;
    struct rising *r = &g->rises[g->rise_count++];
    memset(r, 0, sizeof *r);
    r->service = service;
    r->first = r->last = g->now;
    g->rise_of[service] = (uint16_t)g->rise_count;
    *ret_rising = r;
    return OK;
}

void rising_drop(struct growth *g, struct rising *r)
{
    struct rising *last = &g->rises[--g->rise_count];
    g->rise_of[r->service] = 0;
    if (r == last)
        return;
    *r = *last;
    g->rise_of[r->service] = (uint16_t)(r - g->rises + 1);
}

/* Open addressing; past three quarters full no new network is taken. */
void rising_source(struct rising *r, uint64_t host, const struct network *seen, unsigned place)
{
    distinct_add(&r->hosts, host);
    size_t at = seen->hash % NETWORKS;
    while (r->networks[at].sites && r->networks[at].hash != seen->hash)
        at = (at + 1) % NETWORKS;
    struct network *n = &r->networks[at];
    if (!n->sites) {
        if (r->network_count >= NETWORKS * 3 / 4)
            return;
        r->network_count++;
        *n = (struct network){.hash = seen->hash};
    }
    n->sites |= (uint64_t)1 << place;
    n->dsts |= seen->dsts;
}

/* Each network has one vote, which the bits of the addresses that it reached share: one that
 * scans gives a little to all of them. */
bool rising_is_aimed(const struct rising *r, uint64_t targets)
{
    double votes[64] = {0};
    double all = 0.0;
    double most = 0.0;
    if (__builtin_popcountll(targets) < MANY_TARGETS)
        return false;
    for (size_t i = 0; i < NETWORKS; i++) {
        uint64_t dsts = r->networks[i].dsts;
        if (!dsts)
            continue;
        double vote = 1.0 / __builtin_popcountll(dsts);
        for (uint64_t rest = dsts; rest; rest &= rest - 1)
            votes[__builtin_ctzll(rest)] += vote;
        all += 1.0;
    }
    for (unsigned bit = 0; bit < 64; bit++)
        most = fmax(most, votes[bit]);
    return most > aimed_share * all;
}

/* Networks that fewest sites know are given away first, each to the site that has least: a
 * greedy matching, which never gives a network twice. */
uint64_t rising_confirmed(const struct rising *r, uint64_t among, double own)
{
    unsigned given[SITES_CAP] = {0};
    for (int known = 1; known <= SITES_CAP; known++)
        for (size_t i = 0; i < NETWORKS; i++) {
            uint64_t sites = r->networks[i].sites & among;
            if (!sites || __builtin_popcountll(sites) != known)
                continue;
            int poorest = __builtin_ctzll(sites);
            for (uint64_t rest = sites; rest; rest &= rest - 1) {
                int k = __builtin_ctzll(rest);
                if (given[k] < given[poorest])
                    poorest = k;
            }
            given[poorest]++;
        }
    uint64_t confirmed = 0;
    for (int k = 0; k < SITES_CAP; k++)
        if ((double)given[k] >= own && among >> k & 1)
            confirmed |= (uint64_t)1 << k;
    return confirmed;
}
