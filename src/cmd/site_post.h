#ifndef CMD_SITE_POST_H
#define CMD_SITE_POST_H

#include "base/buf.h"
#include "base/json.h"

/* What a site asks of its hub over HTTPS. */

enum {
    SITE_URL_MAX = 256
};

/* A hub's URL, to which a token or a request goes encrypted, or on loopback; without the
 * strokes at its end. ERR_BAD, with the option's name. */
enum err site_url_read(const char *option, const char *text, char ret_url[SITE_URL_MAX],
    struct fault *f) MUST_CHECK;

struct site_hub {
    const char *url; /* "https://HOST:PORT" */
    const char *ca;  /* file: whom to trust; NULL: the system's list */
};

/* POST a document to a path such as "/api/v1/enrol"; the answer is a new reference. ERR_DENIED:
 * the hub refuses, and the fault says why; ERR_BUSY: not now (409); ERR_IO: it cannot be
 * reached. */
enum err site_post(const struct site_hub *hub, const char *path, const json_t *document,
    json_t **ret_answer, struct fault *f) MUST_CHECK;

#endif
