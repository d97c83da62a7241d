#include "cmd/commands.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/jail.h"
#include "base/log.h"
#include "cmd/config_file.h"
#include "cmd/folder.h"
#include "cmd/hub_bus.h"
#include "cmd/hub_client.h"
#include "cmd/hub_fleet.h"
#include "cmd/hub_live.h"
#include "cmd/hub_sites.h"
#include "cmd/imports.h"
#include "cmd/keep.h"
#include "cmd/resume.h"
#include "cmd/setup.h"
#include "cmd/site_office.h"
#include "cmd/stop.h"
#include "cmd/version.h"
#include "ingest/pipeline.h"

#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct conf_item hub_items[] = {
    {.name = "config",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text =
            "YAML file with the options below; what the command line gives goes before it."},
    {.name = "data",
        .type = CONF_TEXT,
        .arg = "DIR",
        .text = "Data folder, made if it is not there. Default: ./kizashi-data; with --demo a "
                "temporary one that goes when the hub ends."},
    {.name = "listen",
        .type = CONF_TEXT,
        .arg = "ADDR:PORT",
        .initial = "127.0.0.1:8480",
        .text = "Where the portal and the API answer; port 0 takes any free one."},
    {.name = "tls-cert", .type = CONF_TEXT, .arg = "FILE", .text = "Certificate chain, PEM."},
    {.name = "tls-key", .type = CONF_TEXT, .arg = "FILE", .text = "Its key, PEM."},
    {.name = "host",
        .type = CONF_LIST,
        .arg = "NAME",
        .text = "Name under which browsers may reach the portal."},
    {.name = "proxy",
        .type = CONF_TEXT,
        .arg = "PREFIX",
        .text = "Addresses of a proxy in front whose X-Forwarded headers are believed."},
    {.name = "admin-password-file",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text =
            "Password of the first user, admin, when the data folder is new. Without it one "
            "is made up and written to DIR/admin-password."},
    {.name = "site",
        .type = CONF_LIST,
        .arg = "NAME=FILE",
        .text = "A capture of this site to take in; a folder stands for the captures in it."},
    {.name = "interface",
        .type = CONF_LIST,
        .arg = "NAME=IF",
        .text = "Capture live from this interface as this site."},
    {.name = "filter",
        .type = CONF_TEXT,
        .arg = "EXPRESSION",
        .text = "Filter for live capture, pcap-filter(7), applied in the kernel."},
    {.name = "sites",
        .type = CONF_TEXT,
        .arg = "ADDR:PORT",
        .text =
            "Receive from sites elsewhere: start a message server (nats-server) that listens "
            "here, with certificates of the hub's own. 0.0.0.0:4222 is the usual place."},
    {.name = "sites-host",
        .type = CONF_LIST,
        .arg = "NAME",
        .text = "Name or address under which sites reach --sites; without it that of --sites."},
    {.name = "bus",
        .type = CONF_LIST,
        .arg = "URL",
        .text = "Receive over a NATS server that is there already instead, tls://HOST:PORT; "
                "several times for the servers of one cluster. nats:// is in clear: for "
                "loopback."},
    {.name = "bus-replicas",
        .type = CONF_COUNT,
        .arg = "COUNT",
        .initial = "1",
        .min = 1,
        .max = 5,
        .text = "On how many of the cluster's servers each message is."},
    {.name = "demo",
        .type = CONF_FLAG,
        .text = "Show simulated telescopes: days of history, then live traffic."},
    {.name = "demo-sites",
        .type = CONF_COUNT,
        .arg = "COUNT",
        .min = 1,
        .max = 32,
        .initial = "6",
        .text = "How many telescopes are simulated."},
    {.name = "demo-history",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .min = 3600,
        .max = 2592000,
        .initial = "4d",
        .text = "How much history."},
    {.name = "demo-scale",
        .type = CONF_NUMBER,
        .arg = "FACTOR",
        .min = 0.001,
        .max = 100,
        .initial = "1",
        .text = "Volume of the simulated traffic."},
    {.name = "demo-seed",
        .type = CONF_COUNT,
        .arg = "NUMBER",
        .initial = "1",
        .text = "Another number, another history."},
    SETUP_ITEMS,
    {.name = "library",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "libchdb.so, where it is in none of the places that kizashi doctor lists."},
    {.name = "keep-packets",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = "30d",
        .min = 86400,
        .max = 3153600000.0, /* 100 years */
        .text = "How long packets are kept."},
    {.name = "keep-contacts",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = "90d",
        .min = 86400,
        .max = 3153600000.0, /* 100 years */
        .text = "How long contacts are kept."},
    {.name = "keep-rollups",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = "1826d",
        .min = 86400,
        .max = 3153600000.0, /* 100 years */
        .text = "How long hourly figures are kept."},
    {.name = "user",
        .type = CONF_TEXT,
        .arg = "NAME",
        .text =
            "Whom root turns into before the first packet is read; without it the user "
            "kizashi if there is one; else it stays root without root's capabilities. The data "
            "folder becomes that user's."},
    {.name = "verbose", .type = CONF_FLAG, .text = "Log more."},
    {.name = NULL},
};

