#include "cmd/commands.h"

#include "anon/anon.h"
#include "base/log.h"
#include "base/tree.h"
#include "bus/nats.h"
#include "cmd/anonymize.h"
#include "cmd/config_file.h"
#include "cmd/ending.h"
#include "cmd/folder.h"
#include "cmd/notify.h"
#include "cmd/options.h"
#include "cmd/privileges.h"
#include "cmd/sensor_captures.h"
#include "cmd/sensor_send.h"
#include "cmd/setup.h"
#include "cmd/site_identity.h"
#include "cmd/site_list.h"
#include "cmd/site_renew.h"
#include "cmd/stop.h"
#include "fleet/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct conf_item sensor_items[] = {
    SETUP_CONFIG_ITEM,
    {.name = "data",
        .type = CONF_TEXT,
        .arg = "DIR",
        .initial = "kizashi-sensor",
        .text =
            "The site's folder: its certificate, its spool, the keys of its anonymisation."},
    {.name = "site",
        .type = CONF_TEXT,
        .arg = "NAME",
        .text = "The site's name, where the folder holds no certificate that says it."},
    {.name = "interface",
        .type = CONF_TEXT,
        .arg = "IF",
        .text = "Capture live from this interface."},
    SETUP_FILTER_ITEM,
    {.name = "read",
        .type = CONF_FILES,
        .values = "-",
        .arg = "FILE",
        .text =
            "Send this capture instead, or the captures in this folder, and end when the "
            "hub has stored all of them. One that is broken is told, the others are sent, "
            "and the exit status is 1. What was interrupted goes on where it was when the same "
            "captures are given; one that was read before is left out, and refused if there is "
            "no other. Captures of several sites must be read at the same "
            "time: of those that come after their windows were over the engines see nothing."},
    {.name = "again",
        .type = CONF_FLAG,
        .text = "Read captures from their beginning that were read before: their packets are "
                "at the hub twice then."},
    {.name = "drain",
        .type = CONF_FLAG,
        .text =
            "Send what the spool holds, and end when the hub has stored it, however long it "
            "does not answer; at once if the spool holds nothing."},
    {.name = "bus",
        .type = CONF_LIST,
        .arg = "URL",
        .text =
            "The hub's message server, nats://HOST:PORT, where the folder does not name it. "
            "Without a certificate nothing is encrypted: then only loopback is taken."},
    {.name = "policy",
        .type = CONF_FILE,
        .values = "keep",
        .arg = "FILE",
        .text = "What leaves the site, as a JSON document; keep: everything as it is. Without "
                "it destinations are replaced by keyed hashes, and of payloads the first 64 "
                "bytes stay."},
    {.name = "batch",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = DOCUMENT_BATCH,
        .min = DOCUMENT_BATCH_LEAST / 1e6,
        .max = 60,
        .text = "How long live packets are gathered before they are sent."},
    {.name = "spool-cap",
        .type = CONF_COUNT,
        .arg = "MIB",
        .unit = "MiB",
        .initial = "8192",
        .min = 64,
        .max = 16777216,
        .text = "The most that waits on disk for the hub."},
    {.name = "spool-full",
        .type = CONF_TEXT,
        .arg = "HOW",
        .values = "drop-oldest|drop-newest",
        .initial = "drop-oldest",
        .text = "What goes when the spool is full, live. Captures wait."},
    {.name = "heartbeat",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .initial = DOCUMENT_HEARTBEAT,
        .min = 1,
        .max = 3600,
        .text = "How often the hub is told how the site is. Rarer than every 10 s, silence is "
                "noticed that much later."},
    SETUP_LOOK_ITEMS("Length of a window, by which packets are looked at and counted."),
    SETUP_PROCESS_ITEMS,
    {.name = NULL},
};

struct sensor_run {
    const struct conf *conf;
    const char *data;
    struct site_identity identity;
    struct setup setup;
    struct source *live;
    struct feed *feed;
    struct capture_list list; /* what is read */
    struct sensor_captures *captures;
    struct sensor_rules *rules;
    struct spool *spool;
    struct collector *collector;
    struct sensor_send *send;
    struct site_renewer *renewer;
    struct notify notify;
    bool made;    /* the data folder was not there before */
    bool broken;  /* a capture could not be read to its end */
    bool drained; /* there is nothing to be sent */
};

