#include "api/api_int.h"

#include "api/connections_int.h"
#include "api/events_int.h"
#include "api/handler_int.h"
#include "api/kept_int.h"
#include "api/password_int.h"
#include "api/publisher_int.h"
#include "api/server_int.h"
#include "api/shared_int.h"
#include "api/ticker_int.h"
#include "api/warmer_int.h"
#include "api/work_int.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    THROTTLE_KEYS = 16384,
    PEM_MAX = 1 << 20,
    RATE = 50,
};

static enum err take_names(struct api *a, const struct api_options *o, struct fault *f)
{
    snprintf(a->version, sizeof a->version, "%s", o->version ? o->version : "unknown");
    for (size_t i = 0; i < o->host_count; i++) {
        a->hosts[i] = strdup(o->hosts[i]);
        if (!a->hosts[i])
            return fault_set(f, ERR_NOMEM, "out of memory");
    }
    if (!o->proxy)
        return OK;
    a->has_proxy = true;
    if (prefix_parse(o->proxy, false, &a->proxy) != OK)
        return fault_set(f, ERR_BAD,
            "%s: the proxy must be an address or a prefix, such as 127.0.0.1", o->proxy);
    return OK;
}

static void set_rules(struct api *a)
{
    unsigned rate = a->options.rate ? a->options.rate : RATE;
    a->rule_requests = (struct throttle_rule){US_SECOND / rate, (int64_t)rate * 5};
    a->rule_login_address = (struct throttle_rule){6 * US_SECOND, 10};
    a->rule_login_account = (struct throttle_rule){90 * US_SECOND, 10};
}

static enum err make_decoy(struct api *a, struct fault *f)
{
    char password[API_PASSWORD_RANDOM];
    a->decoy = calloc(1, CATALOG_PASSWORD);
    api_password_random(password);
    if (!a->decoy || password_hash(password, a->hash_passes, a->hash_memory, a->decoy) != OK)
        return fault_set(f, ERR_NOMEM, "no memory to hash a password (64 MiB are needed)");
    return OK;
}

enum err api_bare_new(struct api **ret_api, const struct api_options *options,
    const struct api_parts *parts, struct fault *f)
{
    if (options->host_count > API_HOSTS)
        return fault_set(
            f, ERR_RANGE, "%zu host names; at most %d", options->host_count, API_HOSTS);
    if (options->rate > 1000000)
        return fault_set(f, ERR_RANGE, "a rate of %u; at most 1000000", options->rate);
    struct api *a = sodium_init() < 0 ? NULL : calloc(1, sizeof *a);
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    a->options = *options;
    a->parts = *parts;
    a->publication = options->publication;
    a->clock = options->clock.now_us ? options->clock : clock_system();
    a->started = clock_now(&a->clock);
    a->hash_passes = options->password_passes ? options->password_passes : PASSWORD_PASSES;
    a->hash_memory = options->password_memory ? options->password_memory : PASSWORD_MEMORY;
    pthread_mutex_init(&a->held.lock, NULL);
    pthread_mutex_init(&a->hashing, NULL);
    set_rules(a);
    enum err e = take_names(a, options, f);
    if (!e)
        e = make_decoy(a, f);
    if (!e && (shared_new(&a->shared) != OK || kept_new(&a->kept) != OK))
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (!e && throttle_new(&a->throttle, THROTTLE_KEYS) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        api_bare_free(a);
    else
        *ret_api = a;
    return e;
}

void api_bare_free(struct api *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < API_HOSTS; i++)
        free(a->hosts[i]);
    if (a->key)
        sodium_memzero(a->key, strlen(a->key));
    free(a->key);
    free(a->certificate);
    free(a->decoy);
    throttle_free(a->throttle);
    shared_free(a->shared);
    kept_free(a->kept);
    pthread_mutex_destroy(&a->hashing);
    pthread_mutex_destroy(&a->held.lock);
    free(a);
}

static enum err read_pem(const char *path, char **ret_text, struct fault *f)
{
    struct buf text;
    buf_init(&text, PEM_MAX);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    for (;;) {
        uint8_t *to = buf_reserve(&text, 4096);
        ssize_t got = to ? read(file, to, 4096) : -1;
        if (got <= 0)
            break;
        text.len += (size_t)got;
    }
    close(file);
    buf_u8(&text, 0);
    if (text.err || text.len < 2 || !strstr((const char *)text.data, "-----BEGIN ")) {
        buf_done(&text);
        return fault_set(f, ERR_BAD, "%s: not a PEM file", path);
    }
    *ret_text = (char *)text.data;
    return OK;
}

