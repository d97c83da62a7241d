#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "base/err.h"
#include "ingest/site.h"

#include <stdio.h>

/* One line on a terminal that says how far a long run is. */
struct progress;

/* `out` NULL: all functions do nothing. The sites are borrowed. Out of memory: nothing is
 * shown. */
void progress_open(
    struct progress **ret_progress, FILE *out, struct site *const *sites, size_t count);

/* At most four times a second; `time` is how far the capture's time has come. */
void progress_show(struct progress *p, int64_t time);

/* Wipe the line, before something else is printed. */
void progress_clear(struct progress *p);
void progress_close(struct progress *p);

#endif
