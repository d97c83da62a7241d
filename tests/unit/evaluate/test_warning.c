#include "base/clock.h"
#include "evaluate/warning.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

#define LINE(id, severity, time, end, sites)                                                   \
    "{\"id\":\"" id "\",\"severity\":\"" severity "\",\"time\":\"2026-08-03T" time             \
    "Z\",\"start\":\"2026-08-03T01:00:00Z\",\"end\":\"2026-08-03T" end                         \
    "Z\",\"kind\":\"port-surge\",\"title\":\"t\",\"proto\":\"tcp\",\"ports\":[23,2323],"       \
    "\"sites\":[" sites "]}\n"

static enum err read_text(
    struct warnings *w, const char *text, enum severity least, struct fault *f)
{
    char path[] = "/tmp/kizashi-test-warning-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    *w = (struct warnings){0};
    enum err e = warnings_read(w, path, least, f);
    remove(path);
    return e;
}

static int64_t at(const char *time)
{
    int64_t us = 0;
    assert_int_equal(time_parse(time, &us), OK);
    return us;
}

static void grows(void **state)
{
    (void)state;
    static const char text[] =
        LINE("a", "notice", "02:00:00", "02:00:00", "\"jp-01\"") "\n" /* empty lines are fine */
        LINE("a", "critical", "02:00:00", "04:10:00", "\"jp-01\",\"kr-01\"");
    struct warnings w;
    struct fault f = {0};
    if (read_text(&w, text, SEVERITY_NOTICE, &f))
        fail_msg("%s", f.text);
    assert_int_equal(w.count, 1);
    const struct warning *a = &w.list[0];
    assert_int_equal(a->raised, at("2026-08-03T02:00:00Z"));
    assert_int_equal(warning_site_raised(a, "jp-01"), at("2026-08-03T02:00:00Z"));
    assert_int_equal(warning_site_raised(a, "kr-01"), at("2026-08-03T04:10:00Z"));
    assert_int_equal(warning_site_raised(a, "us-01"), INT64_MAX);
    assert_int_equal(a->severity, SEVERITY_CRITICAL);
    assert_int_equal(a->proto, 6);
    assert_true(warning_has_port(a, 2323));
    assert_false(warning_has_port(a, 80));
    warnings_done(&w);
}

/* A title of 159 bytes and a letter of two, after a bell and a turn of direction. */
static void labels_are_cut_and_harmless(void **state)
{
    (void)state;
    char title[400] = "\\u0007\\u009b\\u202e";
    char text[1000];
    while (strlen(title) < 171)
        strcat(title, "x");
    strcat(title, "\xc3\xa4");
    snprintf(text, sizeof text,
        "{\"id\":\"a\",\"severity\":\"notice\",\"time\":\"2026-08-03T02:00:00Z\",\"start\":"
        "\"2026-08-03T01:00:00Z\",\"end\":\"2026-08-03T02:00:00Z\",\"kind\":\"k\",\"title\":"
        "\"%s\",\"proto\":\"tcp\",\"ports\":[23],\"sites\":[]}\n",
        title);
    struct warnings w;
    struct fault f = {0};
    if (read_text(&w, text, SEVERITY_NOTICE, &f))
        fail_msg("%s", f.text);
    assert_int_equal(strlen(w.list[0].title), 159);
    assert_memory_equal(w.list[0].title, "      xxx", 9);
    assert_string_equal(w.list[0].title + 156, "xxx");
    warnings_done(&w);
}

static void rises(void **state)
{
    (void)state;
    static const char text[] = LINE("a", "info", "02:00:00", "02:00:00", "\"jp-01\"")
        LINE("b", "info", "02:00:00", "02:00:00", "\"jp-01\"")
            LINE("a", "notice", "02:00:00", "03:30:00", "\"jp-01\"");
    struct warnings w;
    struct fault f;
    assert_int_equal(read_text(&w, text, SEVERITY_NOTICE, &f), OK);
    assert_int_equal(w.count, 1); /* b stayed below */
    assert_string_equal(w.list[0].id, "a");
    assert_int_equal(w.list[0].raised, at("2026-08-03T03:30:00Z"));
    warnings_done(&w);
    assert_int_equal(read_text(&w, text, SEVERITY_INFO, &f), OK);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.list[0].raised, at("2026-08-03T02:00:00Z"));
    warnings_done(&w);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{", "line 1"},
        {"[]\n", "id"},
        {"{\"id\":\"\"}\n", "id"},
        {"{\"id\":\"a\"}\n", "severity"},
        {"{\"id\":\"a\",\"severity\":\"loud\"}\n", "severity"},
        {"{\"id\":\"a\",\"severity\":\"info\",\"time\":\"noon\"}\n", "time"},
        {LINE("a", "info", "02:00:00", "02:00:00", "7"), "sites"},
        {"{\"id\":\"a\",\"severity\":\"notice\",\"time\":\"2026-08-03\",\"start\":\"2026-08-"
         "03\","
         "\"end\":\"2026-08-03\",\"ports\":[65536],\"proto\":\"tcp\",\"sites\":[]}\n",
            "ports"},
        {"{\"id\":\"a\",\"severity\":\"notice\",\"time\":\"2026-08-03\",\"start\":\"2026-08-"
         "03\","
         "\"end\":\"2026-08-03\",\"ports\":[],\"proto\":\"tpc\",\"sites\":[]}\n",
            "proto"},
        {"{\"id\":\"a\",\"severity\":\"notice\",\"time\":\"2026-08-03\",\"start\":\"2026-08-"
         "03\",\"end\":\"2026-08-03\",\"ports\":[],\"proto\":\"tcp\",\"sites\":[],"
         "\"evidence\":{\"lead\":{\"forecasts\":[{\"site\":\"b\",\"chance\":1e300}]}}}\n",
            "chance"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct warnings w;
        struct fault f = {0};
        enum severity least = SEVERITY_INFO;
        assert_int_equal(read_text(&w, rows[i].text, least, &f), ERR_BAD);
        assert_non_null(strstr(f.text, rows[i].says));
        assert_non_null(strstr(f.text, "line 1"));
        warnings_done(&w);
    }
}

static void missing(void **state)
{
    (void)state;
    struct warnings w = {0};
    struct fault f;
    assert_int_equal(warnings_read(&w, "/no/such/file", SEVERITY_INFO, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "/no/such/file"));
}

static const struct CMUnitTest tests[] = {
    SAYS("an alert that grows is one, and each site counts from when it was named", grows),
    SAYS("a title is cut between two letters, and does nothing to a terminal",
        labels_are_cut_and_harmless),
    SAYS("an alert counts from when it reached the severity that is asked for", rises),
    SAYS("a broken line is refused by number and member", refused),
    SAYS("a file that is not there is refused by name", missing),
};

TEST_MAIN(tests)
