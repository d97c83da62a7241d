#include "cmd/hub_bus.h"

#include "base/log.h"
#include "fleet/config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A site elsewhere; it stays for the life of the hub, also while it is revoked. */
struct far_site {
    char name[BUS_SITE_MAX + 1];
    struct remote *remote;
    struct site *site;           /* NULL: it could not be begun, which the log was told once */
    bool received;               /* the intake has it */
    bool named;                  /* the catalogue does, at the last look */
    uint64_t addresses;          /* that the catalogue gave, at the last look */
    struct remote_counts counts; /* at the last look */
    int64_t unseen_at;           /* when there were more of them last; 0: never */
    int64_t unseen_told_at;      /* when the log was told last; 0: never */
    uint64_t unseen_told;        /* how many it was told of */
};

struct hub_bus {
    struct hub_bus_options options;
    struct clock clock;
    struct bus *bus;
    struct intake *intake;
    struct logbook *logbook;
    pthread_t thread;
    bool running;
    bool connected;
    bool unseen;                /* packets come of which the engines see nothing */
    bool begun;                 /* the message server has been told to start */
    char ending[BROKER_ENDING]; /* what was told last of why it does not run; "" */
    int64_t log_from;           /* how long the server's log was before */
    atomic_bool ready;          /* the catalogue has been looked at */
    int64_t looked;             /* when the catalogue was asked last */
    struct far_site sites[SITE_OFFICE_SITES];
    size_t count;
    size_t known;       /* that the catalogue has, at the last look */
    atomic_size_t rows; /* of all sites that wait for the pipeline */
};

static const int64_t look_apart = 2 * US_SECOND;
static const int64_t unseen_rest = 10 * US_SECOND; /* after so long none more is coming */
static const int64_t unseen_apart = 600 * US_SECOND;

/* ---- sites, on the intake's thread ---- */

static struct far_site *site_find(struct hub_bus *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->sites[i].name, name) == 0)
            return &h->sites[i];
    return NULL;
}

static void on_news(void *context)
{
    const struct hub_bus *h = context;
    pipeline_poke(h->options.pipeline);
}

/* Its feed and its place in the pipeline. */
static enum err site_make(
    struct hub_bus *h, struct far_site *s, const struct catalog_remote *r, struct fault *f)
{
    struct remote_options ro = {.window = h->options.setup->window,
        .seen = h->options.seen,
        .stop = h->options.stop,
        .rows_all = &h->rows,
        .news = {h, on_news}};
    struct site_options so = {.shared = &h->options.setup->shared,
        .writer = keep_writer(h->options.keep),
        .seen = keep_seen(h->options.keep)};
    struct feed *feed = NULL;
    size_t sites = h->known > h->count ? h->known : h->count + 1;
    size_t share = sites < 8 ? 8 : sites;
    enum err e = setup_sensor_options(h->options.setup, r->name, share, &so.sensor, f);
    if (e)
        return e;
    if (r->addresses)
        so.sensor.addresses = r->addresses;
    e = remote_new(&s->remote, &ro);
    if (!e)
        e = remote_feed(s->remote, &feed);
    if (!e)
        e = site_new(&s->site, r->name, feed, &so);
    if (e && feed)
        feed_close(feed);
    return e ? fault_set(f, e, "%s", err_text(e)) : OK;
}

static enum err site_join(
    struct hub_bus *h, struct far_site *s, const struct catalog_remote *r, struct fault *f)
{
    int64_t now = clock_now(&h->clock);
    struct hub_site about = {.site = s->site, .kind = HUB_REMOTE, .addresses = r->addresses};
    snprintf(about.source, sizeof about.source, "sensor of %s", r->name);
    /* The pipeline refuses a name that an interface or a capture of the hub has already, so it
     * is asked first: what it has taken, and what is shown, stays for the life of the hub. */
    enum err e = pipeline_add(h->options.pipeline, s->site);
    if (e)
        return fault_set(f, e, "%s: %s", r->name, err_text(e));
    if (hub_live_add(h->options.live, &about, now) != OK)
        log_event(LOG_ERROR, "site.show", "site=%s error=\"out of memory\"", r->name);
    return OK;
}

