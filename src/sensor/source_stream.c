#include "sensor/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
    RAW_ROOM = 256 * 1024,
    GZIP_WINDOW = 15 + 16, /* zlib's way to ask for gzip and nothing else */
};

struct unpacker;

struct stream {
    const struct unpacker *unpacker; /* NULL: plain */
    char *path;
    int descriptor; /* -1: memory */
    const uint8_t *memory;
    size_t memory_left, chunk;
    uint8_t *raw; /* RAW_ROOM bytes, as they are in the file */
    size_t raw_begin, raw_end;
    bool raw_ended;
    bool between; /* compressed: a member or frame is over, none has begun */
    uint64_t taken, size;
    enum err failed;
    struct fault fault;
    z_stream gzip;
    ZSTD_DCtx *zstd;
};

/* One way to unpack: `step` moves bytes from raw to `to` as far as they go. */
struct unpacker {
    const char *name;
    uint8_t magic[STREAM_FIRST];
    size_t magic_len;
    enum err (*open)(struct stream *s);
    enum err (*step)(struct stream *s, uint8_t *to, size_t room, size_t *ret_len);
    void (*close)(struct stream *s);
};

static enum err stream_fail(struct stream *s, enum err code, const char *what)
{
    s->failed = code;
    return fault_set(&s->fault, code, "%s: %s data, offset %llu of the file: %s", s->path,
        s->unpacker->name, (unsigned long long)(s->taken - (s->raw_end - s->raw_begin)), what);
}

static enum err gzip_open(struct stream *s)
{
    return inflateInit2(&s->gzip, GZIP_WINDOW) == Z_OK ? OK : ERR_NOMEM;
}

static enum err gzip_step(struct stream *s, uint8_t *to, size_t room, size_t *ret_len)
{
    if (s->between && inflateReset(&s->gzip) != Z_OK)
        return stream_fail(s, ERR_BAD, "cannot be read");
    s->between = false;
    s->gzip.next_in = s->raw + s->raw_begin;
    s->gzip.avail_in = (uInt)(s->raw_end - s->raw_begin);
    s->gzip.next_out = to;
    s->gzip.avail_out = (uInt)room;
    int done = inflate(&s->gzip, Z_NO_FLUSH);
    s->raw_begin = s->raw_end - s->gzip.avail_in;
    *ret_len = room - s->gzip.avail_out;
    if (done == Z_STREAM_END)
        s->between = true;
    else if (done == Z_MEM_ERROR)
        return stream_fail(s, ERR_NOMEM, "out of memory");
    else if (done != Z_OK && done != Z_BUF_ERROR)
        return stream_fail(s, ERR_BAD, s->gzip.msg ? s->gzip.msg : "cannot be unpacked");
    return OK;
}

static void gzip_close(struct stream *s)
{
    inflateEnd(&s->gzip);
}

static enum err zstd_open(struct stream *s)
{
    s->zstd = ZSTD_createDCtx();
    return s->zstd ? OK : ERR_NOMEM;
}

static enum err zstd_step(struct stream *s, uint8_t *to, size_t room, size_t *ret_len)
{
    ZSTD_inBuffer in = {s->raw, s->raw_end, s->raw_begin};
    ZSTD_outBuffer out = {to, room, 0};
    size_t hint = ZSTD_decompressStream(s->zstd, &out, &in);
    s->raw_begin = in.pos;
    *ret_len = out.pos;
    if (ZSTD_isError(hint))
        return stream_fail(s, ERR_BAD, ZSTD_getErrorName(hint));
    s->between = hint == 0;
    return OK;
}

static void zstd_close(struct stream *s)
{
    ZSTD_freeDCtx(s->zstd);
}

static const struct unpacker unpackers[] = {
    {"gzip", {0x1f, 0x8b}, 2, gzip_open, gzip_step, gzip_close},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_open, zstd_step, zstd_close},
};

/* Bytes of the file itself. 0 and not *ret_ended: a signal came. */
static enum err raw_read(
    struct stream *s, uint8_t *to, size_t room, size_t *ret_len, bool *ret_ended)
{
    size_t len = 0;
    if (s->descriptor < 0) {
        len = room < s->chunk ? room : s->chunk;
        len = len < s->memory_left ? len : s->memory_left;
        if (len)
            memcpy(to, s->memory, len);
        s->memory += len;
        s->memory_left -= len;
        *ret_ended = s->memory_left == 0 && len == 0;
    } else {
        ssize_t got = read(s->descriptor, to, room);
        if (got < 0 && errno != EINTR) {
            s->failed = ERR_IO;
            return fault_set(&s->fault, ERR_IO, "%s: offset %llu: cannot be read: %s", s->path,
                (unsigned long long)s->taken, strerror(errno));
        }
        len = got < 0 ? 0 : (size_t)got;
        *ret_ended = got == 0;
    }
    s->taken += len;
    *ret_len = len;
    return OK;
}

/* Have something in `raw`, which is empty, or learn that the file has ended. */
static enum err raw_fill(struct stream *s)
{
    size_t len;
    enum err err = raw_read(s, s->raw, RAW_ROOM, &len, &s->raw_ended);
    if (err)
        return err;
    s->raw_begin = 0;
    s->raw_end = len;
    return OK;
}

