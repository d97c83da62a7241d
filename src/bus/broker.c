#include "bus/broker.h"

#include "base/child.h"
#include "base/steady.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct broker {
    int pipe; /* the keeper reads the other end; its end is our end */
    pid_t keeper;
};

enum {
    LOOK_MS = 200,
    AGAIN_MS = 1000, /* from one start to the next: a server that does not stay up */
    END_MS = 5000
};

static const char *const places[] = {
    "/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"};

const char *broker_program(const char *given)
{
    if (given)
        return access(given, X_OK) == 0 ? given : NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* ---- the keeper, a process of its own ---- */

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static pid_t server_start(const char *program, const struct broker_run *run)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    int log = open(run->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int nothing = open("/dev/null", O_RDONLY);
    if (log >= 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_IGN); /* the terminal's: the keeper ends us */
    signal(SIGTERM, SIG_DFL);
    execl(program, "nats-server", "-c", run->config, (char *)NULL);
    child_end(); /* could not be started: the keeper sees an end */
}

static void server_end(pid_t server)
{
    int status;
    if (server <= 0)
        return;
    kill(server, SIGTERM);
    for (int waited = 0; waited < END_MS; waited += 50) {
        if (waitpid(server, &status, WNOHANG) == server)
            return;
        sleep_ms(50);
    }
    kill(server, SIGKILL);
    waitpid(server, &status, 0);
}

/* Until the pipe ends. */
static void keep(const char *program, const struct broker_run *run, int pipe)
{
    pid_t server = 0;
    int64_t started = 0;
    bool wanted = false;
    for (;;) {
        char byte;
        struct pollfd p = {.fd = pipe, .events = POLLIN};
        int status, ready = poll(&p, 1, LOOK_MS);
        if (ready > 0) {
            if (read(pipe, &byte, 1) != 1)
                break;
            if (server > 0)
                kill(server, SIGHUP);
            wanted = true;
        }
        if (server > 0 && waitpid(server, &status, WNOHANG) == server)
            server = 0;
        if (wanted && server <= 0 && steady_now() - started >= AGAIN_MS * INT64_C(1000)) {
            started = steady_now();
            server = server_start(program, run);
        }
    }
    server_end(server);
}

/* ---- the caller's side ---- */

enum err broker_start(struct broker **ret_broker, const struct broker_run *run, struct fault *f)
{
    int ends[2];
    const char *program = broker_program(run->program);
    if (!program)
        return fault_set(f, ERR_NOTFOUND,
            "nats-server is not installed: apt install nats-server, or name one that runs "
            "already with --bus");
    struct broker *b = calloc(1, sizeof *b);
    if (!b)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(b);
        return fault_set(f, ERR_IO, "pipe: %s", strerror(errno));
    }
    pid_t keeper = fork();
    if (keeper == 0) {
        if (child_settle(ends[0], run->user))
            keep(program, run, ends[0]);
        child_end();
    }
    close(ends[0]);
    if (keeper < 0) {
        close(ends[1]);
        free(b);
        return fault_set(f, ERR_IO, "fork: %s", strerror(errno));
    }
    b->pipe = ends[1];
    b->keeper = keeper;
    *ret_broker = b;
    return OK;
}

void broker_reload(struct broker *b)
{
    if (b)
        (void)!write(b->pipe, "r", 1);
}

void broker_stop(struct broker *b)
{
    int status;
    if (!b)
        return;
    close(b->pipe);
    waitpid(b->keeper, &status, 0);
    free(b);
}
