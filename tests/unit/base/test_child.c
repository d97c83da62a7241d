#include "base/child.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child that has settled finds of itself; it tells by the descriptor that it keeps. */
struct found {
    bool settled;
    bool other_is_open;
    bool lives_on; /* after the signals that end its parent */
    uid_t user;
};

static struct found settled_child(const char *user)
{
    struct found found = {.settled = false};
    int ends[2] = {-1, -1}, status;
    int other = open("/dev/null", O_RDONLY);
    assert_true(other >= 0 && pipe(ends) == 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        found.settled = child_settle(ends[1], user);
        found.other_is_open = fcntl(other, F_GETFD) >= 0 || fcntl(ends[0], F_GETFD) >= 0;
        found.lives_on = raise(SIGINT) == 0 && raise(SIGTERM) == 0;
        found.user = geteuid();
        (void)!write(ends[1], &found, sizeof found);
        child_end();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &found, sizeof found), sizeof found);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(ends[0]);
    close(other);
    return found;
}

static void it_keeps_one_descriptor_and_outlives_signals(void **state)
{
    (void)state;
    struct found found = settled_child(NULL);
    assert_true(found.settled && found.lives_on);
    assert_false(found.other_is_open);
    assert_int_equal(found.user, geteuid());
}

static void root_becomes_the_user(void **state)
{
    (void)state;
    const struct passwd *nobody = getpwnam("nobody");
    if (!nobody)
        skip();
    uid_t meant = nobody && geteuid() == 0 ? nobody->pw_uid : geteuid();
    struct found found = settled_child("nobody");
    assert_true(found.settled);
    assert_int_equal(found.user, meant);
}

static void a_user_that_is_not_there_is_refused_to_root(void **state)
{
    (void)state;
    assert_int_equal(settled_child("no such user").settled, geteuid() != 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("a settled child keeps one descriptor, and outlives the signals that end its parent",
        it_keeps_one_descriptor_and_outlives_signals),
    SAYS("a settled child of root becomes the user", root_becomes_the_user),
    SAYS("a user that is not there is refused to root",
        a_user_that_is_not_there_is_refused_to_root),
};
TEST_MAIN(tests)