/* Unpack into `to`; ends well only between two members. */
static enum err unpack(
    struct stream *s, uint8_t *to, size_t room, size_t *ret_len, bool *ret_ended)
{
    for (;;) {
        if (s->raw_begin == s->raw_end && !s->raw_ended) {
            enum err err = raw_fill(s);
            if (err)
                return err;
            if (s->raw_begin == s->raw_end && !s->raw_ended)
                break; /* a signal */
        }
        bool empty = s->raw_begin == s->raw_end;
        if (empty && s->between) {
            *ret_ended = true;
            break;
        }
        enum err err = s->unpacker->step(s, to, room, ret_len);
        if (*ret_len || err)
            return err;
        if (empty)
            return stream_fail(s, ERR_SHORT, "the file ends inside the compressed stream");
    }
    *ret_len = 0;
    return OK;
}

static enum err read_some(
    struct stream *s, uint8_t *to, size_t room, size_t *ret_len, bool *ret_ended)
{
    if (s->unpacker)
        return unpack(s, to, room, ret_len, ret_ended);
    size_t first = s->raw_end - s->raw_begin;
    if (!first)
        return raw_read(s, to, room, ret_len, ret_ended);
    if (first > room)
        first = room;
    memcpy(to, s->raw + s->raw_begin, first);
    s->raw_begin += first;
    *ret_len = first;
    return OK;
}

enum err stream_read(struct stream *s, uint8_t *to, size_t room, size_t *ret_len,
    bool *ret_ended, struct fault *f)
{
    size_t len = 0;
    bool ended = false;
    if (!s->failed)
        (void)read_some(s, to, room, &len, &ended);
    if (s->failed && len == 0)
        return fault_set(f, s->failed, "%s", s->fault.text);
    *ret_len = len;
    *ret_ended = ended;
    return OK;
}

/* Read the first bytes and choose the unpacker by them. */
static enum err stream_begin(struct stream *s, struct fault *f)
{
    bool ended = false;
    while (s->raw_end < STREAM_FIRST && !ended) {
        size_t len;
        enum err err = raw_read(s, s->raw + s->raw_end, RAW_ROOM - s->raw_end, &len, &ended);
        if (err)
            return fault_set(f, err, "%s", s->fault.text);
        if (len == 0 && !ended)
            return fault_set(f, ERR_STOPPED, "%s: stopped by a signal", s->path);
        s->raw_end += len;
    }
    for (size_t i = 0; i < sizeof unpackers / sizeof *unpackers; i++) {
        const struct unpacker *u = &unpackers[i];
        if (s->raw_end < u->magic_len || memcmp(s->raw, u->magic, u->magic_len) != 0)
            continue;
        enum err err = u->open(s);
        if (err)
            return fault_set(f, err, "%s: out of memory for %s", s->path, u->name);
        s->unpacker = u;
    }
    return OK;
}

static enum err stream_new(struct stream **ret_stream, const char *path, struct fault *f)
{
    struct stream *s = calloc(1, sizeof *s);
    if (s) {
        s->descriptor = -1;
        s->path = strdup(path);
        s->raw = malloc(RAW_ROOM);
    }
    if (!s || !s->path || !s->raw) {
        stream_close(s);
        return fault_set(f, ERR_NOMEM, "%s: out of memory", path);
    }
    *ret_stream = s;
    return OK;
}

static enum err file_open(struct stream *s, struct fault *f)
{
    s->descriptor =
        strcmp(s->path, "-") == 0 ? dup(STDIN_FILENO) : open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->descriptor < 0 && errno == ENOENT)
        return fault_set(f, ERR_NOTFOUND, "%s: no such file", s->path);
    if (s->descriptor < 0)
        return fault_set(f, ERR_IO, "%s: cannot be opened: %s", s->path, strerror(errno));
    struct stat info;
    if (fstat(s->descriptor, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return fault_set(
                f, ERR_BAD, "%s: is a folder; a capture file is expected", s->path);
        if (S_ISREG(info.st_mode))
            s->size = (uint64_t)info.st_size;
    }
    posix_fadvise(s->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return OK;
}

enum err stream_open(struct stream **ret_stream, const char *path, struct fault *f)
{
    struct stream *s;
    enum err err = stream_new(&s, path, f);
    if (err)
        return err;
    err = file_open(s, f);
    if (!err)
        err = stream_begin(s, f);
    if (err) {
        stream_close(s);
        return err;
    }
    *ret_stream = s;
    return OK;
}

enum err stream_open_memory(
    struct stream **ret_stream, const void *data, size_t len, size_t chunk, struct fault *f)
{
    struct stream *s;
    enum err err = stream_new(&s, "memory", f);
    if (err)
        return err;
    s->memory = data;
    s->memory_left = len;
    s->size = len;
    s->chunk = chunk;
    err = stream_begin(s, f);
    if (err) {
        stream_close(s);
        return err;
    }
    *ret_stream = s;
    return OK;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->unpacker)
        s->unpacker->close(s);
    if (s->descriptor >= 0)
        close(s->descriptor);
    free(s->raw);
    free(s->path);
    free(s);
}

const char *stream_packing(const struct stream *s)
{
    return s->unpacker ? s->unpacker->name : NULL;
}

const char *stream_path(const struct stream *s)
{
    return s->path;
}

void stream_position(const struct stream *s, uint64_t *ret_offset, uint64_t *ret_size)
{
    *ret_offset = s->taken;
    *ret_size = s->size;
}
