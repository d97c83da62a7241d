#ifndef INGEST_POOL_H
#define INGEST_POOL_H

#include "base/err.h"

#include <stddef.h>

/* Threads that do a numbered list of jobs together, again and again. */
struct pool;

/* `threads` in all, the caller's own included; at least 1, at most 256. */
enum err pool_new(struct pool **ret_pool, size_t threads) MUST_CHECK;

/* Have job(context, 0..count-1) called, each once, by the other threads, while the caller does
 * something else; then comes pool_wait(). A pool of one thread begins at pool_wait(). */
void pool_start(
    struct pool *p, size_t count, void (*job)(void *context, size_t number), void *context);

/* Help with what has not been begun; returns when all jobs are done. */
void pool_wait(struct pool *p);

void pool_free(struct pool *p);

#endif
