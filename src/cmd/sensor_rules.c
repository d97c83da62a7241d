#include "cmd/sensor_rules.h"

#include "base/log.h"
#include "base/steady.h"
#include "cmd/site_action_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One document in effect, as the collector sees it. */
struct held {
    struct collector_rules rules;
    struct applied *applied;
    _Atomic int holders;
};

struct sensor_rules {
    char folder[4096];
    char path[4200]; /* of the document */
    struct anon_keys *keys;
    struct applier *applier;
    struct held *now; /* the capturing thread's */
};

/* ---- for the collector ---- */

static bool frame_passes(void *context, const struct frame *frame)
{
    const struct applied *a = context;
    return filter_passes(a->filter, frame->link, frame->data, frame->len, frame->wire_len);
}

static bool source_passes(void *context, const struct ip *source)
{
    return applied_samples(context, source);
}

static void held_drop(struct held *held)
{
    if (!held || atomic_fetch_sub(&held->holders, 1) != 1)
        return;
    applied_drop(held->applied);
    free(held);
}

/* What the applier has in effect; without memory what was in effect stays. */
static void held_renew(struct sensor_rules *r)
{
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        return;
    held->applied = applier_hold(r->applier);
    const struct site_document *d = &held->applied->document;
    held->rules = (struct collector_rules){.context = held->applied,
        .frame_passes = frame_passes,
        .source_passes = source_passes,
        .payload = (size_t)d->payload,
        .batch = d->batch,
        .anon = held->applied->anon};
    atomic_init(&held->holders, 1);
    held_drop(r->now);
    r->now = held;
}

static bool on_news(void *context)
{
    const struct sensor_rules *r = context;
    return applier_has_news(r->applier);
}

static const struct collector_rules *on_take(void *context)
{
    struct sensor_rules *r = context;
    if (applier_turn(r->applier, steady_now())) {
        held_renew(r);
        log_event(LOG_NOTE, "document.in-effect", "version=%lld",
            (long long)applier_now(r->applier)->version);
    }
    atomic_fetch_add(&r->now->holders, 1);
    return &r->now->rules;
}

static void on_drop(void *context, const struct collector_rules *rules)
{
    (void)context;
    held_drop((struct held *)(uintptr_t)rules); /* its first member */
}

struct collector_ruler sensor_rules_ruler(struct sensor_rules *r)
{
    return (struct collector_ruler){r, on_news, on_take, on_drop};
}

struct applier *sensor_rules_applier(struct sensor_rules *r)
{
    return r->applier;
}

/* ---- what comes, and what is kept ---- */

/* The old one, or the new one: never half of it. */
static enum err keep(const struct sensor_rules *r, struct bytes parcel)
{
    char path[4208];
    snprintf(path, sizeof path, "%s.new", r->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool whole =
        fd >= 0 && write(fd, parcel.at, parcel.left) == (ssize_t)parcel.left && fsync(fd) == 0;
    if (fd >= 0)
        whole = close(fd) == 0 && whole;
    return whole && rename(path, r->path) == 0 ? OK : ERR_IO;
}

/* Whoever may act looks into the folder; here it is only written down. */
static void action_ask(const struct sensor_rules *r, struct bytes parcel)
{
    struct site_action a;
    struct fault f = {0};
    struct clock wall = clock_system();
    enum err e = document_parcel_action(parcel, &a, &f);
    if (!e && a.id)
        e = site_action_ask(r->folder, &a, clock_now(&wall));
    if (e)
        log_event(LOG_WARN, "action.refused", "error=\"%s\"", f.text[0] ? f.text : err_text(e));
    else if (a.id)
        log_event(LOG_NOTE, "action.asked", "id=%lld what=%s", (long long)a.id,
            site_action_name(a.kind));
}

void sensor_rules_offer(struct sensor_rules *r, struct bytes parcel)
{
    struct fault f = {0};
    action_ask(r, parcel);
    if (applier_offer(r->applier, parcel, steady_now(), &f) != OK) {
        log_event(LOG_ERROR, "document.refused", "error=\"%s\"", f.text);
        return;
    }
    if (applier_has_news(r->applier) && keep(r, parcel) != OK)
        log_event(LOG_WARN, "document.kept",
            "error=\"%s: %s\" text=\"it is asked for again after a restart\"", r->path,
            strerror(errno));
}

static enum err read_kept(struct sensor_rules *r, struct fault *f)
{
    static const size_t most = DOCUMENT_MAX;
    FILE *file = fopen(r->path, "r");
    if (!file)
        return errno == ENOENT ? OK : fault_set(f, ERR_IO, "%s: %s", r->path, strerror(errno));
    char *text = malloc(most);
    size_t len = text ? fread(text, 1, most, file) : 0;
    fclose(file);
    struct fault why = {0};
    if (text && applier_offer(r->applier, bytes_over(text, len), steady_now(), &why) != OK)
        log_event(LOG_WARN, "document.refused", "file=%s error=\"%s\"", r->path, why.text);
    free(text);
    if (applier_turn(r->applier, steady_now()))
        held_renew(r);
    return OK;
}

enum err sensor_rules_new(struct sensor_rules **ret_rules,
    const struct sensor_rules_options *options, struct fault *f)
{
    char keys[4200];
    struct sensor_rules *r = calloc(1, sizeof *r);
    if (!r || sodium_init() < 0) {
        free(r);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    snprintf(r->folder, sizeof r->folder, "%s", options->folder);
    snprintf(r->path, sizeof r->path, "%s/document.json", options->folder);
    snprintf(keys, sizeof keys, "%s/anonymisation.keys", options->folder);
    enum err e = anon_keys_open(&r->keys, keys, f);
    struct applier_options o = {.site = options->site,
        .keys = r->keys,
        .limit = options->limit,
        .first = options->first,
        .window = options->window};
    uint8_t secret[ANON_SECRET];
    if (!e) {
        anon_keys_site(r->keys, secret);
        memcpy(&o.secret, secret, sizeof o.secret);
        sodium_memzero(secret, sizeof secret);
        e = applier_new(&r->applier, &o, f);
    }
    if (!e) {
        held_renew(r);
        e = r->now ? read_kept(r, f) : fault_set(f, ERR_NOMEM, "out of memory");
    }
    if (e)
        sensor_rules_free(r);
    else
        *ret_rules = r;
    return e;
}

void sensor_rules_free(struct sensor_rules *r)
{
    if (!r)
        return;
    held_drop(r->now);
    applier_free(r->applier);
    anon_keys_close(r->keys);
    free(r);
}
