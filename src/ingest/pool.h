#ifndef INGEST_POOL_H
#define INGEST_POOL_H

#include "base/err.h"

#include <stddef.h>

/* Threads that do a numbered list of jobs together, again and again. */
struct pool;

/* `threads` in all, the caller's own included; at least 1, at most 256. */
enum err pool_new(struct pool **ret_pool, size_t threads) MUST_CHECK;

/* Call job(context, 0..count-1), each once, spread over the threads; returns when all are done.
 */
void pool_run(
    struct pool *p, size_t count, void (*job)(void *context, size_t number), void *context);
void pool_free(struct pool *p);

#endif
