#include "cmd/sensor_send.h"

#include "base/log.h"
#include "base/steady.h"
#include "bus/authority.h"
#include "cmd/sensor_beat.h"
#include "cmd/stop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WAIT_MS = 25,
    SILENT_S = 3, /* until it is told that no message server has answered yet */
    DRAIN = 256   /* events that are taken before publishing goes on */
};

static const int64_t again_after = US_SECOND;     /* what went wrong */
static const int64_t speak_again = US_SECOND / 4; /* where the hub has not heard us, it seems */

struct sensor_send {
    struct sensor_send_options options;
    struct clock clock;
    struct bus *bus; /* this and the sender are the thread's */
    struct sender *sender;
    pthread_t thread;
    atomic_bool stop, reopen;
    bool denied;          /* and told */
    int64_t denied_since; /* steady; 0: it is not */
    pthread_mutex_t lock;
    struct fault fault; /* code OK: nothing is wrong */
    int64_t again;      /* when publishing goes on after it, steady */
    int64_t spoken;
    int64_t alone_since; /* nobody has answered yet; 0: somebody has, or it was told */
    uint64_t told;       /* changes of the document that were told */
    uint64_t damaged;    /* entries of the spool that are, as was told */
};

/* What the disk does not give back cannot be sent: nobody else knows of it. */
static void damage_tell(struct sensor_send *s, uint64_t damaged)
{
    if (damaged > s->damaged)
        log_event(LOG_ERROR, "spool.damaged",
            "entries=%llu error=\"the disk did not give them back; look at it\" "
            "action=going-on",
            (unsigned long long)damaged);
    s->damaged = damaged;
}

static void speak(struct sensor_send *s)
{
    struct sensor_beat b = {.site = s->options.site,
        .folder = s->options.folder,
        .spool_cap = s->options.spool_cap,
        .started = s->options.started,
        .applier = sensor_rules_applier(s->options.rules),
        .now = clock_now(&s->clock)};
    struct buf text;
    s->told = applier_changes(b.applier);
    b.interval = applier_heartbeat(b.applier);
    collector_counts(s->options.collector, &b.collector);
    spool_counts(s->options.spool, &b.spool);
    damage_tell(s, b.spool.damaged);
    sender_counts(s->sender, &b.sender);
    buf_init(&text, BUS_TEXT_MAX);
    sensor_beat_write(&b, &text);
    if (!text.err)
        bus_beat(s->bus, bytes_over(text.data, text.len));
    buf_done(&text);
    s->spoken = b.now;
}

const char *sensor_denied_text(const char *certificate, int64_t now, char ret_text[DENIED_TEXT])
{
    static const char waits[] = "packets wait in the spool";
    char here[TIME_TEXT], there[TIME_TEXT];
    int64_t begin = 0, end = 0;
    bool known = certificate && certificate_times(certificate, &begin, &end) == OK;
    if (known && (now < begin || now > end))
        snprintf(ret_text, DENIED_TEXT,
            "the message server and this site do not agree: by the clock here it is %s, and "
            "this "
            "site's certificate %s %s: is the clock right? %s%s",
            time_format(now, here), now < begin ? "begins" : "ended",
            time_format(now < begin ? begin : end, there), waits,
            now < begin
                ? ""
                : "; if it is, the sensor asks for a new certificate by itself until 30 "
                  "days after that (certificate.renewal in this log says why not)");
    else
        snprintf(ret_text, DENIED_TEXT,
            "the message server refuses this site's certificate: it was revoked, or replaced "
            "by "
            "another enrolment; %s; ask the hub for an invitation (kizashi site add), enrol "
            "here "
            "again (kizashi site enrol), and restart the sensor",
            waits);
    return ret_text;
}

/* It is tried again and again. */
static void denied_note(struct sensor_send *s)
{
    if (!s->denied_since)
        s->denied_since = steady_now();
    s->alone_since = 0; /* somebody does answer */
    log_event(LOG_DEBUG, "bus.refused", "action=trying-again");
}

/* Told once, and only if it lasts. */
static void denied_tell(struct sensor_send *s)
{
    char text[DENIED_TEXT];
    if (s->denied || !s->denied_since ||
        steady_now() - s->denied_since < s->options.denied_patience)
        return;
    s->denied = true;
    log_event(LOG_ERROR, "bus.denied", "text=\"%s\"",
        sensor_denied_text(s->options.certificate, clock_now(&s->clock), text));
}

static void event_take(struct sensor_send *s, struct bus_event *e)
{
    if (e->kind == BUS_CONNECTED)
        log_event(LOG_NOTE, "bus.connected", "%s", "");
    else if (e->kind == BUS_DISCONNECTED)
        log_event(LOG_WARN, "bus.disconnected", "action=\"packets wait in the spool\"");
    else if (e->kind == BUS_DENIED)
        denied_note(s);
    else if (e->kind == BUS_CONFIG)
        sensor_rules_offer(s->options.rules, e->data);
    if (e->kind == BUS_CONNECTED) {
        s->denied = false;
        s->denied_since = 0;
        s->spoken = s->alone_since = 0; /* the hub tells how far it is when it hears from us */
    }
    sender_event(s->sender, e);
}

