#include "test.h"

#include "base/clock.h"
#include "base/steady.h"

struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool come;
};

static void meeting_init(struct meeting *m)
{
    m->come = false;
    pthread_mutex_init(&m->lock, NULL);
    steady_cond_init(&m->changed);
}

static void meeting_done(struct meeting *m)
{
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
}

static void a_wait_ends_when_its_time_has_come(void **state)
{
    (void)state;
    struct meeting m;
    meeting_init(&m);
    pthread_mutex_lock(&m.lock);
    int64_t until = steady_now() + 20000;
    while (steady_wait(&m.changed, &m.lock, until))
        ;
    assert_true(steady_now() >= until);
    assert_false(steady_wait(&m.changed, &m.lock, until));
    pthread_mutex_unlock(&m.lock);
    meeting_done(&m);
}

static void *come(void *context)
{
    struct meeting *m = context;
    pthread_mutex_lock(&m->lock);
    m->come = true;
    pthread_cond_signal(&m->changed);
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static void a_wait_ends_when_it_is_told(void **state)
{
    (void)state;
    struct meeting m;
    pthread_t other;
    bool in_time = true;
    meeting_init(&m);
    pthread_mutex_lock(&m.lock);
    int64_t until = steady_now() + US_MINUTE;
    assert_int_equal(pthread_create(&other, NULL, come, &m), 0);
    while (!m.come && in_time)
        in_time = steady_wait(&m.changed, &m.lock, until);
    pthread_mutex_unlock(&m.lock);
    pthread_join(other, NULL);
    assert_true(m.come && in_time);
    meeting_done(&m);
}

static const struct CMUnitTest tests[] = {
    SAYS("a wait ends when its time has come", a_wait_ends_when_its_time_has_come),
    SAYS("a wait ends when it is told", a_wait_ends_when_it_is_told),
};
TEST_MAIN(tests)
