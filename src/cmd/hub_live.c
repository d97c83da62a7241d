#include "cmd/hub_live.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEALTH_PARTS = 8,
    SKIPS = 20, /* engines, and all together */
    DETAIL = 480
};

enum {
    SILENT_AFTER_S = 300
};

struct live_row {
    struct hub_site about;
    const char *state;
    int64_t since; /* when the state began, wall clock */
    int64_t heard; /* when the packet count last grew */
    uint64_t packets, lost;
    double pps;
    struct remote_counts far; /* of a site elsewhere, as the next */
    enum site_state fleet;
    char detail[DETAIL];
};

struct health {
    char part[32];
    char detail[DETAIL];
};

struct hub_live {
    pthread_mutex_t lock;
    struct live_row *rows;
    size_t count;
    int64_t measured;
    struct health health[HEALTH_PARTS];
    size_t health_count;
    _Atomic uint64_t windows;
    struct {
        char engine[32]; /* "all" */
        uint64_t windows;
    } skips[SKIPS];
    size_t skip_count;
    bool behind; /* an engine left out the window that is being shown */
};

enum err hub_live_new(
    struct hub_live **ret_live, const struct hub_site *sites, size_t count, int64_t now)
{
    struct hub_live *l = calloc(1, sizeof *l);
    struct live_row *rows = calloc(count ? count : 1, sizeof *rows);
    if (!l || !rows) {
        free(l);
        free(rows);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] =
            (struct live_row){.about = sites[i], .state = "silent", .since = now, .heard = now};
    pthread_mutex_init(&l->lock, NULL);
    l->rows = rows;
    l->count = count;
    l->measured = now;
    *ret_live = l;
    return OK;
}

enum err hub_live_add(struct hub_live *l, const struct hub_site *site, int64_t now)
{
    pthread_mutex_lock(&l->lock);
    struct live_row *more = realloc(l->rows, (l->count + 1) * sizeof *more);
    if (more) {
        l->rows = more;
        l->rows[l->count++] =
            (struct live_row){.about = *site, .state = "silent", .since = now, .heard = now};
    }
    pthread_mutex_unlock(&l->lock);
    return more ? OK : ERR_NOMEM;
}

void hub_live_free(struct hub_live *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->rows);
    free(l);
}

static const char *state_of(const struct live_row *r, bool lossy, int64_t now)
{
    const struct site_live *live = site_live(r->about.site);
    bool remote = r->about.kind == HUB_REMOTE;
    if (atomic_load(&live->ended) && r->detail[0])
        return "failed";
    if (remote && r->fleet == SITE_DOWN)
        return "down";
    if (atomic_load(&live->ended))
        return "done";
    if (remote && !r->far.heard)
        return "awaited";
    if (remote && r->fleet == SITE_UNWATCHED)
        return "done";
    bool quiet = now - r->heard > SILENT_AFTER_S * US_SECOND;
    /* A capture of the hub's own may wait for another site; one elsewhere may be gone. */
    if (!feed_is_live(site_feed(r->about.site)))
        return remote && quiet ? "silent" : "replaying";
    if (quiet)
        return "silent";
    return lossy ? "lossy" : "live";
}

static void row_measure(struct live_row *r, double seconds, int64_t now)
{
    const struct site_live *live = site_live(r->about.site);
    uint64_t packets = atomic_load(&live->packets);
    uint64_t lost = atomic_load(&live->dropped_kernel) + atomic_load(&live->dropped_queue);
    if (packets != r->packets)
        r->heard = now;
    if (seconds > 0.0)
        r->pps = (double)(packets - r->packets) / seconds;
    const char *state = state_of(r, lost != r->lost, now);
    if (strcmp(state, r->state) != 0) {
        r->state = state;
        r->since = now;
    }
    r->packets = packets;
    r->lost = lost;
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *row_json(const struct live_row *r)
{
    const struct site_live *live = site_live(r->about.site);
    int64_t newest = atomic_load(&live->newest);
    uint64_t kernel = atomic_load(&live->dropped_kernel);
    uint64_t queue = atomic_load(&live->dropped_queue);
    const struct remote_counts *u = &r->far;
    json_t *row = json_object();
    json_object_set_new(row, "site", json_string(site_name(r->about.site)));
    json_object_set_new(row, "state", json_string(r->state));
    json_object_set_new(row, "since", json_time(r->since));
    if (r->detail[0])
        json_object_set_new(row, "detail", json_text(r->detail, strlen(r->detail)));
    json_object_set_new(row, "source", json_text(r->about.source, strlen(r->about.source)));
    json_object_set_new(row, "addresses", count(r->about.addresses));
    json_object_set_new(row, "pps", json_real(r->pps));
    json_object_set_new(row, "received", count(atomic_load(&live->packets) + u->unseen));
    json_object_set_new(row, "unseen", count(u->unseen));
    if (u->unseen) {
        json_object_set_new(row, "unseen_first", json_time(u->unseen_first));
        json_object_set_new(row, "unseen_last", json_time(u->unseen_last));
    }
    json_object_set_new(row, "dropped", count(kernel + queue));
    json_object_set_new(row, "dropped_kernel", count(kernel));
    json_object_set_new(row, "dropped_queue", count(queue));
    json_object_set_new(row, "sampled_out", count(atomic_load(&live->sampled_out)));
    json_object_set_new(row, "snapped", count(atomic_load(&live->snapped)));
    json_object_set_new(row, "malformed", count(atomic_load(&live->malformed)));
    json_object_set_new(row, "non_ip", count(atomic_load(&live->non_ip)));
    json_object_set_new(row, "last", newest ? json_time(newest) : json_null());
    return row;
}

/* Called with the lock held. */
static json_t *rows_json(const struct hub_live *l)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(rows, row_json(&l->rows[i]));
    return rows;
}

