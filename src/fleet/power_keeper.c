#include "fleet/power_keeper.h"

#include "base/child.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct power_keeper {
    int socket;
    pid_t pid;
    pthread_mutex_t busy;
};

/* Both ends are this program: a message is a struct. */
struct order {
    enum power_action action;
    char kind[16], address[256], user[64], secret[256];
};

struct result {
    enum err err;
    bool on;
    char text[sizeof((struct fault *)0)->text];
};

/* ---- the process ---- */

static bool whole(const struct order *o)
{
    return memchr(o->kind, 0, sizeof o->kind) && memchr(o->address, 0, sizeof o->address) &&
           memchr(o->user, 0, sizeof o->user) && memchr(o->secret, 0, sizeof o->secret) &&
           o->action < POWER_ACTION_COUNT;
}

/* Until the hub's end of the socket is closed. */
static void serve(int socket, const char *helper)
{
    struct order o;
    while (recv(socket, &o, sizeof o, 0) == (ssize_t)sizeof o && whole(&o)) {
        struct fault f = {0};
        struct result r = {.on = false};
        r.err = power_run(&(struct power_door){o.kind, o.address, o.user, o.secret}, o.action,
            helper, &r.on, &f);
        memcpy(r.text, f.text, sizeof r.text);
        if (send(socket, &r, sizeof r, MSG_NOSIGNAL) != (ssize_t)sizeof r)
            break;
    }
}

/* ---- the hub's side ---- */

enum err power_keeper_start(
    struct power_keeper **ret_keeper, const char *helper, const char *user, struct fault *f)
{
    int ends[2];
    struct power_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(k);
        return fault_set(f, ERR_IO, "socketpair: %s", strerror(errno));
    }
    k->pid = fork();
    if (k->pid == 0) {
        if (child_settle(ends[0], user))
            serve(ends[0], helper);
        child_end();
    }
    close(ends[0]);
    if (k->pid < 0) {
        close(ends[1]);
        free(k);
        return fault_set(f, ERR_IO, "fork: %s", strerror(errno));
    }
    k->socket = ends[1];
    pthread_mutex_init(&k->busy, NULL);
    *ret_keeper = k;
    return OK;
}

void power_keeper_stop(struct power_keeper *k)
{
    if (!k)
        return;
    close(k->socket);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    pthread_mutex_destroy(&k->busy);
    free(k);
}

static enum err order_make(const struct power_door *door, enum power_action action,
    struct order *ret_order, struct fault *f)
{
    struct order o;
    memset(&o, 0, sizeof o); /* it is sent whole */
    o.action = action;
    if (strlen(door->kind) >= sizeof o.kind || strlen(door->address) >= sizeof o.address ||
        strlen(door->user) >= sizeof o.user || strlen(door->secret) >= sizeof o.secret)
        return fault_set(f, ERR_RANGE, "the way to the management controller is too long");
    memcpy(o.kind, door->kind, strlen(door->kind));
    memcpy(o.address, door->address, strlen(door->address));
    memcpy(o.user, door->user, strlen(door->user));
    memcpy(o.secret, door->secret, strlen(door->secret));
    *ret_order = o;
    return OK;
}

static enum err exchange(
    struct power_keeper *k, const struct order *o, struct result *r, struct fault *f)
{
    ssize_t got = -1;
    if (send(k->socket, o, sizeof *o, MSG_NOSIGNAL) == (ssize_t)sizeof *o)
        do
            got = recv(k->socket, r, sizeof *r, 0);
        while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *r
               ? OK
               : fault_set(f, ERR_IO, "the process that switches power has ended");
}

enum err power_keeper_run(struct power_keeper *k, const struct power_door *door,
    enum power_action action, bool *ret_on, struct fault *f)
{
    struct order o;
    struct result r;
    enum err e = order_make(door, action, &o, f);
    if (e)
        return e;
    if (pthread_mutex_trylock(&k->busy) != 0)
        return fault_set(f, ERR_BUSY, "something else is being switched; try again");
    e = exchange(k, &o, &r, f);
    pthread_mutex_unlock(&k->busy);
    if (e)
        return e;
    if (r.err)
        return fault_set(f, r.err, "%.*s", (int)sizeof r.text - 1, r.text);
    *ret_on = r.on;
    return OK;
}
