#include "test.h"

#include "fleet/heartbeat.h"

static enum err read_text(const char *text, struct heartbeat *h, struct fault *f)
{
    return heartbeat_read(bytes_over(text, strlen(text)), h, f);
}

static void round_trip(void **state)
{
    (void)state;
    struct heartbeat h, again;
    struct fault f;
    struct buf out;
    heartbeat_init(&h);
    snprintf(h.site, sizeof h.site, "jp-01");
    snprintf(h.config_refused, sizeof h.config_refused, "\"filter\": no such word");
    h.sent = INT64_C(1700000000123456);
    h.received = INT64_C(1) << 60;
    h.clock_offset_us = -17;
    buf_init(&out, HEARTBEAT_MAX);
    heartbeat_write(&out, &h);
    assert_int_equal(out.err, OK);
    assert_int_equal(heartbeat_read(bytes_over(out.data, out.len), &again, &f), OK);
    assert_memory_equal(&h, &again, sizeof h);
    assert_null(strstr((const char *)out.data, "temperature"));
    buf_done(&out);
}

static void newer_site(void **state)
{
    (void)state;
    struct heartbeat h;
    struct fault f;
    assert_int_equal(
        read_text("{\"site\":\"a\",\"sent\":\"2026-11-22T08:00:00Z\",\"fan_rpm\":[1,2],"
                  "\"received\":null}",
            &h, &f),
        OK);
    assert_string_equal(h.site, "a");
    assert_true(h.received == HEARTBEAT_UNKNOWN);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{\"site\":\"a\"}", "\"site\" and \"sent\" must be there"},
        {"{\"sent\":\"2026-11-22T08:00:00Z\"}", "\"site\" and \"sent\" must be there"},
        {"{\"site\":\"a\",\"sent\":\"now\"}", "sent is not a time"},
        {"{\"site\":\"a\",\"sent\":5}", "sent is not a text"},
        {"{\"site\":\"a\",\"sent\":\"2026-11-22T08:00:00Z\",\"received\":1.5}",
            "received is not a whole number"},
        {"{\"site\":\"a\",\"sent\":\"2026-11-22T08:00:00Z\",\"received\":"
         "-9223372036854775808}",
            "received is not a whole number"},
        {"{\"site\":\"a\",\"site\":\"b\",\"sent\":\"2026-11-22T08:00:00Z\"}",
            "not a JSON object"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct heartbeat h = {.received = 77};
        struct fault f = {0};
        assert_int_equal(read_text(wrong[i].text, &h, &f), ERR_BAD);
        assert_non_null(strstr(f.text, wrong[i].says));
        assert_true(h.received == 77);
    }
}

static void too_long(void **state)
{
    (void)state;
    struct heartbeat h;
    struct fault f;
    char text[HEARTBEAT_TEXT + 80];
    int at = snprintf(text, sizeof text, "{\"sent\":\"2026-11-22T08:00:00Z\",\"site\":\"");
    memset(text + at, 'a', HEARTBEAT_TEXT);
    memcpy(text + at + HEARTBEAT_TEXT, "\"}", 3);
    assert_int_equal(read_text(text, &h, &f), ERR_BAD);
    assert_non_null(strstr(f.text, "site is not a text of at most 127 bytes"));
    char *big = calloc(1, HEARTBEAT_MAX + 1);
    memset(big, ' ', HEARTBEAT_MAX + 1);
    assert_int_equal(heartbeat_read(bytes_over(big, HEARTBEAT_MAX + 1), &h, &f), ERR_BAD);
    free(big);
}

static const struct CMUnitTest tests[] = {
    SAYS("a heartbeat is the same after writing and reading; what is unknown is left out",
        round_trip),
    SAYS("members that this program does not know are passed over", newer_site),
    SAYS("a member of another type is refused by name, and nothing is written", refused),
    SAYS("texts and heartbeats beyond their size are refused", too_long),
};
TEST_MAIN(tests)
