#include "api/export_int.h"

#include "api/api_int.h"
#include "api/handler_int.h"
#include "api/lines_int.h"
#include "api/question_int.h"
#include "api/server_int.h"
#include "base/steady.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An export of any length: a thread of its own asks the store and fills a small pipe; the
 * network thread empties it as fast as the reader takes it. At most API_STREAMS run at once. */

enum {
    PIPE = 256 << 10,     /* the asking thread waits beyond this */
    PIPE_MOST = 64 << 20, /* of one piece */
    POLL_MS = 100
};

struct export
{
    struct api *api;
    struct MHD_Connection *connection;
    struct ask ask;
    struct lines lines;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the pipe was filled, emptied, ended or abandoned */
    struct buf pipe;
    size_t sent; /* of what is in the pipe */
    int holders; /* the thread and the response */
    bool suspended, abandoned, ended;
    enum err result;
    struct fault fault;
};

static void drop(struct export *x)
{
    pthread_mutex_lock(&x->lock);
    bool last = --x->holders == 0;
    pthread_mutex_unlock(&x->lock);
    if (!last)
        return;
    struct api *a = x->api;
    buf_done(&x->pipe);
    pthread_cond_destroy(&x->moved);
    pthread_mutex_destroy(&x->lock);
    free(x);
    atomic_fetch_sub(&a->counters.exports, 1);
}

static void wait_moved(struct export *x)
{
    steady_wait(&x->moved, &x->lock, steady_now() + POLL_MS * INT64_C(1000));
}

/* The lock is held. */
static void wake(struct export *x)
{
    pthread_cond_broadcast(&x->moved);
    if (!x->suspended)
        return;
    x->suspended = false;
    MHD_resume_connection(x->connection);
}

static enum err take_part(void *context, const void *data, size_t len)
{
    struct export *x = context;
    pthread_mutex_lock(&x->lock);
    while (x->pipe.len - x->sent > PIPE && !x->abandoned && !server_stopping(x->api))
        wait_moved(x);
    if (x->sent) { /* at most PIPE bytes move */
        memmove(x->pipe.data, x->pipe.data + x->sent, x->pipe.len - x->sent);
        x->pipe.len -= x->sent;
        x->sent = 0;
    }
    bool enough = lines_pass(&x->lines, data, len, &x->pipe);
    bool stop = enough || x->abandoned || server_stopping(x->api);
    enum err e = x->pipe.err;
    if (x->pipe.len > x->sent)
        wake(x);
    pthread_mutex_unlock(&x->lock);
    return e ? e : stop ? ERR_STOPPED : OK;
}

static void *ask_store(void *context)
{
    struct export *x = context;
    const struct api_store *s = &x->api->parts.store;
    struct fault fault = {0};
    enum err e = s->stream(
        s->context, &x->ask, x->lines.csv ? FORMAT_CSV : FORMAT_JSON, take_part, x, &fault);
    pthread_mutex_lock(&x->lock);
    bool enough = x->lines.most && x->lines.rows >= x->lines.most;
    x->result = enough ? OK : e;
    x->fault = fault;
    x->ended = true;
    wake(x);
    pthread_mutex_unlock(&x->lock);
    struct api *a = x->api;
    drop(x);
    atomic_fetch_sub(&a->counters.export_threads, 1); /* the last touch: see exports_stop() */
    return NULL;
}

static ssize_t read_pipe(void *context, uint64_t position, char *out, size_t room)
{
    struct export *x = context;
    ssize_t got;
    (void)position;
    pthread_mutex_lock(&x->lock);
    size_t waiting = x->pipe.len - x->sent;
    if (waiting) {
        size_t part = waiting < room ? waiting : room;
        memcpy(out, x->pipe.data + x->sent, part);
        x->sent += part;
        got = (ssize_t)part;
        pthread_cond_broadcast(&x->moved);
    } else if (x->ended) {
        got = x->result ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
        got = 0;
    }
    pthread_mutex_unlock(&x->lock);
    return got;
}

static void abandon(void *context)
{
    struct export *x = context;
    pthread_mutex_lock(&x->lock);
    x->abandoned = true;
    pthread_cond_broadcast(&x->moved);
    pthread_mutex_unlock(&x->lock);
    drop(x);
}

static enum err export_new(
    struct request *r, const struct span *span, struct export **ret_export)
{
    struct export *x = calloc(1, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    x->api = r->api;
    x->connection = r->connection;
    x->holders = 1;
    question_init(r, &x->ask, ASK_PACKETS, span);
    x->ask.limit = 0;
    x->lines.csv = request_wants_csv(r, P_STREAM_FORMAT);
    x->lines.most = (uint64_t)arg(r, P_STREAM_LIMIT)->number;
    buf_init(&x->pipe, PIPE_MOST);
    pthread_mutex_init(&x->lock, NULL);
    steady_cond_init(&x->moved);
    *ret_export = x;
    return OK;
}

static enum err export_start(struct export *x)
{
    pthread_t thread;
    atomic_fetch_add(&x->api->counters.export_threads, 1);
    x->holders = 2; /* nobody else knows of it yet */
    if (pthread_create(&thread, NULL, ask_store, x) != 0) {
        atomic_fetch_sub(&x->api->counters.export_threads, 1);
        x->holders = 1;
        return ERR_NOMEM;
    }
    pthread_detach(thread);
    return OK;
}

/* An answer can still be a problem document until the first byte is out. */
static enum err first_piece(struct export *x, struct fault *f)
{
    pthread_mutex_lock(&x->lock);
    while (!x->ended && x->pipe.len == x->sent)
        wait_moved(x);
    enum err e = x->pipe.len == x->sent ? x->result : OK;
    *f = x->fault;
    pthread_mutex_unlock(&x->lock);
    return e;
}

static bool claim(struct api *a)
{
    if (atomic_fetch_add(&a->counters.exports, 1) < API_STREAMS && !server_stopping(a))
        return true;
    atomic_fetch_sub(&a->counters.exports, 1);
    return false;
}

enum err handle_packets(struct request *r)
{
    struct span span;
    struct export *x;
    enum err e = question_window(r, &span);
    if (e)
        return r->reply.status ? OK : e;
    if (!claim(r->api)) {
        r->reply.retry_after = 10;
        reply_problem(
            r, 503, NULL, NULL, "%d exports run already; try again later", API_STREAMS);
        return OK;
    }
    e = export_new(r, &span, &x);
    if (e) {
        atomic_fetch_sub(&r->api->counters.exports, 1);
        return e;
    }
    e = export_start(x);
    if (!e)
        e = first_piece(x, &r->fault);
    if (!e)
        r->reply.stream = MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, 32 << 10, read_pipe, x, abandon);
    if (!r->reply.stream) {
        abandon(x);
        return e ? e : ERR_NOMEM;
    }
    r->reply.type =
        x->lines.csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
    return OK;
}

void exports_stop(struct api *a)
{
    while (atomic_load(&a->counters.export_threads))
        usleep(POLL_MS * 100);
}
