#ifndef INGEST_UPKEEP_H
#define INGEST_UPKEEP_H

#include "base/err.h"

#include <stdbool.h>

struct store;

/* A thread that does the store's upkeep while little comes in: when the writer has had nothing
 * to do for three quarters of the last half second. */
struct upkeep;

/* Begins as if nothing came in; `store` is borrowed. */
enum err upkeep_new(struct upkeep **ret_upkeep, struct store *store) MUST_CHECK;

/* Are blocks on their way into the store? */
void upkeep_busy(struct upkeep *u, bool busy);

/* Returns when the step that runs is done: seconds at most. NULL is fine. */
void upkeep_free(struct upkeep *u);

#endif
