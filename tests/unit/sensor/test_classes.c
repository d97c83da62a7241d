/* The classes that need memory, through the sensor. */
#include "base/clock.h"
#include "base/rng.h"
#include "capture.h"
#include "sensor/fingerprint.h"
#include "sensor/sensor.h"
#include "sensor/survey.h"

static const int64_t START = INT64_C(1767225600000000);

static struct sensor *open_sensor(const struct sensor_shared *shared, uint64_t addresses)
{
    struct sensor *s;
    const struct sensor_options options = {.addresses = addresses};
    assert_int_equal(sensor_new(&s, "th-01", shared, &options), OK);
    return s;
}

static void close_window(struct sensor *s)
{
    struct window_site site;
    const struct block *const *blocks;
    const struct block *dos;
    size_t count;
    assert_int_equal(sensor_close_window(s, START, &site, &blocks, &count, &dos), OK);
}

/* One SYN; its class. */
static enum packet_class syn(
    struct sensor *s, uint32_t src, uint32_t dst, uint16_t port, int64_t ts)
{
    const struct packet p = {.ts = ts,
        .src = ip_from_v4(src),
        .dst = ip_from_v4(dst),
        .proto = PROTO_TCP,
        .ip_id = 9,
        .ip_len = 40,
        .sport = 40000,
        .dport = port,
        .tcp_flags = TCP_SYN,
        .tcp_offset = 5};
    struct sensor_counts before = *sensor_counts(s);
    assert_int_equal(sensor_take(s, &p, 1, NULL), OK);
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (sensor_counts(s)->class[c] != before.class[c])
            return (enum packet_class)c;
    fail();
    return CLASS_OTHER;
}

static const struct sensor_shared nothing;

static void one_address(void **state)
{
    (void)state;
    struct sensor *s = open_sensor(&nothing, 256);
    /* A little scanning of the same port, everywhere. */
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(syn(s, 5000 + i, 1000 + i, 8333, START), CLASS_SCAN);
    uint32_t scans = 0;
    for (uint32_t i = 0; i < 400; i++)
        scans += syn(s, 9000 + i, 1007, 8333, START + US_SECOND) == CLASS_SCAN;
    assert_in_range(scans, 10, 40);
    /* The same sources on another port, and others on another address, are scans. */
    assert_int_equal(syn(s, 9001, 1007, 23, START + US_SECOND), CLASS_SCAN);
    assert_int_equal(syn(s, 20000, 1008, 8333, START + US_SECOND), CLASS_SCAN);
    /* So is one that asks elsewhere too. */
    assert_int_equal(syn(s, 20000, 1007, 8333, START + US_SECOND), CLASS_SCAN);
    /* The mark holds over the next window. */
    close_window(s);
    assert_int_equal(syn(s, 30000, 1007, 8333, START + 15 * US_MINUTE), CLASS_MISCONFIGURATION);
    /* So it does over hours without any packet, in which the telescope was off. */
    close_window(s);
    assert_int_equal(syn(s, 30001, 1007, 8333, START + 3 * US_HOUR), CLASS_MISCONFIGURATION);
    /* It is gone when an hour has passed in which others came. */
    close_window(s);
    assert_int_equal(syn(s, 30002, 1009, 23, START + 4 * US_HOUR), CLASS_SCAN);
    close_window(s);
    assert_int_equal(syn(s, 30003, 1007, 8333, START + 5 * US_HOUR), CLASS_SCAN);
    sensor_free(s);
}

/* What began with many in an hour goes on with three. */
static void few_that_go_on(void **state)
{
    (void)state;
    struct sensor *s = open_sensor(&nothing, 256);
    for (uint32_t i = 0; i < 40; i++)
        (void)syn(s, 9000 + i, 1007, 8333, START);
    for (uint32_t hour = 1; hour < 24; hour++)
        for (uint32_t i = 0; i < 3; i++) {
            close_window(s);
            assert_int_equal(syn(s, 50000 + 3 * hour + i, 1007, 8333, START + hour * US_HOUR),
                CLASS_MISCONFIGURATION);
        }
    sensor_free(s);
}

