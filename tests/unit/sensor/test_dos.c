/* Attacks seen by backscatter: worked examples at each threshold, through the sensor. */
#include "base/clock.h"
#include "capture.h"
#include "sensor/sensor.h"

static const int64_t START = INT64_C(1767225600000000); /* 2026-01-01, a whole 10 seconds */

struct rig {
    struct sensor *sensor;
    struct window_site site;
    const struct block *dos;
};

static void rig_open(struct rig *r, const struct sensor_options *options)
{
    static const struct sensor_shared shared;
    assert_int_equal(sensor_new(&r->sensor, "kr-01", &shared, options), OK);
}

static size_t end_window(struct rig *r)
{
    const struct block *const *blocks;
    size_t count;
    assert_int_equal(
        sensor_close_window(r->sensor, START, &r->site, &blocks, &count, &r->dos), OK);
    return r->dos->rows;
}

static void answer(struct rig *r, uint32_t victim, uint16_t sport, uint32_t target, int64_t ts)
{
    const struct packet p = {.ts = ts,
        .src = ip_from_v4(victim),
        .dst = ip_from_v4(target),
        .proto = PROTO_TCP,
        .sport = sport,
        .dport = 50000,
        .tcp_flags = TCP_SYN | TCP_ACK,
        .tcp_offset = 5};
    assert_int_equal(sensor_take(r->sensor, &p, 1, NULL), OK);
}

/* `count` answers, evenly from the first second to the last. */
static void answers(struct rig *r, uint32_t victim, int count, int64_t first, int64_t last)
{
    for (int i = 0; i < count; i++)
        answer(r, victim, 80, 0xc0000200u + (uint32_t)i % 100,
            first + (last - first) * i / (count - 1));
}

static size_t attacks(int count, int64_t length)
{
    struct rig r;
    const struct sensor_options options = {0};
    rig_open(&r, &options);
    answers(&r, 7, count, START + US_SECOND, START + US_SECOND + length);
    size_t rows = end_window(&r);
    sensor_free(r.sensor);
    return rows;
}

static void duration(void **state)
{
    (void)state;
    assert_int_equal(attacks(100, 60 * US_SECOND), 1);
    assert_int_equal(attacks(100, 60 * US_SECOND - 1), 0);
}

/* In 300 seconds: 120 packets are 24 in any minute, 160 are 32. */
static void rate(void **state)
{
    (void)state;
    assert_int_equal(attacks(120, 300 * US_SECOND), 0);
    assert_int_equal(attacks(160, 300 * US_SECOND), 1);
}

static size_t sliding(int64_t second_burst)
{
    struct rig r;
    const struct sensor_options options = {0};
    rig_open(&r, &options);
    for (int i = 0; i < 15; i++)
        answer(&r, 7, 80, (uint32_t)i, START + 5 * US_SECOND);
    for (int i = 0; i < 15; i++)
        answer(&r, 7, 80, (uint32_t)i, START + second_burst);
    answer(&r, 7, 80, 1, START + 250 * US_SECOND);
    size_t rows = end_window(&r);
    sensor_free(r.sensor);
    return rows;
}

/* Two bursts of 15: in one window of six tens, or in two. */
static void window_of_sixty_seconds(void **state)
{
    (void)state;
    assert_int_equal(sliding(59 * US_SECOND), 1);
    assert_int_equal(sliding(60 * US_SECOND), 0);
}

static void packets(void **state)
{
    (void)state;
    struct rig r;
    const struct sensor_options options = {.dos = {.packets = 31}};
    rig_open(&r, &options);
    answers(&r, 7, 30, START, START + 58 * US_SECOND);
    /* The sixtieth second is in another ten, so the rate was met before. */
    assert_int_equal(end_window(&r), 0);
    sensor_free(r.sensor);
    const struct sensor_options fewer = {.dos = {.packets = 30, .duration = 58 * US_SECOND}};
    rig_open(&r, &fewer);
    answers(&r, 7, 30, START, START + 58 * US_SECOND);
    assert_int_equal(end_window(&r), 1);
    sensor_free(r.sensor);
}

