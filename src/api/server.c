#include "api/server_int.h"

#include "api/api_int.h"
#include "api/connections_int.h"
#include "api/events_int.h"
#include "api/export_int.h"
#include "api/request_int.h"
#include "api/session_int.h"
#include "api/work_int.h"
#include "base/steady.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The network side, on libmicrohttpd. A request is put together from the server's callbacks;
 * when the last of it is there, it goes to the workers with its connection suspended, and comes
 * back to be sent. Answering earlier would make the server close the connection. */

enum {
    NETWORK_THREADS = 2,
    HEADER_ROOM = 24 << 10, /* of a connection: all headers, twice */
    IDLE_SECONDS = 30,
};

struct call {
    struct request *request;
    char *target; /* owned */
    bool begun, asked;
    bool too_large;
};

bool server_stopping(const struct api *a)
{
    return atomic_load(&a->stopping);
}

static void call_free(struct call *c)
{
    if (!c)
        return;
    if (c->request && c->request->reply.stream)
        MHD_destroy_response(c->request->reply.stream);
    request_free(c->request);
    free(c->target);
    free(c);
}

/* The first that is heard of a request: its target, as it came. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->target = strdup(target);
    if (!c->target || request_new(&c->request, context) != OK) {
        call_free(c);
        return NULL;
    }
    c->request->connection = connection;
    c->request->target = c->target;
    return c;
}

static struct ip ip_of(const struct sockaddr *address)
{
    struct ip ip = {0};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address && address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof in);
        ip = ip_from_v4(ntohl(in.sin_addr.s_addr));
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof in6);
        memcpy(ip.byte, &in6.sin6_addr, sizeof ip.byte);
    }
    return ip;
}

/* A proxy that is believed says who asks: the last address of X-Forwarded-For is the one that
 * it saw itself. */
static void believe_proxy(struct request *r)
{
    const struct api *a = r->api;
    struct ip ip;
    if (!a->has_proxy || !prefix_holds(&a->proxy, &r->peer))
        return;
    const char *last = r->in.forwarded_for ? strrchr(r->in.forwarded_for, ',') : NULL;
    last = last ? last + 1 : r->in.forwarded_for;
    if (last && ip_parse(last + strspn(last, " "), &ip) == OK)
        r->peer = ip;
    if (r->in.forwarded_proto)
        r->secure = strcmp(r->in.forwarded_proto, "https") == 0;
}

static void begin(struct request *r)
{
    struct MHD_Connection *connection = r->connection;
    const struct {
        const char *name;
        const char **to;
    } headers[] = {
        {"Host", &r->in.host},
        {"Origin", &r->in.origin},
        {"Sec-Fetch-Site", &r->in.fetch_site},
        {"Cookie", &r->in.cookie},
        {"Authorization", &r->in.authorization},
        {"X-CSRF-Token", &r->in.csrf},
        {"Accept", &r->in.accept},
        {"Accept-Encoding", &r->in.accept_encoding},
        {"If-None-Match", &r->in.if_none_match},
        {"Kizashi-Person", &r->in.person},
        {"Content-Type", &r->in.content_type},
        {"X-Forwarded-For", &r->in.forwarded_for},
        {"X-Forwarded-Proto", &r->in.forwarded_proto},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        *headers[i].to =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, headers[i].name);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    r->peer = ip_of(info ? info->client_addr : NULL);
    r->secure = r->api->tls;
    believe_proxy(r);
}

static bool body_is_announced_too_large(const struct request *r)
{
    const char *length =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > API_BODY_MAX;
}

static enum MHD_Result send_too_large(struct request *r)
{
    reply_problem(r, 413, NULL, NULL, "the body is larger than %d bytes", API_BODY_MAX);
    return server_send(r);
}

static bool is_portal(const struct request *r)
{
    static const char *const ours[] = {"/api/", "/metrics", "/healthz"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(r->target, ours[i], strlen(ours[i])) == 0)
            return false;
    return !r->api->options.no_portal &&
           (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0);
}

static void suspend(struct request *r)
{
    MHD_suspend_connection(r->connection);
}

void server_answer(struct request *r)
{
    request_answer(r);
    MHD_resume_connection(r->connection);
}

