#include "base/clock.h"
#include "decode/packet.h"
#include "sensor/source.h"
#include "sim/capture.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct telescope *opened(uint32_t link)
{
    struct telescope_options o;
    struct telescope *t;
    struct fault f = {0};
    telescope_options_init(&o);
    o.start = INT64_C(1785715200) * US_SECOND;
    o.length = 2 * US_HOUR;
    o.sites = 2;
    o.prefix = 24;
    o.link = link;
    o.quiet = true;
    if (telescope_open(&t, &o, &f))
        fail_msg("%s", f.text);
    return t;
}

static const char *in(char path[256], const char *folder, const char *name)
{
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static bool there(const char *folder, const char *name)
{
    char path[256];
    return access(in(path, folder, name), F_OK) == 0;
}

static void empty(const char *folder)
{
    static const char *const names[] = {"jp-01.pcap", "kr-01.pcap", "jp-01.pcap.zst",
        "kr-01.pcap.zst", "jp-01.pcap.gz", "kr-01.pcap.gz", "truth.json", "surveys.txt",
        "labels.csv"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in(path, folder, names[i]));
    rmdir(folder);
}

static uint64_t packets_in(const char *path, uint32_t link)
{
    struct source *s;
    struct fault f = {0};
    struct frame frames[64];
    uint64_t packets = 0;
    size_t count;
    if (source_open_file(&s, path, &f))
        fail_msg("%s", f.text);
    enum err e;
    while (!(e = source_next(s, frames, 64, 0, &count, &f)))
        for (size_t i = 0; i < count; i++, packets++)
            assert_int_equal(frames[i].link, link);
    assert_int_equal(e, ERR_NOTFOUND);
    source_close(s);
    return packets;
}

/* The packets that the labels speak of. */
static uint64_t packets_labelled(const char *folder)
{
    char path[256], line[128];
    unsigned long long packets, all = 0;
    FILE *labels = fopen(in(path, folder, "labels.csv"), "r");
    assert_non_null(labels);
    assert_non_null(fgets(line, sizeof line, labels));
    assert_string_equal(line, "source,label,packets\n");
    while (fgets(line, sizeof line, labels)) {
        assert_int_equal(sscanf(line, "%*[0-9.],%*[a-z0-9-],%llu", &packets), 1);
        all += packets;
    }
    fclose(labels);
    return all;
}

static void reads_back(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        uint32_t link;
    } rows[] = {{"pcap", LINK_RAW}, {"pcap.gz", LINK_ETHERNET}, {"pcap.zst", LINK_RAW}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folder[] = "/tmp/kizashi-test-capture-XXXXXX", path[256], name[64];
        assert_non_null(mkdtemp(folder));
        struct telescope *t = opened(rows[i].link);
        struct capture_made made;
        struct fault f = {0};
        const struct capture_plan plan = {.folder = folder, .suffix = rows[i].suffix};
        if (capture_write(t, &plan, &made, &f))
            fail_msg("%s", f.text);
        struct truth *told = calloc(1, sizeof *told);
        assert_non_null(told);
        assert_int_equal(truth_read(in(path, folder, "truth.json"), told, &f), OK);
        uint64_t packets = 0;
        for (uint32_t s = 0; s < told->site_count; s++) {
            snprintf(name, sizeof name, "%s.%s", told->sites[s].name, rows[i].suffix);
            uint64_t here = packets_in(in(path, folder, name), rows[i].link);
            assert_int_equal(here, told->sites[s].packets);
            packets += here;
        }
        assert_int_equal(packets, made.packets);
        assert_int_equal(packets_labelled(folder), made.packets);
        assert_true(there(folder, "surveys.txt"));
        free(told);
        telescope_close(t);
        empty(folder);
    }
}

static void keeps_what_is_there(void **state)
{
    (void)state;
    char folder[] = "/tmp/kizashi-test-capture-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct capture_made made;
    struct fault f = {0};
    struct capture_plan plan = {.folder = folder, .suffix = "pcap.gz"};
    struct telescope *t = opened(LINK_RAW);
    assert_int_equal(capture_write(t, &plan, &made, &f), OK);
    telescope_close(t);
    t = opened(LINK_RAW);
    plan.suffix = "pcap";
    assert_int_equal(capture_write(t, &plan, &made, &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "--replace"));
    assert_true(there(folder, "jp-01.pcap.gz"));
    plan.replace = true;
    assert_int_equal(capture_write(t, &plan, &made, &f), OK);
    assert_false(there(folder, "jp-01.pcap.gz"));
    assert_true(there(folder, "jp-01.pcap"));
    telescope_close(t);
    empty(folder);
}

static void put(const char *folder, const char *name)
{
    char path[256];
    FILE *file = fopen(in(path, folder, name), "w");
    assert_non_null(file);
    fputs("mine", file);
    assert_int_equal(fclose(file), 0);
}

static void refuses_files_of_others(void **state)
{
    (void)state;
    static const char *const names[] = {"jp-01.pcap", "surveys.txt", "labels.csv"};
    struct capture_made made;
    struct fault f = {0};
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        char folder[] = "/tmp/kizashi-test-capture-XXXXXX", path[256];
        struct stat kept;
        assert_non_null(mkdtemp(folder));
        const struct capture_plan plan = {
            .folder = folder, .suffix = "pcap", .replace = i % 2 == 1};
        put(folder, names[i / 2]);
        struct telescope *t = opened(LINK_RAW);
        assert_int_equal(capture_write(t, &plan, &made, &f), ERR_EXISTS);
        assert_non_null(strstr(f.text, names[i / 2]));
        assert_int_equal(stat(in(path, folder, names[i / 2]), &kept), 0);
        assert_int_equal(kept.st_size, 4);
        assert_false(there(folder, "truth.json"));
        telescope_close(t);
        empty(folder);
    }
}

static enum err stop(void *context, double done)
{
    (void)context;
    return done >= 0.0 ? ERR_STOPPED : OK;
}

static void leaves_nothing_half_written(void **state)
{
    (void)state;
    char folder[] = "/tmp/kizashi-test-capture-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct capture_made made;
    struct fault f = {0};
    struct capture_plan plan = {.folder = folder, .suffix = "pcap", .progress = stop};
    struct telescope *t = opened(LINK_RAW);
    assert_int_equal(capture_write(t, &plan, &made, &f), ERR_STOPPED);
    assert_int_equal(rmdir(folder), 0); /* only an empty folder can be removed */
    plan.folder = "/no/such/folder";
    assert_int_equal(capture_write(t, &plan, &made, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, plan.folder));
    telescope_close(t);
}

static const struct CMUnitTest tests[] = {
    SAYS("captures read back with as many packets as the truth says", reads_back),
    SAYS("an earlier simulation stays unless it is to be replaced", keeps_what_is_there),
    SAYS("a file of another's is not written over, also with --replace",
        refuses_files_of_others),
    SAYS("a run that fails leaves nothing half-written", leaves_nothing_half_written),
};

TEST_MAIN(tests)
