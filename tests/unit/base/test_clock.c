#include "base/clock.h"
#include "base/rng.h"
#include "test.h"

static int64_t parsed(const char *text)
{
    int64_t us = -1;
    assert_int_equal(time_parse(text, &us), OK);
    return us;
}

static void known_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2000-02-29T12:00:00Z", 951825600 * US_SECOND},
        {"2038-01-19T03:14:08Z", 2147483648 * US_SECOND},
        {"0001-01-01T00:00:00Z", -62135596800 * US_SECOND},
        {"9999-12-31T23:59:59.999999Z", 253402300800 * US_SECOND - 1},
    };
    char text[TIME_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(parsed(rows[i].text) == rows[i].us);
        assert_string_equal(time_format(rows[i].us, text), rows[i].text);
    }
}

static void other_forms(void **state)
{
    (void)state;
    int64_t noon = parsed("2026-11-22T12:00:00Z");
    assert_true(parsed("2026-11-22T21:00:00+09:00") == noon);
    assert_true(parsed("2026-11-22T07:30:00-04:30") == noon);
    assert_true(parsed("2026-11-22t12:00:00z") == noon);
    assert_true(parsed("2026-11-22 12:00:00Z") == noon);
    assert_true(parsed("2026-11-22T12:00:00.5Z") == noon + US_SECOND / 2);
    assert_true(parsed("2026-11-22T12:00:00.0000019Z") == noon + 1);
    assert_true(parsed("2026-11-22") == noon - 12 * US_HOUR);
    assert_true(parsed("2016-12-31T23:59:60Z") == parsed("2017-01-01"));
}

static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "2026", "2026-1-1", "2026-11-22T",
        "2026-11-22T12:00Z", "2026-11-22T12:00:00", "2026-11-22T12:00:00.Z",
        "2026-11-22T24:00:00Z", "2026-11-22T12:60:00Z", "2026-11-22T12:00:61Z", "2026-00-01",
        "2026-13-01", "2026-11-00", "2026-11-31", "2026-02-29", "1900-02-29", "0000-01-01",
        "2026-11-22T12:00:00Zx", "2026-11-22T12:00:00+9:00", "2026-11-22T12:00:00+24:00",
        "2026-11-22T12:00:00+0900", "2026-11-22x", "-026-11-22", "yesterday",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t us = 77;
        assert_int_equal(time_parse(texts[i], &us), ERR_BAD);
        assert_true(us == 77);
    }
}

static void leap_years(void **state)
{
    (void)state;
    assert_true(parsed("2024-03-01") - parsed("2024-02-28") == 2 * US_DAY);
    assert_true(parsed("2023-03-01") - parsed("2023-02-28") == US_DAY);
    assert_true(parsed("2100-03-01") - parsed("2100-02-28") == US_DAY);
    assert_true(parsed("2000-03-01") - parsed("2000-02-28") == 2 * US_DAY);
}

static void round_trip(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 12);
    char text[TIME_TEXT];
    for (int i = 0; i < 20000; i++) {
        int64_t us = (int64_t)rng_below(&r, 315537897600u * (uint64_t)US_SECOND) -
                     62135596800 * US_SECOND;
        if (i % 3 == 0)
            us = time_floor(us, US_SECOND);
        assert_true(parsed(time_format(us, text)) == us);
    }
}

