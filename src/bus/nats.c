/* Connection and events of a bus over NATS; what is particular to sites and to the hub is in
 * nats_site.c, nats_hub.c and nats_stream.c. */
#include "bus/nats_int.h"

#include "base/ip.h"
#include "base/steady.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECONNECT_MS = 250,
    PING_MS = 5000, /* a dead way is noticed after three of these */
    CONNECT_MS = 5000,
    AGAIN_MS = 2000,
    LAST_CALL_MS = 5000 /* how long the library may take to call for the last time */
};

enum err nats_fault(struct fault *f, const char *what, natsStatus status, int code)
{
    const char *detail = nats_GetLastError(NULL);
    return fault_set(f, status == NATS_NO_MEMORY ? ERR_NOMEM : ERR_IO, "%s: %s%s%s (%d)", what,
        natsStatus_GetText(status), detail ? ": " : "", detail ? detail : "", code);
}

/* ---- events ---- */

static void event_free(struct nats_event *e)
{
    natsMsg_Destroy(e->msg);
    free(e);
}

void nats_push(struct nats_bus *n, enum bus_event_kind kind, const char *subject_site,
    uint64_t tag, natsMsg *msg, bool kept)
{
    struct nats_event *e = calloc(1, sizeof *e);
    if (!e) {
        natsMsg_Destroy(msg); /* lost, as a bus may */
        return;
    }
    e->event.kind = kind;
    e->event.tag = tag;
    e->event.own = e;
    e->msg = msg;
    e->kept = kept;
    if (subject_site)
        snprintf(e->event.site, sizeof e->event.site, "%s", subject_site);
    if (msg)
        e->event.data = bytes_over(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
    bool loose = msg && !kept;
    pthread_mutex_lock(&n->lock);
    if (loose && n->loose == NATS_LOOSE_MAX) { /* somebody talks faster than we listen */
        pthread_mutex_unlock(&n->lock);
        event_free(e);
        return;
    }
    n->loose += loose;
    if (kind == BUS_CONNECTED || kind == BUS_DISCONNECTED)
        n->connected = kind == BUS_CONNECTED;
    if (n->last)
        n->last->next = e;
    else
        n->first = e;
    n->last = e;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
}

static void ops_release(void *context, struct bus_event *event, bool done)
{
    (void)context;
    struct nats_event *e = event->own;
    if (!e)
        return;
    if (e->kept && done)
        (void)natsMsg_Ack(e->msg, NULL); /* if it gets lost, the message comes again */
    event_free(e);
}

bool nats_site_of(const char *subject, char ret_site[BUS_SITE_MAX + 1])
{
    const char *from = strchr(subject, '.');
    const char *to = from ? strchr(from + 1, '.') : NULL;
    if (!to || to - from - 1 > BUS_SITE_MAX)
        return false;
    snprintf(ret_site, BUS_SITE_MAX + 1, "%.*s", (int)(to - from - 1), from + 1);
    return bus_site_fits(ret_site);
}

/* ---- connection; called by the library's threads ---- */

static void on_connected(natsConnection *c, void *closure)
{
    (void)c;
    nats_push(closure, BUS_CONNECTED, NULL, 0, NULL, false);
}

static void on_disconnected(natsConnection *c, void *closure)
{
    (void)c;
    nats_push(closure, BUS_DISCONNECTED, NULL, 0, NULL, false);
}

/* Calls end after what they belong to is closed, on threads of the library. */
static void call_begin(struct nats_bus *n)
{
    pthread_mutex_lock(&n->lock);
    n->calling++;
    pthread_mutex_unlock(&n->lock);
}

static void call_end(struct nats_bus *n)
{
    if (n->calling)
        n->calling--;
    pthread_cond_signal(&n->changed);
}

static void on_complete(void *closure)
{
    struct nats_bus *n = closure;
    pthread_mutex_lock(&n->lock);
    call_end(n);
    pthread_mutex_unlock(&n->lock);
}

void nats_subscribed(struct nats_bus *n, natsSubscription *s)
{
    call_begin(n);
    if (natsSubscription_SetOnCompleteCB(s, on_complete, n) != NATS_OK)
        on_complete(n);
}

/* A server that lets nobody in is forgotten by the library, which goes on asking one that does
 * not answer: in the end it has none. */
static bool is_denied(natsStatus status)
{
    return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED ||
           status == NATS_NO_SERVER;
}

/* The library has given up, which it does when the server does not let us in: it may yet. */
static void on_closed(natsConnection *c, void *closure)
{
    struct nats_bus *n = closure;
    const char *text = NULL;
    if (is_denied(natsConnection_GetLastError(c, &text)))
        nats_push(n, BUS_DENIED, NULL, 0, NULL, false);
    pthread_mutex_lock(&n->lock);
    if (c == n->connection) { /* not one that we closed ourselves */
        n->closed = true;
        n->connected = false;
    }
    call_end(n);
    pthread_mutex_unlock(&n->lock);
}

/* Without it the library writes to standard error. What goes wrong shows elsewhere: as a
 * message that is refused, or never taken. */
static void on_error(natsConnection *c, natsSubscription *s, natsStatus status, void *closure)
{
    (void)c;
    (void)s;
    (void)status;
    (void)closure;
}

static natsStatus options_tls(struct nats_bus *n)
{
    const struct bus_nats_options *o = &n->options;
    natsOptions *c = n->connection_options;
    if (!o->ca)
        return NATS_OK;
    natsStatus s = natsOptions_SetSecure(c, true);
    if (s == NATS_OK)
        s = natsOptions_LoadCATrustedCertificates(c, o->ca);
    if (s == NATS_OK)
        s = natsOptions_LoadCertificatesChain(c, o->certificate, o->key);
    if (s == NATS_OK && o->host)
        s = natsOptions_SetExpectedHostname(c, o->host);
    return s;
}

static natsStatus options_make(struct nats_bus *n)
{
    char text[NATS_TEXT];
    const char *servers[BUS_SERVERS_MAX];
    memcpy(servers, n->options.servers, sizeof servers);
    natsStatus s = natsOptions_Create(&n->connection_options);
    natsOptions *c = n->connection_options;
    if (s == NATS_OK)
        s = natsOptions_SetServers(c, servers, (int)n->options.server_count);
    if (s == NATS_OK)
        s = options_tls(n);
    snprintf(text, sizeof text, "kizashi %s", n->site[0] ? n->site : "hub");
    if (s == NATS_OK)
        s = natsOptions_SetName(c, text);
    /* Answers to a site come under its own name: that is all it may listen to. */
    snprintf(text, sizeof text, "_INBOX_%s", n->site);
    if (s == NATS_OK && n->site[0])
        s = natsOptions_SetCustomInboxPrefix(c, text);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(c, CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxReconnect(c, -1);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectWait(c, RECONNECT_MS);
    /* Sites come back at times of their own, by the library's default; there is one hub, and it
     * should be there before they are. */
    if (s == NATS_OK && !n->site[0])
        s = natsOptions_SetReconnectJitter(c, 0, 0);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(c, PING_MS);
    /* What cannot go out now is sent again from the spool: nothing is gathered meanwhile (0
     * would be the library's default). */
    if (s == NATS_OK)
        s = natsOptions_SetReconnectBufSize(c, 1);
    if (s == NATS_OK)
        s = natsOptions_SetFailRequestsOnDisconnect(c, true);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(c, on_error, n);
    if (s == NATS_OK)
        s = natsOptions_SetDisconnectedCB(c, on_disconnected, n);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(c, on_closed, n);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectedCB(c, on_connected, n);
    if (s == NATS_OK)
        s = natsOptions_SetRetryOnFailedConnect(c, true, on_connected, n);
    if (s == NATS_OK)
        s = natsOptions_UseGlobalMessageDelivery(c, true);
    return s;
}

static bool ops_is_connected(void *context)
{
    struct nats_bus *n = context;
    pthread_mutex_lock(&n->lock);
    bool connected = n->connected;
    pthread_mutex_unlock(&n->lock);
    return connected;
}

/* Everything that hangs on the connection; what acknowledges goes before the subscriptions, for
 * it calls on the same thread and does not say when it is done. */
static void connection_drop(struct nats_bus *n)
{
    nats_hub_stop(n);
    jsCtx_Destroy(n->js);
    n->js = NULL;
    for (size_t i = 0; i < sizeof n->subscriptions / sizeof *n->subscriptions; i++) {
        natsSubscription_Destroy(n->subscriptions[i]);
        n->subscriptions[i] = NULL;
    }
    pthread_mutex_lock(&n->lock);
    natsConnection *c = n->connection;
    n->connection = NULL;
    n->connected = false;
    pthread_mutex_unlock(&n->lock);
    natsConnection_Close(c);
    natsConnection_Destroy(c);
}

/* Wait until nobody calls any more. */
static bool last_call(struct nats_bus *n)
{
    int64_t until = steady_now() + LAST_CALL_MS * INT64_C(1000);
    pthread_mutex_lock(&n->lock);
    while (n->calling && steady_wait(&n->changed, &n->lock, until))
        ;
    bool over = !n->calling;
    pthread_mutex_unlock(&n->lock);
    return over;
}

static void ops_close(void *context)
{
    struct nats_bus *n = context;
    if (n->connection)
        (void)natsConnection_FlushTimeout(n->connection, 500);
    connection_drop(n);
    natsOptions_Destroy(n->connection_options);
    if (!last_call(n))
        return; /* memory that is left to the library is better than memory that it has not */
    while (n->first) {
        struct nats_event *e = n->first;
        n->first = e->next;
        event_free(e);
    }
    pthread_cond_destroy(&n->changed);
    pthread_mutex_destroy(&n->making);
    pthread_mutex_destroy(&n->lock);
    free(n->watched);
    free(n);
}

static natsStatus connection_make(struct nats_bus *n)
{
    natsConnection *c = NULL;
    call_begin(n);
    natsStatus s = natsConnection_Connect(&c, n->connection_options);
    bool open = s == NATS_OK;
    if (!c)
        on_complete(n); /* there is none that could be closed */
    pthread_mutex_lock(&n->lock);
    n->connection = c;
    pthread_mutex_unlock(&n->lock);
    if (s == NATS_NOT_YET_CONNECTED)
        s = NATS_OK;
    if (s == NATS_OK)
        s = n->site[0] ? nats_site_start(n) : nats_hub_start(n);
    if (s == NATS_OK && open)
        nats_push(n, BUS_CONNECTED, NULL, 0, NULL, false);
    return s;
}

/* Try again later. */
static void give_up(struct nats_bus *n)
{
    pthread_mutex_lock(&n->lock);
    n->closed = true;
    n->connected = false;
    pthread_mutex_unlock(&n->lock);
}

/* Where the library has given up, begin anew. */
static void connection_mend(struct nats_bus *n)
{
    pthread_mutex_lock(&n->lock);
    bool due = n->closed && steady_now() / 1000 - n->tried_ms >= AGAIN_MS;
    pthread_mutex_unlock(&n->lock);
    if (!due)
        return;
    n->tried_ms = steady_now() / 1000;
    pthread_mutex_lock(&n->making);
    connection_drop(n);
    pthread_mutex_lock(&n->lock);
    n->closed = false;
    pthread_mutex_unlock(&n->lock);
    if (connection_make(n) != NATS_OK)
        give_up(n);
    pthread_mutex_unlock(&n->making);
}

static void ops_next(void *context, int wait_ms, struct bus_event *ret_event)
{
    struct nats_bus *n = context;
    connection_mend(n);
    int64_t until = steady_now() + wait_ms * INT64_C(1000);
    pthread_mutex_lock(&n->lock);
    while (!n->first && steady_wait(&n->changed, &n->lock, until))
        ;
    struct nats_event *e = n->first;
    if (e) {
        n->first = e->next;
        if (!n->first)
            n->last = NULL;
        e->next = NULL;
        n->loose -= e->msg && !e->kept;
    }
    pthread_mutex_unlock(&n->lock);
    *ret_event = e ? e->event : (struct bus_event){.kind = BUS_NOTHING};
}

static const struct bus_ops nats_ops = {
    .next = ops_next,
    .release = ops_release,
    .publish = nats_site_publish,
    .beat = nats_site_beat,
    .watch = nats_hub_watch,
    .unwatch = nats_hub_unwatch,
    .say = nats_hub_say,
    .config_put = nats_hub_config_put,
    .is_connected = ops_is_connected,
    .close = ops_close,
};

static enum err connect_start(struct nats_bus *n, struct fault *f)
{
    natsStatus s = options_make(n);
    if (s != NATS_OK)
        return nats_fault(f, n->options.servers[0], s, 0);
    n->tried_ms = steady_now() / 1000;
    if (connection_make(n) != NATS_OK)
        give_up(n); /* a server that refuses us today may take us tomorrow */
    return OK;
}

enum err bus_nats_open(
    struct bus **ret_bus, const struct bus_nats_options *options, struct fault *f)
{
    enum err clear =
        options->ca ? OK : bus_clear_check(options->servers, options->server_count, f);
    if (clear)
        return clear;
    if (options->site && !bus_site_fits(options->site))
        return fault_set(f, ERR_BAD,
            "\"%.64s\" is no name for a site on the bus: 1 to %d of a-z, 0-9, - and _",
            options->site, BUS_SITE_MAX);
    struct nats_bus *n = calloc(1, sizeof *n);
    if (!n)
        return fault_set(f, ERR_NOMEM, "out of memory");
    n->options = *options;
    n->bus = (struct bus){&nats_ops, n};
    n->stream_room =
        options->stream_bytes ? (int64_t)options->stream_bytes : (int64_t)NATS_STREAM_ROOM;
    snprintf(n->site, sizeof n->site, "%s", options->site ? options->site : "");
    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_init(&n->making, NULL);
    steady_cond_init(&n->changed);
    enum err e = connect_start(n, f);
    if (e) {
        ops_close(n);
        return e;
    }
    *ret_bus = &n->bus;
    return OK;
}

static bool server_fits(const char *url)
{
    const char *host = strncmp(url, "nats://", 7) == 0  ? url + 7
                       : strncmp(url, "tls://", 6) == 0 ? url + 6
                                                        : NULL;
    const char *colon = host ? strrchr(host, ':') : NULL;
    if (!colon || colon == host || strpbrk(host, "/@ ,"))
        return false;
    size_t digits = strspn(colon + 1, "0123456789");
    unsigned long port = digits && digits <= 5 ? strtoul(colon + 1, NULL, 10) : 0;
    return !colon[1 + digits] && port >= 1 && port <= 65535;
}

enum err bus_servers_check(const char *const *servers, size_t count, struct fault *f)
{
    if (count > BUS_SERVERS_MAX)
        return fault_set(f, ERR_RANGE, "--bus: given more than %d times", BUS_SERVERS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!server_fits(servers[i]))
            return fault_set(f, ERR_BAD,
                "--bus: \"%.100s\" is not nats://HOST:PORT or tls://HOST:PORT", servers[i]);
    return OK;
}

/* "nats://[::1]:4222": does it stay on this machine? */
static bool is_loopback(const char *url)
{
    const char *from = strstr(url, "://");
    from = from ? from + 3 : url;
    const char *to = strrchr(from, ':');
    size_t len = to ? (size_t)(to - from) : strlen(from);
    if (len > 1 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    return ip_host_is_loopback(from, len);
}

enum err bus_clear_check(const char *const *servers, size_t count, struct fault *f)
{
    for (size_t i = 0; i < count; i++)
        if (!is_loopback(servers[i]))
            return fault_set(f, ERR_BAD,
                "--bus: \"%.100s\" is not loopback, and without a certificate nothing is "
                "encrypted: a site gets one with kizashi site enrol, a hub uses its own for "
                "tls://",
                servers[i]);
    return OK;
}
