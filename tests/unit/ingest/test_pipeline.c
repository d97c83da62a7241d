#include "test.h"

#include "base/clock.h"
#include "ingest/pipeline.h"

#include <string.h>

/* Scenarios: the traffic of each site as text, one packet a word "SECOND:SOURCE>PORT". Frames
 * are handed over in runs of a length that the test chooses, as a file or as live traffic. */

enum {
    SCENE_PACKETS = 512,
    FRAME = 40
};

struct scene {
    struct frame frames[SCENE_PACKETS];
    uint8_t bytes[SCENE_PACKETS][FRAME];
    size_t count, at, run;
    bool live;
    bool quiet; /* live: the last call said quiet */
};

static void frame_make(struct scene *s, const char *word)
{
    int second;
    int source;
    int port;
    assert_int_equal(sscanf(word, "%d:%d>%d", &second, &source, &port), 3);
    uint8_t *p = s->bytes[s->count];
    memset(p, 0, FRAME);
    p[0] = 0x45;
    p[3] = FRAME;
    p[8] = 60;
    p[9] = 6;
    p[12] = 20;
    p[15] = (uint8_t)source;
    p[16] = 198;
    p[17] = 18;
    p[19] = (uint8_t)s->count;
    p[20] = 200;
    p[22] = (uint8_t)(port >> 8);
    p[23] = (uint8_t)port;
    p[32] = 0x50;
    p[33] = 2;
    s->frames[s->count++] = (struct frame){
        .ts = second * US_SECOND, .link = 101, .wire_len = FRAME, .len = FRAME, .data = p};
}

static void scene_read(struct scene *s, const char *text, size_t run, bool live)
{
    char copy[8192];
    char *rest = NULL;
    memset(s, 0, sizeof *s);
    s->run = run;
    s->live = live;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        frame_make(s, word);
}

static enum err scene_next(void *context, int64_t until, enum feed_state *ret_state,
    const struct frame **ret_frames, size_t *ret_count, struct fault *f)
{
    (void)f;
    struct scene *s = context;
    size_t n = 0;
    if (s->live && !s->quiet) {
        s->quiet = true;
        *ret_state = FEED_QUIET;
        return OK;
    }
    s->quiet = false;
    while (n < s->run && s->at + n < s->count && s->frames[s->at + n].ts < until)
        n++;
    *ret_state = n ? FEED_FRAMES : s->at < s->count ? FEED_WINDOW : FEED_ENDED;
    *ret_frames = s->frames + s->at;
    *ret_count = n;
    s->at += n;
    return OK;
}

static int64_t scene_peek(void *context)
{
    const struct scene *s = context;
    return s->at < s->count ? s->frames[s->at].ts : INT64_MAX;
}

static void scene_counts(void *context, struct source_counts *ret_counts)
{
    const struct scene *s = context;
    ret_counts->frames = s->at;
}

static void scene_close(void *context)
{
    (void)context;
}

static bool scene_live(void *context)
{
    const struct scene *s = context;
    return s->live;
}

/* What the engines would see: "600: a 2/1 b 0/0;" is a window's start, and for each site
 * packets and contacts; a site that was not watching is in brackets. */
struct seen {
    char text[2048];
    int64_t now;  /* the engines' clock, seconds ... */
    int64_t cost; /* ... and how long they take for a window */
    struct clock clock;
};

static int64_t scene_now(void *context)
{
    const struct seen *seen = context;
    return seen->now * US_SECOND;
}

static size_t contacts_of(const struct window *w, const char *site)
{
    size_t n = 0;
    for (size_t i = 0; i < w->block_count; i++)
        for (size_t row = 0; row < w->blocks[i]->rows; row++)
            n += strcmp(block_word_at(w->blocks[i], CONTACT_SITE, row), site) == 0;
    return n;
}

static enum err on_window(void *context, const struct window *w)
{
    struct seen *seen = context;
    size_t used = strlen(seen->text);
    used += (size_t)snprintf(
        seen->text + used, sizeof seen->text - used, "%d:", (int)(w->start / US_SECOND));
    for (size_t i = 0; i < w->site_count; i++) {
        const struct window_site *s = &w->sites[i];
        used += (size_t)snprintf(seen->text + used, sizeof seen->text - used,
            s->watching ? " %s %d/%d" : " (%s %d/%d)", s->name, (int)s->packets,
            (int)contacts_of(w, s->name));
    }
    snprintf(seen->text + used, sizeof seen->text - used, "; ");
    seen->now = seen->now > window_end(w) / US_SECOND ? seen->now : window_end(w) / US_SECOND;
    seen->now += seen->cost;
    return OK;
}

