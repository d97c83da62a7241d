#include "test.h"

#include "base/chore.h"
#include "base/clock.h"
#include "base/steady.h"

#include <sched.h>

enum {
    ENOUGH = 3
};

struct diary {
    atomic_int turns;
    int64_t pause; /* that a turn asks for */
    int64_t began[ENOUGH + 1];
    atomic_bool long_turn; /* a turn that ends only when it is told to stop */
};

static int64_t turn(void *context, const atomic_bool *stop)
{
    struct diary *d = context;
    int turns = atomic_load(&d->turns);
    d->began[turns < ENOUGH ? turns : ENOUGH] = steady_now();
    atomic_store(&d->turns, turns + 1);
    while (atomic_load(&d->long_turn) && !atomic_load(stop))
        sched_yield();
    atomic_store(&d->long_turn, false);
    return d->pause;
}

static void turns_wait(struct diary *d, int turns)
{
    while (atomic_load(&d->turns) < turns)
        sched_yield();
}

static void turns_follow_each_other_after_the_pause_that_each_asks_for(void **state)
{
    (void)state;
    struct chore *c;
    struct diary d = {.pause = 5000};
    int64_t started = steady_now();
    assert_int_equal(chore_start(&c, turn, &d, 20000), OK);
    turns_wait(&d, ENOUGH);
    chore_stop(c);
    assert_true(d.began[0] - started >= 20000);
    for (int i = 1; i < ENOUGH; i++)
        assert_true(d.began[i] - d.began[i - 1] >= 5000);
}

static void without_a_pause_turns_come_at_once(void **state)
{
    (void)state;
    struct chore *c;
    struct diary d = {.pause = 0};
    assert_int_equal(chore_start(&c, turn, &d, 0), OK);
    turns_wait(&d, ENOUGH);
    chore_stop(c);
}

static void stopping_ends_a_pause_and_no_turn_comes_after_it(void **state)
{
    (void)state;
    struct chore *c;
    struct diary d = {.pause = US_HOUR};
    assert_int_equal(chore_start(&c, turn, &d, 0), OK);
    turns_wait(&d, 1);
    chore_stop(c); /* would take an hour */
    assert_int_equal(atomic_load(&d.turns), 1);
}

static void stopping_before_the_first_turn_lets_none_begin(void **state)
{
    (void)state;
    struct chore *c;
    struct diary d = {.pause = 0};
    assert_int_equal(chore_start(&c, turn, &d, US_HOUR), OK);
    chore_stop(c);
    assert_int_equal(atomic_load(&d.turns), 0);
}

static void a_turn_sees_that_it_should_stop_and_is_waited_for(void **state)
{
    (void)state;
    struct chore *c;
    struct diary d = {.pause = 0, .long_turn = true};
    assert_int_equal(chore_start(&c, turn, &d, 0), OK);
    turns_wait(&d, 1);
    chore_stop(c);
    assert_false(atomic_load(&d.long_turn));
    assert_int_equal(atomic_load(&d.turns), 1);
}

static void stopping_nothing_is_fine(void **state)
{
    (void)state;
    chore_stop(NULL);
}

static const struct CMUnitTest tests[] = {
    SAYS("turns follow each other after the pause that each asks for",
        turns_follow_each_other_after_the_pause_that_each_asks_for),
    SAYS("without a pause, turns come at once", without_a_pause_turns_come_at_once),
    SAYS("stopping ends a pause, and no turn comes after it",
        stopping_ends_a_pause_and_no_turn_comes_after_it),
    SAYS("stopping before the first turn lets none begin",
        stopping_before_the_first_turn_lets_none_begin),
    SAYS("a turn sees that it should stop, and is waited for",
        a_turn_sees_that_it_should_stop_and_is_waited_for),
    SAYS("stopping nothing is fine", stopping_nothing_is_fine),
};
TEST_MAIN(tests)
