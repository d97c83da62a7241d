#ifndef CMD_RETENTION_H
#define CMD_RETENTION_H

#include "base/err.h"
#include "store/store.h"

/* What is older than a hub keeps it goes: when the hub starts, every day, and when somebody
 * says that captures were read. */
struct retention;

/* The first turn begins at once, on a thread of its own. The store stays until
 * retention_stop(). */
enum err retention_start(
    struct retention **ret_retention, struct store *store, struct fault *f) MUST_CHECK;
void retention_stop(struct retention *r);

/* Drop now what is too old, seen from the newest packet that is stored, or from the present
 * where that says it is of the future, and log what went. Returns true if something is left for
 * a quieter moment. */
bool retention_apply(struct store *store);

#endif