static void on_trouble(void *context, const struct fault *f)
{
    struct sensor_run *r = context;
    if (f->code == ERR_BAD || f->code == ERR_SHORT)
        r->broken = true;
    if (f->code)
        log_event(LOG_ERROR, "sensor.trouble", "error=\"%s\"", f->text);
    else
        log_event(LOG_NOTE, "spool.mended", "action=going-on");
}

static void on_alive(void *context)
{
    struct sensor_run *r = context;
    notify_alive(&r->notify);
}

/* ---- start ---- */

static const struct option_need sensor_needs[] = {
    {"filter", {"interface"}},
    {"spool-full", {"interface"}},
    {"again", {"read"}},
    {NULL, {NULL}},
};

static enum err config_read(struct sensor_run *r, struct conf *conf, struct fault *f)
{
    const char *const *files;
    const char *path = conf_text(conf, "config");
    enum err e = path ? config_file_read(conf, path, f) : OK;
    if (!e)
        e = options_need(conf, sensor_needs, f);
    r->conf = conf;
    r->data = conf_text(conf, "data");
    bool live = conf_text(conf, "interface") != NULL;
    bool read = conf_list(conf, "read", &files) > 0;
    if (!e && live + read + conf_flag(conf, "drain") != 1)
        e = fault_set(f, ERR_BAD, "give one of --interface IF, --read FILE and --drain");
    return e;
}

/* A drain makes nothing: a folder that was named by mistake stays as it is. */
static enum err drain_check(const struct sensor_run *r, struct fault *f)
{
    char path[4200];
    struct stat st;
    if (!conf_flag(r->conf, "drain"))
        return OK;
    snprintf(path, sizeof path, "%s/spool", r->data);
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode)
               ? OK
               : fault_set(f, ERR_NOTFOUND,
                     "--data %s: holds no spool that could be drained; name the folder of the "
                     "site's sensor",
                     r->data);
}

/* Who we are: what the folder's certificate says, or, without one, the command line. */
static enum err identity_find(struct sensor_run *r, struct fault *f)
{
    const char *name = conf_text(r->conf, "site");
    const char *const *servers;
    size_t count = conf_list(r->conf, "bus", &servers);
    enum err e = bus_servers_check(servers, count, f);
    if (e)
        return e;
    e = site_identity_read(&r->identity, r->data, f);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (e && bus_clear_check(servers, count, f) != OK)
        return ERR_BAD;
    if (e && (!name || !count))
        return fault_set(f, ERR_BAD,
            "%s holds no certificate: get one with kizashi site enrol, or, on one machine "
            "without encryption, give --site and --bus",
            r->data);
    if (!e && name && strcmp(name, r->identity.site) != 0)
        return fault_set(f, ERR_BAD, "--site is %s, but the certificate in %s says %s", name,
            r->data, r->identity.site);
    if (name)
        snprintf(r->identity.site, sizeof r->identity.site, "%.*s", BUS_SITE_MAX, name);
    if (!bus_site_fits(r->identity.site) || (name && strlen(name) > BUS_SITE_MAX))
        return fault_set(f, ERR_BAD,
            "--site: \"%.64s\" is no name for a site on the bus: 1 to %d of a-z, 0-9, - and _",
            name, BUS_SITE_MAX);
    for (size_t i = 0; i < count; i++)
        snprintf(r->identity.servers[i], sizeof r->identity.servers[i], "%s", servers[i]);
    if (count)
        r->identity.server_count = count;
    return OK;
}

/* Telescopes of others are not this sensor's to count. */
static enum err addresses_check(const struct sensor_run *r, struct fault *f)
{
    const char *const *pairs;
    const char *site = r->identity.site;
    size_t count = conf_list(r->conf, "addresses", &pairs);
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(pairs[i], "=");
        if (!pairs[i][len])
            continue; /* not of the form: told where it is read */
        if (len != strlen(site) || strncmp(pairs[i], site, len) != 0)
            return fault_set(f, ERR_BAD, "--addresses: there is no site \"%.*s\"; this is %s",
                (int)(len < 64 ? len : 64), pairs[i], site);
    }
    return OK;
}

