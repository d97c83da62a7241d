#ifndef ENGINE_SURGE_SURGE_H
#define ENGINE_SURGE_SURGE_H

#include "engine/engine.h"

/* Ports that more sources reach than is normal for the site, the port and the hour. What it
 * does and does not see: docs/engines/surge.md. Source: methods after Feng, Hori, Sakurai,
 * Takeuchi, "A Behavior-based Method for Detecting Distributed Scan Attacks in Darknets", JIP
 * 21(3), 2013 (counts of sources a port against learned normal behaviour); the model of counts,
 * horizons and the correction for many tests are this project's own.
 *
 * Windows of 5 minutes to 1 hour. Memory: 1.6 MiB a site, 1.2 KiB a port with regular traffic,
 * 2.2 KiB a port under suspicion; each has a cap among the options. */
extern const struct engine engine_surge;

#endif
