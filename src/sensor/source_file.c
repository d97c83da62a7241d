#include "sensor/source_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A capture file as a source: one large buffer that is refilled by large reads; frames point
 * into it. What is left of a record at its end moves to its start before the next read. */

static_assert(READ_ROOM > RECORD_MAX, "the longest record fits the buffer");

enum {
    MAGIC = 4,
};

/* First bytes of what people hand over in place of a capture, and a hint for each. */
static const struct {
    const char *bytes;
    size_t len;
    const char *what;
} strangers[] = {
    {"\x1f\x8b", 2, "compressed twice; unpack it once"},
    {"\x28\xb5\x2f\xfd", 4, "compressed twice; unpack it once"},
    {"\xfd"
     "7zX",
        4, "an xz file; unpack it first (xz -dc FILE | ... -)"},
    {"BZh", 3, "a bzip2 file; unpack it first (bzip2 -dc FILE | ... -)"},
    {"\x04\x22\x4d\x18", 4, "an lz4 file; unpack it first (lz4 -dc FILE | ... -)"},
    {"PK\x03\x04", 4, "a zip file; unpack it first"},
    {"snoo", 4, "a snoop capture; convert it (editcap -F pcapng)"},
    {"\x0c\xa5", 2, "an nfcapd flow file, which holds no packets"},
    {"\xa5\x0c", 2, "an nfcapd flow file, which holds no packets"},
};

static void fault_at(struct reader *r, uint64_t offset)
{
    const char *packing = stream_packing(r->stream);
    snprintf(r->fault.text, sizeof r->fault.text,
        "%s: offset %llu%s%s%s: ", stream_path(r->stream), (unsigned long long)offset,
        packing ? " after " : "", packing ? packing : "", packing ? " is unpacked" : "");
}

enum err reader_fail(struct reader *r, enum err code, size_t at, const char *format, ...)
{
    r->failed = code;
    r->fault.code = code;
    fault_at(r, r->buffer_offset + r->begin + at);
    size_t used = strlen(r->fault.text);
    va_list args;
    va_start(args, format);
    vsnprintf(r->fault.text + used, sizeof r->fault.text - used, format, args);
    va_end(args);
    return code;
}

/* Step over what must be skipped, as far as it is in the buffer. */
static void reader_skip(struct reader *r)
{
    size_t have = r->end - r->begin;
    size_t step = r->skip < have ? (size_t)r->skip : have;
    r->begin += step;
    r->skip -= step;
}

/* Get more bytes behind those that are left. OK and nothing new: the file has ended
 * (r->ended), or a signal came. */
static enum err reader_fill(struct reader *r)
{
    size_t left = r->end - r->begin;
    if (left)
        memmove(r->buffer, r->buffer + r->begin, left);
    r->buffer_offset += r->begin;
    r->begin = 0;
    r->end = left;
    assert(left < READ_ROOM);
    size_t len = 0;
    enum err err =
        stream_read(r->stream, r->buffer + left, READ_ROOM - left, &len, &r->ended, &r->fault);
    if (err) {
        r->failed = err;
        return err;
    }
    r->end += len;
    return OK;
}

static enum err reader_give(
    struct reader *r, const struct frame *frames, size_t count, size_t *ret_count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += frames[i].len;
    r->bytes += bytes;
    r->frames += count;
    *ret_count = count;
    return OK;
}

static enum err file_next(struct source *s, struct frame *frames, size_t cap, int wait_ms,
    size_t *ret_count, struct fault *f)
{
    (void)wait_ms;
    struct reader *r = (struct reader *)s;
    for (;;) {
        size_t count = 0;
        if (!r->failed && !r->skip)
            (void)r->format->parse(r, frames, cap, &count);
        if (count)
            return reader_give(r, frames, count, ret_count);
        if (r->failed)
            return fault_set(f, r->failed, "%s", r->fault.text);
        if (r->skip) {
            reader_skip(r);
            if (!r->skip)
                continue;
        }
        if (r->ended && r->begin == r->end && !r->skip_length)
            return fault_set(f, ERR_NOTFOUND, "%s: no more frames", stream_path(r->stream));
        if (r->ended) {
            (void)r->format->cut(r);
            continue;
        }
        size_t before = r->end - r->begin;
        if (!reader_fill(r) && !r->ended && r->end == before) {
            *ret_count = 0; /* a signal: the caller may want to stop */
            return OK;
        }
    }
}