static enum err site_begin(struct hub_bus *h, const struct catalog_remote *r, struct fault *f)
{
    if (h->count == SITE_OFFICE_SITES)
        return fault_set(f, ERR_FULL, "%s: more than %d sites", r->name, SITE_OFFICE_SITES);
    struct far_site *s = &h->sites[h->count];
    *s = (struct far_site){0};
    snprintf(s->name, sizeof s->name, "%s", r->name);
    s->addresses = r->addresses;
    enum err e = site_make(h, s, r, f);
    if (!e)
        e = site_join(h, s, r, f);
    if (e) {
        site_free(s->site);
        remote_free(s->remote);
        s->site = NULL;
        s->remote = NULL;
    }
    h->count++;
    return e;
}

static void site_receive(struct hub_bus *h, struct far_site *s)
{
    struct fault f = {0};
    enum err e = intake_add(h->intake, s->name, s->remote, &f);
    if (!e)
        e = fleet_expect(h->options.fleet, s->name, clock_now(&h->clock), &f);
    if (e)
        log_event(LOG_ERROR, "site.add", "site=%s error=\"%s\"", s->name, f.text);
    else
        log_event(LOG_NOTE, "site.awaited", "site=%s", s->name);
    s->received = true;
}

/* Another size was given with kizashi site add; 0 takes back none. */
static void addresses_change(struct hub_bus *h, struct far_site *s, uint64_t addresses)
{
    if (s->addresses == addresses || !s->site)
        return;
    s->addresses = addresses;
    if (!addresses)
        return;
    site_addresses(s->site, addresses);
    hub_live_addresses(h->options.live, s->name, addresses);
    log_event(LOG_NOTE, "site.addresses", "site=%s addresses=%llu", s->name,
        (unsigned long long)addresses);
}

static enum err catalogue_site(void *context, const struct catalog_remote *r)
{
    struct hub_bus *h = context;
    struct fault f = {0};
    if (r->revoked)
        return OK;
    struct far_site *s = site_find(h, r->name);
    if (!s && site_begin(h, r, &f) != OK) {
        log_event(LOG_ERROR, "site.add", "site=%s error=\"%s\"", r->name, f.text);
        return OK;
    }
    s = site_find(h, r->name);
    if (!s)
        return OK;
    s->named = true;
    addresses_change(h, s, r->addresses);
    return OK;
}

static enum err site_count(void *context, const struct catalog_remote *r)
{
    struct hub_bus *h = context;
    h->known += !r->revoked;
    return OK;
}

/* The hub's own message server knows the sites that the catalogue does. */
static void broker_look(struct hub_bus *h)
{
    struct fault f = {0};
    bool changed = false;
    struct broker_options b = {.listen = h->options.listen};
    if (!h->options.broker)
        return;
    enum err e = site_office_broker_write(h->options.office, &b, &changed, &f);
    if (e)
        log_event(LOG_ERROR, "bus.config", "error=\"%s\"", f.text);
    if (changed || !h->begun)
        broker_reload(h->options.broker);
    h->begun = h->begun || !e;
}

/* Bring the sites in line with the catalogue. */
static void catalogue_look(struct hub_bus *h)
{
    for (size_t i = 0; i < h->count; i++)
        h->sites[i].named = false;
    h->known = 0;
    if (catalog_remotes(keep_catalog(h->options.keep), site_count, h) != OK ||
        catalog_remotes(keep_catalog(h->options.keep), catalogue_site, h) != OK)
        return;
    for (size_t i = 0; i < h->count; i++) {
        struct far_site *s = &h->sites[i];
        if (s->named && !s->received && s->site)
            site_receive(h, s);
        if (s->named || !s->received)
            continue;
        intake_remove(h->intake, s->name);
        fleet_forget(h->options.fleet, s->name);
        s->received = false;
        log_event(LOG_NOTE, "site.revoked", "site=%s", s->name);
    }
}

