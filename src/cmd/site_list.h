#ifndef CMD_SITE_LIST_H
#define CMD_SITE_LIST_H

#include "base/err.h"
#include "ingest/capture_list.h"
#include "record/record.h"

#include <stddef.h>

/* The captures that a command line names, gathered by site. */
struct site_captures {
    char name[RECORD_NAME_MAX + 1];
    const char **paths; /* borrowed from the command line, and from `files` */
    size_t count;
    struct capture_list files; /* of the folders: each by itself */
};

struct site_list {
    struct site_captures *sites;
    size_t count;
};

/* Is this a name for a site: 1 to 63 of a-z, 0-9, dot, underscore, hyphen, colon? */
enum err site_name_check(const char *name, struct fault *f) MUST_CHECK;

/* Add "NAME=PATH" texts (a PATH that is a folder stands for its files), or bare paths that
 * belong to the site `name`. The list begins zeroed; the caller ends it in any case. ERR_BAD
 * for a text that is not of that form or a name that is not allowed; ERR_NOTFOUND for a path of
 * a pair that cannot be read. */
enum err site_list_pairs(
    struct site_list *l, const char *const *pairs, size_t count, struct fault *f) MUST_CHECK;
enum err site_list_paths(struct site_list *l, const char *name, char *const *paths,
    size_t count, struct fault *f) MUST_CHECK;
/* One that is taken out of the list. */
void site_captures_done(struct site_captures *s);
void site_list_done(struct site_list *l);

#endif
