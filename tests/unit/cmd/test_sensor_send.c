#include "test.h"

#include "cmd/sensor_send.h"
#include "cmd/stop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The sensor's sending thread over a bus that only counts: its way is opened anew while others
 * ask how it is. */

enum {
    REOPENINGS = 30
};

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
    assert_true(text.left > 0);
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
        .folder = s->folder,
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

static const struct CMUnitTest tests[] = {
    SAYS_WITH("the way is opened anew again and again, while others ask how it is", reopens,
        stage_make, stage_drop),
    SAYS_WITH("a way that does not open again ends the sensor, and nothing uses the old one",
        no_way, stage_make, stage_drop),
};
TEST_MAIN(tests)