/* ---- events of the intake ---- */

/* From the thread of whoever changed a document. */
static enum err on_push(void *context, const char *site, struct bytes parcel, struct fault *f)
{
    struct hub_bus *h = context;
    return bus_config_put(h->bus, site, parcel, f);
}

static void log_path(const struct hub_bus *h, char path[4096 + 16])
{
    snprintf(path, 4096 + 16, "%.4095s/bus/nats.log", h->options.data);
}

/* Nobody answers: say so, with the reason if the hub's own server has left one. */
static void silence_tell(struct hub_bus *h, bool fresh)
{
    char path[4096 + 16], why[BROKER_ENDING], text[BROKER_ENDING + 128];
    log_path(h, path);
    bool known = h->options.broker && broker_ending(path, h->log_from, why);
    if (!fresh && (!known || strcmp(why, h->ending) == 0))
        return;
    snprintf(text, sizeof text, "the message server does not %s%s: sites keep what they see",
        known ? "run: " : "answer", known ? why : "");
    hub_live_health(h->options.live, "bus", text);
    if (known && strcmp(why, h->ending) != 0)
        log_event(LOG_ERROR, "bus.server", "error=\"%s\" action=trying-on", why);
    snprintf(h->ending, sizeof h->ending, "%s", known ? why : "");
}

/* ---- what the engines did not see ---- */

/* Once a burst: when it is over, or after a while. */
static void unseen_tell(struct far_site *s, int64_t now)
{
    char first[TIME_TEXT], last[TIME_TEXT];
    bool rests = now - s->unseen_at >= unseen_rest;
    if (s->unseen_told == s->counts.unseen ||
        (!rests && now - s->unseen_told_at < unseen_apart))
        return;
    time_format(s->counts.unseen_first, first);
    time_format(s->counts.unseen_last, last);
    log_event(LOG_WARN, "site.unseen",
        "site=%s packets=%llu first=%s last=%s text=\"they came after their windows were over: "
        "they are in the store, and the engines did not see them; read captures of several "
        "sites at the same time, or show them to the engines with kizashi replay\"",
        s->name, (unsigned long long)s->counts.unseen, first, last);
    s->unseen_told = s->counts.unseen;
    s->unseen_told_at = now;
}

/* True while packets of the site come after their windows, and for a window after that. */
static bool unseen_look(const struct hub_bus *h, struct far_site *s, int64_t now)
{
    struct remote_counts c;
    remote_counts(s->remote, &c);
    if (c.unseen != s->counts.unseen) {
        if (!s->unseen_at || now - s->unseen_at >= unseen_rest)
            s->unseen_told_at = now; /* a burst begins: how large it is shows at its end */
        s->unseen_at = now;
    }
    s->counts = c;
    hub_live_far(h->options.live, s->name, &c, fleet_state(h->options.fleet, s->name));
    unseen_tell(s, now);
    return s->unseen_at && now - s->unseen_at < h->options.setup->window;
}

static void unseen_look_all(struct hub_bus *h, int64_t now)
{
    char text[240];
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++)
        if (h->sites[i].site)
            count += unseen_look(h, &h->sites[i], now);
    snprintf(text, sizeof text,
        "packets of %zu site%s come after their windows were over: they are stored, and the "
        "engines do not see them; the log says of which (site.unseen) and what to do",
        count, count == 1 ? "" : "s");
    if (count || h->unseen)
        hub_live_health(h->options.live, "windows", count ? text : NULL);
    h->unseen = count > 0;
}

