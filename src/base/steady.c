#include "base/steady.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

int64_t steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_SECOND + now.tv_nsec / 1000;
}

void steady_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &steady);
    pthread_condattr_destroy(&steady);
}

bool steady_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until)
{
    struct timespec then = {
        .tv_sec = until / US_SECOND, .tv_nsec = (long)(until % US_SECOND) * 1000};
    return pthread_cond_timedwait(cond, lock, &then) != ETIMEDOUT;
}
