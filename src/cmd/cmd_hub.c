#include "cmd/commands.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tree.h"
#include "cmd/backup.h"
#include "cmd/config_file.h"
#include "cmd/ending.h"
#include "cmd/folder.h"
#include "cmd/hub_bus.h"
#include "cmd/hub_client.h"
#include "cmd/hub_fleet.h"
#include "cmd/hub_items.h"
#include "cmd/hub_live.h"
#include "cmd/hub_people.h"
#include "cmd/hub_publish.h"
#include "cmd/hub_servers.h"
#include "cmd/hub_sites.h"
#include "cmd/imports.h"
#include "cmd/keep.h"
#include "cmd/notify.h"
#include "cmd/options.h"
#include "cmd/power_helper.h"
#include "cmd/power_secret.h"
#include "cmd/privileges.h"
#include "cmd/resume.h"
#include "cmd/retention.h"
#include "cmd/setup.h"
#include "cmd/site_office.h"
#include "cmd/stop.h"
#include "cmd/version.h"
#include "cmd/views.h"
#include "fleet/power_keeper.h"
#include "ingest/pipeline.h"

#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CHANGED_MAX = 4096
};

/* States of windows of the past are kept so often, where sites elsewhere send captures. */
static const int64_t states_apart = 10 * US_SECOND;

struct hub {
    const struct conf *conf;
    char data[4096];
    bool temporary;
    bool made;    /* the data folder was not there before */
    bool refused; /* nothing has begun */
    struct setup setup;
    struct keep *keep;
    struct retention *retention;
    struct hub_sites sites;
    struct hub_live *live;
    struct hub_fleet fleet;
    struct analysis *analysis;
    struct pipeline *pipeline;
    struct hub_bus *bus;
    struct broker *broker;
    struct site_office *office;
    struct power_keeper *power;
    struct api_publication publication;
    struct api_analysis analyses[ANON_WISHES_MAX];
    struct api *api;
    struct notify notify;
    pthread_t ingest;
    bool ingesting;
    char password[API_PASSWORD_MAX + 1]; /* of the first user, if one was given */
    int64_t seen;    /* end of the last window that the engines had seen at the start */
    int64_t kept;    /* when their states were kept last, wall clock */
    int64_t expired; /* last time that retention was applied, capture time */
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
    if (now - h->expired < US_DAY)
        return;
    h->expired = now;
    retention_apply(keep_store(h->keep));
}

static enum err on_tagged(void *context, const struct window *w, const struct tagging *tagging)
{
    struct hub *h = context;
    return keep_tagged(h->keep, w, tagging);
}

static enum err on_window(void *context, const struct window *w)
{
    struct hub *h = context;
    struct clock wall = clock_system();
    struct fault f = {0};
    int64_t end = window_end(w);
    int64_t now = clock_now(&wall);
    bool live = now - end < 2 * w->length;
    bool due = h->bus && now - h->kept >= states_apart;
    enum err e = keep_window(h->keep, end, live || due ? h->analysis : NULL, &f);
    if (e == ERR_FULL) {
        hub_live_health(h->live, "catalogue", f.text);
        return OK; /* the alerts stay noted and go in with a later window */
    }
    if (e) {
        log_event(LOG_ERROR, "catalogue.write", "error=\"%s\"", f.text);
        return e;
    }
    hub_live_health(h->live, "catalogue", NULL);
    if (keep_seen(h->keep) == end) { /* not those of a later one, which are kept already */
        h->kept = now;
        hub_bus_covered(h->bus);
    }
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
    while (!hub_bus_is_ready(h->bus) && !atomic_load(stop_flag()))
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
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
    } else if (!e) {
        log_event(LOG_NOTE, "ingest.done", "captures=read");
        retention_apply(keep_store(h->keep));
    }
    return NULL;
}

/* ---- start ---- */

static enum err data_choose(struct hub *h, struct fault *f)
{
    const char *data = conf_text(h->conf, "data");
    if (data || !conf_flag(h->conf, "demo")) {
        snprintf(h->data, sizeof h->data, "%s", data ? data : "kizashi-data");
        return folder_make(h->data, &h->made, f);
    }
    h->temporary = true;
    return folder_scratch("kizashi-demo", h->data, sizeof h->data, f);
}

/* While programs may be started still. */
static enum err power_begin(struct hub *h, struct fault *f)
{
    char path[PATH_MAX];
    const char *user = conf_text(h->conf, "user");
    if (!conf_flag(h->conf, "switch-power"))
        return OK;
    if (!user && getpwnam("kizashi"))
        user = "kizashi";
    bool other = user && strcmp(user, "root") != 0;
    return power_keeper_start(&h->power, power_helper_find(path), other ? user : NULL, f);
}

/* The file is root's perhaps: it is read while root is still there. */
static enum err password_read(struct hub *h, struct fault *f)
{
    const char *path = conf_text(h->conf, "admin-password-file");
    return path ? api_password_file(path, h->password, f) : OK;
}