static void on_skipped(void *context, const struct window *w, const char *engine)
{
    assert_null(engine);
    struct seen *seen = context;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%d: skipped; ",
        (int)(w->start / US_SECOND));
}

static void on_trouble(void *context, const char *site, const struct fault *f)
{
    (void)context;
    fail_msg("site %s: %s", site, f->text);
}

static void run_scenes(
    struct scene *scenes, const char *const *names, size_t count, struct seen *seen)
{
    static atomic_bool stop;
    struct site *sites[8];
    struct site_options options = {.sensor = {.sources_max = 1024, .contacts_max = 1024}};
    struct sensor_shared shared = {0};
    struct fault f;
    options.shared = &shared;
    for (size_t i = 0; i < count; i++) {
        struct feed *feed;
        struct feed_maker maker = {.next = scene_next,
            .peek = scene_peek,
            .counts = scene_counts,
            .close = scene_close,
            .context = &scenes[i]};
        if (scenes[i].live)
            maker.live = scene_live;
        assert_int_equal(feed_open_maker(&feed, &maker), OK);
        assert_int_equal(site_new(&sites[i], names[i], feed, &options), OK);
    }
    struct pipeline_options pipeline_options = {
        .window = 10 * US_MINUTE,
        .events = {.context = seen,
            .window = on_window,
            .skipped = on_skipped,
            .trouble = on_trouble},
        .stop = &stop,
        .clock = &seen->clock,
    };
    struct pipeline *p;
    seen->text[0] = 0;
    seen->clock = (struct clock){scene_now, seen};
    assert_int_equal(pipeline_new(&p, sites, count, &pipeline_options, &f), OK);
    assert_int_equal(pipeline_run(p, &f), OK);
    pipeline_free(p);
    for (size_t i = 0; i < count; i++)
        site_free(sites[i]);
}

static const char *const two[] = {"b", "a"};
static const char traffic_a[] = "10:1>23 20:1>23 30:2>23 700:1>23 1900:3>80";
static const char traffic_b[] = "650:9>23 1250:9>22 1900:9>23";
static const char windows[] = "0: (a 3/2) (b 0/0); 600: a 1/1 (b 1/1); 1200: a 0/0 b 1/1; "
                              "1800: (a 1/1) (b 1/1); ";

static void windows_in_step(void **state)
{
    (void)state;
    struct scene scenes[2];
    struct seen seen = {.now = 0};
    scene_read(&scenes[0], traffic_b, 64, false);
    scene_read(&scenes[1], traffic_a, 64, false);
    run_scenes(scenes, two, 2, &seen);
    assert_string_equal(seen.text, windows);
}

static void live_is_replay(void **state)
{
    (void)state;
    for (size_t run = 1; run < 8; run++) {
        struct scene scenes[2];
        struct seen seen = {.now = 0};
        scene_read(&scenes[0], traffic_b, run, true);
        scene_read(&scenes[1], traffic_a, run, run & 1);
        run_scenes(scenes, two, 2, &seen);
        assert_string_equal(seen.text, windows);
    }
}

static void short_silence(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    struct scene scene;
    struct seen seen = {.now = 0};
    scene_read(&scene, "10:1>23 1900:1>23", 8, false);
    run_scenes(&scene, one, 1, &seen);
    assert_string_equal(seen.text, "0: (a 1/1); 600: a 0/0; 1200: a 0/0; 1800: (a 1/1); ");
}

static void long_silence(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    struct scene scene;
    struct seen seen = {.now = 0};
    scene_read(&scene, "10:1>23 999999:1>23", 8, false);
    run_scenes(&scene, one, 1, &seen);
    assert_string_equal(seen.text, "0: (a 1/1); 999600: (a 1/1); ");
}

static void late_packets(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    struct scene scene;
    struct seen seen = {.now = 0};
    scene_read(&scene, "10:1>23 610:1>23 590:2>23 1210:1>23", 8, false);
    run_scenes(&scene, one, 1, &seen);
    assert_string_equal(seen.text, "0: (a 1/1); 600: a 2/2; 1200: (a 1/1); ");
}