static void file_counts(const struct source *s, struct source_counts *ret_counts)
{
    const struct reader *r = (const struct reader *)s;
    struct source_counts counts = {.frames = r->frames,
        .bytes = r->bytes,
        .dropped_kernel = r->dropped_kernel,
        .dropped_interface = r->dropped_interface};
    for (size_t i = 0; i < r->interface_count; i++) {
        counts.dropped_kernel += r->interfaces[i].dropped_kernel;
        counts.dropped_interface += r->interfaces[i].dropped_interface;
    }
    stream_position(r->stream, &counts.offset, &counts.size);
    *ret_counts = counts;
}

static void file_close(struct source *s)
{
    struct reader *r = (struct reader *)s;
    stream_close(r->stream);
    free(r->interfaces);
    free(r->buffer);
    free(r);
}

static const struct source_kind kind_file = {
    .next = file_next,
    .counts = file_counts,
    .close = file_close,
};

static enum err stranger_fail(struct reader *r)
{
    const uint8_t *first = r->buffer;
    size_t have = r->end;
    const char *path = stream_path(r->stream);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        if (have >= strangers[i].len &&
            memcmp(first, strangers[i].bytes, strangers[i].len) == 0)
            return fault_set(
                &r->fault, ERR_BAD, "%s: not a capture file: %s", path, strangers[i].what);
    }
    if (have == 0)
        return fault_set(
            &r->fault, ERR_SHORT, "%s: empty; a pcap or pcapng file is expected", path);
    char hex[3 * MAGIC + 1] = "";
    for (size_t i = 0; i < MAGIC && i < have; i++)
        snprintf(hex + 3 * i, sizeof hex - 3 * i, " %02x", first[i]);
    return fault_set(&r->fault, ERR_BAD,
        "%s: not a capture file: it begins with%s; pcap and pcapng are read, plain or packed "
        "by gzip or zstd",
        path, hex);
}

/* Read on until `len` bytes are in the buffer or the file ends. */
static enum err reader_want(struct reader *r, size_t len)
{
    while (r->end < len && !r->ended) {
        size_t before = r->end;
        enum err err = reader_fill(r);
        if (err)
            return err;
        if (r->end == before && !r->ended)
            return fault_set(
                &r->fault, ERR_STOPPED, "%s: stopped by a signal", stream_path(r->stream));
    }
    return OK;
}

static enum err reader_begin(struct reader *r)
{
    static const uint8_t section[MAGIC] = {0x0a, 0x0d, 0x0d, 0x0a};
    enum err err = reader_want(r, MAGIC);
    if (err)
        return err;
    if (r->end >= MAGIC && memcmp(r->buffer, section, MAGIC) == 0) {
        r->format = &format_pcapng;
        return OK;
    }
    r->format = &format_pcap;
    err = reader_want(r, PCAP_HEADER);
    if (!err)
        err = pcap_begin(r);
    return err == ERR_NOTFOUND ? stranger_fail(r) : err;
}

static enum err source_begin(struct source **ret_source, struct stream *stream, struct fault *f)
{
    struct reader *r = calloc(1, sizeof *r);
    if (r)
        r->buffer = malloc(READ_ROOM);
    if (!r || !r->buffer) {
        free(r);
        fault_set(f, ERR_NOMEM, "%s: out of memory", stream_path(stream));
        stream_close(stream);
        return ERR_NOMEM;
    }
    r->source.kind = &kind_file;
    r->stream = stream;
    enum err err = reader_begin(r);
    if (err) {
        fault_set(f, err, "%s", r->fault.text);
        file_close(&r->source);
        return err;
    }
    *ret_source = &r->source;
    return OK;
}

enum err source_open_file(struct source **ret_source, const char *path, struct fault *f)
{
    struct stream *stream;
    enum err err = stream_open(&stream, path, f);
    return err ? err : source_begin(ret_source, stream, f);
}

enum err source_open_memory(
    struct source **ret_source, const void *data, size_t len, size_t chunk, struct fault *f)
{
    struct stream *stream;
    enum err err = stream_open_memory(&stream, data, len, chunk, f);
    return err ? err : source_begin(ret_source, stream, f);
}