enum {
    CHANGED_MAX = 4096
};

struct hub {
    const struct conf *conf;
    char data[4096];
    bool temporary;
    struct setup setup;
    struct keep *keep;
    struct hub_sites sites;
    struct hub_live *live;
    struct hub_fleet fleet;
    struct analysis *analysis;
    struct pipeline *pipeline;
    struct hub_bus *bus;
    struct broker *broker;
    struct site_office *office;
    struct api *api;
    pthread_t ingest;
    bool ingesting;
    char password[API_PASSWORD_MAX + 1]; /* of the first user, if one was given */
    int64_t expired;           /* last time that retention was applied, capture time */
    char (*changed)[ALERT_ID]; /* alerts of the window, to be published once they are kept */
    size_t changed_count;
};

/* ---- events of the pipeline, on the ingest thread ---- */

static enum err on_alert(void *context, const struct alert *a)
{
    struct hub *h = context;
    if (h->changed_count < CHANGED_MAX)
        memcpy(h->changed[h->changed_count++], a->id, ALERT_ID);
    return keep_alert(h->keep, a);
}

static enum err on_forecast(void *context, const struct forecast *f)
{
    struct hub *h = context;
    return keep_forecast(h->keep, f);
}

static void expire(struct hub *h, int64_t now)
{
    struct fault f;
    if (now - h->expired < US_DAY)
        return;
    h->expired = now;
    if (store_expire(keep_store(h->keep), now, &f) != OK)
        log_event(LOG_WARN, "store.expire", "error=\"%s\"", f.text);
}

static enum err on_window(void *context, const struct window *w)
{
    struct hub *h = context;
    struct clock wall = clock_system();
    struct fault f = {0};
    int64_t end = window_end(w);
    bool live = clock_now(&wall) - end < 2 * w->length;
    enum err e = keep_window(h->keep, end, live ? h->analysis : NULL, &f);
    if (e == ERR_FULL) {
        hub_live_health(h->live, "catalogue", f.text);
        return OK; /* the alerts stay noted and go in with a later window */
    }
    if (e) {
        log_event(LOG_ERROR, "catalogue.write", "error=\"%s\"", f.text);
        return e;
    }
    hub_live_health(h->live, "catalogue", NULL);
    hub_live_window(h->live);
    for (size_t i = 0; i < h->changed_count; i++)
        if (api_publish_alert(h->api, h->changed[i]) != OK)
            log_event(LOG_DEBUG, "alert.publish", "id=%s", h->changed[i]);
    h->changed_count = 0;
    expire(h, end);
    return OK;
}

static void on_skipped(void *context, const struct window *w, const char *engine)
{
    struct hub *h = context;
    char when[TIME_TEXT];
    hub_live_skipped(h->live, engine);
    log_event(LOG_WARN, "engines.behind", "window=%s engine=%s action=skipped",
        time_format(w->start, when), engine ? engine : "all");
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    struct hub *h = context;
    hub_live_trouble(h->live, site, f->text);
    log_event(LOG_ERROR, "capture.broken", "site=%s error=\"%s\"", site, f->text);
}

