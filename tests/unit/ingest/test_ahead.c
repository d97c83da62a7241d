#include "test.h"

#include "base/hash.h"
#include "ingest/ahead.h"
#include "sensor/capture_writer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FRAMES = 3000,
    FRAME_ROOM = 28 + 600
};

static const int64_t second = 1000000;

static int capture_make(void **state)
{
    char *path = strdup("/tmp/kizashi-test-XXXXXX.pcap");
    int fd = mkstemps(path, 5);
    *state = path;
    return fd < 0 ? -1 : close(fd);
}

static int capture_drop(void **state)
{
    int status = unlink(*state);
    free(*state);
    return status;
}

/* UDP over IPv4 with payloads of all lengths; every seventh frame is no packet. */
static void capture_fill(const char *path)
{
    struct capture_writer *w;
    struct fault f;
    assert_int_equal(capture_writer_open(&w, path, 101, 65535, &f), OK);
    for (size_t i = 0; i < FRAMES; i++) {
        uint8_t frame[FRAME_ROOM] = {0x45};
        size_t len = 28 + i % 600;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        frame[8] = 64;
        frame[9] = 17;
        frame[15] = (uint8_t)i;
        frame[20] = (uint8_t)(i >> 8);
        frame[24] = (uint8_t)((len - 20) >> 8);
        frame[25] = (uint8_t)(len - 20);
        memset(frame + 28, (int)i, len - 28);
        if (i % 7 == 0)
            len = 3;
        int64_t ts = (int64_t)(i / 3) * second;
        assert_int_equal(capture_writer_put(w, ts, frame, (uint32_t)len, (uint32_t)len), OK);
    }
    assert_int_equal(capture_writer_close(w, &f), OK);
}

/* What came, in which windows, as one number: every field of every packet counts. */
struct sum {
    uint64_t digest;
    size_t packets, failed, windows;
};

static void sum_packet(struct sum *s, const struct packet *p, const struct sensor_look *look)
{
    s->packets++;
    s->digest = hash_two(s->digest, (uint64_t)p->ts);
    s->digest = hash_two(s->digest, ip_hash(&p->src));
    s->digest = hash_two(s->digest, hash_bytes(p->payload.at, p->payload.left, 0));
    s->digest = hash_two(s->digest, (uint64_t)p->sport << 32 | p->ip_len);
    s->digest = hash_two(s->digest, (uint64_t)look->class << 8 | look->hits.count);
}

static void sum_window(struct sum *s)
{
    s->windows++;
    s->digest = hash_two(s->digest, s->packets << 32 | s->failed);
}

static struct sum by_feed(const char *path, int64_t window)
{
    struct sum sum = {0};
    struct sensor_shared shared = {0};
    struct feed *d;
    struct fault f;
    enum feed_state state = FEED_FRAMES;
    assert_int_equal(feed_open_files(&d, &path, 1, &f), OK);
    for (int64_t until = window; state != FEED_ENDED;) {
        const struct frame *frames;
        size_t count;
        assert_int_equal(feed_next(d, until, &state, &frames, &count, &f), OK);
        for (size_t i = 0; i < count; i++) {
            struct packet p;
            struct sensor_look look;
            struct bytes bytes = bytes_over(frames[i].data, frames[i].len);
            if (decode_packet(frames[i].link, bytes, frames[i].wire_len, &p) != DECODE_OK) {
                sum.failed++;
                continue;
            }
            p.ts = frames[i].ts;
            sensor_look(&shared, &p, &look);
            sum_packet(&sum, &p, &look);
        }
        if (state == FEED_WINDOW) {
            assert_true(feed_peek(d) >= until);
            sum_window(&sum);
            until += window;
        }
    }
    feed_close(d);
    return sum;
}

static void count_trouble(void *context, const char *site, const struct fault *f)
{
    size_t *count = context;
    assert_string_equal(site, "jp-01");
    assert_int_equal(f->code, ERR_SHORT);
    ++*count;
}

static struct sum by_ahead(const char *path, int64_t window, size_t *troubles)
{
    struct sum sum = {0};
    struct sensor_shared shared = {0};
    struct feed *d;
    struct fault f;
    struct ahead *a;
    enum feed_state state = FEED_FRAMES;
    struct ahead_options options = {&shared, "jp-01", count_trouble, troubles};
    assert_int_equal(feed_open_files(&d, &path, 1, &f), OK);
    assert_true(feed_reads_files(d));
    assert_int_equal(ahead_new(&a, d, &options), OK);
    for (int64_t until = window; state != FEED_ENDED;) {
        struct ahead_run run;
        state = ahead_next(a, until, &run);
        for (size_t i = 0; i < run.count; i++)
            sum_packet(&sum, &run.packets[i], &run.looks[i]);
        for (size_t i = 0; i < DECODE_RESULTS; i++)
            sum.failed += run.failed[i];
        if (state == FEED_WINDOW) {
            assert_true(ahead_peek(a) >= until);
            sum_window(&sum);
            until += window;
        }
    }
    struct source_counts counts;
    ahead_counts(a, &counts);
    assert_int_equal(counts.frames, sum.packets + sum.failed);
    assert_int_equal(ahead_peek(a), INT64_MAX);
    ahead_free(a);
    feed_close(d);
    return sum;
}

static void same_as_feed(void **state)
{
    capture_fill(*state);
    for (int64_t window = 1; window < 2000; window = window * 5 + 2) {
        size_t troubles = 0;
        struct sum feed = by_feed(*state, window * second);
        struct sum ahead = by_ahead(*state, window * second, &troubles);
        assert_int_equal(ahead.packets, feed.packets);
        assert_int_equal(ahead.failed, feed.failed);
        assert_int_equal(ahead.windows, feed.windows);
        assert_true(ahead.digest == feed.digest);
        assert_int_equal(ahead.packets + ahead.failed, FRAMES);
        assert_int_equal(troubles, 0);
    }
}

static void broken_is_told(void **state)
{
    size_t troubles = 0;
    capture_fill(*state);
    assert_int_equal(truncate(*state, 100000), 0);
    struct sum ahead = by_ahead(*state, 100 * second, &troubles);
    assert_int_equal(troubles, 1);
    assert_in_range(ahead.packets, 100, 1000);
}

static void may_be_left(void **state)
{
    struct sensor_shared shared = {0};
    struct fault f;
    const char *path = *state;
    capture_fill(path);
    for (int calls = 0; calls < 3; calls++) {
        struct feed *d;
        struct ahead *a;
        struct ahead_run run;
        struct ahead_options options = {&shared, "jp-01", count_trouble, NULL};
        assert_int_equal(feed_open_files(&d, &path, 1, &f), OK);
        assert_int_equal(ahead_new(&a, d, &options), OK);
        for (int i = 0; i < calls; i++)
            assert_int_equal(ahead_next(a, 10 * second, &run), i ? FEED_WINDOW : FEED_FRAMES);
        ahead_free(a);
        feed_close(d);
    }
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("what is read ahead is what the feed gives, window by window, payload included",
        same_as_feed, capture_make, capture_drop),
    SAYS_WITH("a capture that breaks is told once, after what came before it", broken_is_told,
        capture_make, capture_drop),
    SAYS_WITH("the site may stop at any time", may_be_left, capture_make, capture_drop),
};
TEST_MAIN(tests)
