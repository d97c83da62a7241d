#ifndef INGEST_CAPTURE_LIST_H
#define INGEST_CAPTURE_LIST_H

#include "base/err.h"

#include <stddef.h>

/* Paths of captures, where a folder stands for all files in it whose name does not begin with a
 * dot. Begins zeroed. */
struct capture_list {
    char **paths; /* owned */
    size_t count;
};

enum {
    CAPTURE_LIST_MAX = 1 << 16
};

/* ERR_FULL: more than CAPTURE_LIST_MAX; ERR_NOTFOUND: a folder that holds none. */
enum err capture_list_add(struct capture_list *l, const char *path, struct fault *f) MUST_CHECK;
void capture_list_done(struct capture_list *l);

#endif
