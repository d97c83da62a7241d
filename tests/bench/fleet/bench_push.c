/* From the change of a document to its effect, over many sites on one hub and a real NATS
 * server on loopback: bench_push [SITES]. Each site is an applier of its own (filter and policy
 * are compiled for real) behind one of eight connections; the hub is a fleet over a catalogue
 * that syncs every commit. Two rounds: one change at a time, and all sites at once. */
#include "bus/nats.h"
#include "fleet/apply.h"
#include "fleet/config.h"

#include <nats/nats.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SITES_MAX = 2000,
    CONNECTIONS = 8
};

struct simulated {
    char name[32];
    struct applier *applier;
    natsConnection *connection;
    natsSubscription *subscription;
    _Atomic int64_t applied,
        told;        /* when the newest version was in effect; when the hub knew */
    int64_t changed; /* when the change began */
};

struct world {
    char folder[64], url[64];
    pid_t server;
    struct catalog *catalog;
    struct fleet *fleet;
    struct bus *bus;
    natsConnection *connections[CONNECTIONS];
    struct simulated *sites;
    size_t count;
    atomic_bool stop;
    pthread_t thread;
};

static int64_t steady(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_SECOND + t.tv_nsec / 1000;
}

static void must(enum err e, const struct fault *f)
{
    if (!e)
        return;
    fprintf(stderr, "bench_push: %s: %s\n", err_text(e), f ? f->text : "");
    exit(1);
}

/* ---- sites ---- */

static void on_document(natsConnection *c, natsSubscription *s, natsMsg *msg, void *closure)
{
    struct simulated *site = closure;
    struct fault f;
    struct heartbeat h;
    struct buf text;
    char subject[64];
    (void)c;
    (void)s;
    struct bytes in = bytes_over(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
    must(applier_offer(site->applier, in, steady(), &f), &f);
    if (applier_turn(site->applier, steady()))
        atomic_store(&site->applied, steady());
    natsMsg_Destroy(msg);
    heartbeat_init(&h);
    snprintf(h.site, sizeof h.site, "%s", site->name);
    struct clock wall = clock_system();
    h.sent = clock_now(&wall);
    applier_report(site->applier, &h);
    buf_init(&text, HEARTBEAT_MAX);
    heartbeat_write(&text, &h);
    snprintf(subject, sizeof subject, "kz.%s.heartbeat", site->name);
    natsConnection_Publish(site->connection, subject, text.data, (int)text.len);
    natsConnection_Flush(site->connection);
    buf_done(&text);
}

static void sites_start(struct world *w)
{
    struct fault f;
    char subject[64];
    for (size_t i = 0; i < CONNECTIONS; i++)
        must(natsConnection_ConnectTo(&w->connections[i], w->url) == NATS_OK ? OK : ERR_IO,
            NULL);
    for (size_t i = 0; i < w->count; i++) {
        struct simulated *s = &w->sites[i];
        snprintf(s->name, sizeof s->name, "s-%04zu", i);
        struct applier_options o = {.site = s->name};
        must(applier_new(&s->applier, &o, &f), &f);
        s->connection = w->connections[i % CONNECTIONS];
        snprintf(subject, sizeof subject, "$KV.kz_config.%s", s->name);
        must(natsConnection_Subscribe(
                 &s->subscription, s->connection, subject, on_document, s) == NATS_OK
                 ? OK
                 : ERR_IO,
            NULL);
        must(fleet_expect(w->fleet, s->name, US_SECOND, &f), &f);
    }
    for (size_t i = 0; i < CONNECTIONS; i++)
        natsConnection_Flush(w->connections[i]);
}

/* ---- the hub ---- */

static enum err on_push(void *context, const char *site, struct bytes parcel, struct fault *f)
{
    return bus_config_put(context, site, parcel, f);
}

static void *hub_thread(void *context)
{
    struct world *w = context;
    while (!atomic_load(&w->stop)) {
        struct bus_event e;
        struct heartbeat h;
        struct fault f;
        bus_next(w->bus, 50, &e);
        if (e.kind == BUS_BEAT && heartbeat_read(e.data, &h, &f) == OK) {
            must(fleet_heartbeat(w->fleet, &h, steady(), &f), &f);
            size_t i = strtoul(h.site + 2, NULL, 10);
            if (h.config_version > 0 && i < w->count)
                atomic_store(&w->sites[i].told, steady());
        }
        if (e.kind != BUS_NOTHING)
            bus_release(w->bus, &e, true);
    }
    return NULL;
}

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        exit(1);
    close(fd);
    return ntohs(a.sin_port);
}

