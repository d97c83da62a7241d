#include "store/ask_int.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "record/proto.h"

#include <stdlib.h>
#include <string.h>

void answer_init(struct answer *a, enum ask_format format, struct buf *out,
    enum err (*part)(void *context, const void *data, size_t len), void *context)
{
    *a = (struct answer){
        .format = format, .out = out, .part = part, .context = context, .most = SIZE_MAX};
}

/* Hand over what has gathered, if somebody takes it in pieces. */
static void flush(struct answer *a)
{
    if (!a->part || a->error || !a->out->len)
        return;
    a->error = a->out->err ? a->out->err : a->part(a->context, a->out->data, a->out->len);
    buf_clear(a->out);
}

void answer_begin(struct answer *a)
{
    if (a->format == FORMAT_JSON) {
        buf_str(a->out, "[");
        return;
    }
    for (size_t i = 0; a->columns[i].name; i++)
        buf_printf(a->out, "%s%s", i ? "," : "", a->columns[i].name);
    buf_str(a->out, "\r\n");
}

void answer_end(struct answer *a)
{
    if (a->format == FORMAT_JSON)
        buf_str(a->out, "]");
    flush(a);
    if (!a->error)
        a->error = a->out->err;
}

static bool is_text(enum answer_type type)
{
    return type != ANSWER_NUMBER && type != ANSWER_REAL && type != ANSWER_ASN;
}

