#ifndef CMD_SENSOR_BEAT_H
#define CMD_SENSOR_BEAT_H

#include "base/buf.h"
#include "bus/sender.h"
#include "bus/spool.h"
#include "fleet/apply.h"
#include "ingest/collector.h"

/* A sensor's heartbeat (fleet/heartbeat.h): its own counters, and what the machine tells of
 * itself. What a machine does not tell is left out. */
struct sensor_beat {
    const char *site;
    const char *folder; /* whose disk is told of */
    uint64_t spool_cap;
    int64_t started, interval, now;
    struct collector_counts collector;
    struct spool_counts spool;
    struct sender_counts sender;
    struct applier *applier;
};
void sensor_beat_write(const struct sensor_beat *b, struct buf *out);

#endif