static void server_start(struct world *w)
{
    char port[16], store[80];
    int number = free_port();
    snprintf(port, sizeof port, "%d", number);
    snprintf(store, sizeof store, "%s/nats", w->folder);
    snprintf(w->url, sizeof w->url, "nats://127.0.0.1:%d", number);
    w->server = fork();
    if (w->server == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", store,
            (char *)NULL);
        _exit(127);
    }
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static void world_open(struct world *w)
{
    char path[96];
    struct fault f;
    snprintf(w->folder, sizeof w->folder, "/tmp/kizashi-bench-XXXXXX");
    if (!mkdtemp(w->folder))
        exit(1);
    server_start(w);
    snprintf(path, sizeof path, "%s/catalog.sqlite", w->folder);
    must(catalog_open(&w->catalog, path, &f), &f);
    must(fleet_open(&w->fleet, w->catalog, NULL, US_SECOND, &f), &f);
    struct bus_nats_options o = {.servers = {w->url}, .server_count = 1};
    must(bus_nats_open(&w->bus, &o, &f), &f);
    for (int i = 0; i < 100 && !bus_is_connected(w->bus); i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    nats_SetMessageDeliveryPoolSize(2);
    fleet_push_by(w->fleet, &(struct fleet_push){w->bus, on_push});
    if (pthread_create(&w->thread, NULL, hub_thread, w) != 0)
        exit(1);
    sites_start(w);
}

static void world_close(struct world *w)
{
    char command[128];
    atomic_store(&w->stop, true);
    pthread_join(w->thread, NULL);
    bus_close(w->bus);
    fleet_close(w->fleet, 0);
    catalog_close(w->catalog);
    kill(w->server, SIGKILL);
    waitpid(w->server, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", w->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s is left\n", w->folder);
}

/* ---- rounds ---- */

static void change(struct world *w, struct simulated *s, int64_t payload)
{
    struct site_document d;
    struct fleet_changed changed;
    struct fault f;
    document_default(&d);
    d.payload = payload;
    snprintf(d.filter, sizeof d.filter, "dst net 198.51.100.0/24 and not port 22");
    atomic_store(&s->applied, 0);
    atomic_store(&s->told, 0);
    s->changed = steady();
    must(fleet_configure(w->fleet, &(struct fleet_change_wanted){s->name, &d, 0, "bench", ""},
             s->changed, &changed, &f),
        &f);
    if (!changed.pushed)
        must(ERR_IO, &changed.fault);
}

static void settle(const struct simulated *s)
{
    for (int i = 0; i < 100000 && !atomic_load(&s->told); i++)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void tell(const struct world *w, const char *round, bool told)
{
    int64_t times[SITES_MAX];
    for (size_t i = 0; i < w->count; i++) {
        const struct simulated *s = &w->sites[i];
        times[i] = (told ? atomic_load(&s->told) : atomic_load(&s->applied)) - s->changed;
    }
    qsort(times, w->count, sizeof *times, compare);
    printf("%s, %s: median %.1f ms, p99 %.1f ms, most %.1f ms over %zu sites\n", round,
        told ? "change to the hub's knowing" : "change to effect",
        (double)times[w->count / 2] / 1000.0, (double)times[w->count * 99 / 100] / 1000.0,
        (double)times[w->count - 1] / 1000.0, w->count);
}

int main(int argc, char **argv)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return 1;
    w->count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    w->count = w->count && w->count <= SITES_MAX ? w->count : 1000;
    w->sites = calloc(w->count, sizeof *w->sites);
    world_open(w);
    for (size_t i = 0; i < w->count; i++) {
        change(w, &w->sites[i], 10);
        settle(&w->sites[i]);
    }
    tell(w, "one at a time", false);
    tell(w, "one at a time", true);
    int64_t start = steady();
    for (size_t i = 0; i < w->count; i++)
        change(w, &w->sites[i], 20);
    for (size_t i = 0; i < w->count; i++)
        settle(&w->sites[i]);
    tell(w, "all at once", false);
    tell(w, "all at once", true);
    printf("all at once: %.1f s for all\n", (double)(steady() - start) / 1e6);
    world_close(w);
    return 0;
}
