#include "test.h"

#include "base/clock.h"
#include "bus/parcel.h"
#include "ingest/ahead.h"
#include "ingest/remote.h"

#include <string.h>

/* Packets that come when their windows are over, through real parcels. */

static const int64_t window_us = 600 * US_SECOND;
static const int64_t day = INT64_C(1790000400) * US_SECOND;

struct stage {
    struct fingerprints *set;
    struct parcel_writer *writer;
    struct block *block;
    atomic_bool stop;
    struct remote *remote;
    struct feed *feed;
};

static void stage_begin(struct stage *s, int64_t seen)
{
    struct fault f = {0};
    struct remote_options ro = {.window = window_us, .seen = seen, .stop = &s->stop};
    assert_int_equal(fingerprints_new(&s->set, &f), OK);
    assert_int_equal(parcel_writer_new(&s->writer, s->set), OK);
    assert_int_equal(block_new(&s->block, &record_packet, 16), OK);
    assert_int_equal(remote_new(&s->remote, &ro), OK);
    assert_int_equal(remote_feed(s->remote, &s->feed), OK);
}

static void stage_end(struct stage *s)
{
    feed_close(s->feed);
    remote_free(s->remote);
    parcel_writer_free(s->writer);
    block_free(s->block);
    fingerprints_free(s->set);
}

/* A parcel of a capture that ends with it: a packet at each of the times, in seconds. */
static void parcel_send(struct stage *s, const int64_t *seconds, size_t count)
{
    struct sensor_look looks[16] = {0};
    uint16_t icmp_seq[16] = {0};
    struct fault f = {0};
    struct parcel_rows rows;
    struct buf out;
    uint16_t site, none;
    struct block *b = s->block;
    block_clear(b);
    assert_int_equal(block_word(b, PACKET_SITE, "kr-01", &site), OK);
    assert_int_equal(block_word(b, PACKET_TOOL, "", &none), OK);
    for (size_t i = 0; i < count; i++) {
        b->rows++;
        block_time(b, PACKET_TS)[i] = day + seconds[i] * US_SECOND;
        block_name(b, PACKET_SITE)[i] = site;
        block_name(b, PACKET_TOOL)[i] = none;
        assert_int_equal(
            block_word(b, PACKET_CLASS, "scan", &block_name(b, PACKET_CLASS)[i]), OK);
        assert_int_equal(
            block_word(b, PACKET_COUNTRY, "", &block_name(b, PACKET_COUNTRY)[i]), OK);
        looks[i].class = CLASS_SCAN;
        block_ip(b, PACKET_SRC)[i] = ip_from_v4(0x0a000001);
        block_ip(b, PACKET_DST)[i] = ip_from_v4(0xc6336401);
        block_u8(b, PACKET_PROTO)[i] = PROTO_TCP;
        block_u16(b, PACKET_IP_LEN)[i] = 40;
        assert_int_equal(block_bytes_add(b, PACKET_PAYLOAD, "", 0), OK);
    }
    struct parcel p = {.packets = b, .looks = looks, .icmp_seq = icmp_seq};
    p.account = (struct parcel_account){.replay = true, .end = true, .frames = count};
    buf_init(&out, 1 << 20);
    assert_int_equal(parcel_write(s->writer, &p, &out), OK);
    assert_int_equal(
        parcel_read(&rows, "kr-01", s->set, bytes_over(out.data, out.len), &f), OK);
    assert_int_equal(remote_put(s->remote, &rows), OK);
    buf_done(&out);
}

/* How many packets the engines are given of the window that begins `seconds` into the day. */
static size_t window_take(struct stage *s, int64_t seconds)
{
    struct ahead_run run;
    size_t count = 0;
    int64_t until = day + seconds * US_SECOND + window_us;
    while (feed_run(s->feed, until, &run) == FEED_FRAMES)
        count += run.count;
    return count;
}

static void counts_are(struct stage *s, uint64_t unseen, int64_t first, int64_t last)
{
    struct remote_counts c;
    remote_counts(s->remote, &c);
    assert_int_equal(c.unseen, unseen);
    assert_int_equal(c.unseen_first, unseen ? day + first * US_SECOND : 0);
    assert_int_equal(c.unseen_last, unseen ? day + last * US_SECOND : 0);
}

static void tells_unseen(void **state)
{
    struct stage s = {0};
    (void)state;
    stage_begin(&s, 0);
    assert_int_equal(window_take(&s, 1200), 0); /* another site was read to here */
    parcel_send(&s, (const int64_t[]){3, 5, 1100, 1799, 1800}, 5);
    assert_int_equal(window_take(&s, 1800), 1);
    counts_are(&s, 4, 3, 1799);
    parcel_send(&s, (const int64_t[]){1, 2500}, 2);
    assert_int_equal(window_take(&s, 2400), 1);
    counts_are(&s, 5, 1, 1799);
    stage_end(&s);
}

static void tells_seen_before(void **state)
{
    struct stage s = {0};
    (void)state;
    stage_begin(&s, day + 1200 * US_SECOND);
    parcel_send(&s, (const int64_t[]){7, 1199, 1200}, 3);
    assert_int_equal(window_take(&s, 0), 0);
    assert_int_equal(window_take(&s, 1200), 1);
    counts_are(&s, 2, 7, 1199);
    stage_end(&s);
}

static void past_is_no_news(void **state)
{
    struct stage s = {0};
    struct remote_past past = {0};
    (void)state;
    stage_begin(&s, day + 1200 * US_SECOND);
    atomic_store(&past.going, true);
    remote_begin_past(s.remote, &past);
    parcel_send(&s, (const int64_t[]){1100, 1199, 1300}, 3);
    atomic_store(&past.going, false);
    assert_int_equal(window_take(&s, 600), 2);
    assert_int_equal(window_take(&s, 1200), 1);
    counts_are(&s, 0, 0, 0);
    stage_end(&s);
}

static const struct CMUnitTest tests[] = {
    SAYS("packets that come when their windows are over are counted, with their time",
        tells_unseen),
    SAYS("so are those of windows that the hub's run before this one has shown",
        tells_seen_before),
    SAYS("what that run had itself is not counted: its engines have seen it", past_is_no_news),
};
TEST_MAIN(tests)
