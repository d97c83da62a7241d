#ifndef ENGINE_PICTURE_H
#define ENGINE_PICTURE_H

#include "engine/tally.h"
#include "record/finding.h"

/* A group of hosts as evidence: hosts by port and hosts by time, with the factors that put the
 * group together. Hosts are ids of pulse_network(); the names of those that are there in the
 * window are found again when the picture is written. */

enum {
    PICTURE_PORTS = 16,
    PICTURE_TIMES = EVIDENCE_COLUMNS
};

struct picture {
    size_t rows, ports, times; /* no ports or no times: that block is left out */
    size_t rows_in, ports_in;  /* the first so many are the group and its ports */
    uint64_t host[EVIDENCE_ROWS];
    uint32_t service[PICTURE_PORTS];
    int64_t time[PICTURE_TIMES];      /* rising */
    double row_weight[EVIDENCE_ROWS]; /* NaN: there is none */
    double port_weight[PICTURE_PORTS];
    double time_weight[PICTURE_TIMES];
    const char *port_unit, *time_unit; /* of the cells */
    double by_port[EVIDENCE_ROWS][PICTURE_PORTS];
    double by_time[EVIDENCE_ROWS][PICTURE_TIMES];
};

/* `prefix` as for pulse_network(). */
enum err picture_write(const struct picture *p, const struct tally *t, unsigned prefix,
    struct finding *f) MUST_CHECK;

#endif
