#include "cmd/export_capture.h"

#include "base/clock.h"
#include "cmd/line_split.h"
#include "decode/frame.h"
#include "sensor/capture_writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_CAP = 64 << 10
};

/* Rows come in pieces that end anywhere. */
struct rows {
    struct capture_writer *writer;
    struct buf line; /* of which the end has not come yet */
    struct fault *fault;
};

static uint64_t number(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

static const char *text(const json_t *row, const char *name)
{
    const char *value = json_string_value(json_object_get(row, name));
    return value ? value : "";
}

static uint32_t digit(char c)
{
    return (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* The digits are the store's own. */
static size_t hex_read(const char *digits, uint8_t *bytes, size_t room)
{
    size_t count = strlen(digits) / 2;
    count = count < room ? count : room;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
    return count;
}

static bool is_none(const struct ip *ip)
{
    static const struct ip none;
    return memcmp(ip, &none, sizeof none) == 0;
}

static enum err addresses_read(const json_t *row, struct packet *p)
{
    enum err e = ip_parse(text(row, "src"), &p->src);
    if (!e && *text(row, "dst"))
        e = ip_parse(text(row, "dst"), &p->dst);
    if (!e && ip_is_v4(&p->src) && is_none(&p->dst))
        p->dst = ip_from_v4(0);
    return e;
}

static enum err packet_read(const json_t *row, struct packet *ret_packet)
{
    *ret_packet = (struct packet){.proto = (uint8_t)number(row, "proto"),
        .ttl = (uint8_t)number(row, "ttl"),
        .ip_id = (uint16_t)number(row, "ip_id"),
        .sport = (uint16_t)number(row, "sport"),
        .dport = (uint16_t)number(row, "dport"),
        .tcp_flags = (uint8_t)number(row, "tcp_flags"),
        .tcp_win = (uint16_t)number(row, "tcp_win"),
        .tcp_seq = (uint32_t)number(row, "tcp_seq"),
        .tcp_ack = (uint32_t)number(row, "tcp_ack"),
        .quirks = (uint16_t)number(row, "quirks")};
    enum err e = time_parse(text(row, "ts"), &ret_packet->ts);
    return e ? e : addresses_read(row, ret_packet);
}

static enum err row_put(void *context)
{
    struct rows *r = context;
    const char *line = (const char *)r->line.data;
    uint8_t payload[FRAME_PAYLOAD_MAX];
    uint8_t frame[FRAME_ROOM];
    uint32_t wire = 0;
    struct packet p;
    json_t *row = json_loadb(line, r->line.len, 0, NULL);
    enum err e = row ? packet_read(row, &p) : ERR_BAD;
    if (e) {
        json_decref(row);
        return fault_set(r->fault, ERR_BAD, "a row that is no packet: %.60s", line);
    }
    p.payload = bytes_over(payload, hex_read(text(row, "payload"), payload, sizeof payload));
    size_t kept = frame_write(&p, (uint32_t)number(row, "payload_len"), frame, &wire);
    json_decref(row);
    e = capture_writer_put(r->writer, p.ts, frame, (uint32_t)kept, wire);
    return e == ERR_RANGE ? fault_set(r->fault, e, "a capture holds no time after 2106") : e;
}

static enum err rows_take(void *context, const void *data, size_t len)
{
    struct rows *r = context;
    enum err e = line_split(&r->line, data, len, row_put, r);
    return r->line.err ? fault_set(r->fault, e, "a row of more than %d bytes", LINE_CAP) : e;
}

enum err export_capture(
    struct holder *holder, const struct ask *ask, const char *path, struct fault *f)
{
    struct rows r = {.fault = f};
    enum err e = capture_writer_open(&r.writer, path, LINK_RAW, 0, f);
    if (e)
        return e;
    buf_init(&r.line, LINE_CAP);
    e = holder_stream(holder, ask, FORMAT_JSON, rows_take, &r, f);
    if (!e && r.line.len)
        e = row_put(&r);
    buf_done(&r.line);
    struct fault written = {0};
    enum err closed = capture_writer_close(r.writer, &written);
    if (closed && (!e || e == ERR_IO))
        return fault_set(f, closed, "%s", written.text);
    return e;
}
