#include "api/events_int.h"

#include "api/api.h"
#include "base/buf.h"
#include "base/steady.h"

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAVE_SECONDS = 2 /* for readers to take what waits for them, at the end */
};

struct event {
    size_t holders; /* under the lock of the events */
    size_t len;
    char text[];
};

struct reader {
    struct events *events;
    struct MHD_Connection *connection;
    uint64_t connection_id;
    struct reader *before, *after;
    struct event *queue[API_EVENT_QUEUE];
    size_t head, count;
    size_t sent; /* of the event at the head */
    bool suspended;
    bool ending; /* no more events; the response ends when the queue is empty */
    bool cut;    /* the response ends at once */
};

struct events {
    pthread_mutex_t lock;
    pthread_cond_t left; /* by the last reader */
    struct connections *connections;
    struct reader *readers;
    size_t count;
    uint64_t number; /* of the last event */
    uint64_t cut_off;
    bool closed;
};

enum err events_new(struct events **ret_events, struct connections *connections)
{
    struct events *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    pthread_mutex_init(&e->lock, NULL);
    steady_cond_init(&e->left);
    e->connections = connections;
    *ret_events = e;
    return OK;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    assert(!e->readers);
    pthread_cond_destroy(&e->left);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static enum err event_new(
    struct event **ret_event, const char *name, uint64_t number, const json_t *data)
{
    struct buf text;
    buf_init(&text, EVENT_MAX);
    buf_printf(&text, "event: %s\nid: %llu\ndata: ", name, (unsigned long long)number);
    json_write(&text, data);
    buf_str(&text, "\n\n");
    enum err e = text.err;
    struct event *event = e ? NULL : malloc(sizeof *event + text.len);
    if (event) {
        event->holders = 0;
        event->len = text.len;
        memcpy(event->text, text.data, text.len);
        *ret_event = event;
    }
    buf_done(&text);
    return e ? e : event ? OK : ERR_NOMEM;
}

static void event_drop(struct event *event)
{
    if (--event->holders == 0)
        free(event);
}

/* The lock is held. */
static void wake(struct reader *reader)
{
    if (!reader->suspended)
        return;
    reader->suspended = false;
    MHD_resume_connection(reader->connection);
}

static void enqueue(struct reader *reader, struct event *event)
{
    if (reader->ending || reader->cut)
        return;
    if (reader->count == API_EVENT_QUEUE) {
        reader->cut = true;
        reader->events->cut_off++;
        connections_cut(reader->events->connections, reader->connection_id);
    } else {
        reader->queue[(reader->head + reader->count++) % API_EVENT_QUEUE] = event;
        event->holders++;
    }
    wake(reader);
}

enum err events_publish(struct events *e, const char *name, const json_t *data)
{
    struct event *event;
    pthread_mutex_lock(&e->lock);
    uint64_t number = ++e->number;
    pthread_mutex_unlock(&e->lock);
    enum err failed = event_new(&event, name, number, data);
    if (failed)
        return failed;
    event->holders = 1; /* ours */
    pthread_mutex_lock(&e->lock);
    for (struct reader *reader = e->readers; reader; reader = reader->after)
        enqueue(reader, event);
    event_drop(event);
    pthread_mutex_unlock(&e->lock);
    return OK;
}

/* Copy what fits of what waits. The lock is held. */
static size_t drain(struct reader *reader, char *out, size_t room)
{
    size_t len = 0;
    while (reader->count && len < room) {
        struct event *event = reader->queue[reader->head];
        size_t part = event->len - reader->sent;
        if (part > room - len)
            part = room - len;
        memcpy(out + len, event->text + reader->sent, part);
        len += part;
        reader->sent += part;
        if (reader->sent < event->len)
            break;
        event_drop(event);
        reader->sent = 0;
        reader->head = (reader->head + 1) % API_EVENT_QUEUE;
        reader->count--;
    }
    return len;
}

static ssize_t read_events(void *context, uint64_t position, char *out, size_t room)
{
    struct reader *reader = context;
    ssize_t got;
    (void)position;
    pthread_mutex_lock(&reader->events->lock);
    if (reader->cut) {
        got = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (reader->count) {
        got = (ssize_t)drain(reader, out, room);
    } else if (reader->ending) {
        got = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        reader->suspended = true;
        MHD_suspend_connection(reader->connection);
        got = 0;
    }
    pthread_mutex_unlock(&reader->events->lock);
    return got;
}

static void leave(void *context)
{
    struct reader *reader = context;
    struct events *e = reader->events;
    pthread_mutex_lock(&e->lock);
    while (reader->count) {
        event_drop(reader->queue[reader->head]);
        reader->head = (reader->head + 1) % API_EVENT_QUEUE;
        reader->count--;
    }
    if (reader->before)
        reader->before->after = reader->after;
    else
        e->readers = reader->after;
    if (reader->after)
        reader->after->before = reader->before;
    if (--e->count == 0)
        pthread_cond_broadcast(&e->left);
    pthread_mutex_unlock(&e->lock);
    free(reader);
}

static enum err enter(struct events *e, struct reader *reader, struct event *hello)
{
    enum err failed = OK;
    pthread_mutex_lock(&e->lock);
    if (e->closed || e->count == API_EVENT_CLIENTS) {
        failed = ERR_FULL;
    } else {
        reader->after = e->readers;
        if (e->readers)
            e->readers->before = reader;
        e->readers = reader;
        e->count++;
        reader->queue[reader->count++] = hello;
        hello->holders++;
    }
    pthread_mutex_unlock(&e->lock);
    return failed;
}

enum err events_join(struct events *e, struct MHD_Connection *connection, const json_t *hello,
    struct MHD_Response **ret_response)
{
    struct event *first;
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return ERR_NOMEM;
    reader->events = e;
    reader->connection = connection;
    reader->connection_id = connections_id(connection);
    enum err failed = event_new(&first, "hello", 0, hello);
    if (!failed) {
        failed = enter(e, reader, first);
        if (failed)
            free(first);
    }
    if (failed) {
        free(reader);
        return failed;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_events, reader, leave);
    if (!response) {
        leave(reader);
        return ERR_NOMEM;
    }
    *ret_response = response;
    return OK;
}

void events_close(struct events *e)
{
    pthread_mutex_lock(&e->lock);
    e->closed = true;
    for (struct reader *reader = e->readers; reader; reader = reader->after) {
        reader->ending = true;
        wake(reader);
    }
    pthread_mutex_unlock(&e->lock);
}

void events_wait(struct events *e)
{
    int64_t until = steady_now() + LEAVE_SECONDS * US_SECOND;
    pthread_mutex_lock(&e->lock);
    while (e->count && steady_wait(&e->left, &e->lock, until))
        ;
    pthread_mutex_unlock(&e->lock);
}

struct events_usage events_usage(struct events *e)
{
    struct events_usage usage = {0};
    if (!e)
        return usage;
    pthread_mutex_lock(&e->lock);
    usage = (struct events_usage){e->count, e->cut_off};
    pthread_mutex_unlock(&e->lock);
    return usage;
}