static void on_store_trouble(void *context, const struct fault *f, bool waiting)
{
    struct hub *h = context;
    if (h->live)
        hub_live_health(h->live, "store", waiting ? f->text : NULL);
    if (waiting)
        log_event(LOG_ERROR, "store.full", "error=\"%s\" action=waiting", f->text);
    else
        log_event(LOG_NOTE, "store.mended", "action=going-on");
}

static void *ingest_thread(void *context)
{
    struct hub *h = context;
    struct clock wall = clock_system();
    struct fault f = {0};
    enum err e = pipeline_run(h->pipeline, &f);
    /* Sites elsewhere come and go: that none has anything just now is no end. */
    while (!e && h->bus && !atomic_load(stop_flag())) {
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
        e = pipeline_run(h->pipeline, &f);
    }
    struct fault other = {0};
    enum err kept = writer_flush(keep_writer(h->keep), &other);
    if (!e && !kept)
        kept = keep_window(h->keep, pipeline_time(h->pipeline), h->analysis, &other);
    if (!e && !kept)
        kept = imports_note(&h->sites.list, keep_catalog(h->keep), clock_now(&wall), &other);
    if (e && e != ERR_STOPPED) {
        hub_live_health(h->live, "ingest", f.text);
        log_event(LOG_ERROR, "ingest.ended", "error=\"%s\"", f.text);
    } else if (kept && kept != ERR_FULL) {
        hub_live_health(h->live, "ingest", other.text);
        log_event(LOG_ERROR, "ingest.ended", "error=\"%s\"", other.text);
    } else if (!e)
        log_event(LOG_NOTE, "ingest.done", "captures=read");
    return NULL;
}

/* ---- start ---- */

static enum err data_choose(struct hub *h, struct fault *f)
{
    const char *data = conf_text(h->conf, "data");
    if (data || !conf_flag(h->conf, "demo")) {
        snprintf(h->data, sizeof h->data, "%s", data ? data : "kizashi-data");
        return OK;
    }
    h->temporary = true;
    return folder_scratch("kizashi-demo", h->data, sizeof h->data, f);
}

/* From here on nothing needs root: interfaces are open. Without a user of its own the program
 * stays root, so that it can read root's captures, but without root's capabilities. */
static enum err privileges_drop(struct hub *h, struct fault *f)
{
    const char *user = conf_text(h->conf, "user");
    if (!user)
        user = getpwnam("kizashi") ? "kizashi" : "root";
    struct jail jail = {.level = JAIL_SERVER, .user = user};
    enum err e = OK;
    if (geteuid() == 0 && strcmp(user, "root") == 0)
        log_event(LOG_INFO, "hub.root",
            "text=\"root without capabilities; better is a user kizashi, "
            "or --user NAME\"");
    else if (geteuid() == 0)
        e = folder_give(h->data, user, f);
    return e ? e : jail_enter(&jail, f);
}

static enum err password_write(const char *path, const char *password, struct fault *f)
{
    mode_t old = umask(077);
    FILE *file = fopen(path, "w");
    umask(old);
    if (!file || fprintf(file, "%s\n", password) < 0 || fclose(file) != 0)
        return fault_set(f, ERR_IO, "%s: cannot be written", path);
    return OK;
}

/* The file is root's perhaps: it is read while root is still there. */
static enum err password_read(struct hub *h, struct fault *f)
{
    const char *path = conf_text(h->conf, "admin-password-file");
    return path ? api_password_file(path, h->password, f) : OK;
}

/* The first user of a new data folder. */
static enum err admin_make(struct hub *h, struct fault *f)
{
    uint64_t users = 0;
    char path[4200];
    struct clock wall = clock_system();
    enum err e = catalog_user_count(keep_catalog(h->keep), &users);
    if (e || users)
        return e ? fault_set(f, e, "the catalogue cannot be read") : OK;
    bool given = h->password[0] != 0;
    snprintf(path, sizeof path, "%s/admin-password", h->data);
    if (!given) {
        api_password_random(h->password);
        e = password_write(path, h->password, f);
    }
    if (!e)
        e = api_user_add(
            keep_catalog(h->keep), "admin", h->password, ROLE_ADMIN, clock_now(&wall), f);
    if (!e && given)
        printf("First user: admin, with the password of --admin-password-file\n");
    else if (!e)
        printf("First user: admin, password: %s\n(also in %s; change it in the portal)\n",
            h->password, path);
    return e;
}

