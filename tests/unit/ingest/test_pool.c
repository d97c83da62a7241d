#include "test.h"

#include "ingest/pool.h"

#include <sched.h>
#include <stdatomic.h>

enum {
    JOBS = 500
};

static void count_job(void *context, size_t number)
{
    atomic_int *done = context;
    atomic_fetch_add(&done[number], 1);
}

static void each_once(void **state)
{
    (void)state;
    struct pool *p;
    assert_int_equal(pool_new(&p, 4), OK);
    for (size_t jobs = 0; jobs < JOBS; jobs += 7) {
        atomic_int done[JOBS] = {0};
        pool_start(p, jobs, count_job, done);
        pool_wait(p);
        for (size_t i = 0; i < JOBS; i++)
            assert_int_equal(atomic_load(&done[i]), i < jobs);
    }
    pool_free(p);
}

static void one_thread(void **state)
{
    (void)state;
    struct pool *p;
    atomic_int done[3] = {0};
    assert_int_equal(pool_new(&p, 1), OK);
    pool_start(p, 3, count_job, done);
    assert_int_equal(atomic_load(&done[0]), 0);
    pool_wait(p);
    assert_int_equal(atomic_load(&done[2]), 1);
    pool_free(p);
    pool_free(NULL);
}

static void while_busy(void **state)
{
    (void)state;
    struct pool *p;
    atomic_int done[3] = {0};
    assert_int_equal(pool_new(&p, 2), OK);
    pool_start(p, 3, count_job, done);
    while (atomic_load(&done[2]) == 0)
        sched_yield();
    pool_wait(p);
    assert_int_equal(atomic_load(&done[0]) + atomic_load(&done[1]), 2);
    pool_free(p);
}

static const struct CMUnitTest tests[] = {
    SAYS("every job is done exactly once before the run returns", each_once),
    SAYS("the other threads work while the caller does something else", while_busy),
    SAYS("a pool of one thread does the jobs itself", one_thread),
};
TEST_MAIN(tests)
