#include "test.h"

#include "ingest/feed.h"
#include "sensor/capture_writer.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of small captures; each packet's one byte says where it comes from. */
struct folder {
    char path[64];
};

static int folder_make(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/kizashi-test-XXXXXX");
    *state = f;
    return mkdtemp(f->path) ? 0 : -1;
}

static int folder_drop(void **state)
{
    struct folder *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", f->path);
    int status = system(command);
    free(f);
    return status;
}

static const char *capture(
    struct folder *folder, const char *name, const int *seconds, size_t count, char path[128])
{
    struct capture_writer *w;
    struct fault f;
    snprintf(path, 128, "%s/%s", folder->path, name);
    assert_int_equal(capture_writer_open(&w, path, 101, 65535, &f), OK);
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)name[0];
        assert_int_equal(capture_writer_put(w, (int64_t)seconds[i] * 1000000, &byte, 1, 1), OK);
    }
    assert_int_equal(capture_writer_close(w, &f), OK);
    return path;
}

/* "a1 b2 |": origin and second of each frame, a bar where the window ended. */
static void read_until(struct feed *d, int64_t second, char *text, size_t len)
{
    enum feed_state s;
    const struct frame *frames;
    size_t count;
    struct fault f;
    do {
        enum err e = feed_next(d, second * 1000000, &s, &frames, &count, &f);
        if (e) {
            snprintf(text + strlen(text), len - strlen(text), "! ");
            s = FEED_FRAMES;
            continue;
        }
        for (size_t i = 0; i < count; i++)
            snprintf(text + strlen(text), len - strlen(text), "%c%d ", frames[i].data[0],
                (int)(frames[i].ts / 1000000));
    } while (s == FEED_FRAMES);
    snprintf(text + strlen(text), len - strlen(text), s == FEED_ENDED ? "." : "| ");
}

static void merges(void **state)
{
    char a[128];
    char b[128];
    char c[128];
    const char *paths[3] = {
        capture(*state, "c.pcap", (int[]){30, 31}, 2, c),
        capture(*state, "a.pcap", (int[]){1, 3, 5}, 3, a),
        capture(*state, "b.pcap.gz", (int[]){2, 3, 12}, 3, b),
    };
    struct feed *d;
    struct fault f;
    char text[256] = "";
    assert_int_equal(feed_open_files(&d, paths, 3, &f), OK);
    assert_int_equal(feed_peek(d), 1000000);
    read_until(d, 10, text, sizeof text);
    assert_int_equal(feed_peek(d), 12000000);
    read_until(d, 20, text, sizeof text);
    read_until(d, 99, text, sizeof text);
    assert_string_equal(text, "a1 b2 b3 a3 a5 | b12 | c30 c31 .");
    assert_int_equal(feed_peek(d), INT64_MAX);
    feed_close(d);
}

static void folder_of_captures(void **state)
{
    char a[128];
    char b[128];
    struct folder *folder = *state;
    capture(folder, "a.pcap", (int[]){5}, 1, a);
    capture(folder, "b.pcap", (int[]){4}, 1, b);
    const char *path = folder->path;
    struct feed *d;
    struct fault f;
    char text[256] = "";
    assert_int_equal(feed_open_files(&d, &path, 1, &f), OK);
    read_until(d, 10, text, sizeof text);
    assert_string_equal(text, "b4 a5 .");
    feed_close(d);
}

static void broken_goes_on(void **state)
{
    char a[128];
    char b[128];
    const char *paths[2] = {
        capture(*state, "a.pcap", (int[]){1, 3, 5}, 3, a),
        capture(*state, "b.pcap", (int[]){2, 9}, 2, b),
    };
    assert_int_equal(truncate(a, 24 + 17 + 17 + 5), 0);
    struct feed *d;
    struct fault f;
    char text[256] = "";
    assert_int_equal(feed_open_files(&d, paths, 2, &f), OK);
    read_until(d, 10, text, sizeof text);
    assert_string_equal(text, "a1 b2 a3 ! b9 .");
    feed_close(d);
}

static void none_among_captures(void **state)
{
    char a[128];
    char text_path[128];
    struct folder *folder = *state;
    capture(folder, "a.pcap", (int[]){1, 3}, 2, a);
    snprintf(text_path, sizeof text_path, "%s/readme", folder->path);
    FILE *file = fopen(text_path, "w");
    assert_non_null(file);
    fputs("no capture", file);
    assert_int_equal(fclose(file), 0);
    const char *path = folder->path;
    const char *alone = text_path;
    struct feed *d;
    struct fault f;
    char text[256] = "";
    assert_int_equal(feed_open_files(&d, &path, 1, &f), OK);
    read_until(d, 10, text, sizeof text);
    assert_string_equal(text, "! a1 a3 .");
    feed_close(d);
    assert_int_equal(feed_open_files(&d, &alone, 1, &f), ERR_BAD);
    assert_non_null(strstr(f.text, text_path));
}

static void no_capture(void **state)
{
    struct folder *folder = *state;
    struct feed *d;
    struct fault f;
    const char *nothing = "/no/such/capture";
    const char *empty = folder->path;
    assert_int_not_equal(feed_open_files(&d, &nothing, 1, &f), OK);
    assert_non_null(strstr(f.text, "/no/such/capture"));
    assert_int_equal(feed_open_files(&d, &empty, 1, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "holds no captures"));
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("captures in any order that overlap come out in time order", merges, folder_make,
        folder_drop),
    SAYS_WITH(
        "a folder stands for the captures in it", folder_of_captures, folder_make, folder_drop),
    SAYS_WITH("a capture that breaks is told once and the others go on", broken_goes_on,
        folder_make, folder_drop),
    SAYS_WITH("a file that is no capture is told once and the others go on",
        none_among_captures, folder_make, folder_drop),
    SAYS_WITH("a capture that is not there, or an empty folder, is named", no_capture,
        folder_make, folder_drop),
};
TEST_MAIN(tests)
