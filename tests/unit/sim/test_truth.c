#include "base/clock.h"
#include "decode/packet.h"
#include "sim/truth.h"
#include "test.h"

#include <string.h>

/* A truth of one event at two sites, written down by hand. */
static struct truth *example(void)
{
    struct truth *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->start = 1000 * US_DAY;
    t->end = 1004 * US_DAY;
    t->seed = UINT64_MAX;
    t->scale = 1.5;
    strcpy(t->geo, "made up");
    strcpy(t->command, "kizashi simulate telescope --out DIR");
    t->site_count = 2;
    t->sites[0] = (struct truth_site){"jp-01", "198.18.0.0/24", 256, 10};
    t->sites[1] = (struct truth_site){"kr-01", "198.18.8.0/24", 256, 20};
    t->event_count = 1;
    t->events[0] = (struct truth_event){
        .id = "one-site-1",
        .kind = "one-site",
        .proto = PROTO_TCP,
        .ports = {23, 9673},
        .port_count = 2,
        .start = t->start + US_DAY,
        .end = t->start + 2 * US_DAY,
        .hosts = 300,
        .countries = {"kr", "jp"},
        .country_count = 2,
        .sites = {{.site = 1,
            .onset = t->start + US_DAY,
            .first = t->start + US_DAY + 5,
            .last = t->start + US_DAY + 6,
            .packets = 7,
            .hosts = 6,
            .peak_hosts = 5,
            .usual_hosts = 0.125,
            .usual_spread = 0.5}},
        .site_count = 1,
        .shown = true,
    };
    truth_parameter_add(
        t->events[0].parameters, &t->events[0].parameter_count, "ramp", 2.5, "s");
    t->nuisance_count = 1;
    t->nuisances[0] = (struct truth_nuisance){
        .kind = "outage", .text = "silent", .site = 0, .start = t->start, .end = t->end};
    return t;
}

static void round_trip(void **state)
{
    (void)state;
    struct truth *t = example(), *back = calloc(1, sizeof *back);
    assert_non_null(back);
    json_t *value = truth_json(t);
    struct fault f = {0};
    if (truth_from_json(value, back, &f))
        fail_msg("%s", f.text);
    assert_memory_equal(t, back, sizeof *t);
    json_decref(value);
    free(t);
    free(back);
}

/* Every member of the document, when it is something else, is refused by name. */
static void strict(void **state)
{
    (void)state;
    static const char *const top[] = {"what", "version", "start", "end", "seed", "scale",
        "countries_from", "command", "background", "sites", "events", "nuisances"};
    static const char *const of_event[] = {"id", "kind", "proto", "ports", "start", "end",
        "hosts", "countries", "host_counts_can_show", "parameters", "sites"};
    struct truth *t = example(), *back = calloc(1, sizeof *back);
    struct fault f;
    assert_non_null(back);
    for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
        json_t *value = truth_json(t);
        json_object_set_new(value, top[i], json_object());
        assert_int_equal(truth_from_json(value, back, &f), ERR_BAD);
        assert_non_null(strstr(f.text, top[i]));
        json_decref(value);
    }
    for (size_t i = 0; i < sizeof of_event / sizeof *of_event; i++) {
        json_t *value = truth_json(t);
        json_t *event = json_array_get(json_object_get(value, "events"), 0);
        json_object_set_new(event, of_event[i], json_object());
        assert_int_equal(truth_from_json(value, back, &f), ERR_BAD);
        assert_non_null(strstr(f.text, "events[0]"));
        assert_non_null(strstr(f.text, of_event[i]));
        json_decref(value);
    }
    free(t);
    free(back);
}

/* By hand: 9 hosts are too few; 30 hosts are five of spread 6, and 37 are more than six. */
static void judge(void **state)
{
    (void)state;
    struct truth_event e = {.site_count = 1};
    e.sites[0] = (struct truth_presence){.peak_hosts = 9, .usual_spread = 0.0};
    truth_event_judge(&e);
    assert_false(e.shown);
    e.sites[0] = (struct truth_presence){.peak_hosts = 30, .usual_spread = 6.0};
    truth_event_judge(&e);
    assert_false(e.shown);
    e.sites[0].peak_hosts = 37;
    truth_event_judge(&e);
    assert_true(e.shown);
}

static void files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {{"", "line"}, {"{", "line"}, {"[]", "what"}, {"{\"what\":\"x\"}", "what"}};
    struct truth *t = calloc(1, sizeof *t);
    struct fault f;
    char path[] = "/tmp/kizashi-test-truth-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && t);
    fclose(fdopen(fd, "w"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(rows[i].text, out);
        fclose(out);
        assert_int_equal(truth_read(path, t, &f), ERR_BAD);
        assert_non_null(strstr(f.text, path));
        assert_non_null(strstr(f.text, rows[i].says));
    }
    remove(path);
    assert_int_equal(truth_read(path, t, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, path));
    free(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("a truth reads back as it was written", round_trip),
    SAYS("a member of the wrong type is refused by name", strict),
    SAYS("host counts show what is ten hosts and six standard deviations", judge),
    SAYS("a file that is no truth is refused with its name", files),
};

TEST_MAIN(tests)
