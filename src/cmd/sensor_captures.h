#ifndef CMD_SENSOR_CAPTURES_H
#define CMD_SENSOR_CAPTURES_H

#include "bus/spool.h"
#include "ingest/capture_list.h"
#include "ingest/collector.h"

/* Which captures a sensor has read (DIR/captures), and how far it is in those that it reads
 * (DIR/captures.at): none is sent twice, and what was interrupted goes on where it was. A
 * capture is known by import_identity(); a pipe has none, so that nothing is known of it.
 * docs/formats/bus.md tells the files. */
struct sensor_captures;

/* What is kept in `folder`; nothing is written. ERR_BAD: a file of another form. */
enum err sensor_captures_open(
    struct sensor_captures **ret_captures, const char *folder, struct fault *f) MUST_CHECK;
void sensor_captures_close(struct sensor_captures *c);

/* Bring what was noted in line with what the spool holds. After each time it is opened. */
enum err sensor_captures_settle(
    struct sensor_captures *c, const struct spool_counts *spool, struct fault *f) MUST_CHECK;

/**
 * Choose of `list` what is to be read, and note that its reading begins. Captures that were
 * read before are taken out of the list, each told through `known`.
 *
 * @param again   read all of it, and from the beginning.
 * @return OK; ERR_EXISTS: nothing is left to read, or a capture was begun together with others
 *         than these: the fault names it, the time and what to do.
 */
enum err sensor_captures_begin(struct sensor_captures *c, struct capture_list *list, bool again,
    void (*known)(const char *text), struct fault *f) MUST_CHECK;

/* For the collector that reads them. */
struct collector_past sensor_captures_past(struct sensor_captures *c);

/* The hub has stored all that was begun. */
enum err sensor_captures_end(struct sensor_captures *c, struct fault *f) MUST_CHECK;

#endif
