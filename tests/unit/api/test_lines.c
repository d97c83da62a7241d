#include "test.h"

#include "api/lines_int.h"

#include <string.h>

static void check(bool csv, uint64_t most, const char *in, const char *out)
{
    size_t len = strlen(in);
    for (size_t piece = 1; piece <= len + 1; piece++) {
        struct lines l = {.csv = csv, .most = most};
        struct buf got;
        buf_init(&got, 1 << 16);
        for (size_t at = 0; at < len; at += piece)
            if (lines_pass(&l, in + at, piece < len - at ? piece : len - at, &got))
                break;
        assert_string_equal(got.data ? (char *)got.data : "", out);
        buf_done(&got);
    }
}

static void one_object_a_line(void **state)
{
    (void)state;
    check(false, 0, "[]", "");
    check(false, 0, "[{}]", "{}\n");
    check(false, 0, "[{\"a\":1},\n {\"a\": \"x, [}\\\"{ y\"}\n]\n",
        "{\"a\":1}\n{\"a\":\"x, [}\\\"{ y\"}\n");
    check(
        false, 0, "[{\"a\":[1,{\"b\":2}]},{\"c\":{}}]", "{\"a\":[1,{\"b\":2}]}\n{\"c\":{}}\n");
}

static void stops_at_the_limit(void **state)
{
    (void)state;
    check(false, 1, "[{\"a\":1},{\"a\":2}]", "{\"a\":1}\n");
    check(false, 2, "[{\"a\":1},{\"a\":2},{\"a\":3}]", "{\"a\":1}\n{\"a\":2}\n");
    check(true, 1, "a,b\r\n1,2\r\n3,4\r\n", "a,b\r\n1,2\r\n");
}

static void csv_passes_as_it_is(void **state)
{
    (void)state;
    check(true, 0, "a,b\r\n1,\"x\ny\"\"\"\r\n", "a,b\r\n1,\"x\ny\"\"\"\r\n");
    check(true, 1, "a\n\"1\n1\"\n2\n", "a\n\"1\n1\"\n");
}

static const struct CMUnitTest tests[] = {
    SAYS("an array becomes one object a line, however it is cut", one_object_a_line),
    SAYS("no more rows pass than are wanted", stops_at_the_limit),
    SAYS("CSV stays as it is, and a newline in quotes ends no row", csv_passes_as_it_is),
};
TEST_MAIN(tests)
