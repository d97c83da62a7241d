#ifndef API_CONNECTIONS_INT_H
#define API_CONNECTIONS_INT_H

#include "base/err.h"

#include <stdint.h>

/* Open connections and how long each may take to bring its request: a peer that sends a byte
 * now and then never looks idle to the server below, but it does not get beyond this deadline.
 */

struct connections;
struct MHD_Connection;

enum err connections_new(struct connections **ret_connections) MUST_CHECK;
void connections_free(struct connections *c);

/* Called as a connection opens and closes. `ret_mark` is the server's place for our mark. */
void connections_opened(
    struct connections *c, struct MHD_Connection *connection, void **ret_mark, int64_t now);
void connections_closed(struct connections *c, void **mark);

/* A whole request is there; its answer may take as long as it takes. */
void connections_asked(struct connections *c, struct MHD_Connection *connection);
/* The answer is out; the next request must come in time. */
void connections_answered(
    struct connections *c, struct MHD_Connection *connection, int64_t now);

/* Shut those whose time is over; to be called every second. Monotonic time. */
void connections_sweep(struct connections *c, int64_t now);

/* A number that no other connection of this process has had; 0 if it is not known. */
uint64_t connections_id(struct MHD_Connection *connection);
/* Shut one now, if it is still there. */
void connections_cut(struct connections *c, uint64_t id);

#endif