void hub_live_measure(struct hub_live *l, int64_t now)
{
    pthread_mutex_lock(&l->lock);
    double seconds = (double)(now - l->measured) / (double)US_SECOND;
    for (size_t i = 0; i < l->count; i++)
        row_measure(&l->rows[i], seconds, now);
    l->measured = now;
    pthread_mutex_unlock(&l->lock);
}

void hub_live_trouble(struct hub_live *l, const char *site, const char *detail)
{
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(site_name(l->rows[i].about.site), site) == 0)
            snprintf(l->rows[i].detail, DETAIL, "%s", detail ? detail : "");
    pthread_mutex_unlock(&l->lock);
}

void hub_live_far(
    struct hub_live *l, const char *site, const struct remote_counts *c, enum site_state fleet)
{
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(site_name(l->rows[i].about.site), site) == 0) {
            l->rows[i].far = *c;
            l->rows[i].fleet = fleet;
        }
    pthread_mutex_unlock(&l->lock);
}

void hub_live_addresses(struct hub_live *l, const char *site, uint64_t addresses)
{
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(site_name(l->rows[i].about.site), site) == 0)
            l->rows[i].about.addresses = addresses;
    pthread_mutex_unlock(&l->lock);
}

void hub_live_health(struct hub_live *l, const char *part, const char *detail)
{
    pthread_mutex_lock(&l->lock);
    size_t i = 0;
    while (i < l->health_count && strcmp(l->health[i].part, part) != 0)
        i++;
    if (!detail && i < l->health_count)
        l->health[i] = l->health[--l->health_count];
    else if (detail && i < HEALTH_PARTS) {
        if (i == l->health_count)
            l->health_count++;
        snprintf(l->health[i].part, sizeof l->health[i].part, "%s", part);
        snprintf(l->health[i].detail, DETAIL, "%s", detail);
    }
    pthread_mutex_unlock(&l->lock);
}

void hub_live_window(struct hub_live *l)
{
    atomic_fetch_add(&l->windows, 1);
    pthread_mutex_lock(&l->lock);
    bool well = !l->behind;
    l->behind = false;
    pthread_mutex_unlock(&l->lock);
    if (well)
        hub_live_health(l, "engines", NULL);
}

/* How often it has skipped by now. Called with the lock held. */
static uint64_t skips_count(struct hub_live *l, const char *engine)
{
    size_t i = 0;
    while (i < l->skip_count && strcmp(l->skips[i].engine, engine) != 0)
        i++;
    if (i == SKIPS)
        return 1;
    if (i == l->skip_count) {
        l->skip_count++;
        snprintf(l->skips[i].engine, sizeof l->skips[i].engine, "%s", engine);
    }
    return ++l->skips[i].windows;
}

void hub_live_skipped(struct hub_live *l, const char *engine)
{
    char text[DETAIL];
    pthread_mutex_lock(&l->lock);
    uint64_t count = skips_count(l, engine ? engine : "all");
    l->behind = engine != NULL; /* of one window; the others have yet to be shown it */
    pthread_mutex_unlock(&l->lock);
    snprintf(text, sizeof text,
        "%s%s cannot keep up: %llu windows were not looked at; choose fewer engines with "
        "--engines, or give the hub a faster machine",
        engine ? "the engine " : "the engines", engine ? engine : "",
        (unsigned long long)count);
    hub_live_health(l, "engines", text);
}

