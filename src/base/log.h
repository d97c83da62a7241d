#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

/* Only cmd/ and the loops of long-running threads log; rooms return errors. One line is one
 * event: `2026-11-22T08:00:00Z warn capture.drop site=jp-01 dropped=12`. Never a payload, never
 * an address of a sensor. */
enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_NOTE,
    LOG_INFO,
    LOG_DEBUG
};

/* Lines less urgent than `most` are not written. Starts at LOG_NOTE. */
void log_level_set(enum log_level most);

/* `event` is room.word; `format` makes key=value pairs and may be "". Thread-safe; writes to
 * stderr in one write(2). */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF(3, 4);

#endif
