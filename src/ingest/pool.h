#ifndef INGEST_POOL_H
#define INGEST_POOL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Threads that do a numbered list of jobs together, again and again. A job that would have to
 * wait for somebody does not keep its thread: it says so, and is called again. */
struct pool;

enum {
    POOL_AGAIN_MS = 50 /* until a job that waits is called again, unless pool_poke() comes */
};

/* `threads` in all, the caller's own included; at least 1, at most 256. `jobs`: most in a list.
 */
enum err pool_new(struct pool **ret_pool, size_t threads, size_t jobs) MUST_CHECK;

/* Have job(context, 0..count-1) called by the other threads, each until it returns true, while
 * the caller does something else; then comes pool_wait(). A pool of one thread begins at
 * pool_wait(). */
void pool_start(
    struct pool *p, size_t count, bool (*job)(void *context, size_t number), void *context);

/* Help with what is to be done; returns when all jobs are done. */
void pool_wait(struct pool *p);

/* What jobs wait for may have come. From any thread. */
void pool_poke(struct pool *p);

void pool_free(struct pool *p);

#endif
