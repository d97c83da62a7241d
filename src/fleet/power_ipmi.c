#include "base/buf.h"
#include "base/json.h"
#include "fleet/power_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The helper is asked with one line of JSON on its standard input and answers with one line on
 * its standard output: {"on": true}, or {"error": "...", "denied": true}. */

enum {
    QUESTION = 4096,
    ANSWER = 4096
};

struct helper {
    pid_t pid;
    int in, out; /* ends of pipes */
};

static enum err helper_start(struct helper *h, const char *path, struct fault *f)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    char *arguments[] = {(char *)(uintptr_t)path, NULL};
    char *environment[] = {NULL};
    if (pipe2(in, O_CLOEXEC) != 0)
        return fault_set(f, ERR_IO, "pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return fault_set(f, ERR_IO, "pipe: %s", strerror(errno));
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int status = posix_spawn(&h->pid, path, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    h->in = in[1];
    h->out = out[0];
    if (!status)
        return OK;
    close(h->in);
    close(h->out);
    return fault_set(f, ERR_NOTFOUND,
        "%s: %s; it comes with kizashi where FreeIPMI's library is installed", path,
        strerror(status));
}

static enum err question_send(const struct helper *h, const struct power_door *door,
    const char *password, enum power_action action)
{
    struct buf text;
    json_t *question = json_pack("{s:s, s:s, s:s, s:s}", "address", door->address, "user",
        door->user, "password", password, "action", power_action_name(action));
    buf_init(&text, QUESTION);
    json_write(&text, question);
    buf_str(&text, "\n");
    bool sent = !text.err && write(h->in, text.data, text.len) == (ssize_t)text.len;
    if (text.data)
        sodium_memzero(text.data, text.len);
    buf_done(&text);
    json_decref(question);
    return sent ? OK : ERR_IO;
}

/* Until the helper closes its end, or the time is over. */
static enum err answer_read(const struct helper *h, char answer[ANSWER])
{
    size_t len = 0;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long left = POWER_WAIT_S * 1000 - (long)(now.tv_sec - start.tv_sec) * 1000;
        struct pollfd p = {.fd = h->out, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return ERR_STOPPED;
        ssize_t got = read(h->out, answer + len, ANSWER - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    answer[len] = 0;
    return OK;
}

static void helper_end(struct helper *h, bool kill_it)
{
    close(h->in);
    close(h->out);
    if (kill_it)
        kill(h->pid, SIGKILL);
    while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static enum err answer_take(
    const char *address, const char *text, bool *ret_on, struct fault *f)
{
    json_t *answer = json_loads(text, 0, NULL);
    const json_t *on = json_object_get(answer, "on");
    const char *error = json_string_value(json_object_get(answer, "error"));
    enum err e = OK;
    if (error)
        e = fault_set(f, json_is_true(json_object_get(answer, "denied")) ? ERR_DENIED : ERR_IO,
            "%s: %.200s", address, error);
    else if (json_is_boolean(on))
        *ret_on = json_is_true(on);
    else
        e = fault_set(f, ERR_BAD, "%s: kizashi-ipmi gave no answer", address);
    json_decref(answer);
    return e;
}

enum err power_ipmi(const struct power_door *door, const char *password,
    enum power_action action, const char *helper, bool *ret_on, struct fault *f)
{
    struct helper h;
    char answer[ANSWER];
    if (!helper)
        return fault_set(f, ERR_NOTFOUND, "the program kizashi-ipmi is not installed");
    enum err e = helper_start(&h, helper, f);
    if (e)
        return e;
    e = question_send(&h, door, password, action);
    if (!e)
        e = answer_read(&h, answer);
    helper_end(&h, e != OK);
    return e ? fault_set(f, ERR_IO, "%s: no answer within %d s", door->address, POWER_WAIT_S)
             : answer_take(door->address, answer, ret_on, f);
}