static enum err interface_open(struct sensor_run *r, struct fault *f)
{
    const char *interface = conf_text(r->conf, "interface");
    return interface ? setup_live_open(&r->live, interface, conf_text(r->conf, "filter"), f)
                     : OK;
}

static enum err list_open(struct sensor_run *r, struct fault *f)
{
    return feed_open_files(&r->feed, (const char *const *)r->list.paths, r->list.count, f);
}

static enum err feed_make(struct sensor_run *r, struct fault *f)
{
    const char *const *files;
    size_t count = conf_list(r->conf, "read", &files);
    enum err e;
    if (r->live) {
        e = feed_open_live(&r->feed, r->live, 0);
        if (e)
            return fault_set(f, e, "%s", err_text(e));
        r->live = NULL;
        return OK;
    }
    for (size_t i = 0; i < count; i++) {
        e = capture_list_add(&r->list, files[i], f);
        if (e)
            return e;
    }
    return list_open(r, f);
}

/* What the site lets out at most, and the keys for what it hides. */
static enum err rules_make(struct sensor_run *r, struct fault *f)
{
    struct anon_policy policy;
    const char *file = conf_text(r->conf, "policy");
    anon_policy_default(&policy);
    enum err e = OK;
    if (file && strcmp(file, "keep") == 0)
        anon_policy_open(&policy);
    else if (file)
        e = anonymize_policy(file, &policy, f);
    struct site_document first;
    document_default(&first);
    first.payload = (int64_t)conf_count(r->conf, "payload");
    first.batch = conf_us(r->conf, "batch");
    first.heartbeat = conf_us(r->conf, "heartbeat");
    struct sensor_rules_options o = {.site = r->identity.site,
        .folder = r->data,
        .first = &first,
        .limit = &policy,
        .window = r->setup.window};
    return e ? e : sensor_rules_new(&r->rules, &o, f);
}

static enum err spool_make(struct sensor_run *r, struct fault *f)
{
    char path[4200];
    bool oldest = strcmp(conf_text(r->conf, "spool-full"), "drop-oldest") == 0;
    snprintf(path, sizeof path, "%s/spool", r->data);
    /* Captures do not go away: they wait until there is room. */
    bool replay = conf_text(r->conf, "interface") == NULL;
    struct spool_options o = {.folder = path,
        .cap = conf_count(r->conf, "spool-cap") << 20,
        .policy = oldest && !replay ? SPOOL_DROP_OLDEST : SPOOL_REFUSE};
    enum err e = spool_open(&r->spool, &o, f);
    if (e)
        return e;
    struct spool_counts c;
    spool_counts(r->spool, &c);
    r->drained = conf_flag(r->conf, "drain") && c.committed >= c.last;
    return OK;
}

static void on_known(const char *text)
{
    log_event(LOG_NOTE, "capture.known", "text=\"%s\" action=left-out", text);
}

/* What is known of the captures; a run over others settles what the one before has left. */
static enum err captures_make(struct sensor_run *r, struct fault *f)
{
    struct spool_counts counts;
    size_t given = r->list.count;
    spool_counts(r->spool, &counts);
    enum err e = sensor_captures_open(&r->captures, r->data, f);
    if (!e)
        e = sensor_captures_settle(r->captures, &counts, f);
    if (e || !given)
        return e;
    e = sensor_captures_begin(r->captures, &r->list, conf_flag(r->conf, "again"), on_known, f);
    if (e || r->list.count == given)
        return e;
    feed_close(r->feed);
    r->feed = NULL;
    return list_open(r, f);
}

/* From the sending thread, too: the identity stays as it is, its files may be new ones. */
static enum err bus_make(void *context, struct bus **ret_bus, struct fault *f)
{
    const struct sensor_run *r = context;
    struct bus_nats_options o = {
        .site = r->identity.site, .server_count = r->identity.server_count};
    for (size_t i = 0; i < r->identity.server_count; i++)
        o.servers[i] = r->identity.servers[i];
    if (r->identity.certificate[0]) {
        o.ca = r->identity.ca;
        o.certificate = r->identity.certificate;
        o.key = r->identity.key;
    }
    return bus_nats_open(ret_bus, &o, f);
}