static void note_left_out(const char *site, const char *text)
{
    log_event(LOG_NOTE, "capture.known", "site=%s text=\"%s\"", site, text);
}

static json_t *show_sites(void *context)
{
    const struct hub *h = context;
    return hub_live_sites(h->live);
}

static json_t *show_datasets(void *context)
{
    const struct hub *h = context;
    return setup_datasets(&h->setup);
}

static json_t *show_health(void *context)
{
    const struct hub *h = context;
    return hub_live_reasons(h->live);
}

static void show_metrics(void *context, struct buf *out)
{
    const struct hub *h = context;
    hub_live_metrics(h->live, out);
}

static enum err api_options_of(
    const struct hub *h, struct api_options *ret_options, struct fault *f)
{
    struct api_options options = {
        .listen = conf_text(h->conf, "listen"),
        .tls_cert = conf_text(h->conf, "tls-cert"),
        .tls_key = conf_text(h->conf, "tls-key"),
        .proxy = conf_text(h->conf, "proxy"),
        .keep_packets = conf_us(h->conf, "keep-packets"),
        .keep_contacts = conf_us(h->conf, "keep-contacts"),
        .keep_rollups = conf_us(h->conf, "keep-rollups"),
        .version = KIZASHI_VERSION,
    };
    const char *const *hosts;
    options.host_count = conf_list(h->conf, "host", &hosts);
    if (options.host_count > API_HOSTS)
        return fault_set(f, ERR_RANGE, "--host: given more than %d times", API_HOSTS);
    for (size_t i = 0; i < options.host_count; i++)
        options.hosts[i] = hosts[i];
    *ret_options = options;
    return OK;
}

static enum err api_check(const struct hub *h, struct fault *f)
{
    struct api_options options;
    enum err e = api_options_of(h, &options, f);
    return e ? e : api_options_check(&options, f);
}

static enum err on_enrol(void *context, const char *token, const char *request, int64_t now,
    json_t **ret_papers, struct fault *f)
{
    struct hub *h = context;
    return site_office_enrol(h->office, token, request, now, ret_papers, f);
}

static enum err api_open(struct hub *h, struct fault *f)
{
    struct api_options options;
    enum err e = api_options_of(h, &options, f);
    if (e)
        return e;
    struct api_parts parts = {
        .store = api_store_over(keep_store(h->keep)),
        .catalog = keep_catalog(h->keep),
        .live = {h, show_sites, show_datasets, show_health, show_metrics},
        .fleet = h->fleet.fleet,
        .office = {h, h->office ? on_enrol : NULL},
    };
    e = api_start(&h->api, &options, &parts, f);
    if (!e)
        atomic_store(&h->fleet.api, h->api);
    return e;
}

struct token_name {
    const char *name;
    int64_t ids[64];
    size_t count;
};

static enum err token_named(void *context, const struct catalog_token *t)
{
    struct token_name *n = context;
    if (!t->revoked && strcmp(t->name, n->name) == 0 &&
        n->count < sizeof n->ids / sizeof *n->ids)
        n->ids[n->count++] = t->id;
    return OK;
}

/* Leave address and a fresh token for the other commands; tokens of earlier runs are withdrawn.
 */
static enum err address_leave(struct hub *h, struct fault *f)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    struct catalog *c = keep_catalog(h->keep);
    struct token_name old = {.name = "command-line"};
    enum err e = catalog_tokens(c, token_named, &old);
    for (size_t i = 0; i < old.count && !e; i++)
        e = catalog_token_revoke(c, old.ids[i], now);
    /* Who can read the file can write the catalogue beside it: an admin already. */
    struct catalog_token t = {.role = ROLE_ADMIN, .created = now};
    struct hub_address address;
    snprintf(t.name, sizeof t.name, "%s", old.name);
    snprintf(t.by, sizeof t.by, "system");
    snprintf(address.url, sizeof address.url, "%s", api_address(h->api));
    if (!e)
        e = api_token_add(c, &t, address.token, f);
    return e ? fault_set(f, e, "no token for the command line: %s", err_text(e))
             : hub_address_write(h->data, &address, f);
}

