#ifndef CMD_STOP_H
#define CMD_STOP_H

#include <stdatomic.h>
#include <stdbool.h>

/* SIGINT and SIGTERM ask the program to end cleanly; a second one ends it at once. SIGPIPE is
 * ignored: a reader that has gone shows as a failed write. */
void stop_install(void);

/* Becomes true when the program should end. */
const atomic_bool *stop_flag(void);

/* Ask from inside. */
void stop_now(void);

#endif
