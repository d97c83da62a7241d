#ifndef TESTS_UNIT_SENSOR_CAPTURES_H
#define TESTS_UNIT_SENSOR_CAPTURES_H

/* Captures written byte by byte in either order, and all frames of a source at once. */
#include "base/buf.h"
#include "sensor/source_int.h"

#include <stdbool.h>
#include <string.h>
#include <test.h>

enum {
    CAPTURE_CAP = 64 << 20,
    EVERYTHING = 1 << 30 /* a chunk that is the whole */
};

/* A capture under construction. */
struct capture {
    struct buf bytes;
    bool big;
};

static inline void put16(struct capture *c, uint16_t v)
{
    if (c->big)
        buf_be16(&c->bytes, v);
    else
        buf_le16(&c->bytes, v);
}

static inline void put32(struct capture *c, uint32_t v)
{
    if (c->big)
        buf_be32(&c->bytes, v);
    else
        buf_le32(&c->bytes, v);
}

static inline void put64(struct capture *c, uint64_t v)
{
    put32(c, (uint32_t)(c->big ? v >> 32 : v));
    put32(c, (uint32_t)(c->big ? v : v >> 32));
}

static inline struct capture capture_new(bool big)
{
    struct capture c = {.big = big};
    buf_init(&c.bytes, CAPTURE_CAP);
    return c;
}

static inline void put_pcap_header(struct capture *c, uint32_t magic, uint32_t link)
{
    put32(c, magic);
    put16(c, 2);
    put16(c, 4);
    put64(c, 0);
    put32(c, 65535);
    put32(c, link);
}

static inline void put_record(
    struct capture *c, uint32_t seconds, uint32_t fraction, const char *data, uint32_t wire_len)
{
    uint32_t len = (uint32_t)strlen(data);
    put32(c, seconds);
    put32(c, fraction);
    put32(c, len);
    put32(c, wire_len);
    buf_put(&c->bytes, data, len);
}

/* A pcapng block; returns where it begins, for block_end(). */
static inline size_t block_begin(struct capture *c, uint32_t type)
{
    size_t start = c->bytes.len;
    put32(c, type);
    put32(c, 0);
    return start;
}

static inline void block_end(struct capture *c, size_t start)
{
    while (c->bytes.len % 4)
        buf_u8(&c->bytes, 0);
    uint32_t length = (uint32_t)(c->bytes.len - start + 4);
    put32(c, length);
    assert_int_equal(c->bytes.err, OK);
    memcpy(c->bytes.data + start + 4, c->bytes.data + c->bytes.len - 4, 4);
}

static inline void put_section(struct capture *c)
{
    size_t start = block_begin(c, 0x0a0d0d0a);
    put32(c, 0x1a2b3c4d);
    put16(c, 1);
    put16(c, 0);
    put64(c, UINT64_MAX);
    block_end(c, start);
}

/* resolution -1: no option. */
static inline void put_interface(
    struct capture *c, uint16_t link, uint32_t snaplen, int resolution, int64_t offset)
{
    size_t start = block_begin(c, 1);
    put16(c, link);
    put16(c, 0);
    put32(c, snaplen);
    if (resolution >= 0) {
        put16(c, 9);
        put16(c, 1);
        buf_put(&c->bytes, (const uint8_t[]){(uint8_t)resolution, 0, 0, 0}, 4);
    }
    if (offset) {
        put16(c, 14);
        put16(c, 8);
        put64(c, (uint64_t)offset);
    }
    if (resolution >= 0 || offset)
        put32(c, 0);
    block_end(c, start);
}

static inline void put_packet(
    struct capture *c, uint32_t interface, uint64_t ticks, const char *data, uint32_t wire_len)
{
    uint32_t len = (uint32_t)strlen(data);
    size_t start = block_begin(c, 6);
    put32(c, interface);
    put32(c, (uint32_t)(ticks >> 32));
    put32(c, (uint32_t)ticks);
    put32(c, len);
    put32(c, wire_len);
    buf_put(&c->bytes, data, len);
    block_end(c, start);
}

/* All that a source gave, and how it ended. */
struct reading {
    struct frame *frames; /* data are copies */
    size_t count;
    enum err err;
    struct fault fault;
    struct source_counts counts;
};

static inline void reading_done(struct reading *r)
{
    for (size_t i = 0; i < r->count; i++)
        free((void *)(uintptr_t)r->frames[i].data);
    free(r->frames);
    *r = (struct reading){.count = 0};
}

static inline void reading_add(struct reading *r, const struct frame *frame)
{
    if ((r->count & (r->count - 1)) == 0) {
        struct frame *grown = realloc(r->frames, (r->count ? r->count * 2 : 1) * sizeof *grown);
        assert_non_null(grown);
        r->frames = grown;
    }
    uint8_t *copy = malloc(frame->len ? frame->len : 1);
    assert_non_null(copy);
    memcpy(copy, frame->data, frame->len);
    r->frames[r->count] = *frame;
    r->frames[r->count++].data = copy;
}

/* Read to the end, `batch` frames (at most 512) a call; closes the source. */
static inline struct reading read_source(struct source *s, size_t batch)
{
    struct reading r = {.err = OK};
    struct frame frames[512];
    size_t count;
    while (!(r.err = source_next(s, frames, batch, -1, &count, &r.fault))) {
        assert_in_range(count, 1, batch);
        for (size_t i = 0; i < count; i++)
            reading_add(&r, &frames[i]);
    }
    /* The end stays the end. */
    struct fault again;
    assert_int_equal(source_next(s, frames, batch, -1, &count, &again), r.err);
    assert_string_equal(again.text, r.fault.text);
    source_counts(s, &r.counts);
    assert_int_equal(r.counts.frames, r.count);
    source_close(s);
    return r;
}

static inline struct reading read_memory(const void *data, size_t len, size_t chunk)
{
    struct source *s = NULL;
    struct reading r = {.err = OK};
    r.err = source_open_memory(&s, data, len, chunk, &r.fault);
    return r.err ? r : read_source(s, 512);
}

static inline struct reading read_capture(const struct capture *c)
{
    assert_int_equal(c->bytes.err, OK);
    return read_memory(c->bytes.data, c->bytes.len, EVERYTHING);
}

static inline struct reading read_file(const char *path)
{
    struct source *s = NULL;
    struct reading r = {.err = OK};
    r.err = source_open_file(&s, path, &r.fault);
    return r.err ? r : read_source(s, 512);
}

static inline void assert_frame(
    const struct frame *f, int64_t ts, uint32_t link, const char *data, uint32_t wire_len)
{
    assert_int_equal(f->ts, ts);
    assert_int_equal(f->link, link);
    assert_int_equal(f->len, strlen(data));
    assert_int_equal(f->wire_len, wire_len);
    assert_memory_equal(f->data, data, f->len);
}

static inline void assert_same_frames(const struct reading *a, const struct reading *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->err, b->err);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->frames[i].ts, b->frames[i].ts);
        assert_int_equal(a->frames[i].link, b->frames[i].link);
        assert_int_equal(a->frames[i].len, b->frames[i].len);
        assert_int_equal(a->frames[i].wire_len, b->frames[i].wire_len);
        assert_memory_equal(a->frames[i].data, b->frames[i].data, a->frames[i].len);
    }
}

#endif
