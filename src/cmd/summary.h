#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

#include "base/json.h"
#include "ingest/site.h"

#include <stdbool.h>
#include <stdio.h>

/* What a run saw, summed over its sites: for people on stderr, and as JSON. */
struct summary {
    struct site *const *sites; /* borrowed */
    size_t count;
    double seconds; /* wall time */
    uint64_t alerts_by_severity[4];
    int64_t first, last;    /* us: of the windows; last <= first: there are none */
    bool engines;           /* looked at them */
    size_t lists;           /* of survey scanners */
    uint64_t list_prefixes; /* addresses and prefixes on them */
};

void summary_print(FILE *out, const struct summary *s);

/* A new reference; NULL: out of memory. */
json_t *summary_json(const struct summary *s);

#endif