static void clamped(void **state)
{
    (void)state;
    char text[TIME_TEXT];
    assert_string_equal(time_format(INT64_MIN, text), "0001-01-01T00:00:00Z");
    assert_string_equal(time_format(INT64_MAX, text), "9999-12-31T23:59:59.999999Z");
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
        const char *shown;
    } rows[] = {
        {"0s", 0, "0s"},
        {"0", 0, "0s"},
        {"90s", 90 * US_SECOND, "1m 30s"},
        {"10m", 10 * US_MINUTE, "10m"},
        {"36h", 36 * US_HOUR, "1d 12h"},
        {"1d12h", 36 * US_HOUR, "1d 12h"},
        {"1d 12h", 36 * US_HOUR, "1d 12h"},
        {"500ms", 500000, "500ms"},
        {"20us", 20, "20us"},
        {"1500us", 1500, "1ms 500us"},
        {"7d", 7 * US_DAY, "7d"},
        {"1d1h1m", US_DAY + US_HOUR + US_MINUTE, "1d 1h"},
        {"106751991d", 106751991 * US_DAY, "106751991d"},
    };
    char text[TIME_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t us = -1;
        assert_int_equal(duration_parse(rows[i].text, &us), OK);
        assert_true(us == rows[i].us);
        assert_string_equal(duration_format(us, text), rows[i].shown);
    }
    assert_string_equal(duration_format(-90 * US_SECOND, text), "-1m 30s");
    assert_string_equal(duration_format(INT64_MIN, text), "-106751991d 4h");
}

static void durations_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "10", "00", "0 s", "m", "-5m", "+5m", " 5m", "5m ",
        "5 m", "5mm", "5sm", "1.5h", "5min", "5M", "1d-2h", "1d  2h", "106751992d",
        "99999999999999999999s", "106751991d 23h"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t us = 77;
        assert_int_equal(duration_parse(texts[i], &us), ERR_BAD);
        assert_true(us == 77);
    }
}

static void floors(void **state)
{
    (void)state;
    assert_true(time_floor(0, US_MINUTE) == 0);
    assert_true(time_floor(US_MINUTE - 1, US_MINUTE) == 0);
    assert_true(time_floor(US_MINUTE, US_MINUTE) == US_MINUTE);
    assert_true(time_floor(-1, US_MINUTE) == -US_MINUTE);
    assert_true(time_floor(-US_MINUTE, US_MINUTE) == -US_MINUTE);
}

static int64_t fixed_now(void *context)
{
    return *(int64_t *)context;
}

static void replaceable(void **state)
{
    (void)state;
    int64_t now = 5;
    struct clock fake = {.now_us = fixed_now, .context = &now};
    assert_true(clock_now(&fake) == 5);
    struct clock real = clock_system();
    assert_true(clock_now(&real) > parsed("2025-01-01"));
}

static void moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"2026-11-22", 1795305600 * US_SECOND},
        {"2026-11-22T00:00:01Z", 1795305601 * US_SECOND},
        {"-24h", 1000 * US_DAY + 1 - US_DAY},
        {"-1d12h", 1000 * US_DAY + 1 - 36 * US_HOUR},
        {"now", 2000 * US_DAY},
    };
    struct moment m;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(moment_parse(rows[i].text, &m), OK);
        assert_true(moment_resolve(&m, 1000 * US_DAY, 2000 * US_DAY) == rows[i].us);
    }
    static const char *const wrong[] = {
        "", "-", "24h", "-24", "-24x", "Now", "now ", "yesterday", "1970-01-01", "-2026-11-22"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(moment_parse(wrong[i], &m), ERR_BAD);
}

static const struct CMUnitTest tests[] = {
    SAYS("known times are parsed and shown, before 1970 too", known_times),
    SAYS("zones, fractions, lower case, a date alone and a leap second are understood",
        other_forms),
    SAYS("a text that is not a time is refused and writes nothing", refused),
    SAYS("February has 29 days in leap years only", leap_years),
    SAYS("any time that is shown is parsed to itself", round_trip),
    SAYS("times outside the years 1 to 9999 are shown as the nearest that is inside", clamped),
    SAYS("durations are sums of units and are shown by their two largest", durations),
    SAYS("a text that is not a duration, or too long a one, is refused", durations_refused),
    SAYS("the start of a slot is right before 1970 too", floors),
    SAYS("an end of a range is a time, now, or so long before the newest packet", moments),
    SAYS("a test can replace the clock", replaceable),
};
TEST_MAIN(tests)
