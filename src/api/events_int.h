#ifndef API_EVENTS_INT_H
#define API_EVENTS_INT_H

#include "api/connections_int.h"
#include "base/err.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

/* Server-sent events: every event is written once and waits, shared, in the queues of all
 * readers. A reader that has nothing to read is suspended and costs no thread. One whose queue
 * is full is cut off: an event never waits for the slowest. */

struct events;
struct MHD_Connection;
struct MHD_Response;

enum {
    EVENT_MAX = 1 << 20 /* bytes of one */
};

enum err events_new(struct events **ret_events, struct connections *connections) MUST_CHECK;
void events_free(struct events *e);

/* To all readers. ERR_FULL: larger than EVENT_MAX. */
enum err events_publish(struct events *e, const char *name, const json_t *data) MUST_CHECK;

/* A response that goes on until the reader leaves; its first event is `hello`. ERR_FULL: too
 * many readers. */
enum err events_join(struct events *e, struct MHD_Connection *connection, const json_t *hello,
    struct MHD_Response **ret_response) MUST_CHECK;

/* End every reader's response after what already waits in its queue, and let none join. */
void events_close(struct events *e);

/* After events_close: until every reader's response has ended, or for two seconds, so that one
 * who reads nothing cannot hold the end up. Without it the network threads hang up in the
 * middle of a response. */
void events_wait(struct events *e);

struct events_usage {
    uint64_t clients, cut_off;
};
struct events_usage events_usage(struct events *e);

#endif