static enum err load_tls(struct api *a, struct fault *f)
{
    const struct api_options *o = &a->options;
    if (!o->tls_cert && !o->tls_key)
        return OK;
    if (!o->tls_cert || !o->tls_key)
        return fault_set(f, ERR_BAD, "TLS needs both a certificate and its key");
    a->tls = true;
    enum err e = read_pem(o->tls_cert, &a->certificate, f);
    return e ? e : read_pem(o->tls_key, &a->key, f);
}

static enum err make_threads(struct api *a, struct fault *f)
{
    enum err e = connections_new(&a->connections);
    if (!e)
        e = events_new(&a->events, a->connections);
    if (!e)
        e = workers_new(
            &a->workers, a->options.threads ? a->options.threads : 4, server_answer);
    return e ? fault_set(f, e, "no memory or no threads for the HTTP server") : OK;
}

static enum err start(struct api *a, struct fault *f)
{
    int socket;
    char address[96];
    const char *listen = a->options.listen ? a->options.listen : "127.0.0.1:8480";
    enum err e = load_tls(a, f);
    if (!e)
        e = server_listen(listen, &socket, address, &a->loopback, f);
    if (e)
        return e;
    snprintf(a->address, sizeof a->address, "http%s://%s", a->tls ? "s" : "", address);
    e = make_threads(a, f);
    if (!e)
        e = server_start(a, socket, f);
    if (e) {
        close(socket);
        return e;
    }
    if (ticker_start(&a->ticker, a) != OK || warmer_start(&a->warmer, a) != OK ||
        publisher_start(&a->publisher, a) != OK)
        return fault_set(f, ERR_NOMEM, "no thread for the clock");
    return OK;
}

static bool is_host_name(const char *name)
{
    return *name && strlen(name) < 256 &&
           name[strspn(name,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] == 0;
}

enum err api_options_check(const struct api_options *options, struct fault *f)
{
    struct api a = {.options = *options};
    struct prefix proxy;
    for (size_t i = 0; i < options->host_count; i++)
        if (!is_host_name(options->hosts[i]))
            return fault_set(f, ERR_BAD,
                "--host: \"%.80s\" is not a name such as kizashi.example.org",
                options->hosts[i]);
    if (options->proxy && prefix_parse(options->proxy, false, &proxy) != OK)
        return fault_set(f, ERR_BAD,
            "--proxy: \"%.80s\" is not an address or a prefix, such as 127.0.0.1",
            options->proxy);
    enum err e = load_tls(&a, f);
    if (a.key)
        sodium_memzero(a.key, strlen(a.key));
    free(a.key);
    free(a.certificate);
    return e;
}

enum err api_start(struct api **ret_api, const struct api_options *options,
    const struct api_parts *parts, struct fault *f)
{
    struct api *a;
    enum err e = api_bare_new(&a, options, parts, f);
    if (e)
        return e;
    e = start(a, f);
    if (e)
        api_stop(a);
    else
        *ret_api = a;
    return e;
}

void api_stop(struct api *a)
{
    if (!a)
        return;
    atomic_store(&a->stopping, true);
    ticker_stop(a->ticker);
    publisher_stop(a->publisher);
    warmer_stop(a->warmer);
    if (a->daemon)
        server_stop(a);
    else if (a->workers)
        workers_stop(a->workers);
    workers_free(a->workers);
    events_free(a->events);
    connections_free(a->connections);
    api_bare_free(a);
}

const char *api_address(const struct api *a)
{
    return a->address;
}

bool api_in_clear(const struct api *a)
{
    return !a->tls && !a->loopback && !a->has_proxy;
}

enum err api_publish(struct api *a, const char *event, const json_t *data)
{
    shared_forget(a->shared); /* who hears of it asks again, and must not get what was */
    return a->events ? events_publish(a->events, event, data) : OK;
}

enum err handle_events(struct request *r)
{
    json_t *hello =
        json_pack("{s:s, s:o}", "version", r->api->version, "now", json_time(r->now));
    if (!hello)
        return ERR_NOMEM;
    enum err e = events_join(r->api->events, r->connection, hello, &r->reply.stream);
    json_decref(hello);
    r->reply.type = "text/event-stream; charset=utf-8";
    if (e != ERR_FULL)
        return e;
    r->reply.retry_after = 30;
    reply_problem(r, 503, NULL, NULL, "%d readers of events are the most", API_EVENT_CLIENTS);
    return OK;
}
