#include "test.h"

#include "fake.h"

#include "api/api_int.h"
#include "api/shared_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static _Atomic int runs;
static bool slow;
static enum err outcome;

static enum err work(struct request *r)
{
    int run = atomic_fetch_add(&runs, 1) + 1;
    if (slow)
        usleep(50000);
    buf_printf(&r->reply.body, "answer %d", run);
    snprintf(r->reply.next, sizeof r->reply.next, "n%d", run);
    return outcome;
}

static const struct route route = {.id = "x", .run = work};

static enum err ask(
    struct shared *s, const char *target, const char *accept, int64_t now, char ret_body[32])
{
    struct request *r;
    assert_int_equal(request_new(&r, NULL), OK);
    r->route = &route;
    r->target = target;
    r->in.accept = accept;
    r->now = now;
    enum err e = shared_run(s, r);
    snprintf(ret_body, 32, "%s", (char *)r->reply.body.data);
    if (!e)
        assert_int_equal(r->reply.next[1], ret_body[7]);
    request_free(r);
    return e;
}

static int setup(void **state)
{
    struct shared *s;
    runs = 0;
    slow = false;
    outcome = OK;
    assert_int_equal(shared_new(&s), OK);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    shared_free(*state);
    return 0;
}

static void keeps_for_a_moment(void **state)
{
    char body[32];
    int64_t now = US_DAY;
    assert_int_equal(ask(*state, "/a", NULL, now, body), OK);
    assert_int_equal(ask(*state, "/a", NULL, now + 2 * US_SECOND - 1, body), OK);
    assert_string_equal(body, "answer 1");
    assert_int_equal(ask(*state, "/a", NULL, now + 2 * US_SECOND, body), OK);
    assert_string_equal(body, "answer 2");
    assert_int_equal(ask(*state, "/a", NULL, now, body), OK); /* the clock went back */
    assert_string_equal(body, "answer 3");
}

static void keys_are_apart(void **state)
{
    char body[32];
    assert_int_equal(ask(*state, "/a", NULL, US_DAY, body), OK);
    assert_int_equal(ask(*state, "/b", NULL, US_DAY, body), OK);
    assert_string_equal(body, "answer 2");
    assert_int_equal(ask(*state, "/a", "text/csv", US_DAY, body), OK);
    assert_string_equal(body, "answer 3");
    assert_int_equal(ask(*state, "/a", "application/json", US_DAY, body), OK);
    assert_string_equal(body, "answer 1");
}

static void forgets(void **state)
{
    char body[32];
    assert_int_equal(ask(*state, "/a", NULL, US_DAY, body), OK);
    shared_forget(*state);
    assert_int_equal(ask(*state, "/a", NULL, US_DAY, body), OK);
    assert_string_equal(body, "answer 2");
}

static void failures_are_not_kept(void **state)
{
    char body[32];
    outcome = ERR_IO;
    assert_int_equal(ask(*state, "/a", NULL, US_DAY, body), ERR_IO);
    outcome = OK;
    assert_int_equal(ask(*state, "/a", NULL, US_DAY, body), OK);
    assert_string_equal(body, "answer 2");
}

static void *ask_same(void *context)
{
    char body[32];
    assert_int_equal(ask(context, "/a", NULL, US_DAY, body), OK);
    assert_string_equal(body, "answer 1");
    return NULL;
}

static void many_ask_once(void **state)
{
    pthread_t threads[8];
    slow = true;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_same, *state), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(runs, 1);
}

static void many_keys_give_way(void **state)
{
    char target[32];
    char body[32];
    char again[32];
    for (int i = 0; i < 10000; i++) {
        snprintf(target, sizeof target, "/%d", i);
        assert_int_equal(ask(*state, target, NULL, US_DAY + i, body), OK);
        assert_int_equal(ask(*state, target, NULL, US_DAY + i, again), OK);
        assert_string_equal(again, body);
    }
    assert_int_equal(runs, 10000);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("an answer is kept for two seconds", keeps_for_a_moment, setup, teardown),
    SAYS_WITH("targets and forms do not mix", keys_are_apart, setup, teardown),
    SAYS_WITH("after news nothing old is given", forgets, setup, teardown),
    SAYS_WITH("a failure is not kept", failures_are_not_kept, setup, teardown),
    SAYS_WITH("many who ask the same at once ask once", many_ask_once, setup, teardown),
    SAYS_WITH("old answers give way to new ones", many_keys_give_way, setup, teardown),
};
TEST_MAIN(tests)