json_t *hub_live_sites(void *context)
{
    struct hub_live *l = context;
    pthread_mutex_lock(&l->lock);
    json_t *rows = rows_json(l);
    pthread_mutex_unlock(&l->lock);
    return rows;
}

json_t *hub_live_reasons(void *context)
{
    struct hub_live *l = context;
    json_t *reasons = json_array();
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->health_count; i++)
        json_array_append_new(
            reasons, json_pack("{s:s, s:o}", "part", l->health[i].part, "detail",
                         json_text(l->health[i].detail, strlen(l->health[i].detail))));
    pthread_mutex_unlock(&l->lock);
    return reasons;
}

static const struct metric {
    const char *name;
    const char *type;
    const char *help;
    size_t offset; /* of the counter in struct site_live */
} metrics[] = {
    {"kizashi_packets_total", "counter", "Packets decoded.",
        offsetof(struct site_live, packets)},
    {"kizashi_bytes_total", "counter", "Bytes of decoded packets.",
        offsetof(struct site_live, bytes)},
    {"kizashi_frames_total", "counter", "Frames received.", offsetof(struct site_live, frames)},
    {"kizashi_dropped_kernel_total", "counter",
        "Packets lost between network card and program.",
        offsetof(struct site_live, dropped_kernel)},
    {"kizashi_dropped_queue_total", "counter", "Packets not stored because the queue was full.",
        offsetof(struct site_live, dropped_queue)},
    {"kizashi_sampled_out_total", "counter",
        "Packets left out of windows by sampling of sources.",
        offsetof(struct site_live, sampled_out)},
    {"kizashi_snapped_total", "counter", "Packets cut by the capture.",
        offsetof(struct site_live, snapped)},
    {"kizashi_malformed_total", "counter", "Frames that could not be decoded.",
        offsetof(struct site_live, malformed)},
    {"kizashi_non_ip_total", "counter", "Frames that are neither IPv4 nor IPv6.",
        offsetof(struct site_live, non_ip)},
};

static void count_metric(struct buf *out, const char *name, const char *help, uint64_t value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
        (unsigned long long)value);
}

/* "all" is there from the beginning, as a rate needs a zero. */
static void skip_metric(struct hub_live *l, struct buf *out)
{
    const char *name = "kizashi_windows_skipped_total";
    uint64_t all = 0;
    buf_printf(out,
        "# HELP %s Windows that an engine, or all, had to leave out.\n# TYPE %s counter\n",
        name, name);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->skip_count; i++)
        if (strcmp(l->skips[i].engine, "all") == 0)
            all = l->skips[i].windows;
        else
            buf_printf(out, "%s{engine=\"%s\"} %llu\n", name, l->skips[i].engine,
                (unsigned long long)l->skips[i].windows);
    pthread_mutex_unlock(&l->lock);
    buf_printf(out, "%s{engine=\"all\"} %llu\n", name, (unsigned long long)all);
}

/* Called with the lock held. */
static void unseen_metric(const struct hub_live *l, struct buf *out)
{
    const char *name = "kizashi_unseen_packets_total";
    buf_printf(out,
        "# HELP %s Packets that came after their windows were over: stored, and not seen by "
        "the engines.\n# TYPE %s counter\n",
        name, name);
    for (size_t i = 0; i < l->count; i++)
        buf_printf(out, "%s{site=\"%s\"} %llu\n", name, site_name(l->rows[i].about.site),
            (unsigned long long)l->rows[i].far.unseen);
}

void hub_live_metrics(void *context, struct buf *out)
{
    struct hub_live *l = context;
    count_metric(out, "kizashi_windows_total", "Windows that the engines have been shown.",
        atomic_load(&l->windows));
    skip_metric(l, out);
    pthread_mutex_lock(&l->lock);
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
            metrics[m].name, metrics[m].type);
        for (size_t i = 0; i < l->count; i++) {
            const char *base = (const char *)site_live(l->rows[i].about.site);
            const _Atomic uint64_t *value = (const void *)(base + metrics[m].offset);
            buf_printf(out, "%s{site=\"%s\"} %llu\n", metrics[m].name,
                site_name(l->rows[i].about.site), (unsigned long long)atomic_load(value));
        }
    }
    unseen_metric(l, out);
    pthread_mutex_unlock(&l->lock);
}
