#ifndef CMD_SENSOR_SEND_H
#define CMD_SENSOR_SEND_H

#include "bus/bus.h"
#include "bus/sender.h"
#include "cmd/sensor_rules.h"
#include "ingest/collector.h"

#include <stdatomic.h>

/* The sensor's sending thread: it publishes what is in the spool, hears what the hub has
 * stored, and says every few seconds how the site is. */
struct sensor_send;

struct sensor_send_options {
    const char *site;
    struct bus *bus; /* borrowed, as the others */
    struct spool *spool;
    const char *folder; /* whose disk is told of */
    uint64_t spool_cap;
    struct collector *collector;
    int64_t started;
    struct sensor_rules *rules; /* gets what comes from the hub */
};

enum err sensor_send_start(
    struct sensor_send **ret_send, const struct sensor_send_options *options) MUST_CHECK;

/* Has the hub stored everything that is in the spool? */
bool sensor_send_is_done(struct sensor_send *s);

/* What keeps the thread from sending just now: a spool that cannot be read, a message that the
 * server does not take. It is tried again. */
enum err sensor_send_failed(struct sensor_send *s, struct fault *f);

/* Ends the thread. */
void sensor_send_stop(struct sensor_send *s);

#endif
