#ifndef ANON_NAME_H
#define ANON_NAME_H

#include "anon/anon.h"

/* Names and URLs as the policy lets them out. */

enum {
    ANON_NAME_MAX = 255,   /* bytes of a name that is taken; a longer one is dropped */
    ANON_NAME_ROOM = 2048, /* of what comes out: 128 labels of 12 letters and a dot */
    ANON_URL_MAX = 4096,
    ANON_URL_ROOM = ANON_URL_MAX + ANON_NAME_ROOM,
};

/**
 * A domain name, with or without its last dot, in either case; it comes out in lower case and
 * without the dot. An address in text is treated as an address of the field source.
 *
 * @param ts chooses the epoch.
 */
enum err anon_name(struct anon *a, int64_t ts, const char *name, char ret_name[ANON_NAME_ROOM],
    struct fault *f) MUST_CHECK;

/* A URL with a scheme, or a path by itself ("/index.html?q=1"); too long, or neither: "". */
enum err anon_url(struct anon *a, int64_t ts, const char *url, char ret_url[ANON_URL_ROOM],
    struct fault *f) MUST_CHECK;

#endif