static void on_tick(void *context, bool connected)
{
    struct hub_bus *h = context;
    int64_t now = clock_now(&h->clock);
    if (!connected)
        silence_tell(h, connected != h->connected);
    if (connected != h->connected) {
        h->connected = connected;
        if (connected) {
            h->ending[0] = 0;
            hub_live_health(h->options.live, "bus", NULL);
        }
        log_event(connected ? LOG_NOTE : LOG_WARN, "bus.state", "connected=%s",
            connected ? "yes" : "no");
        if (connected) { /* what could not be pushed does not wait for its next turn */
            fleet_push_by(h->options.fleet, &(struct fleet_push){h, on_push});
            fleet_push_pending(h->options.fleet, now);
        }
    }
    if (now - h->looked < look_apart && now >= h->looked)
        return;
    h->looked = now;
    unseen_look_all(h, now);
    catalogue_look(h);
    atomic_store(&h->ready, true);
    broker_look(h);
}

static uint64_t count_of(int64_t figure)
{
    return figure > 0 ? (uint64_t)figure : 0;
}

/* What the site does by itself; sites of earlier versions do not say. */
static void own_take(const struct hub_bus *h, const char *site, struct bytes beat, int64_t now)
{
    struct site_document own;
    struct fault f = {0};
    enum err e = document_own_read(beat, &own, &f);
    if (!e)
        e = fleet_own(h->options.fleet, site, &own, now, &f);
    if (e && e != ERR_NOTFOUND)
        log_event(LOG_WARN, "heartbeat.refused", "site=%s error=\"%s\"", site, f.text);
}

static void on_beat(void *context, const char *site, struct bytes text)
{
    struct hub_bus *h = context;
    struct heartbeat beat;
    struct fault f = {0};
    int64_t now = clock_now(&h->clock);
    const struct far_site *s = site_find(h, site);
    if (!s || !s->received)
        return; /* nobody that we know, or no longer: what is revoked does not come back */
    enum err e = heartbeat_read(text, &beat, &f);
    if (!e && strcmp(beat.site, site) != 0)
        e = fault_set(&f, ERR_BAD, "it says that it is another's");
    if (!e)
        own_take(h, site, text, now);
    if (!e)
        e = fleet_heartbeat(h->options.fleet, &beat, now, &f);
    if (e) {
        log_event(LOG_WARN, "heartbeat.refused", "site=%s error=\"%s\"", site, f.text);
        return;
    }
    struct said said = {
        strtoull(beat.spool, NULL, 16), count_of(beat.sent_seq), count_of(beat.committed_seq)};
    intake_heard(h->intake, site, &said, strcmp(beat.mode, "live") != 0);
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    struct hub_bus *h = context;
    if (site) {
        log_event(LOG_WARN, "message.refused", "site=%s error=\"%s\"", site, f->text);
        return;
    }
    hub_live_health(h->options.live, "store", f->code ? f->text : NULL);
    if (f->code)
        log_event(LOG_ERROR, "store.full", "error=\"%s\" action=waiting", f->text);
    else
        log_event(LOG_NOTE, "store.mended", "action=going-on");
}

static void on_deaf(void *context, const char *site, const struct fault *f)
{
    (void)context;
    log_event(LOG_ERROR, "site.deaf", "site=%s error=\"%s\" action=trying-on", site, f->text);
}

static void on_past(void *context, const struct intake_past *p)
{
    (void)context;
    log_event(LOG_NOTE, "logbook.read", "messages=%llu packets=%llu passed=%llu",
        (unsigned long long)p->messages, (unsigned long long)p->packets,
        (unsigned long long)p->passed);
    if (p->damaged)
        log_event(LOG_ERROR, "logbook.unread",
            "messages=%llu error=\"the disk did not give them back\" action=going-on",
            (unsigned long long)p->damaged);
}

static void on_cut(void *context, bool cut)
{
    const struct hub_bus *h = context;
    hub_live_health(h->options.live, "logbook",
        cut ? "the logbook is too small: were the hub killed now, the engines would not see "
              "all of the windows that are open; give it more with --logbook-cap"
            : NULL);
    log_event(cut ? LOG_WARN : LOG_NOTE, "logbook.cap", "cut=%s", cut ? "yes" : "no");
}