static enum err collector_make(struct sensor_run *r, struct fault *f)
{
    struct collector_options o = {.site = r->identity.site,
        .feed = r->feed,
        .shared = &r->setup.shared,
        .ruler = sensor_rules_ruler(r->rules),
        .spool = r->spool,
        .batch = conf_us(r->conf, "batch"),
        .refuse = conf_text(r->conf, "interface") &&
                  strcmp(conf_text(r->conf, "spool-full"), "drop-newest") == 0,
        .stop = stop_flag(),
        .events = {r, on_trouble, on_alive}};
    if (r->list.count)
        o.past = sensor_captures_past(r->captures);
    enum err e = setup_sensor_options(&r->setup, r->identity.site, 1, &o.sensor, f);
    if (e)
        return e;
    r->feed = NULL;
    return collector_new(&r->collector, &o, f);
}

static enum err sending_start(struct sensor_run *r, struct fault *f)
{
    struct clock wall = clock_system();
    struct sensor_send_options o = {.site = r->identity.site,
        .certificate = r->identity.certificate,
        .way = {r, bus_make},
        .spool = r->spool,
        .folder = r->data,
        .spool_cap = conf_count(r->conf, "spool-cap") << 20,
        .collector = r->collector,
        .started = clock_now(&wall),
        .rules = r->rules};
    return sensor_send_start(&r->send, &o, f);
}

/* The next certificate is there. On the renewer's thread, which ends before `send` does. */
static void on_renewed(void *context)
{
    const struct sensor_run *r = context;
    sensor_send_reopen(r->send);
}

/* One that reads captures now and then renews when it is run, as one does that runs for years.
 */
static enum err renewer_start(struct sensor_run *r, struct fault *f)
{
    const struct site_renewer_options o = {
        .identity = &r->identity, .folder = r->data, .context = r, .renewed = on_renewed};
    enum err e = site_renewer_start(&r->renewer, &o);
    return e ? fault_set(f, e, "%s", err_text(e)) : OK;
}

static enum err sensor_open_all(struct sensor_run *r, struct conf *conf, struct fault *f)
{
    enum err e = config_read(r, conf, f);
    if (!e && conf_flag(conf, "verbose"))
        log_level_set(LOG_DEBUG);
    if (!e)
        e = identity_find(r, f);
    if (!e)
        e = addresses_check(r, f);
    if (!e)
        e = drain_check(r, f);
    if (!e)
        e = interface_open(r, f);
    if (!e)
        e = setup_look_open(&r->setup, conf, f);
    if (!e)
        e = folder_make(r->data, &r->made, f);
    if (!e)
        e = privileges_drop(conf_text(r->conf, "user"), r->data, NULL, f);
    if (!e)
        e = feed_make(r, f);
    if (!e)
        e = rules_make(r, f);
    if (!e)
        e = spool_make(r, f);
    if (!e)
        e = captures_make(r, f);
    if (e || r->drained)
        return e;
    e = collector_make(r, f);
    if (!e)
        e = sending_start(r, f);
    return e ? e : renewer_start(r, f);
}

static void sensor_close_all(struct sensor_run *r)
{
    site_renewer_stop(r->renewer);
    sensor_send_stop(r->send);
    collector_free(r->collector);
    sensor_captures_close(r->captures);
    capture_list_done(&r->list);
    spool_close(r->spool);
    sensor_rules_free(r->rules);
    feed_close(r->feed);
    if (r->live)
        source_close(r->live);
    setup_close(&r->setup);
    notify_close(&r->notify);
}

static void spool_tell(struct sensor_run *r)
{
    struct spool_counts c;
    spool_counts(r->spool, &c);
    if (c.cut)
        log_event(LOG_WARN, "spool.cut", "bytes=%llu text=\"an entry that was not whole\"",
            (unsigned long long)c.cut);
    uint64_t gone = c.committed >= c.first ? c.committed : c.first - 1;
    if (c.last > gone)
        log_event(LOG_NOTE, "spool.holds", "entries=%llu bytes=%llu",
            (unsigned long long)(c.last - gone), (unsigned long long)c.bytes);
}