static void scans_are_no_mistake(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 4);
    /* A botnet of 20,000 that sends a SYN or two each into 256 addresses. */
    struct sensor *s = open_sensor(&nothing, 256);
    for (int i = 0; i < 30000; i++) {
        uint32_t src = 50000 + (uint32_t)rng_below(&rng, 20000);
        uint32_t dst = 1000 + (uint32_t)rng_below(&rng, 256);
        assert_int_equal(syn(s, src, dst, 23, START), CLASS_SCAN);
    }
    sensor_free(s);
    /* The same on a telescope whose size nobody has told. */
    s = open_sensor(&nothing, 0);
    for (int i = 0; i < 30000; i++) {
        uint32_t src = 50000 + (uint32_t)rng_below(&rng, 20000);
        uint32_t dst = 1000 + (uint32_t)rng_below(&rng, 256);
        assert_int_equal(syn(s, src, dst, 23, START), CLASS_SCAN);
    }
    sensor_free(s);
}

static void single_address(void **state)
{
    (void)state;
    struct sensor *s = open_sensor(&nothing, 0);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(syn(s, 9000 + i, 1007, 8333, START), CLASS_SCAN);
    sensor_free(s);
}

static void survey_class(void **state)
{
    (void)state;
    struct survey_lists *lists;
    struct fingerprints *set;
    struct fault f;
    assert_int_equal(survey_new(&lists), OK);
    assert_int_equal(survey_add(lists, "l", bytes_over("0.0.31.64/26\n", 13), 0, &f), OK);
    assert_int_equal(fingerprints_new(&set, &f), OK);
    const struct sensor_shared shared = {.fingerprints = set, .surveys = lists};
    struct sensor *s = open_sensor(&shared, 256);
    assert_int_equal(syn(s, 8000, 1000, 80, START), CLASS_SURVEY);
    assert_int_equal(syn(s, 8200, 1000, 80, START), CLASS_SCAN);
    /* Malware behind a listed address is malware. */
    struct packet p = {.ts = START,
        .src = ip_from_v4(8001),
        .dst = ip_from_v4(1000),
        .proto = PROTO_TCP,
        .dport = 23,
        .tcp_flags = TCP_SYN,
        .tcp_seq = 1000};
    assert_int_equal(sensor_take(s, &p, 1, NULL), OK);
    assert_int_equal(sensor_counts(s)->class[CLASS_WORM], 1);
    /* Backscatter of a listed address is backscatter. */
    p.tcp_flags = TCP_SYN | TCP_ACK;
    assert_int_equal(sensor_take(s, &p, 1, NULL), OK);
    assert_int_equal(sensor_counts(s)->class[CLASS_BACKSCATTER], 1);
    sensor_free(s);
    survey_free(lists);
    fingerprints_free(set);
}

/* Real unsolicited SLP probes: 300 sources, 10 addresses, and nobody's mistake. */
static void real_probes(void **state)
{
    (void)state;
    struct capture c;
    capture_read(&c, "pcaps/scan/ndpi-srvloc427-real-scans.pcap");
    struct sensor *s = open_sensor(&nothing, 0);
    int64_t window = time_floor(c.packet[0].ts, 10 * US_MINUTE);
    for (size_t i = 0; i < c.count; i++) {
        if (c.packet[i].ts >= window + 10 * US_MINUTE) {
            close_window(s);
            window = time_floor(c.packet[i].ts, 10 * US_MINUTE);
        }
        assert_int_equal(sensor_take(s, &c.packet[i], 1, NULL), OK);
    }
    assert_int_equal(sensor_counts(s)->class[CLASS_SCAN], c.count);
    sensor_free(s);
    capture_free(&c);
}

static const struct CMUnitTest tests[] = {
    SAYS(
        "many sources at one address and port are a misconfiguration, for as long as they come",
        one_address),
    SAYS("a misconfiguration that dies away stays one while a few come", few_that_go_on),
    SAYS("a botnet that scans everywhere is none", scans_are_no_mistake),
    SAYS("a telescope of one address cannot tell", single_address),
    SAYS(
        "scans of listed sources are surveys; their malware and answers are not", survey_class),
    SAYS("real probes of one service are scans", real_probes),
};
TEST_MAIN(tests)
