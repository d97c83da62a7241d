#ifndef ENGINE_GLASSO_GLASSO_H
#define ENGINE_GLASSO_GLASSO_H

#include "engine/engine.h"

/* Hosts that act in the same moments, which no count of hosts shows. For each window, site and
 * service, and for all sites together, a sparse Gaussian graphical model (graphical lasso) of
 * the hosts' presence in short slots: hosts with an edge act in step. Reported are groups that
 * are too large for chance, and jumps of the graphs' density. What it does and does not see:
 * docs/engines/glasso.md.
 *
 * Source: after Han, Shimamura, Takahashi, Inoue, Takeuchi, Nakao, "Real-Time Detection of
 * Global Cyberthreat Based on Darknet by Estimating Anomalous Synchronization Using Graphical
 * Lasso", IEICE E103-D(10), 2020. Ours: all hosts instead of a sample, a graph a service, slots
 * of a sixtieth, an exact null for each group, a tail learned from the site instead of a
 * removal test (which is there as an option).
 *
 * Windows of 5 minutes to 1 hour. Memory: 1.1 MiB a site, and 32 bytes a suspicion; each has a
 * cap among the options. */
extern const struct engine engine_glasso;

#endif