/* Nobody has answered since the start: a wrong address looks like this. */
static void silence_tell(struct sensor_send *s)
{
    if (!s->alone_since || clock_now(&s->clock) - s->alone_since < SILENT_S * US_SECOND)
        return;
    s->alone_since = 0;
    log_event(LOG_WARN, "bus.silent",
        "text=\"no message server answers; packets wait in the spool, and it is tried again\"");
}

static void events_take(struct sensor_send *s)
{
    int wait = WAIT_MS;
    for (int i = 0; i < DRAIN; i++, wait = 0) {
        struct bus_event e;
        bus_next(s->bus, wait, &e);
        if (e.kind == BUS_NOTHING)
            return;
        event_take(s, &e);
        bus_release(s->bus, &e, true);
    }
}

/* The hub is back a moment after the message server, or before us: who waits for its word
 * speaks again, for it may have heard nothing. */
static bool should_speak(const struct sensor_send *s)
{
    struct applier *applier = sensor_rules_applier(s->options.rules);
    int64_t silent = clock_now(&s->clock) - s->spoken;
    return silent >= applier_heartbeat(applier) || applier_changes(applier) != s->told ||
           (silent >= speak_again && sender_waits(s->sender));
}

/* Publish. What goes wrong may pass (a message server that takes no message so large is given
 * another configuration): it is told once, tried again, and meanwhile the hub hears from us. */
static void publish(struct sensor_send *s)
{
    struct fault f = {0};
    int64_t now = steady_now();
    if (now < s->again)
        return;
    f.code = sender_pump(s->sender, &f);
    bool news = f.code != s->fault.code;
    s->again = f.code ? now + again_after : 0;
    pthread_mutex_lock(&s->lock);
    s->fault = f;
    pthread_mutex_unlock(&s->lock);
    if (news && f.code)
        log_event(LOG_ERROR, "sending.failed", "error=\"%s\" action=trying-again", f.text);
    else if (news)
        log_event(LOG_NOTE, "sending.mended", "action=going-on");
}

static void way_close(struct sensor_send *s)
{
    sender_free(s->sender);
    bus_close(s->bus);
    s->sender = NULL;
    s->bus = NULL;
}

static enum err way_open(struct sensor_send *s, struct fault *f)
{
    struct sender_options o = {.spool = s->options.spool, .clock = &s->clock};
    enum err e = s->options.way.open(s->options.way.context, &s->bus, f);
    o.bus = s->bus;
    if (!e && sender_new(&s->sender, &o) != OK)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        way_close(s);
    s->alone_since = clock_now(&s->clock);
    return e;
}

/* False: there is no way any more. */
static bool way_look(struct sensor_send *s)
{
    struct fault f = {0};
    if (!atomic_exchange(&s->reopen, false))
        return true;
    way_close(s);
    if (way_open(s, &f) == OK)
        return true;
    log_event(LOG_ERROR, "certificate.reopen", "error=\"%s\" action=ending", f.text);
    stop_now();
    return false;
}

static void *send_thread(void *context)
{
    struct sensor_send *s = context;
    while (!atomic_load(&s->stop)) {
        if (!way_look(s))
            return NULL;
        events_take(s);
        silence_tell(s);
        denied_tell(s);
        publish(s);
        if (should_speak(s))
            speak(s);
    }
    speak(s); /* the last word: what is left, and that we stop */
    return NULL;
}

enum err sensor_send_start(
    struct sensor_send **ret_send, const struct sensor_send_options *options, struct fault *f)
{
    struct sensor_send *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->options = *options;
    if (!s->options.denied_patience)
        s->options.denied_patience = SENSOR_DENIED_S * US_SECOND;
    s->clock = clock_system();
    pthread_mutex_init(&s->lock, NULL);
    enum err e = way_open(s, f);
    if (!e && pthread_create(&s->thread, NULL, send_thread, s) != 0)
        e = fault_set(f, ERR_NOMEM, "no thread for sending");
    if (e) {
        way_close(s);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return e;
    }
    *ret_send = s;
    return OK;
}

void sensor_send_reopen(struct sensor_send *s)
{
    atomic_store(&s->reopen, true);
}

bool sensor_send_is_done(struct sensor_send *s)
{
    struct spool_counts spool;
    spool_counts(s->options.spool, &spool);
    return spool.committed >= spool.last;
}

enum err sensor_send_failed(struct sensor_send *s, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    enum err e = s->fault.code;
    if (e && f)
        *f = s->fault;
    pthread_mutex_unlock(&s->lock);
    return e;
}

void sensor_send_stop(struct sensor_send *s)
{
    if (!s)
        return;
    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    way_close(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
