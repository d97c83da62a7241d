#include "base/log.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What log_event() wrote to standard error, which is put back afterwards. */
static const char *logged(
    enum log_level level, const char *event, const char *value, char out[4096])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    if (value)
        log_event(level, event, "site=%s", value);
    else
        log_event(level, event, "%s", "");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t got = read(ends[0], out, 4095);
    out[got > 0 ? got : 0] = 0;
    close(ends[0]);
    return out;
}

static void one_line(void **state)
{
    (void)state;
    char line[4096];
    logged(LOG_WARN, "capture.drop", "jp-01", line);
    assert_int_equal(
        strlen(line), strlen("2026-11-22T08:00:00Z warn capture.drop site=jp-01\n"));
    assert_int_equal(line[4], '-');
    assert_string_equal(line + 19, "Z warn capture.drop site=jp-01\n");
}

static void quiet(void **state)
{
    (void)state;
    char line[4096];
    assert_string_equal(logged(LOG_INFO, "x.y", "z", line), "");
    log_level_set(LOG_INFO);
    assert_string_not_equal(logged(LOG_INFO, "x.y", "z", line), "");
    log_level_set(LOG_NOTE);
}

static void hostile(void **state)
{
    (void)state;
    char line[4096];
    logged(LOG_ERROR, "x.y", "a\nb\x1b[31m", line);
    assert_string_equal(line + 19, "Z error x.y site=a?b?[31m\n");
}

static void too_long(void **state)
{
    (void)state;
    char value[3000];
    char line[4096];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    logged(LOG_ERROR, "x.y", value, line);
    size_t len = strlen(line);
    assert_true(len < 1100);
    assert_int_equal(line[len - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    logged(LOG_ERROR, value, value, line);
    assert_true(strlen(line) < 1100);
}

static const struct CMUnitTest tests[] = {
    SAYS("an event is one line: time, level, event, values", one_line),
    SAYS("events less urgent than asked for are not written", quiet),
    SAYS("a value cannot start a line of its own or move a terminal", hostile),
    SAYS("a line that is too long is cut and still ends", too_long),
};
TEST_MAIN(tests)
