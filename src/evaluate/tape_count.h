#ifndef EVALUATE_TAPE_COUNT_H
#define EVALUATE_TAPE_COUNT_H

#include "evaluate/host_counts.h"
#include "evaluate/tape.h"

/* Count the hosts of recorded windows: for each site, window and service the distinct sources;
 * announced surveys and backscatter, which are no hosts that ask, are left out. `h` starts
 * zeroed, with `window` set to the tape's length. */
enum err tape_count_hosts(struct tape *t, struct host_counts *h, struct fault *f) MUST_CHECK;

#endif
