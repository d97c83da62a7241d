#ifndef CMD_ENDING_H
#define CMD_ENDING_H

#include "base/err.h"

/* How a subcommand ends. */

/* Say on standard error why it failed: "kizashi COMMAND: " and the fault's sentence, or the
 * error's own text where the fault has none. */
void ending_tell(const char *command, enum err e, const struct fault *f);

/* The same, with the exit status: EXIT_USAGE for what another call mends (ERR_BAD, ERR_RANGE,
 * ERR_NOTFOUND, ERR_EXISTS), EXIT_PROBLEM for any other failure. After OK nothing is said, and
 * it is EXIT_DONE. */
int ending(const char *command, enum err e, const struct fault *f);

#endif