/* Captures have been read: stay until the hub has stored them. */
static enum err drain(struct sensor_run *r, struct fault *f)
{
    enum err e = OK;
    while (!e && !atomic_load(stop_flag()) && !sensor_send_is_done(r->send)) {
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
        notify_alive(&r->notify);
        e = sensor_send_failed(r->send, f);
    }
    return !e && !sensor_send_is_done(r->send) ? ERR_STOPPED : e;
}

/* What came of it; returns how many packets were read. */
static uint64_t stop_tell(struct sensor_run *r, enum err e)
{
    struct collector_counts c;
    struct spool_counts s;
    collector_counts(r->collector, &c);
    spool_counts(r->spool, &s);
    uint64_t gone = s.committed >= s.first ? s.committed : s.first - 1;
    log_event(LOG_NOTE, "sensor.stop", "reason=%s packets=%llu parcels=%llu waiting=%llu",
        e == ERR_STOPPED ? "signal" : "end", (unsigned long long)c.packets,
        (unsigned long long)c.parcels, (unsigned long long)(s.last > gone ? s.last - gone : 0));
    return c.packets;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    (void)count;
    (void)operands;
    struct sensor_run *r = calloc(1, sizeof *r);
    struct fault f = {0};
    if (!r)
        return EXIT_PROBLEM;
    stop_install();
    notify_open(&r->notify);
    enum err opened = sensor_open_all(r, conf, &f);
    enum err e = opened;
    if (!e && r->drained)
        log_event(LOG_NOTE, "spool.empty", "text=\"nothing to send\"");
    else if (!e) {
        spool_tell(r);
        notify_ready(&r->notify);
        e = collector_run(r->collector, &f);
    }
    if (!opened && !e && !r->drained)
        e = drain(r, &f);
    if (!opened && !e && r->list.count)
        e = sensor_captures_end(r->captures, &f);
    uint64_t read = !opened && !r->drained ? stop_tell(r, e) : 0;
    notify_stopping(&r->notify);
    sensor_close_all(r);
    if (opened && r->made && tree_remove(r->data, NULL) != OK)
        log_event(LOG_WARN, "data.left", "folder=%s", r->data);
    bool broken = r->broken;
    free(r);
    if (e == ERR_STOPPED && !conf_text(conf, "interface")) {
        fault_set(&f, e,
            "stopped before the hub had stored everything: %llu packets were read, and what of "
            "them is not sent waits in %s; --drain sends it, and the same captures read again "
            "go on where this run was",
            (unsigned long long)read, conf_text(conf, "data"));
        return ending("sensor", e, &f);
    }
    if (!e || e == ERR_STOPPED)
        return !e && broken ? EXIT_PROBLEM : EXIT_DONE;
    if (opened)
        return ending("sensor", e, &f);
    if (!conf_text(conf, "interface"))
        log_event(LOG_NOTE, "sensor.unfinished",
            "packets=%llu text=\"what was read waits in the spool or is at the hub; when the "
            "trouble is mended, the same captures read again go on where this run was\"",
            (unsigned long long)read);
    ending_tell("sensor", e, &f);
    return EXIT_PROBLEM;
}

const struct command cmd_sensor = {
    .name = "sensor",
    .text = "Watch a telescope and send what it sees to a hub elsewhere.",
    .items = sensor_items,
    .run = run,
    .more =
        "The sensor captures, recognises tools, anonymises after the site's own policy, and "
        "puts what is left into a spool on its disk. From there it is sent to the hub, "
        "encrypted, and removed when the hub says that it is stored: a link that is down, a "
        "hub "
        "that is stopped or a sensor that is killed lose nothing that was in the spool.\n\n"
        "kizashi site enrol gets the certificate that the hub knows the site by.\n\n"
        "Examples:\n"
        "  kizashi sensor --data /var/lib/kizashi-sensor --interface eth1 --filter 'dst net "
        "198.51.100.0/24'\n"
        "  kizashi sensor --data /var/lib/kizashi-sensor --read captures/\n",
};
