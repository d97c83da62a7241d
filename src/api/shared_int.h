#ifndef API_SHARED_INT_H
#define API_SHARED_INT_H

#include "api/request_int.h"

/* Answers that are the same for everybody who may ask, kept for two seconds: a hundred portals
 * that hear of the same alert ask the store once. While one request works an answer out, others
 * for the same target wait for it. When answers come to depend on who asks, the asker must
 * become part of the key. */

struct shared;

enum {
    SHARED_ANSWERS = 64,
    SHARED_BYTES = 512 << 10 /* of one; larger ones are not kept */
};

enum err shared_new(struct shared **ret_shared) MUST_CHECK;
void shared_free(struct shared *s);

/* What r->route->run(r) would do. */
enum err shared_run(struct shared *s, struct request *r) MUST_CHECK;

/* What was answered so far may be out of date. */
void shared_forget(struct shared *s);

#endif
