#ifndef EVALUATE_HOST_COUNTS_H
#define EVALUATE_HOST_COUNTS_H

#include "base/err.h"
#include "record/record.h"

#include <stddef.h>
#include <stdint.h>

/* Distinct sources of a service at a site in a window: what anybody can count, and therefore
 * what an engine is compared with. The CSV form is in docs/formats/truth.md. */

enum {
    HOST_COUNT_SITES = 256,
    HOST_COUNT_ROWS = 1 << 26 /* 16 bytes each */
};

struct host_count {
    uint32_t window; /* number of the window since `start` */
    uint32_t hosts;
    uint16_t port;
    uint8_t proto;
    uint8_t site; /* place in `sites` */
};

struct host_counts {
    int64_t start, window; /* us */
    uint32_t windows;      /* one past the last that has a row */
    char sites[HOST_COUNT_SITES][RECORD_NAME_MAX + 1];
    uint32_t site_count;
    struct host_count *rows; /* owned; in any order, no key twice */
    size_t count, room;
};

/* Add a row. ERR_FULL at a cap; ERR_BAD: a start that is not on a window's edge. */
enum err host_counts_add(struct host_counts *h, int64_t start, const char *site, uint8_t proto,
    uint16_t port, uint32_t hosts) MUST_CHECK;

/* Read the CSV. `h` starts zeroed, with `window` set. The fault names file and line;
 * ERR_NOTFOUND: it cannot be opened. */
enum err host_counts_read(struct host_counts *h, const char *path, struct fault *f) MUST_CHECK;
void host_counts_done(struct host_counts *h);

/* Order by protocol, port, site, window: the series of a service stand together. */
void host_counts_sort(struct host_counts *h);

#endif