static enum err on_append(
    void *store, const struct store_block *blocks, size_t count, struct fault *f)
{
    return store_append_all(store, blocks, count, f);
}

static void *bus_thread(void *context)
{
    struct hub_bus *h = context;
    struct fault f = {0};
    if (intake_run(h->intake, &f) != OK) {
        hub_live_health(h->options.live, "bus", f.text);
        log_event(LOG_ERROR, "bus.ended", "error=\"%s\"", f.text);
    }
    return NULL;
}

/* What was kept before --logbook-cap 0 was given is of no more use: it only takes room. */
static void logbook_end(const char *folder)
{
    struct fault f = {0};
    size_t count = 0;
    if (logbook_remove(folder, &count, &f) != OK)
        log_event(LOG_WARN, "logbook.left", "error=\"%s\"", f.text);
    if (count)
        log_event(LOG_NOTE, "logbook.removed", "path=%s files=%zu", folder, count);
}

static enum err logbook_begin(struct hub_bus *h, struct fault *f)
{
    char path[4096 + 16];
    bool fresh = false;
    struct logbook_options o = {.folder = path,
        .cap = h->options.logbook_cap,
        .seen = h->options.seen,
        .careless = h->options.careless};
    snprintf(path, sizeof path, "%s/bus/logbook", h->options.data);
    if (!o.cap) {
        logbook_end(path);
        return OK;
    }
    snprintf(path, sizeof path, "%s/bus", h->options.data);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/bus/logbook", h->options.data);
    enum err e = logbook_open(&h->logbook, &o, &fresh, f);
    if (!e && fresh)
        log_event(LOG_WARN, "logbook.damaged", "path=%s action=begun-anew", path);
    return e;
}

enum err hub_bus_start(
    struct hub_bus **ret_bus, const struct hub_bus_options *options, struct fault *f)
{
    struct hub_bus *h = calloc(1, sizeof *h);
    if (!h)
        return fault_set(f, ERR_NOMEM, "out of memory");
    h->options = *options;
    h->clock = clock_system();
    h->connected = true;
    char log[4096 + 16];
    struct stat st;
    log_path(h, log);
    h->log_from = stat(log, &st) == 0 ? st.st_size : 0;
    enum err e = logbook_begin(h, f);
    if (!e)
        e = bus_nats_open(&h->bus, &options->nats, f);
    if (!e) {
        struct intake_options io = {.bus = h->bus,
            .append = on_append,
            .store = keep_store(options->keep),
            .catalog = keep_catalog(options->keep),
            .logbook = h->logbook,
            .set = options->setup->fingerprints,
            .window = options->setup->window,
            .stop = options->stop,
            .events = {h, on_beat, on_tick, on_trouble, on_deaf, on_past, on_cut}};
        e = intake_new(&h->intake, &io, f);
    }
    if (!e && pthread_create(&h->thread, NULL, bus_thread, h) != 0)
        e = fault_set(f, ERR_NOMEM, "no thread for the bus");
    h->running = !e;
    if (e) {
        hub_bus_free(h);
        return e;
    }
    fleet_push_by(options->fleet, &(struct fleet_push){h, on_push});
    *ret_bus = h;
    return OK;
}

bool hub_bus_is_ready(struct hub_bus *h)
{
    return !h || atomic_load(&h->ready);
}

void hub_bus_covered(struct hub_bus *h)
{
    if (h && h->logbook)
        logbook_covered(h->logbook);
}

void hub_bus_stop(struct hub_bus *h)
{
    if (!h || !h->running)
        return;
    fleet_push_by(h->options.fleet, NULL);
    pthread_join(h->thread, NULL);
    h->running = false;
}

void hub_bus_free(struct hub_bus *h)
{
    if (!h)
        return;
    hub_bus_stop(h);
    intake_free(h->intake);
    bus_close(h->bus);
    logbook_close(h->logbook);
    for (size_t i = 0; i < h->count; i++) {
        site_free(h->sites[i].site);
        remote_free(h->sites[i].remote);
    }
    free(h);
}