static enum err config_read(struct hub *h, struct conf *conf, struct fault *f)
{
    h->conf = conf;
    const char *path = conf_text(conf, "config");
    enum err e = path ? config_file_read(conf, path, f) : OK;
    if (!e && !conf_text(conf, "tls-cert") != !conf_text(conf, "tls-key"))
        e = fault_set(f, ERR_BAD, "--tls-cert and --tls-key are given together or not at all");
    return e;
}

static enum err keep_start(struct hub *h, struct fault *f)
{
    struct keep_options options = {
        .data = h->data,
        .store =
            {
                .library = conf_text(h->conf, "library"),
                .keep_packets = conf_us(h->conf, "keep-packets"),
                .keep_contacts = conf_us(h->conf, "keep-contacts"),
                .keep_rollups = conf_us(h->conf, "keep-rollups"),
                .durable = !h->temporary,
            },
        .events = {on_store_trouble, h},
        .stop = stop_flag(),
    };
    return keep_open(&h->keep, &options, f);
}

/* Does the hub receive from sites elsewhere? */
static bool wants_bus(const struct hub *h)
{
    const char *const *servers;
    return conf_text(h->conf, "sites") || conf_list(h->conf, "bus", &servers) > 0;
}

static enum err ingest_prepare(struct hub *h, struct fault *f)
{
    struct clock wall = clock_system();
    enum err e = hub_sites_open(&h->sites, &h->setup, h->keep, note_left_out, f);
    char why[480];
    if (!e)
        e = resume_analysis(
            &(struct resume){&h->setup, h->keep, h->sites.sites, h->sites.count}, &h->analysis,
            why, f);
    if (e)
        return e;
    if (why[0])
        log_event(LOG_NOTE, "engines.fresh", "reason=\"%s\"", why);
    e = hub_live_new(&h->live, h->sites.about, h->sites.count, clock_now(&wall));
    if (e)
        return fault_set(f, e, "%s", err_text(e));
    bool bus = wants_bus(h);
    if (!h->sites.count && !bus)
        return OK;
    struct pipeline_options options = {
        .room = bus ? HUB_BUS_SITES : 0,
        .window = h->setup.window,
        .analysis = h->analysis,
        .stop = stop_flag(),
        .events = {.context = h,
            .alert = on_alert,
            .forecast = on_forecast,
            .window = on_window,
            .skipped = on_skipped,
            .trouble = on_trouble},
    };
    return pipeline_new(&h->pipeline, h->sites.sites, h->sites.count, &options, f);
}

/* "0.0.0.0:4222" -> its port; NULL: there is none. */
static const char *port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? colon + 1
                                                                                     : NULL;
}

static enum err sites_check(struct hub *h, struct fault *f)
{
    const char *const *servers;
    const char *listen = conf_text(h->conf, "sites");
    size_t count = conf_list(h->conf, "bus", &servers);
    if (listen && count)
        return fault_set(f, ERR_BAD, "--sites and --bus exclude each other");
    if (listen && !port_of(listen))
        return fault_set(f, ERR_BAD, "--sites: \"%.100s\" is not ADDR:PORT", listen);
    return count > BUS_SERVERS_MAX
               ? fault_set(f, ERR_RANGE, "--bus: given more than %d times", BUS_SERVERS_MAX)
               : OK;
}

/* The process that keeps a message server running: begun while the hub still may start one. */
static enum err broker_begin(struct hub *h, struct fault *f)
{
    char config[4200], log[4200];
    const char *user = conf_text(h->conf, "user");
    if (!conf_text(h->conf, "sites"))
        return OK;
    if (!user && getpwnam("kizashi"))
        user = "kizashi";
    snprintf(config, sizeof config, "%.4000s/bus/nats.conf", h->data);
    snprintf(log, sizeof log, "%.4000s/bus/nats.log", h->data);
    struct broker_run run = {
        .config = config, .log = log, .user = user && strcmp(user, "root") != 0 ? user : NULL};
    return broker_start(&h->broker, &run, f);
}

