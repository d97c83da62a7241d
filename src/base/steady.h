#ifndef BASE_STEADY_H
#define BASE_STEADY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A clock that nobody sets, for durations, and for how long threads wait for each other. */

/* Microseconds since some moment before the program began. */
int64_t steady_now(void);

/* A condition for steady_wait(). */
void steady_cond_init(pthread_cond_t *cond);

/* As pthread_cond_wait(), but until the time `until` at most; false: it has come. */
bool steady_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until);

#endif
