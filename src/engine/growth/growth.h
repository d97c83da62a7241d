#ifndef ENGINE_GROWTH_GROWTH_H
#define ENGINE_GROWTH_GROWTH_H

#include "engine/engine.h"

/* Services that more sources reach than in the past, at several sites at once, with sources
 * that are each site's own; and which sites lag behind. What it does and does not see:
 * docs/engines/growth.md. Source: the global alerts of the PRACTICE programme (growth of hosts
 * per port against a fixed time ago, over threshold at several sensors); window, threshold, the
 * joint p-value and the matching of sources to sites are this project's own.
 *
 * Windows of 5 minutes to 1 hour. Memory: 1 MiB a site, 0.9 KiB a site and service with
 * traffic, 16 KiB a service that rises; each has a cap among the options. */
extern const struct engine engine_growth;

#endif