static enum MHD_Result ask(struct api *a, struct call *c)
{
    struct request *r = c->request;
    connections_asked(a->connections, r->connection);
    c->asked = true;
    if (c->too_large)
        return send_too_large(r);
    if (is_portal(r))
        return session_host_allowed(r) ? server_send_file(r) : server_send(r);
    if (workers_offer(a->workers, r, suspend))
        return MHD_YES;
    r->reply.retry_after = 2;
    reply_problem(
        r, 503, NULL, NULL, "the hub has more questions than it can answer; try again");
    return server_send(r);
}

/* The library says what is passed. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data, size_t *size,
    void **mark)
{
    struct api *a = context;
    struct call *c = *mark;
    (void)connection;
    (void)url;
    (void)version;
    if (!c)
        return MHD_NO; /* no memory */
    if (!c->begun) {
        c->begun = true;
        c->request->method = method;
        begin(c->request);
        return body_is_announced_too_large(c->request) ? send_too_large(c->request) : MHD_YES;
    }
    if (*size) {
        buf_put(&c->request->body, data, *size);
        c->too_large = c->request->body.err != OK;
        *size = 0;
        return MHD_YES;
    }
    return c->asked ? server_send(c->request) : ask(a, c);
}

static void on_done(void *context, struct MHD_Connection *connection, void **mark,
    enum MHD_RequestTerminationCode how)
{
    struct api *a = context;
    (void)how;
    connections_answered(a->connections, connection, steady_now());
    call_free(*mark);
    *mark = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **mark,
    enum MHD_ConnectionNotificationCode what)
{
    struct api *a = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        connections_opened(a->connections, connection, mark, steady_now());
    else
        connections_closed(a->connections, mark);
}

static void quiet(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args; /* tells of peers that hang up; nothing an operator could mend */
}

enum {
    OPTIONS_MAX = 24
};

struct option_list {
    struct MHD_OptionItem item[OPTIONS_MAX];
    size_t count;
};

static void option(struct option_list *list, enum MHD_OPTION id, intptr_t value, void *pointer)
{
    list->item[list->count++] = (struct MHD_OptionItem){id, value, pointer};
}

static void fill_options(struct option_list *list, struct api *a, int socket)
{
    const struct api_options *o = &a->options;
    option(list, MHD_OPTION_LISTEN_SOCKET, socket, NULL);
    option(list, MHD_OPTION_THREAD_POOL_SIZE, NETWORK_THREADS, NULL);
    option(list, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL);
    option(list, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_ROOM, NULL);
    option(list, MHD_OPTION_CONNECTION_LIMIT, o->connections ? o->connections : 4096, NULL);
    if (!a->has_proxy)
        option(list, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
            o->connections_per_address ? o->connections_per_address : 512, NULL);
    option(list, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    if (a->tls) {
        option(list, MHD_OPTION_HTTPS_MEM_KEY, 0, a->key);
        option(list, MHD_OPTION_HTTPS_MEM_CERT, 0, a->certificate);
    }
    option(list, MHD_OPTION_END, 0, NULL);
}

enum err server_start(struct api *a, int socket, struct fault *f)
{
    struct option_list list = {0};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (a->tls ? MHD_USE_TLS : 0);
    fill_options(&list, a, socket);
    a->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, a,
        MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, a,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, a, MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
        MHD_OPTION_ARRAY, list.item, MHD_OPTION_END);
    if (a->daemon)
        return OK;
    return fault_set(f, ERR_IO, "%s: the HTTP server does not start%s", a->address,
        a->tls ? "; are certificate and key PEM, and do they belong together?" : "");
}

/* From here to the end of what runs: no new connections, then the event readers, the exports
 * and the workers, and only then the network threads, which must not find a suspended
 * connection. */
void server_stop(struct api *a)
{
    int socket = MHD_quiesce_daemon(a->daemon);
    events_close(a->events);
    exports_stop(a);
    workers_stop(a->workers);
    exports_stop(a);
    events_close(a->events);
    events_wait(a->events);
    MHD_stop_daemon(a->daemon);
    a->daemon = NULL;
    if (socket >= 0)
        close(socket);
}