static enum err people_begin(struct hub *h, struct fault *f)
{
    bool show = h->temporary || isatty(STDOUT_FILENO);
    return first_user_make(keep_catalog(h->keep), h->data, h->password, show, f);
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
        .publication = h->publication,
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

static enum err listen_check(const struct conf *conf, struct fault *f)
{
    enum err e = api_listen_check(conf_text(conf, "listen"), f);
    if (e)
        fault_prefix(f, "--listen");
    return e;
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

static enum err on_renew(void *context, const struct api_renewal *asked, int64_t now,
    json_t **ret_papers, struct fault *f)
{
    struct hub *h = context;
    const struct site_renewal renewal = {asked->certificate, asked->request, asked->proof};
    return site_office_renew(h->office, &renewal, now, ret_papers, f);
}

static enum err on_backup(void *context, bool turn_is_held, struct fault *f)
{
    const struct hub *h = context;
    int turn = -1;
    enum err e = turn_is_held ? OK : backup_turn(h->data, &turn, f);
    if (!e)
        e = backup_make(
            &(struct backup_parts){h->data, keep_store(h->keep), keep_catalog(h->keep)}, f);
    if (turn >= 0)
        close(turn);
    return e;
}

/* What a backup left that was killed takes room, and keeps files that were united since. */
static void backup_tidy(const struct hub *h)
{
    struct fault f = {0};
    bool left;
    enum err e = backup_clear(h->data, &left, &f);
    if (e)
        log_event(LOG_WARN, "backup.left", "error=\"%s\"", f.text);
    else if (left)
        log_event(LOG_NOTE, "backup.left", "text=\"one that did not end was removed\"");
}

static enum err on_power(void *context, const struct power_door *door, enum power_action action,
    bool *ret_on, struct fault *f)
{
    const struct hub *h = context;
    return power_keeper_run(h->power, door, action, ret_on, f);
}

static enum err on_power_keep(void *context, const char *site, const char *password,
    char ret_path[CATALOG_SENTENCE], struct fault *f)
{
    const struct hub *h = context;
    return power_secret_keep(h->data, site, password, ret_path, f);
}

static void on_power_drop(void *context, const char *path)
{
    const struct hub *h = context;
    power_secret_drop(h->data, path);
}

static struct api_power power_of(struct hub *h)
{
    if (!h->power)
        return (struct api_power){0};
    return (struct api_power){h, on_power, on_power_keep, on_power_drop};
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
        .office = {h, h->office ? on_enrol : NULL, h->office ? on_renew : NULL},
        .power = power_of(h),
        .backup = {h, on_backup},
        .analyses = h->analyses,
        .analysis_count = analyses_all(h->analyses),
        .fingerprints = h->setup.fingerprints,
    };
    e = api_start(&h->api, &options, &parts, f);
    if (!e)
        atomic_store(&h->fleet.api, h->api);
    return e;
}

static const struct option_need hub_needs[] = {
    {"filter", {"interface"}},
    {"again", {"site"}},
    {"sites-host", {"sites"}},
    {"bus-replicas", {"bus"}},
    {"certificate-life", {"sites", "bus"}},
    {"logbook-cap", {"sites", "bus"}},
    {"publish-to-all", {"publish"}},
    {"publish-keep", {"publish"}},
    {"demo-sites", {"demo"}},
    {"demo-history", {"demo"}},
    {"demo-scale", {"demo"}},
    {"demo-seed", {"demo"}},
    {NULL, {NULL}},
};

static enum err config_read(struct hub *h, struct conf *conf, struct fault *f)
{
    h->conf = conf;
    const char *path = conf_text(conf, "config");
    enum err e = path ? config_file_read(conf, path, f) : OK;
    if (!e)
        e = options_need(conf, hub_needs, f);
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
                .names = setup_names(h->setup.geo),
            },
        .events = {on_store_trouble, h},
        .stop = stop_flag(),
    };
    enum err e = keep_open(&h->keep, &options, f);
    if (!e)
        backup_tidy(h);
    if (!e)
        e = retention_start(&h->retention, keep_store(h->keep), f);
    return e;
}

static enum err ingest_prepare(struct hub *h, struct fault *f)
{
    struct clock wall = clock_system();
    enum err e = hub_sites_open(&h->sites, &h->setup, h->keep, note_left_out, f);
    char why[480];
    if (!e)
        e = resume_analysis(
            &(struct resume){&h->setup, h->keep, h->sites.sites, h->sites.count}, &h->analysis,
            &h->seen, why, f);
    if (e)
        return e;
    if (why[0])
        log_event(LOG_NOTE, "engines.fresh", "reason=\"%s\"", why);
    e = hub_live_new(&h->live, h->sites.about, h->sites.count, clock_now(&wall));
    if (e)
        return fault_set(f, e, "%s", err_text(e));
    bool bus = servers_wanted(h->conf);
    if (!h->sites.count && !bus)
        return OK;
    struct pipeline_options options = {
        .room = bus ? SITE_OFFICE_SITES : 0,
        .window = h->setup.window,
        .analysis = h->analysis,
        .seen = h->seen,
        .stop = stop_flag(),
        .events = {.context = h,
            .alert = on_alert,
            .forecast = on_forecast,
            .window = on_window,
            .skipped = on_skipped,
            .tagged = on_tagged,
            .trouble = on_trouble},
    };
    return pipeline_new(&h->pipeline, h->sites.sites, h->sites.count, &options, f);
}