static void put_ip(const char *hex, struct buf *out)
{
    struct ip ip = {{0}};
    char text[IP_TEXT];
    for (size_t i = 0; i < sizeof ip.byte && hex[2 * i] && hex[2 * i + 1]; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        ip.byte[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    buf_str(out, ip_format(&ip, text));
}

static void put_service(const char *digits, struct buf *out)
{
    char proto[PROTO_TEXT];
    if (digits[0] < '0' || digits[0] > '9') {
        buf_str(out, digits);
        return;
    }
    unsigned long number = strtoul(digits, NULL, 10);
    buf_printf(
        out, "%lu/%s", number & 0xffff, proto_format((uint8_t)(number >> 16 & 0xff), proto));
}

static void put_lower(const char *hex, struct buf *out)
{
    for (; *hex; hex++)
        buf_u8(out, (uint8_t)(*hex >= 'A' && *hex <= 'F' ? *hex - 'A' + 'a' : *hex));
}

static void put_text(enum answer_type type, const char *field, struct buf *out)
{
    char time[TIME_TEXT];
    char proto[PROTO_TEXT];
    switch (type) {
    case ANSWER_TIME:
        buf_str(out, time_format(strtoll(field, NULL, 10), time));
        return;
    case ANSWER_IP:
        put_ip(field, out);
        return;
    case ANSWER_PROTO:
        buf_str(out, proto_format((uint8_t)strtoul(field, NULL, 10), proto));
        return;
    case ANSWER_SERVICE:
        put_service(field, out);
        return;
    case ANSWER_HEX:
        put_lower(field, out);
        return;
    default:
        buf_str(out, field);
        return;
    }
}

/* In quotes where it needs them (RFC 4180). What a spreadsheet would take for a formula gets an
 * apostrophe before it. */
static void put_csv_text(const char *text, struct buf *out)
{
    bool quote = text[strcspn(text, "\",\r\n")];
    if (quote)
        buf_u8(out, '"');
    if (*text && strchr("=+-@", *text))
        buf_u8(out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_u8(out, '"');
        buf_u8(out, (uint8_t)*text);
    }
    if (quote)
        buf_u8(out, '"');
}

static void put_any_text(struct answer *a, const char *text)
{
    if (a->format == FORMAT_CSV) {
        put_csv_text(text, a->out);
        return;
    }
    json_t *value = json_text(text, strlen(text));
    json_write(a->out, value);
    json_decref(value);
}

/* Undo in place what tab-separated values escape: \\, \t, \n, \' and others. */
static char *unescape(char *field)
{
    static const char after[] = "bfnrt0";
    static const char means[] = "\b\f\n\r\t ";
    char *to = field;
    for (const char *at = field; *at; at++) {
        const char *known = at[0] == '\\' && at[1] ? strchr(after, at[1]) : NULL;
        if (at[0] == '\\' && at[1])
            at++;
        *to++ = known ? means[known - after] : *at;
    }
    *to = 0;
    return field;
}

static void put_name(struct answer *a)
{
    const char *name = a->names.of && a->asn ? a->names.of(a->names.context, a->asn) : "";
    put_any_text(a, name);
}

static void put_field(struct answer *a, const struct answer_column *column, char *field)
{
    bool json = a->format == FORMAT_JSON;
    if (column->type == ANSWER_TEXT) {
        put_any_text(a, unescape(field));
        return;
    }
    if (column->type == ANSWER_ASN || column->type == ANSWER_NETWORK)
        a->asn = (uint32_t)strtoul(field, NULL, 10);
    if ((column->type == ANSWER_REAL && (strstr(field, "nan") || strstr(field, "inf"))) ||
        (column->type == ANSWER_TIME && strcmp(field, "\\N") == 0)) {
        buf_str(a->out, json ? "null" : "");
        return;
    }
    bool quote = json && is_text(column->type);
    if (quote)
        buf_u8(a->out, '"');
    put_text(column->type, field, a->out);
    if (quote)
        buf_u8(a->out, '"');
}

static void note_time(struct answer *a, const char *field)
{
    int64_t time = strtoll(field, NULL, 10);
    a->last_same = a->rows && time == a->last_time ? a->last_same + 1 : 0;
    a->last_time = time;
}

/* `line` is cut up. */
static void put_row(struct answer *a, char *line)
{
    bool json = a->format == FORMAT_JSON;
    if (json)
        buf_str(a->out, a->rows ? ",\n{" : "{");
    for (size_t i = 0; a->columns[i].name; i++) {
        if (json)
            buf_printf(a->out, "%s\"%s\":", i ? "," : "", a->columns[i].name);
        else if (i)
            buf_u8(a->out, ',');
        if (a->columns[i].type == ANSWER_NAME) {
            put_name(a);
            continue;
        }
        char *end = line + strcspn(line, "\t");
        char *next = *end ? end + 1 : end;
        *end = 0;
        if (i == 0 && a->columns[i].type == ANSWER_TIME)
            note_time(a, line);
        put_field(a, &a->columns[i], line);
        line = next;
    }
    buf_str(a->out, json ? "}" : "\r\n");
    a->rows++;
}

enum err answer_lines(struct answer *a, const char *lines, size_t len)
{
    struct buf copy;
    buf_init(&copy, len);
    buf_put(&copy, lines, len);
    if (copy.err)
        a->error = copy.err;
    char *at = (char *)copy.data;
    char *end = at ? at + copy.len : at;
    while (!a->error && !a->more && at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *next = newline ? newline + 1 : end;
        if (newline)
            *newline = 0;
        if (a->rows == a->most)
            a->more = true;
        else
            put_row(a, at);
        at = next;
        if (a->part && a->out->len > STREAM_PIECE_MAX / 1024)
            flush(a);
        if (!a->error)
            a->error = a->out->err;
    }
    buf_done(&copy);
    return a->error ? a->error : a->more ? ERR_STOPPED : OK;
}

void answer_next(const struct answer *a, struct place *place)
{
    if (!a->columns || a->columns[0].type != ANSWER_TIME ||
        strcmp(a->columns[0].name, "ts") != 0) {
        place->skip += a->rows;
        return;
    }
    /* Rows that had this very time on earlier pages count too. */
    bool same = place->time == a->last_time && a->last_same + 1 == a->rows;
    place->skip = a->last_same + 1 + (same ? place->skip : 0);
    place->time = a->last_time;
}
