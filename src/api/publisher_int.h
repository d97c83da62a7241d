#ifndef API_PUBLISHER_INT_H
#define API_PUBLISHER_INT_H

#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>

/* Lets out, step by step, what the publication policy allows of what the store holds. Steps
 * come out in order of time, each once: when its own time to come out has passed, that of every
 * step before it, and when there are packets from as long after it as the policy delays it: a
 * hub that reads an archive has not seen all of an hour before. */

struct api;
struct publisher;

/* A thread that looks twice a minute. Without publication in the api's options: none, OK. */
enum err publisher_start(struct publisher **ret_publisher, struct api *a) MUST_CHECK;
/* NULL is fine. */
void publisher_stop(struct publisher *p);

/* At most `most` steps now. Counts those that came out, also where it fails. */
enum err publisher_pass(struct api *a, size_t most, const atomic_bool *stop, size_t *ret_made,
    struct fault *f) MUST_CHECK;

#endif
