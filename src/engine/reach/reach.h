#ifndef ENGINE_REACH_REACH_H
#define ENGINE_REACH_REACH_H

#include "engine/engine.h"

/* Services that more networks carry to nearly all sites than is normal: hosts that scan all of
 * the address space fast enough to be seen everywhere within hours. Few of them are news while
 * thousands that are seen at one site each are noise, so that a worm shows here long before it
 * shows in the number of sources. What it sees and misses, and every formula:
 * docs/engines/reach.md. Source: this project's own; how soon a telescope sees a host that
 * scans uniformly is in Moore, Shannon, Voelker, Savage, "Network Telescopes: Technical
 * Report", CAIDA, 2004.
 *
 * Judges at the end of each hour. Windows of 5 minutes to 1 hour that divide it. Memory: 64
 * bytes a source and service of the last six hours, 1.4 KiB a service; each has a cap among the
 * options. */
extern const struct engine engine_reach;

#endif