/* Windows 0 to 6 have 24 packets each, 7 and 8 none, 9 has as many again. */
static void outage(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    char traffic[8192] = "";
    size_t used = 0;
    for (int window = 0; window < 10; window++)
        for (int i = 0; i < 24 && window != 7 && window != 8; i++)
            used += (size_t)snprintf(
                traffic + used, sizeof traffic - used, "%d:%d>23 ", window * 600 + i, i + 1);
    struct scene scene;
    struct seen seen = {.now = 0};
    scene_read(&scene, traffic, 64, false);
    run_scenes(&scene, one, 1, &seen);
    assert_non_null(strstr(seen.text, "3600: a 24/24; "));
    assert_non_null(strstr(seen.text, "4200: (a 0/0); 4800: (a 0/0); 5400: (a 24/24); "));
}

/* A packet every 20 seconds; none from the middle of window 7 to that of window 9. */
static void half_windows(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    char traffic[8192] = "";
    size_t used = 0;
    for (int at = 0; at < 11 * 600; at += 20)
        if (at < 4500 || at >= 5700)
            used += (size_t)snprintf(
                traffic + used, sizeof traffic - used, "%d:%d>23 ", at, at / 20 % 30 + 1);
    struct scene scene;
    struct seen seen = {.now = 0};
    scene_read(&scene, traffic, 64, false);
    run_scenes(&scene, one, 1, &seen);
    assert_non_null(strstr(seen.text, "3600: a 30/30; 4200: (a 15/15); 4800: (a 0/0); "
                                      "5400: (a 15/15); 6000: (a 30/30); "));
}

static void engines_behind(void **state)
{
    (void)state;
    const char *const one[] = {"a"};
    static const char traffic[] =
        "10:1>23 20:1>23 610:1>23 1210:1>23 1810:1>23 2410:1>23 3010:1>23";
    struct scene scene;
    struct seen seen = {.cost = 1500};
    scene_read(&scene, traffic, 1, true);
    run_scenes(&scene, one, 1, &seen);
    /* Two windows and a half go by while the engines look at one. */
    assert_string_equal(seen.text, "0: (a 2/1); 600: a 1/1; 1200: skipped; 1800: a 1/1; "
                                   "2400: skipped; 3000: (a 1/1); ");
}

static void same_name(void **state)
{
    (void)state;
    static atomic_bool stop;
    struct scene scenes[2];
    struct site *sites[2];
    struct sensor_shared shared = {0};
    struct site_options options = {
        .shared = &shared, .sensor = {.sources_max = 16, .contacts_max = 16}};
    struct pipeline_options pipeline_options = {.window = US_MINUTE, .stop = &stop};
    struct pipeline *p;
    struct fault f;
    for (size_t i = 0; i < 2; i++) {
        struct feed *feed;
        struct feed_maker maker = {.next = scene_next,
            .peek = scene_peek,
            .counts = scene_counts,
            .close = scene_close,
            .context = &scenes[i]};
        scene_read(&scenes[i], "1:1>23", 1, false);
        assert_int_equal(feed_open_maker(&feed, &maker), OK);
        assert_int_equal(site_new(&sites[i], "twin", feed, &options), OK);
    }
    assert_int_equal(pipeline_new(&p, sites, 2, &pipeline_options, &f), ERR_EXISTS);
    assert_string_equal(f.text, "two sites are called twin");
    site_free(sites[0]);
    site_free(sites[1]);
}

static const struct CMUnitTest tests[] = {
    SAYS("sites advance in step, and each window shows what every site saw", windows_in_step),
    SAYS("live traffic and a replay in runs of any length give the same windows",
        live_is_replay),
    SAYS("windows without traffic are shown while a site watches", short_silence),
    SAYS("after a silence of days the next window is the one with traffic", long_silence),
    SAYS("a packet that comes after its window is counted into the open one", late_packets),
    SAYS("silence where there is always something to hear is an outage, not silence", outage),
    SAYS("windows in which an outage begins or ends are not watched", half_windows),
    SAYS("engines that are two windows behind live traffic leave out whole windows",
        engines_behind),
    SAYS("two sites of one name are refused", same_name),
};
TEST_MAIN(tests)
