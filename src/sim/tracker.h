#ifndef SIM_TRACKER_H
#define SIM_TRACKER_H

#include "sim/probe.h"
#include "sim/truth.h"

/* Counts, while the frames are made, what the truth states about each event: its packets and
 * distinct hosts at each site, its peak in a window, and how many hosts of the background
 * usually ask for the same ports there. */

struct tracker;

/* `truth` has its events and sites planned; borrowed, and written to. */
enum err tracker_new(struct tracker **ret_tracker, struct truth *truth) MUST_CHECK;
void tracker_free(struct tracker *t);

/* Probes that are captured, in time order. */
enum err tracker_take(struct tracker *t, const struct probe *p) MUST_CHECK;

/* Close the last window and judge the events. Once, after the last probe. */
void tracker_finish(struct tracker *t);

#endif