/* What sites are told: where the message server is. */
static enum err servers_tell(struct hub *h, struct fault *f)
{
    char texts[BUS_SERVERS_MAX][256];
    const char *list[BUS_SERVERS_MAX];
    const char *const *given;
    const char *listen = conf_text(h->conf, "sites");
    size_t count = conf_list(h->conf, listen ? "sites-host" : "bus", &given);
    if (!listen)
        return site_office_servers(h->office, given, count, f);
    size_t most = count < BUS_SERVERS_MAX ? count : BUS_SERVERS_MAX;
    for (size_t i = 0; i < most; i++)
        snprintf(texts[i], sizeof texts[i], "tls://%.200s:%s", given[i], port_of(listen));
    if (!most)
        snprintf(texts[most++], sizeof texts[0], "tls://%.240s", listen);
    for (size_t i = 0; i < most; i++)
        list[i] = texts[i];
    enum err e = site_office_servers(h->office, list, most, f);
    return e ? e : site_office_own(h->office, given, count, f);
}

static enum err office_open(struct hub *h, struct fault *f)
{
    enum err e =
        wants_bus(h) ? site_office_open(&h->office, h->data, keep_catalog(h->keep), f) : OK;
    return !e && h->office ? servers_tell(h, f) : e;
}

/* Receive from sites elsewhere. */
static enum err bus_start(struct hub *h, struct fault *f)
{
    char url[64], ca[OFFICE_PATH + 16], certificate[OFFICE_PATH + 16], key[OFFICE_PATH + 16];
    const char *const *servers;
    const char *listen = conf_text(h->conf, "sites");
    size_t count = conf_list(h->conf, "bus", &servers);
    struct hub_bus_options o = {.nats = {.server_count = count,
                                    .replicas = (unsigned)conf_count(h->conf, "bus-replicas")},
        .office = h->office,
        .broker = h->broker,
        .listen = listen,
        .setup = &h->setup,
        .keep = h->keep,
        .pipeline = h->pipeline,
        .live = h->live,
        .fleet = h->fleet.fleet,
        .stop = stop_flag()};
    if (!wants_bus(h))
        return OK;
    for (size_t i = 0; i < count; i++)
        o.nats.servers[i] = servers[i];
    if (listen) {
        snprintf(url, sizeof url, "tls://127.0.0.1:%s", port_of(listen));
        o.nats.servers[o.nats.server_count++] = url;
    }
    if (o.nats.server_count && strncmp(o.nats.servers[0], "tls://", 6) == 0) {
        const char *folder = site_office_folder(h->office);
        snprintf(ca, sizeof ca, "%s/ca.pem", folder);
        snprintf(certificate, sizeof certificate, "%s/hub.pem", folder);
        snprintf(key, sizeof key, "%s/hub.key", folder);
        o.nats.ca = ca;
        o.nats.certificate = certificate;
        o.nats.key = key;
    }
    return hub_bus_start(&h->bus, &o, f);
}

static enum err hub_open(struct hub *h, struct conf *conf, struct fault *f)
{
    h->changed = calloc(CHANGED_MAX, sizeof *h->changed);
    if (!h->changed)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct clock wall = clock_system();
    enum err e = config_read(h, conf, f);
    if (!e)
        e = api_listen_check(conf_text(conf, "listen"), f);
    if (!e)
        e = api_check(h, f);
    if (!e && conf_flag(conf, "verbose"))
        log_level_set(LOG_DEBUG);
    if (!e)
        e = hub_sites_live(&h->sites, conf, f);
    if (!e)
        e = setup_open(&h->setup, conf, f);
    if (!e)
        e = data_choose(h, f);
    if (!e)
        e = password_read(h, f);
    if (!e)
        e = sites_check(h, f);
    if (!e)
        e = broker_begin(h, f);
    if (!e)
        e = privileges_drop(h, f);
    if (!e)
        e = keep_start(h, f);
    if (!e)
        e = admin_make(h, f);
    if (!e)
        e = ingest_prepare(h, f);
    if (!e)
        e = hub_fleet_open(&h->fleet, keep_catalog(h->keep), clock_now(&wall), f);
    if (!e)
        e = office_open(h, f);
    if (!e)
        e = api_open(h, f);
    if (!e)
        e = bus_start(h, f);
    return e ? e : address_leave(h, f);
}

