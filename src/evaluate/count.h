#ifndef EVALUATE_COUNT_H
#define EVALUATE_COUNT_H

#include "evaluate/host_counts.h"
#include "sim/telescope.h"

/* Count the hosts of a whole simulated telescope: for each site, window and service the
 * distinct sources that asked (TCP SYN, UDP but for answers of name servers, echo requests),
 * announced surveys left out. `h` starts zeroed, with `window` set. */
enum err count_hosts(struct telescope *t, struct host_counts *h, struct fault *f) MUST_CHECK;

#endif
