#include "test.h"

#include "ingest/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum {
    JOBS = 500
};

static bool count_job(void *context, size_t number)
{
    atomic_int *done = context;
    atomic_fetch_add(&done[number], 1);
    return true;
}

static void each_once(void **state)
{
    (void)state;
    struct pool *p;
    assert_int_equal(pool_new(&p, 4, JOBS), OK);
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
    assert_int_equal(pool_new(&p, 1, 3), OK);
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
    assert_int_equal(pool_new(&p, 2, 3), OK);
    pool_start(p, 3, count_job, done);
    while (atomic_load(&done[2]) == 0)
        sched_yield();
    pool_wait(p);
    assert_int_equal(atomic_load(&done[0]) + atomic_load(&done[1]), 2);
    pool_free(p);
}

/* Each job waits for the one after it. */
static bool chain_job(void *context, size_t number)
{
    atomic_int *done = context;
    if (number + 1 < JOBS && !atomic_load(&done[number + 1]))
        return false;
    atomic_fetch_add(&done[number], 1);
    return true;
}

static void waiting_jobs(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        struct pool *p;
        atomic_int done[JOBS] = {0};
        assert_int_equal(pool_new(&p, threads, JOBS), OK);
        atomic_store(&done[20], 1); /* 19 waits for it, 18 for 19, ... */
        pool_start(p, 20, chain_job, done);
        pool_wait(p);
        for (size_t i = 0; i < 20; i++)
            assert_int_equal(atomic_load(&done[i]), 1);
        pool_free(p);
    }
}

struct gate {
    struct pool *pool;
    atomic_bool open;
    atomic_int asked;
};

static bool gate_job(void *context, size_t number)
{
    struct gate *g = context;
    (void)number;
    atomic_fetch_add(&g->asked, 1);
    return atomic_load(&g->open);
}

static void *gate_open(void *context)
{
    struct gate *g = context;
    while (atomic_load(&g->asked) < 2)
        sched_yield();
    atomic_store(&g->open, true);
    pool_poke(g->pool);
    return NULL;
}

static void poked(void **state)
{
    (void)state;
    struct gate g = {0};
    pthread_t opener;
    assert_int_equal(pool_new(&g.pool, 2, 1), OK);
    assert_int_equal(pthread_create(&opener, NULL, gate_open, &g), 0);
    pool_start(g.pool, 1, gate_job, &g);
    pool_wait(g.pool);
    assert_true(atomic_load(&g.open));
    pthread_join(opener, NULL);
    pool_free(g.pool);
}

static const struct CMUnitTest tests[] = {
    SAYS("every job is done exactly once before the run returns", each_once),
    SAYS("the other threads work while the caller does something else", while_busy),
    SAYS("a job that waits for another is called again until it is done", waiting_jobs),
    SAYS("a job that waits for somebody outside is called when that one pokes", poked),
    SAYS("a pool of one thread does the jobs itself", one_thread),
};
TEST_MAIN(tests)
