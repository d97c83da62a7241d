#ifndef CMD_HUB_CLIENT_H
#define CMD_HUB_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

/* Asking a hub that runs on a data folder. The hub leaves its address and a token of its own in
 * the folder, in a file that only its owner may read. */

struct hub_address {
    char url[256];
    char token[128];
};

enum err hub_address_write(
    const char *data, const struct hub_address *a, struct fault *f) MUST_CHECK;
void hub_address_remove(const char *data);

/* ERR_NOTFOUND: no hub has left its address there. */
enum err hub_address_read(const char *data, struct hub_address *ret_address) MUST_CHECK;

/* A hub that answers 429 is asked again when it said, for half a minute at most.
 *
 * GET URL/api/v1/PATH; the body goes to `part` piece by piece. ERR_IO if nobody answers; a
 * problem document's sentence becomes the fault, ERR_BAD for status 4xx. */
enum err hub_get(const struct hub_address *a, const char *path,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f) MUST_CHECK;

/* METHOD URL/api/v1/PATH with a JSON body (NULL: none); the answer's JSON is a new reference
 * (json_null() where it has none). ERR_NOTFOUND for 404, ERR_EXISTS for 409, else as hub_get().
 */
enum err hub_ask(const struct hub_address *a, const char *method, const char *path,
    const json_t *body, json_t **ret_answer, struct fault *f) MUST_CHECK;

/* The address of the hub that runs on a data folder and answers; ERR_NOTFOUND with a sentence
 * if there is none. */
enum err hub_running(
    const char *data, struct hub_address *ret_address, struct fault *f) MUST_CHECK;

/* Does a hub answer at "127.0.0.1:8480", with or without TLS? Waits two seconds at most. */
bool hub_is_at(const char *listen);

#endif
