#include "cmd/hub_sites.h"

#include "base/clock.h"
#include "cmd/demo.h"
#include "cmd/imports.h"
#include "cmd/simulation.h"
#include "sensor/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIVE_MAX = 64,
    LIVE_FLUSH_US = 1000000,
    LIVE_GRACE_US = 1000000
};

static enum err live_open(
    struct hub_sites *h, const char *pair, const char *filter, struct fault *f)
{
    const char *equals = strchr(pair, '=');
    char name[RECORD_NAME_MAX + 2];
    snprintf(
        name, sizeof name, "%.*s", equals ? (int)(equals - pair) : 4, equals ? pair : "live");
    const char *interface = equals ? equals + 1 : pair;
    enum err e = site_name_check(name, f);
    if (e)
        fault_prefix(f, "--interface");
    if (!e && h->live_count == LIVE_MAX)
        e = fault_set(f, ERR_FULL, "--interface: more than %d interfaces", LIVE_MAX);
    struct source *s = NULL;
    if (e)
        return e;
    e = setup_live_open(&s, interface, filter, f);
    if (e)
        return e;
    snprintf(
        h->live_names[h->live_count], sizeof *h->live_names, "%.*s", RECORD_NAME_MAX, name);
    h->live[h->live_count++] = s;
    return OK;
}

enum err hub_sites_live(struct hub_sites *h, const struct conf *conf, struct fault *f)
{
    const char *const *pairs;
    const char *const *captures;
    size_t capture_count = conf_list(conf, "site", &captures);
    size_t count = conf_list(conf, "interface", &pairs);
    enum err e = site_list_pairs(&h->list, captures, capture_count, f);
    if (e)
        return e;
    h->live = calloc(LIVE_MAX, sizeof *h->live);
    h->live_names = calloc(LIVE_MAX, sizeof *h->live_names);
    if (!h->live || !h->live_names)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count && !e; i++)
        e = live_open(h, pairs[i], conf_text(conf, "filter"), f);
    return e;
}

/* Make a site over a feed, which is taken in any case. */
static enum err site_add(struct hub_sites *h, const struct hub_site *about, const char *name,
    struct feed *feed, struct fault *f)
{
    struct site_options options = {
        .shared = &h->setup->shared, .writer = keep_writer(h->keep), .flush = LIVE_FLUSH_US};
    struct site *made = NULL;
    enum err e = setup_sensor_options(h->setup, name, h->planned, &options.sensor, f);
    if (!e && about->addresses && !options.sensor.addresses)
        options.sensor.addresses = about->addresses;
    if (!e) {
        e = site_new(&made, name, feed, &options);
        if (e)
            fault_set(f, e, "site %s: %s", name, err_text(e));
    }
    if (e) {
        feed_close(feed);
        return e;
    }
    h->sites[h->count] = made;
    h->about[h->count] = *about;
    h->about[h->count].site = made;
    h->about[h->count].addresses = options.sensor.addresses;
    h->count++;
    return OK;
}

static enum err captures_add(
    struct hub_sites *h, const struct site_captures *c, struct fault *f)
{
    struct feed *feed;
    struct hub_site about = {.kind = HUB_FILE};
    enum err e = feed_open_files(&feed, c->paths, c->count, f);
    if (e)
        return e;
    const char *slash = c->count ? strrchr(c->paths[0], '/') : NULL;
    const char *first =
        c->count ? slash && slash[1] ? slash + 1 : c->paths[0] : "stored captures";
    if (c->count > 1)
        snprintf(about.source, sizeof about.source, "%.200s and %zu more", first, c->count - 1);
    else
        snprintf(about.source, sizeof about.source, "%.250s", first);
    return site_add(h, &about, c->name, feed, f);
}

static enum err demo_add(struct hub_sites *h, struct fault *f)
{
    const struct truth *truth = demo_truth(h->demo);
    enum err e = OK;
    for (size_t i = 0; i < truth->site_count && !e; i++) {
        struct feed *feed;
        struct hub_site about = {
            .kind = HUB_DEMO, .source = "simulated", .addresses = truth->sites[i].addresses};
        e = demo_feed(h->demo, i, &feed);
        if (e)
            return fault_set(f, e, "%s", err_text(e));
        e = site_add(h, &about, truth->sites[i].name, feed, f);
    }
    return e;
}

/* The simulated surveys announce themselves, as real ones do. */
static enum err demo_start(struct hub_sites *h, const struct setup *setup, struct fault *f)
{
    const struct conf *conf = setup->conf;
    struct clock wall = clock_system();
    struct demo_options options = {
        .sites = conf_count(conf, "demo-sites"),
        .history = conf_us(conf, "demo-history"),
        .now = clock_now(&wall),
        .scale = conf_number(conf, "demo-scale"),
        .seed = conf_count(conf, "demo-seed"),
        .geoip = simulation_geoip(), /* what the hub looks addresses up in, too */
    };
    enum err e = demo_open(&h->demo, &options, f);
    struct buf surveys;
    buf_init(&surveys, 1 << 20);
    if (!e && demo_surveys(h->demo, &surveys) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (!e)
        e = survey_add(setup->surveys, "simulated surveys",
            bytes_over(surveys.data, surveys.len), options.now, f);
    buf_done(&surveys);
    return e;
}

enum err hub_sites_open(struct hub_sites *h, const struct setup *setup, struct keep *keep,
    void (*note)(const char *site, const char *text), struct fault *f)
{
    enum err e = OK;
    if (conf_flag(setup->conf, "demo"))
        e = demo_start(h, setup, f);
    if (e)
        return e;
    h->setup = setup;
    h->keep = keep;
    h->planned =
        h->list.count + h->live_count + (h->demo ? demo_truth(h->demo)->site_count : 0);
    h->sites = calloc(h->planned + 1, sizeof *h->sites);
    h->about = calloc(h->planned + 1, sizeof *h->about);
    if (!h->sites || !h->about)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < h->list.count && !e; i++) {
        if (!conf_flag(setup->conf, "again"))
            imports_leave_out(&h->list.sites[i], keep_catalog(keep), note);
        e = captures_add(h, &h->list.sites[i], f);
    }
    for (size_t i = 0; i < h->live_count && !e; i++) {
        struct feed *feed;
        struct hub_site about = {.kind = HUB_INTERFACE};
        snprintf(about.source, sizeof about.source, "interface of %s", h->live_names[i]);
        e = feed_open_live(&feed, h->live[i], LIVE_GRACE_US);
        if (e)
            return fault_set(f, e, "%s", err_text(e));
        h->live[i] = NULL;
        e = site_add(h, &about, h->live_names[i], feed, f);
    }
    return !e && h->demo ? demo_add(h, f) : e;
}

void hub_sites_close(struct hub_sites *h)
{
    for (size_t i = 0; i < h->count; i++)
        site_free(h->sites[i]);
    for (size_t i = 0; h->live && i < h->live_count; i++)
        source_close(h->live[i]);
    free(h->live);
    free(h->live_names);
    free(h->sites);
    free(h->about);
    demo_close(h->demo);
    site_list_done(&h->list);
}
