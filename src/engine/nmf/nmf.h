#ifndef ENGINE_NMF_NMF_H
#define ENGINE_NMF_NMF_H

#include "engine/engine.h"

/* Groups of hosts that come back together, several times within half an hour, whichever ports
 * they ask. What it does and does not see: docs/engines/nmf.md. Source: after Han et al.,
 * "Automated Detection of Malware Activities Using Nonnegative Matrix Factorization", TrustCom
 * 2021 (hosts x time, half an hour); what a visit is, the start of the factorisation and the
 * null are this project's own.
 *
 * Memory: 72 bytes x acts-max. */
extern const struct engine engine_nmf;

#endif
