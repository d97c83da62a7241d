#ifndef CMD_FOLDER_H
#define CMD_FOLDER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A new empty folder of the user's own under $TMPDIR or /tmp, mode 0700. */
enum err folder_scratch(
    const char *name, char *ret_path, size_t len, struct fault *f) MUST_CHECK;

/* Make the data folder --data if it is not there. `*ret_made` says that it was not: whose start
 * is refused takes what it made back. */
enum err folder_make(const char *path, bool *ret_made, struct fault *f) MUST_CHECK;

/* Make the folder if it is not there, and give it with all that is in it to a user. Needs root;
 * links are given, not followed. */
enum err folder_give(const char *path, const char *user, struct fault *f) MUST_CHECK;

#endif
