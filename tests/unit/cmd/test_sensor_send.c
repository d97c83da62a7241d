#include "test.h"

#include "base/steady.h"
#include "bus/authority.h"
#include "cmd/sensor_send.h"
#include "cmd/stop.h"
#include "fleet/heartbeat.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The sensor's sending thread over a bus that only counts: its way is opened anew while others
 * ask how it is. */

enum {
    REOPENINGS = 30,
    CONNECTS = 1, /* two that are said before it connects */
    DENIES = 2
};

static const int64_t patience = US_SECOND / 20;

struct stage {
    char folder[64];
    struct fingerprints *set;
    struct sensor_shared shared;
    struct sensor_rules *rules;
    struct spool *spool;
    struct collector *collector;
    struct sensor_send *send;
    atomic_bool stop;
    atomic_uint opened, closed, asked, beats;
    atomic_bool refuse; /* the next opening */
    atomic_uint says;   /* events that the bus has yet to tell: DENIES, then CONNECTS */
};

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
}

/* ---- the bus: one for each opening, so that a use after its end is one of freed memory ----
 */

struct way {
    struct bus bus;
    struct stage *stage;
};

static void way_next(void *context, int wait_ms, struct bus_event *ret_event)
{
    const struct way *w = context;
    (void)wait_ms;
    rest();
    atomic_fetch_add(&w->stage->asked, 1);
    *ret_event = (struct bus_event){.kind = BUS_NOTHING};
    unsigned says = atomic_load(&w->stage->says);
    if (says & DENIES)
        *ret_event = (struct bus_event){.kind = BUS_DENIED};
    else if (says & CONNECTS)
        *ret_event = (struct bus_event){.kind = BUS_CONNECTED};
    atomic_store(&w->stage->says, says & DENIES ? says & CONNECTS : 0);
}

static void way_release(void *context, struct bus_event *event, bool done)
{
    (void)context;
    (void)event;
    (void)done;
}

static void way_beat(void *context, struct bytes text)
{
    const struct way *w = context;
    struct heartbeat h;
    struct fault f = {0};
    assert_int_equal(heartbeat_read(text, &h, &f), OK);
    /* No cap is above what the disk has. */
    assert_int_equal(h.spool_cap, h.spool_bytes + h.disk_free);
    atomic_fetch_add(&w->stage->beats, 1);
}

static bool way_up(void *context)
{
    (void)context;
    return true;
}

static void way_close(void *context)
{
    struct way *w = context;
    atomic_fetch_add(&w->stage->closed, 1);
    free(w);
}

static const struct bus_ops ops = {.next = way_next,
    .release = way_release,
    .beat = way_beat,
    .is_connected = way_up,
    .close = way_close};

static enum err way_open(void *context, struct bus **ret_bus, struct fault *f)
{
    struct stage *s = context;
    if (atomic_load(&s->refuse))
        return fault_set(f, ERR_IO, "no such certificate");
    struct way *w = calloc(1, sizeof *w);
    assert_non_null(w);
    *w = (struct way){{&ops, w}, s};
    /* Never two at once: the hub would take them for two sensors. */
    assert_int_equal(atomic_fetch_add(&s->opened, 1), atomic_load(&s->closed));
    *ret_bus = &w->bus;
    return OK;
}

/* ---- a sensor that has nothing to capture ---- */

static enum err feed_none(void *context, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    (void)context;
    (void)until;
    (void)f;
    *ret_state = FEED_ENDED;
    *ret_frames = NULL;
    *ret_count = 0;
    return OK;
}

static void collector_begin(struct stage *s)
{
    struct feed *feed;
    struct fault f = {0};
    assert_int_equal(feed_open_maker(&feed, &(struct feed_maker){.next = feed_none}), OK);
    struct collector_options o = {.site = "jp-01",
        .feed = feed,
        .shared = &s->shared,
        .ruler = sensor_rules_ruler(s->rules),
        .spool = s->spool,
        .stop = &s->stop};
    assert_int_equal(collector_new(&s->collector, &o, &f), OK);
}

static int stage_make(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    struct fault f = {0};
    struct anon_policy policy;
    struct site_document first;
    char path[96];
    *state = s;
    snprintf(s->folder, sizeof s->folder, "/tmp/kizashi-send-XXXXXX");
    if (!mkdtemp(s->folder) || fingerprints_new(&s->set, NULL) != OK)
        return -1;
    s->shared = (struct sensor_shared){.fingerprints = s->set};
    anon_policy_open(&policy);
    document_default(&first);
    struct sensor_rules_options ro = {.site = "jp-01",
        .folder = s->folder,
        .first = &first,
        .limit = &policy,
        .window = 600 * US_SECOND};
    snprintf(path, sizeof path, "%s/spool", s->folder);
    struct spool_options so = {.folder = path, .careless = true};
    assert_int_equal(sensor_rules_new(&s->rules, &ro, &f), OK);
    assert_int_equal(spool_open(&s->spool, &so, &f), OK);
    collector_begin(s);
    struct sensor_send_options o = {.site = "jp-01",
        .way = {s, way_open},
        .spool = s->spool,
        .denied_patience = patience,
        .folder = s->folder,
        .spool_cap = UINT64_MAX,
        .collector = s->collector,
        .rules = s->rules};
    return sensor_send_start(&s->send, &o, &f);
}