static void row(void **state)
{
    (void)state;
    struct rig r;
    const struct sensor_options options = {0};
    rig_open(&r, &options);
    for (int i = 0; i < 600; i++)
        answer(&r, 0xc6336407, i % 3 ? 443 : (uint16_t)(1000 + i),
            0xc0000200u + (uint32_t)i % 200, START + 3 * US_SECOND + i * (US_SECOND / 5));
    assert_int_equal(end_window(&r), 1);
    assert_int_equal(block_time(r.dos, DOS_START)[0], START + 3 * US_SECOND);
    assert_int_equal(
        block_time(r.dos, DOS_END)[0], START + 3 * US_SECOND + 599 * (US_SECOND / 5));
    assert_string_equal(block_word_at(r.dos, DOS_SITE, 0), "kr-01");
    assert_int_equal(ip_v4(&block_ip(r.dos, DOS_VICTIM)[0]), 0xc6336407);
    assert_int_equal(block_u8(r.dos, DOS_PROTO)[0], PROTO_TCP);
    assert_int_equal(block_u16(r.dos, DOS_PORT)[0], 443);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[0], 600);
    assert_int_equal(block_u32(r.dos, DOS_PEAK_PPM)[0], 300);
    assert_in_range(block_u32(r.dos, DOS_TARGETS)[0], 130, 270);
    sensor_free(r.sensor);
}

/* An attack goes on in the next window as one row that grows; nothing new, no row. */
static void grows(void **state)
{
    (void)state;
    struct rig r;
    const struct sensor_options options = {0};
    rig_open(&r, &options);
    answers(&r, 7, 1200, START, START + 599 * US_SECOND);
    assert_int_equal(end_window(&r), 1);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[0], 1200);
    answers(&r, 7, 100, START + 600 * US_SECOND, START + 700 * US_SECOND);
    assert_int_equal(end_window(&r), 1);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[0], 1300);
    assert_int_equal(block_time(r.dos, DOS_START)[0], START);
    answer(&r, 8, 80, 1, START + 1300 * US_SECOND);
    assert_int_equal(end_window(&r), 0);
    sensor_free(r.sensor);
}

/* Five minutes of silence end an attack; the one before keeps its row. */
static void ends(void **state)
{
    (void)state;
    struct rig r;
    const struct sensor_options options = {.window = US_HOUR};
    rig_open(&r, &options);
    answers(&r, 7, 200, START, START + 100 * US_SECOND);
    answers(&r, 7, 300, START + 400 * US_SECOND, START + 500 * US_SECOND);
    answers(&r, 9, 200, START + 500 * US_SECOND, START + 600 * US_SECOND);
    answers(&r, 9, 300, START + 899 * US_SECOND, START + 1000 * US_SECOND);
    assert_int_equal(end_window(&r), 3);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[0], 200);
    assert_int_equal(block_time(r.dos, DOS_END)[0], START + 100 * US_SECOND);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[1], 300);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[2], 500);
    sensor_free(r.sensor);
}

static void bounded(void **state)
{
    (void)state;
    struct rig r;
    const struct sensor_options options = {.dos = {.vectors_max = 100}};
    rig_open(&r, &options);
    for (uint32_t i = 0; i < 5000; i++) {
        answer(&r, 1000 + i, 80, 1, START + i * (US_SECOND / 20));
        answer(&r, 7, 80, 1, START + i * (US_SECOND / 20));
    }
    assert_int_equal(end_window(&r), 1);
    assert_int_equal(ip_v4(&block_ip(r.dos, DOS_VICTIM)[0]), 7);
    assert_int_equal(block_u64(r.dos, DOS_PACKETS)[0], 5000);
    assert_true(sensor_counts(r.sensor)->dos_missed > 0);
    sensor_free(r.sensor);
}

/* A capture made at the victim of a SYN-ACK reflection: seen from there, every reflector
 * answers, but none of them often enough to be a victim itself. */
static void real_reflection(void **state)
{
    (void)state;
    struct capture c;
    struct rig r;
    const struct sensor_options options = {.window = US_DAY};
    capture_read(&c, "pcaps/ddos/stopddos-tcp-reflection-synack.pcap");
    rig_open(&r, &options);
    assert_int_equal(sensor_take(r.sensor, c.packet, c.count, NULL), OK);
    assert_int_equal(end_window(&r), 0);
    sensor_free(r.sensor);
    capture_free(&c);
}

static const struct CMUnitTest tests[] = {
    SAYS("60 seconds are an attack, a microsecond less is none", duration),
    SAYS("30 packets in some minute are an attack, 24 in every one are none", rate),
    SAYS("the minute slides by ten seconds", window_of_sixty_seconds),
    SAYS("fewer packets than the threshold are none", packets),
    SAYS("the row tells victim, port, peak and targets", row),
    SAYS("an attack over several windows grows, and is told only when it does", grows),
    SAYS("five minutes of silence end an attack", ends),
    SAYS("a crowd of victims does not push out the one that is attacked", bounded),
    SAYS("reflectors seen by their victim are no victims", real_reflection),
};
TEST_MAIN(tests)
