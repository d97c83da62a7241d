#include "base/clock.h"
#include "base/json.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void one_line(void **state)
{
    (void)state;
    json_t *o = json_pack(
        "{s:i, s:s, s:[i,i], s:n}", "zeta", 1, "alpha", "a\nb", "ports", 23, 80, "none");
    struct buf out;
    buf_init(&out, 1000);
    json_write(&out, o);
    assert_int_equal(out.err, OK);
    assert_string_equal((const char *)out.data,
        "{\"zeta\":1,\"alpha\":\"a\\nb\",\"ports\":[23,80],\"none\":null}");
    buf_done(&out);
    json_decref(o);
}

static const struct {
    double value;
    const char *text;
} reals[] = {
    {0.98, "0.98"},
    {0.99, "0.99"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0, "1.0"},
    {-2.5, "-2.5"},
    {1e300, "1e+300"},
    {123456789.125, "123456789.125"},
    {0.0, "0.0"},
    {1.0 / 3.0, "0.3333333333333333"},
};

static void short_reals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        json_t *value = json_real(reals[i].value);
        struct buf out;
        buf_init(&out, 100);
        json_write(&out, value);
        assert_string_equal((const char *)out.data, reals[i].text);
        double again = strtod((const char *)out.data, NULL);
        assert_memory_equal(&again, &reals[i].value, sizeof again);
        buf_done(&out);
        json_decref(value);
    }
}

/* Whatever is written, jansson reads as the same value. */
static void any_value(void **state)
{
    (void)state;
    json_t *o = json_pack("{s:[i,f,b,b,n], s:{}, s:[], s:s%, s:I}", "mixed \"\\/\x7f", -1, 1e-7,
        1, 0, "object", "array", "text", "\0\1\x1f\b\f\n\r\t\"\\/\xc3\xa9", (size_t)13, "large",
        (json_int_t)INT64_MIN);
    assert_non_null(o);
    struct buf out;
    buf_init(&out, 1000);
    json_write(&out, o);
    assert_int_equal(out.err, OK);
    json_t *again = json_loadb((const char *)out.data, out.len, JSON_ALLOW_NUL, NULL);
    assert_true(json_equal(o, again));
    json_decref(again);
    buf_done(&out);
    json_decref(o);
}

static void cap(void **state)
{
    (void)state;
    json_t *text = json_string("longer than the buffer");
    struct buf out;
    buf_init(&out, 8);
    json_write(&out, text);
    assert_int_equal(out.err, ERR_FULL);
    buf_done(&out);
    json_decref(text);
}

static void any_bytes(void **state)
{
    (void)state;
#define BAD "\xef\xbf\xbd"
    static const struct {
        const char *given, *want;
    } rows[] = {
        {"plain", "plain"}, {"\xe5\x85\x86\xe3\x81\x97", "\xe5\x85\x86\xe3\x81\x97"},
        {"\xe5\x85\x86\xff", "\xe5\x85\x86" BAD}, {"a\x80z", "a" BAD "z"},
        {"\xc0\xaf", BAD BAD},                 /* overlong / */
        {"\xe0\x80\xaf", BAD BAD BAD},         /* overlong again */
        {"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* above U+10FFFF */
        {"\xf0\x9f\x98\x80\xfe", "\xf0\x9f\x98\x80" BAD}, {"\xe5\x85", BAD BAD}, /* cut */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *text = json_text(rows[i].given, strlen(rows[i].given));
        assert_non_null(text);
        assert_string_equal(json_string_value(text), rows[i].want);
        json_decref(text);
    }
}

static void every_byte(void **state)
{
    (void)state;
    char bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    json_t *text = json_text(bytes, sizeof bytes);
    assert_non_null(text);
    struct buf out;
    buf_init(&out, 4096);
    json_write(&out, text);
    assert_int_equal(out.err, OK);
    json_t *again =
        json_loadb((const char *)out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_true(json_equal(text, again));
    json_decref(again);
    json_decref(text);
    buf_done(&out);
}

static void nothing(void **state)
{
    (void)state;
    json_t *text = json_text(NULL, 0);
    assert_non_null(text);
    assert_string_equal(json_string_value(text), "");
    json_decref(text);
}

static void times(void **state)
{
    (void)state;
    json_t *text = json_time(1795305600 * US_SECOND);
    assert_string_equal(json_string_value(text), "2026-11-22T00:00:00Z");
    json_decref(text);
}

static void for_people(void **state)
{
    (void)state;
    json_t *value =
        json_loads("{\"a\":[1,0.98,{}],\"b\":{\"c\":\"x,{\\\"[y\\\\\"},\"d\":[]}", 0, NULL);
    struct buf out;
    assert_non_null(value);
    buf_init(&out, 1 << 16);
    json_write_lines(&out, value);
    buf_u8(&out, 0);
    assert_string_equal((const char *)out.data,
        "{\n  \"a\": [\n    1,\n    0.98,\n    {}\n  ],\n  \"b\": {\n    \"c\": "
        "\"x,{\\\"[y\\\\\"\n  },\n"
        "  \"d\": []\n}");
    buf_clear(&out);
    json_write_lines(&out, json_object_get(value, "d"));
    buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, "[]");
    buf_done(&out);
    json_decref(value);
}

static const struct CMUnitTest tests[] = {
    SAYS("a value is one line, keys in the order they were set", one_line),
    SAYS("a number is written with the fewest digits that give it back", short_reals),
    SAYS("for people each member has a line, and texts stay whole", for_people),
    SAYS("any value that is written is read back as the same value", any_value),
    SAYS("a value that passes the buffer's cap is refused", cap),
    SAYS("bytes that are not UTF-8 are replaced, the rest stays", any_bytes),
    SAYS("any bytes make valid JSON that is read back", every_byte),
    SAYS("no bytes are an empty text", nothing),
    SAYS("times are RFC 3339", times),
};
TEST_MAIN(tests)
