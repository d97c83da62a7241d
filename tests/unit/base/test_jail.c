#include "base/jail.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test runs a child that enters the jail and then tries something: its exit status is the
 * errno of what it tried (0: it was possible), 200 if the jail could not be entered. */
enum {
    NO_JAIL = 200
};

static int in_jail(enum jail_level level, int (*attempt)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct jail jail = {.level = level};
        struct fault f;
        if (jail_enter(&jail, &f) != OK)
            _exit(NO_JAIL);
        _exit(attempt());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int try_exec(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int try_socket(int family, int type, int protocol)
{
    int s = socket(family, type, protocol);
    return s < 0 ? errno : 0;
}

static int try_raw(void)
{
    return try_socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1);
}

static int try_packet(void)
{
    return try_socket(AF_PACKET, SOCK_RAW, 0);
}

static int try_vsock(void)
{
    return try_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int try_tcp(void)
{
    return try_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static int try_udp6(void)
{
    int failed = try_socket(AF_INET6, SOCK_DGRAM, 0);
    return failed == EAFNOSUPPORT ? 0 : failed; /* a machine without IPv6 says so itself */
}

static int try_netlink(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int try_namespace(void)
{
    return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int try_keys(void)
{
    return syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0 ? 0 : errno;
}

static int try_root(void)
{
    return setuid(0) == 0 && geteuid() == 0 ? 0 : errno;
}

static int try_file(void)
{
    FILE *f = fopen("/etc/hostname", "r");
    return f ? fclose(f) : errno;
}

static int core_bytes(void)
{
    struct rlimit core;
    return getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0;
}

static void *thread_exec(void *result)
{
    *(int *)result = try_exec();
    return NULL;
}

static int try_thread(void)
{
    pthread_t thread;
    int result = 0;
    if (pthread_create(&thread, NULL, thread_exec, &result) != 0)
        return 100;
    pthread_join(thread, NULL);
    return result;
}

static int in_server(int (*attempt)(void))
{
    return in_jail(JAIL_SERVER, attempt);
}

static void server_refuses(void **state)
{
    (void)state;
    assert_int_equal(in_server(try_exec), EPERM);
    assert_int_equal(in_server(try_raw), EPERM);
    assert_true(in_server(try_packet) != 0);
    assert_int_equal(in_server(try_vsock), EAFNOSUPPORT);
    assert_int_equal(in_server(try_namespace), EPERM);
    assert_int_equal(in_server(try_keys), EPERM);
}

static void server_works(void **state)
{
    (void)state;
    assert_int_equal(in_server(try_tcp), 0);
    assert_int_equal(in_server(try_udp6), 0);
    assert_int_equal(in_server(try_netlink), 0);
    assert_int_equal(in_server(try_file), 0);
    assert_int_equal(in_server(core_bytes), 0);
}

static void threads_too(void **state)
{
    (void)state;
    assert_int_equal(in_server(try_thread), EPERM);
}

static void not_root(void **state)
{
    (void)state;
    assert_int_equal(in_server(try_root), EPERM);
}

static void unknown_user(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "# skipped: only root changes its user\n");
        skip();
    }
    const struct {
        const char *user, *sentence;
    } rows[] = {
        {"no-such-user", "there is no user \"no-such-user\" to run as"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct jail jail = {.level = JAIL_SERVER, .user = rows[i].user};
        struct fault f;
        assert_int_equal(jail_enter(&jail, &f), ERR_NOTFOUND);
        assert_string_equal(f.text, rows[i].sentence);
    }
    assert_int_equal(geteuid(), 0);
}

/* Giving a file away needs a capability that root has and root in a jail has not. */
static int give_away(void)
{
    char path[] = "/tmp/kizashi-test-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return 100;
    unlink(path);
    return fchown(fd, 65534, 65534) == 0 ? 0 : errno;
}

static void bare_root(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "# skipped: only root can stay root\n");
        skip();
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct jail jail = {.level = JAIL_SERVER, .user = "root"};
        struct fault f;
        if (jail_enter(&jail, &f) != OK || geteuid() != 0)
            _exit(NO_JAIL);
        _exit(give_away());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EPERM);
}

static int compute(void)
{
    char *memory = malloc(1 << 22);
    if (!memory)
        return 100;
    memset(memory, 1, 1 << 22);
    int bad = memory[12345] != 1;
    free(memory);
    return bad ? 101 : write(STDERR_FILENO, "", 0) != 0;
}

static int executable_memory(void)
{
    const void *p = mmap(
        NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

/* The calls themselves, past what a sanitizer does around them. */
static int open_any(void)
{
    return syscall(SYS_openat, -100, "/etc/hostname", 0) >= 0 ? 0 : errno;
}

static int exec_any(void)
{
    return syscall(SYS_execve, "/bin/true", NULL, NULL) == 0 ? 0 : errno;
}

static int socket_any(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int fails_assertion(void)
{
    abort();
}

/* The thread sanitizer has a thread of its own, which reads /proc now and then. */
#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#elif defined __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#endif

static void parser_works(void **state)
{
    (void)state;
#ifdef THREAD_SANITIZER
    skip();
#endif
    assert_int_equal(in_jail(JAIL_PARSER, compute), 0);
    assert_int_equal(in_jail(JAIL_PARSER, executable_memory), EPERM);
    assert_int_equal(in_jail(JAIL_PARSER, fails_assertion), -SIGABRT);
}

static void parser_ends(void **state)
{
    (void)state;
    assert_int_equal(in_jail(JAIL_PARSER, open_any), -SIGSYS);
    assert_int_equal(in_jail(JAIL_PARSER, exec_any), -SIGSYS);
    assert_int_equal(in_jail(JAIL_PARSER, socket_any), -SIGSYS);
}

static const struct CMUnitTest tests[] = {
    SAYS("a jailed server starts no program and opens no raw socket or namespace",
        server_refuses),
    SAYS("a jailed server opens files, TCP and UDP, and leaves no core file", server_works),
    SAYS("threads that a jailed server starts are jailed", threads_too),
    SAYS("there is no way back to root", not_root),
    SAYS("a user that is not there is refused by name", unknown_user),
    SAYS("root that stays root has no capability left", bare_root),
    SAYS("a jailed parser computes, takes memory and writes, and may fail an assertion",
        parser_works),
    SAYS("a jailed parser ends when it opens a file or a socket, or starts a program",
        parser_ends),
};
TEST_MAIN(tests)