static int stage_drop(void **state)
{
    struct stage *s = *state;
    char command[96];
    sensor_send_stop(s->send);
    collector_free(s->collector);
    spool_close(s->spool);
    sensor_rules_free(s->rules);
    fingerprints_free(s->set);
    assert_int_equal(atomic_load(&s->opened), atomic_load(&s->closed));
    snprintf(command, sizeof command, "rm -rf %s", s->folder);
    free(s);
    return system(command);
}

static void *renewing(void *context)
{
    struct stage *s = context;
    for (unsigned i = 0; i < REOPENINGS; i++) {
        unsigned before = atomic_load(&s->opened);
        sensor_send_reopen(s->send);
        while (atomic_load(&s->opened) == before)
            rest();
    }
    return NULL;
}

/* As the sensor's main thread does while it waits for the hub to have stored everything. */
static void reopens(void **state)
{
    struct stage *s = *state;
    struct fault f = {0};
    pthread_t renewer;
    assert_int_equal(pthread_create(&renewer, NULL, renewing, s), 0);
    while (atomic_load(&s->opened) < 1 + REOPENINGS) {
        (void)!sensor_send_is_done(s->send);
        assert_int_equal(sensor_send_failed(s->send, &f), OK);
    }
    pthread_join(renewer, NULL);
    unsigned asked = atomic_load(&s->asked);
    while (atomic_load(&s->asked) < asked + 3 || !sensor_send_is_done(s->send))
        rest();
    assert_int_equal(atomic_load(&s->closed), REOPENINGS);
    assert_true(atomic_load(&s->beats) > 0);
    assert_false(atomic_load(stop_flag()));
}

static void no_way(void **state)
{
    struct stage *s = *state;
    atomic_store(&s->refuse, true);
    sensor_send_reopen(s->send);
    while (!atomic_load(stop_flag())) {
        (void)!sensor_send_is_done(s->send);
        rest();
    }
    assert_int_equal(atomic_load(&s->opened), 1);
    assert_int_equal(atomic_load(&s->closed), 1);
}

/* ---- refusals ---- */

/* Tell the thread of these events, and give how often it logged bus.denied since, half a second
 * after the time that a refusal must last. */
static unsigned denials(struct stage *s, unsigned says, bool until_told)
{
    char path[96], line[1024];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/log", s->folder);
    fflush(stderr);
    int terminal = dup(STDERR_FILENO);
    FILE *log = freopen(path, "w", stderr);
    assert_non_null(log);
    atomic_store(&s->says, says);
    int64_t until = steady_now() + patience + US_SECOND / 2;
    for (FILE *file = fopen(path, "r"); file; fclose(file), file = fopen(path, "r")) {
        for (count = 0; fgets(line, sizeof line, file);)
            count += strstr(line, " bus.denied ") != NULL;
        if (steady_now() >= until && (count || !until_told)) {
            fclose(file);
            break;
        }
        rest();
    }
    assert_true(dup2(terminal, STDERR_FILENO) >= 0);
    close(terminal);
    return count;
}

static void short_refusal(void **state)
{
    assert_int_equal(denials(*state, DENIES | CONNECTS, false), 0);
}

static void long_refusal(void **state)
{
    assert_int_equal(denials(*state, DENIES, true), 1);
    assert_int_equal(denials(*state, DENIES, false), 0);            /* it was told */
    assert_int_equal(denials(*state, DENIES | CONNECTS, false), 0); /* and ends */
    assert_int_equal(denials(*state, DENIES, true), 1);             /* and comes again */
}

static void refusal_text(void **state)
{
    static const char revoked[] = "it was revoked, or replaced by another enrolment";
    struct stage *s = *state;
    struct authority *a;
    struct fault f = {0};
    char path[96], text[DENIED_TEXT];
    int64_t begin = 0, end = 0;
    assert_int_equal(authority_open(&a, s->folder, &f), OK);
    snprintf(path, sizeof path, "%s/ca.pem", s->folder);
    assert_int_equal(certificate_times(path, &begin, &end), OK);
    assert_true(begin < end);
    assert_non_null(strstr(sensor_denied_text(path, begin + US_DAY, text), revoked));
    assert_non_null(
        strstr(sensor_denied_text(path, begin - US_DAY, text), "is the clock right?"));
    assert_non_null(strstr(text, "certificate begins "));
    assert_null(strstr(text, revoked));
    assert_non_null(strstr(sensor_denied_text(path, end + US_DAY, text), "certificate ended "));
    assert_non_null(strstr(text, "is the clock right?"));
    assert_non_null(strstr(sensor_denied_text("", end, text), revoked));
    assert_non_null(strstr(sensor_denied_text(NULL, end, text), revoked));
    authority_close(a);
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH(
        "a refusal while the hub tells its message server of a new certificate is no error",
        short_refusal, stage_make, stage_drop),
    SAYS_WITH("a refusal that lasts is told once", long_refusal, stage_make, stage_drop),
    SAYS_WITH("a certificate that the clock is outside of asks for the clock", refusal_text,
        stage_make, stage_drop),
    SAYS_WITH("the way is opened anew again and again, while others ask how it is", reopens,
        stage_make, stage_drop),
    SAYS_WITH("a way that does not open again ends the sensor, and nothing uses the old one",
        no_way, stage_make, stage_drop),
};
TEST_MAIN(tests)