/* Receive from sites elsewhere. */
static enum err bus_start(struct hub *h, struct fault *f)
{
    if (!servers_wanted(h->conf))
        return OK;
    struct servers_way way;
    servers_way(h->conf, h->office, &way);
    struct hub_bus_options o = {.nats = way.nats,
        .office = h->office,
        .broker = h->broker,
        .listen = conf_text(h->conf, "sites"),
        .data = h->data,
        .logbook_cap = conf_count(h->conf, "logbook-cap") << 20,
        .seen = h->seen,
        .careless = h->temporary,
        .setup = &h->setup,
        .keep = h->keep,
        .pipeline = h->pipeline,
        .live = h->live,
        .fleet = h->fleet.fleet,
        .stop = stop_flag()};
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
        e = listen_check(conf, f);
    if (!e)
        e = api_check(h, f);
    if (!e && conf_flag(conf, "verbose"))
        log_level_set(LOG_DEBUG);
    if (!e)
        e = hub_sites_live(&h->sites, conf, f);
    if (!e)
        e = setup_open(&h->setup, conf, f);
    if (!e)
        e = password_read(h, f);
    if (!e)
        e = hub_publish_read(conf, &h->publication, f);
    if (!e)
        e = servers_check(conf, f);
    if (!e)
        e = data_choose(h, f);
    if (!e)
        e = servers_begin(conf, h->data, &h->broker, f);
    if (!e)
        e = power_begin(h, f);
    if (!e)
        e = privileges_drop(conf_text(h->conf, "user"), h->data, "hub.root", f);
    if (!e)
        e = keep_start(h, f);
    if (!e)
        e = people_begin(h, f);
    if (!e)
        e = hub_publish_begin(keep_catalog(h->keep), clock_now(&wall), &h->publication, f);
    if (!e)
        e = ingest_prepare(h, f);
    if (!e)
        e = hub_fleet_open(&h->fleet, keep_catalog(h->keep), conf_us(conf, "keep-packets"),
            clock_now(&wall), f);
    if (!e)
        e = servers_office(conf, h->data, keep_catalog(h->keep), &h->office, f);
    if (!e && h->office)
        site_office_life(h->office, conf_us(conf, "certificate-life"));
    if (!e)
        e = api_open(h, f);
    if (!e)
        e = bus_start(h, f);
    return e ? e : address_leave(keep_catalog(h->keep), h->data, api_address(h->api), f);
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
    power_keeper_stop(h->power);
    pipeline_free(h->pipeline);
    hub_bus_free(h->bus);
    site_office_close(h->office);
    hub_sites_close(&h->sites);
    retention_stop(h->retention);
    keep_close(h->keep);
    hub_live_free(h->live);
    analysis_free(h->analysis);
    setup_close(&h->setup);
    free(h->changed);
    struct fault f;
    bool gone = h->temporary || (h->refused && h->made);
    if (gone && h->data[0] && tree_remove(h->data, &f) != OK)
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
        notify_alive(&h->notify); /* counters and catalogue still answer */
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

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct hub *h = calloc(1, sizeof *h);
    struct fault f = {0};
    if (!h)
        return EXIT_PROBLEM;
    stop_install();
    notify_open(&h->notify);
    enum err e = hub_open(h, conf, &f);
    h->refused = e != OK;
    if (!e && h->pipeline)
        e = pthread_create(&h->ingest, NULL, ingest_thread, h) == 0
                ? OK
                : fault_set(&f, ERR_NOMEM, "no thread for ingest");
    h->ingesting = !e && h->pipeline;
    if (!e) {
        warn_in_clear(h);
        const char *const *hosts;
        bool named = conf_list(conf, "host", &hosts) || conf_list(conf, "sites-host", &hosts);
        portal_tell(api_address(h->api), named ? hosts[0] : NULL);
        fflush(stdout);
        notify_ready(&h->notify);
        hub_watch(h);
        notify_stopping(&h->notify);
        log_event(LOG_NOTE, "hub.stop", "reason=signal");
    } else if (e == ERR_BUSY && hub_is_at(conf_text(conf, "listen")))
        fault_set(&f, e, "%s: a kizashi hub runs there already; choose another with --listen",
            conf_text(conf, "listen"));
    int status = ending("hub", e, &f);
    hub_close(h);
    notify_close(&h->notify);
    free(h);
    return status;
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
