#ifndef BASE_TREE_H
#define BASE_TREE_H

#include "base/err.h"

#include <stdint.h>

/* Files and folders as a whole. All stay on one file system, and follow no links. */

/* A file's bytes and mode, to a place where there is nothing yet (ERR_EXISTS). ERR_FULL: the
 * disk. It is not synced. */
enum err tree_copy_file(const char *from, const char *to, struct fault *f) MUST_CHECK;

struct tree_counts {
    uint64_t files, bytes;
};

/* A folder with all that is in it: files, folders and symbolic links, each with its mode, and
 * with its owner if the caller is root. `to` is made, and must not be there. What is neither
 * (sockets, pipes) is left out. Safe on the disk when it returns. */
enum err tree_copy(const char *from, const char *to, struct fault *f) MUST_CHECK;

/* How much is in a folder. */
enum err tree_count(
    const char *path, struct tree_counts *ret_counts, struct fault *f) MUST_CHECK;

/* Everything in the folder's file system is on its disk. */
enum err tree_sync(const char *path, struct fault *f) MUST_CHECK;

/* Remove a folder with all that is in it; one that is not there is fine. */
enum err tree_remove(const char *path, struct fault *f) MUST_CHECK;

#endif
