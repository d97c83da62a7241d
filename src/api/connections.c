#include "api/connections_int.h"

#include "base/clock.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    FIRST_REQUEST = 20, /* seconds until the first request is whole */
    NEXT_REQUEST = 60,  /* from an answer until the next is, idling included */
};

struct mark {
    uint64_t id;
    int socket;
    int64_t deadline; /* 0: none */
    struct mark *before, *after;
};

struct connections {
    pthread_mutex_t lock;
    struct mark *first;
    uint64_t last_id;
};

enum err connections_new(struct connections **ret_connections)
{
    struct connections *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    *ret_connections = c;
    return OK;
}

void connections_free(struct connections *c)
{
    if (!c)
        return;
    while (c->first) {
        struct mark *mark = c->first;
        c->first = mark->after;
        free(mark);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void connections_opened(
    struct connections *c, struct MHD_Connection *connection, void **ret_mark, int64_t now)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct mark *mark = info ? calloc(1, sizeof *mark) : NULL;
    *ret_mark = mark;
    if (!mark)
        return; /* it then has only the server's own time-out */
    mark->socket = info->connect_fd;
    mark->deadline = now + FIRST_REQUEST * US_SECOND;
    pthread_mutex_lock(&c->lock);
    mark->id = ++c->last_id;
    mark->after = c->first;
    if (c->first)
        c->first->before = mark;
    c->first = mark;
    pthread_mutex_unlock(&c->lock);
}

void connections_closed(struct connections *c, void **mark_place)
{
    struct mark *mark = *mark_place;
    if (!mark)
        return;
    pthread_mutex_lock(&c->lock);
    if (mark->before)
        mark->before->after = mark->after;
    else
        c->first = mark->after;
    if (mark->after)
        mark->after->before = mark->before;
    pthread_mutex_unlock(&c->lock);
    free(mark);
    *mark_place = NULL;
}

static struct mark *mark_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void set_deadline(
    struct connections *c, struct MHD_Connection *connection, int64_t deadline)
{
    struct mark *mark = mark_of(connection);
    if (!mark)
        return;
    pthread_mutex_lock(&c->lock);
    mark->deadline = deadline;
    pthread_mutex_unlock(&c->lock);
}

void connections_asked(struct connections *c, struct MHD_Connection *connection)
{
    set_deadline(c, connection, 0);
}

void connections_answered(struct connections *c, struct MHD_Connection *connection, int64_t now)
{
    set_deadline(c, connection, now + NEXT_REQUEST * US_SECOND);
}

/* Only shut down, never closed here: the server still owns the descriptor, sees the end of the
 * stream and closes it. */
void connections_sweep(struct connections *c, int64_t now)
{
    pthread_mutex_lock(&c->lock);
    for (struct mark *mark = c->first; mark; mark = mark->after) {
        if (!mark->deadline || mark->deadline > now)
            continue;
        shutdown(mark->socket, SHUT_RDWR);
        mark->deadline = 0;
    }
    pthread_mutex_unlock(&c->lock);
}

uint64_t connections_id(struct MHD_Connection *connection)
{
    const struct mark *mark = mark_of(connection);
    return mark ? mark->id : 0;
}

void connections_cut(struct connections *c, uint64_t id)
{
    pthread_mutex_lock(&c->lock);
    struct mark *mark = c->first;
    while (mark && mark->id != id)
        mark = mark->after;
    if (mark)
        shutdown(mark->socket, SHUT_RDWR);
    pthread_mutex_unlock(&c->lock);
}
