#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "sim/pool.h"
#include "sim/world_int.h"

/* The events that a warning system is there for, as mission A names them: planned by seed,
 * played into the traffic, stated in the truth. */

struct events;

/* Plan the events of the list (telescope_options.events) and write the plan into truth->events.
 * `pools` is where bots that turn to something new come from; borrowed. */
enum err events_open(struct events **ret_events, const struct telescope_options *o,
    const struct world *w, const struct pools *pools, struct truth *truth,
    struct fault *f) MUST_CHECK;
void event_list_close(struct events *e);
void events_tick(void *events, const struct world *w, struct outbox *o);

#endif
