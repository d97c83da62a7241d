#ifndef SIM_NUISANCE_H
#define SIM_NUISANCE_H

#include "sim/world_int.h"

/* What tempts a warning system to cry wolf: a scan by one organisation that nobody knows yet, a
 * fashion among scanners, one loud host, a wrong setting, a large spoofed flood, a site that
 * falls silent, a site that suddenly gets more of everything. */

struct nuisances;

/* Plan them by seed and write them into truth->nuisances. */
enum err nuisances_open(struct nuisances **ret_nuisances, const struct world *w, uint64_t seed,
    struct truth *truth) MUST_CHECK;
void nuisances_close(struct nuisances *n);
void nuisances_tick(void *nuisances, const struct world *w, struct outbox *o);

/* The share of its usual traffic that reaches a site; both allow NULL. */
double nuisances_strength(const struct nuisances *n, size_t site, int64_t now);
/* Does the site see nothing at that moment? */
bool nuisances_silent(const struct nuisances *n, size_t site, int64_t ts);

#endif
