#include "test.h"

#include "base/clock.h"
#include "ingest/misdated.h"

#include <stdio.h>
#include <string.h>

enum {
    BATCH = 64,
    TEXT = 512
};

/* Hours of frames as text, "1 1 2 900 2": mended in batches of `step`, told in the same form. A
 * frame's byte is its place, which shows that held frames keep what they hold. */
static uint64_t mend(const char *hours, size_t step, char text[TEXT])
{
    struct misdated m;
    struct frame frames[BATCH + MISDATED_MOST];
    uint8_t bytes[BATCH];
    char copy[TEXT];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", hours);
    char *word = strtok_r(copy, " ", &rest);
    size_t place = 0;
    text[0] = 0;
    misdated_init(&m);
    for (bool ended = false; !ended;) {
        size_t held = m.held_count;
        size_t n = 0;
        memcpy(frames, m.held, held * sizeof *frames);
        for (; n < step && word; word = strtok_r(NULL, " ", &rest)) {
            bytes[n] = (uint8_t)(held + place + n);
            frames[held + n] = (struct frame){
                .ts = strtol(word, NULL, 10) * US_HOUR, .len = 1, .data = &bytes[n]};
            n++;
        }
        ended = n == 0;
        size_t usable;
        assert_int_equal(misdated_mend(&m, frames, held + n, ended, &usable), OK);
        assert_int_equal(usable + m.held_count, held + n);
        memset(bytes, 0xff, sizeof bytes); /* as the next read would */
        for (size_t i = 0; i < usable; i++)
            snprintf(text + strlen(text), TEXT - strlen(text), "%s%d", *text ? " " : "",
                (int)(frames[i].ts / US_HOUR));
        for (size_t i = 0; i < held && i < usable; i++)
            assert_int_equal(frames[i].data[0] & 0x80, 0);
        place += n;
    }
    uint64_t mended = m.mended;
    misdated_done(&m);
    return mended;
}

static void expect(const char *hours, const char *want, uint64_t mended)
{
    for (size_t step = 1; step <= BATCH; step++) {
        char text[TEXT];
        assert_int_equal(mend(hours, step, text), mended);
        assert_string_equal(text, want);
    }
}

static void alone(void **state)
{
    (void)state;
    expect("1 2 900 3 4", "1 2 2 3 4", 1);
    expect("1 2 900 901 700 3 4 800 5", "1 2 2 2 2 3 4 4 5", 4);
}

static void gaps(void **state)
{
    (void)state;
    char hours[TEXT] = "1 2";
    for (int i = 0; i <= MISDATED_MOST; i++)
        snprintf(hours + strlen(hours), TEXT - strlen(hours), " %d", 900 + i);
    snprintf(hours + strlen(hours), TEXT - strlen(hours), " 3");
    expect(hours, hours, 0);
    expect("1 20 40 60", "1 20 40 60", 0);
}

static void last(void **state)
{
    (void)state;
    expect("1 2 900", "1 2 900", 0);
}

static void first(void **state)
{
    (void)state;
    char text[TEXT];
    assert_int_equal(mend("900 1 2 3", 8, text), 1);
    assert_string_equal(text, "1 1 2 3");
}

static void backwards(void **state)
{
    (void)state;
    expect("100 101 1 2 3 102 4", "100 101 1 2 3 102 4", 0);
}

static const struct CMUnitTest tests[] = {
    SAYS("frames days ahead of those before and after them get the time before them", alone),
    SAYS("a gap of days after which the capture goes on is believed", gaps),
    SAYS("the end of a capture is believed", last),
    SAYS("a first frame that is days ahead of those after it gets their time", first),
    SAYS("frames that are late are left alone", backwards),
};
TEST_MAIN(tests)