static void hub_close(struct hub *h)
{
    if (h->ingesting)
        pthread_join(h->ingest, NULL);
    if (h->bus)
        stop_now(); /* also where opening failed half way */
    hub_bus_stop(h->bus);
    broker_stop(h->broker);
    if (h->api)
        hub_address_remove(h->data);
    api_stop(h->api);
    struct clock wall = clock_system();
    hub_fleet_close(&h->fleet, clock_now(&wall));
    pipeline_free(h->pipeline);
    hub_bus_free(h->bus);
    site_office_close(h->office);
    hub_sites_close(&h->sites);
    keep_close(h->keep);
    hub_live_free(h->live);
    analysis_free(h->analysis);
    setup_close(&h->setup);
    free(h->changed);
    struct fault f;
    if (h->temporary && h->data[0] && folder_remove(h->data, &f) != OK)
        log_event(LOG_WARN, "demo.left", "error=\"%s\"", f.text);
}

/* Measure every two seconds until a stop is asked for. */
static void hub_watch(struct hub *h)
{
    struct clock wall = clock_system();
    int64_t measured = clock_now(&wall);
    while (!atomic_load(stop_flag())) {
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
        int64_t now = clock_now(&wall);
        if (now - measured < 2 * US_SECOND)
            continue;
        measured = now;
        hub_live_measure(h->live, now);
        hub_fleet_look(&h->fleet, h->sites.about, h->sites.count, now);
    }
}

static void warn_in_clear(const struct hub *h)
{
    if (api_in_clear(h->api))
        log_event(LOG_WARN, "hub.in-clear",
            "address=%s text=\"passwords and answers cross the network unencrypted: give "
            "--tls-cert and --tls-key, or listen on loopback behind a proxy with TLS\"",
            api_address(h->api));
}

static bool wrong_use(enum err e)
{
    return e == ERR_BAD || e == ERR_RANGE || e == ERR_NOTFOUND || e == ERR_EXISTS;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct hub *h = calloc(1, sizeof *h);
    struct fault f = {0};
    if (!h)
        return EXIT_PROBLEM;
    stop_install();
    enum err e = hub_open(h, conf, &f);
    if (!e && h->pipeline)
        e = pthread_create(&h->ingest, NULL, ingest_thread, h) == 0
                ? OK
                : fault_set(&f, ERR_NOMEM, "no thread for ingest");
    h->ingesting = !e && h->pipeline;
    if (!e) {
        warn_in_clear(h);
        printf("Portal: %s/\n", api_address(h->api));
        fflush(stdout);
        hub_watch(h);
        log_event(LOG_NOTE, "hub.stop", "reason=signal");
    } else if (e == ERR_BUSY && hub_is_at(conf_text(conf, "listen")))
        fprintf(stderr,
            "kizashi hub: %s: a kizashi hub runs there already; choose another with "
            "--listen\n",
            conf_text(conf, "listen"));
    else
        fprintf(stderr, "kizashi hub: %s\n", f.text);
    hub_close(h);
    free(h);
    return !e ? EXIT_DONE : wrong_use(e) ? EXIT_USAGE : EXIT_PROBLEM;
}

const struct command cmd_hub = {
    .name = "hub",
    .text = "Take in, watch, keep and show: everything on one machine, portal included.",
    .items = hub_items,
    .run = run,
    .more =
        "The hub takes in captures (--site), live interfaces (--interface) or a demonstration "
        "(--demo), looks for signs of attacks, keeps everything in its data folder, and "
        "answers "
        "with the portal and the API on --listen. It listens on loopback unless told "
        "otherwise.\n\n"
        "It ends cleanly on SIGTERM: what was taken in is stored, and engines go on where they "
        "were when it starts again.\n\n"
        "Examples:\n"
        "  kizashi hub --demo\n"
        "  kizashi hub --data /var/lib/kizashi --interface jp-01=eth1 --filter 'dst net "
        "198.51.100.0/24'\n",
};
