#include "base/json.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Escapes of RFC 8259, section 7, for what must be escaped; the rest is UTF-8 as it is. */
static void write_escaped(struct buf *out, uint8_t c)
{
    static const char must[] = "\b\f\n\r\t\"\\";
    static const char says[] = "bfnrt\"\\";
    const char *at = c ? strchr(must, c) : NULL;
    if (at)
        buf_put(out, (char[]){'\\', says[at - must]}, 2);
    else
        buf_printf(out, "\\u%04x", c);
}

static void write_text(struct buf *out, const char *bytes, size_t len)
{
    size_t plain = 0;
    buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(out, bytes + plain, i - plain);
        write_escaped(out, c);
        plain = i + 1;
    }
    buf_put(out, bytes + plain, len - plain);
    buf_u8(out, '"');
}

/* A whole number as a real one, "12.0": most counts in evidence are, and printf() would take
 * twenty times as long. */
static void write_whole(struct buf *out, int64_t value)
{
    char text[24];
    char *at = text + sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *--at = '0';
    *--at = '.';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    buf_put(out, at, (size_t)(text + sizeof text - at));
}

/* The fewest digits that give the same double again: 0.98, not 0.97999999999999998. */
static void write_real(struct buf *out, double value)
{
    char text[32];
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value &&
        (value != 0 || !signbit(value))) {
        write_whole(out, (int64_t)value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double again = strtod(text, NULL);
        if (!(again < value) && !(again > value))
            break;
    }
    buf_str(out, text);
    if (!strpbrk(text, ".e"))
        buf_str(out, ".0");
}

enum {
    ONE_LINE = -1 /* the level of a value that is not broken into lines */
};

static void new_line(struct buf *out, int level)
{
    if (level == ONE_LINE)
        return;
    buf_u8(out, '\n');
    for (int i = 0; i < level; i++)
        buf_str(out, "  ");
}

static void write_value(struct buf *out, const json_t *value, int level);

static void write_object(struct buf *out, json_t *value, int level)
{
    const int inside = level == ONE_LINE ? ONE_LINE : level + 1;
    const char *between = "";
    const char *name;
    json_t *member;
    buf_u8(out, '{');
    json_object_foreach(value, name, member)
    {
        buf_str(out, between);
        new_line(out, inside);
        write_text(out, name, strlen(name));
        buf_str(out, level == ONE_LINE ? ":" : ": ");
        write_value(out, member, inside);
        between = ",";
    }
    if (*between)
        new_line(out, level);
    buf_u8(out, '}');
}

static void write_array(struct buf *out, json_t *value, int level)
{
    const int inside = level == ONE_LINE ? ONE_LINE : level + 1;
    size_t i;
    json_t *element;
    buf_u8(out, '[');
    json_array_foreach(value, i, element)
    {
        if (i)
            buf_u8(out, ',');
        new_line(out, inside);
        write_value(out, element, inside);
    }
    if (i)
        new_line(out, level);
    buf_u8(out, ']');
}

/* As deep as the value is, which jansson's own parser and packer keep below 2,048. */
static void write_value(struct buf *out, const json_t *value, int level)
{
    json_t *inner = (json_t *)(uintptr_t)value; /* the macros of jansson know no const */
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(out, inner, level);
        return;
    case JSON_ARRAY:
        write_array(out, inner, level);
        return;
    case JSON_STRING:
        write_text(out, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        write_real(out, json_real_value(value));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_str(out, json_is_true(value) ? "true" : "false");
        return;
    case JSON_NULL:
        buf_str(out, "null");
        return;
    }
}

static void write_whole_value(struct buf *out, const json_t *value, int level)
{
    if (!value)
        out->err = out->err ? out->err : ERR_NOMEM;
    else
        write_value(out, value, level);
}

void json_write(struct buf *out, const json_t *value)
{
    write_whole_value(out, value, ONE_LINE);
}

void json_write_lines(struct buf *out, const json_t *value)
{
    write_whole_value(out, value, 0);
}

json_t *json_text(const char *bytes, size_t len)
{
    json_t *text = json_stringn(bytes ? bytes : "", len);
    if (text)
        return text;
    assert(bytes);
    const uint8_t *p = (const uint8_t *)bytes;
    struct buf mended;
    buf_init(&mended, len * 3);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_sequence(p + i, len - i);
        if (step)
            buf_put(&mended, p + i, step);
        else
            buf_str(&mended, "\xef\xbf\xbd");
        step += !step;
    }
    text = mended.err ? NULL : json_stringn((const char *)mended.data, mended.len);
    buf_done(&mended);
    return text;
}

json_t *json_time(int64_t us)
{
    char text[TIME_TEXT];
    return json_string(time_format(us, text));
}
