#include "sensor/capture_writer.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* Packets are gathered in `plain`; a full buffer goes through the packer, if there is one, into
 * `packed`, and from there to the file. */
enum {
    PLAIN_ROOM = 512 * 1024,
    PACKED_ROOM = 256 * 1024,
    PCAP_HEADER = 24,
    PCAP_RECORD_HEADER = 16,
    PCAP_SNAPLEN_MAX = 262144,
    GZIP_LEVEL = 6,
    GZIP_WINDOW = 15 + 16, /* zlib's way to ask for a gzip header */
    GZIP_MEMORY = 8,
    ZSTD_LEVEL = 3,
};

struct packer;

struct capture_writer {
    const struct packer *packer;
    int descriptor;
    uint32_t snaplen;
    size_t used; /* of `plain` */
    enum err err;
    int system_error; /* errno of the first failure */
    z_stream gzip;
    ZSTD_CCtx *zstd;
    char *path;
    uint8_t plain[PLAIN_ROOM];
    uint8_t packed[PACKED_ROOM];
};

/* One way to pack. `pack` takes all of `plain`; `last` ends the stream. */
struct packer {
    const char *suffix;
    enum err (*open)(struct capture_writer *w);
    enum err (*pack)(struct capture_writer *w, bool last);
    void (*close)(struct capture_writer *w);
};

static enum err write_all(struct capture_writer *w, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t done = write(w->descriptor, data, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            w->system_error = errno;
            return ERR_IO;
        }
        data += done;
        len -= (size_t)done;
    }
    return OK;
}

static enum err plain_open(struct capture_writer *w)
{
    (void)w;
    return OK;
}

static enum err plain_pack(struct capture_writer *w, bool last)
{
    (void)last;
    return write_all(w, w->plain, w->used);
}

static void plain_close(struct capture_writer *w)
{
    (void)w;
}

static enum err gzip_open(struct capture_writer *w)
{
    int done = deflateInit2(
        &w->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY);
    return done == Z_OK ? OK : ERR_NOMEM;
}

static enum err gzip_pack(struct capture_writer *w, bool last)
{
    w->gzip.next_in = w->plain;
    w->gzip.avail_in = (uInt)w->used;
    do {
        w->gzip.next_out = w->packed;
        w->gzip.avail_out = PACKED_ROOM;
        int done = deflate(&w->gzip, last ? Z_FINISH : Z_NO_FLUSH);
        assert(done != Z_STREAM_ERROR);
        enum err err = write_all(w, w->packed, PACKED_ROOM - w->gzip.avail_out);
        if (err)
            return err;
    } while (w->gzip.avail_out == 0);
    return OK;
}

static void gzip_close(struct capture_writer *w)
{
    deflateEnd(&w->gzip);
}

static enum err zstd_open(struct capture_writer *w)
{
    w->zstd = ZSTD_createCCtx();
    if (!w->zstd)
        return ERR_NOMEM;
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
    return OK;
}

static enum err zstd_pack(struct capture_writer *w, bool last)
{
    ZSTD_inBuffer in = {w->plain, w->used, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {w->packed, PACKED_ROOM, 0};
        left = ZSTD_compressStream2(w->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return ERR_NOMEM;
        enum err err = write_all(w, w->packed, out.pos);
        if (err)
            return err;
    } while (last ? left != 0 : in.pos < in.size);
    return OK;
}

static void zstd_close(struct capture_writer *w)
{
    ZSTD_freeCCtx(w->zstd);
}

static const struct packer packers[] = {
    {".gz", gzip_open, gzip_pack, gzip_close},
    {".zst", zstd_open, zstd_pack, zstd_close},
    {"", plain_open, plain_pack, plain_close},
};

static const struct packer *packer_for(const char *path)
{
    size_t len = strlen(path);
    const struct packer *packer = packers;
    for (;; packer++) {
        size_t suffix = strlen(packer->suffix);
        if (len >= suffix && strcmp(path + len - suffix, packer->suffix) == 0)
            return packer;
    }
}

bool capture_writer_packs(const char *path)
{
    return *packer_for(path)->suffix != 0;
}

static void put_le32(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
    to[2] = (uint8_t)(v >> 16);
    to[3] = (uint8_t)(v >> 24);
}

static void put_header(struct capture_writer *w, uint32_t link)
{
    uint8_t *to = w->plain;
    memset(to, 0, PCAP_HEADER);
    put_le32(to, 0xa1b2c3d4);
    put_le32(to + 4, 4u << 16 | 2); /* version 2.4 */
    put_le32(to + 16, w->snaplen);
    put_le32(to + 20, link);
    w->used = PCAP_HEADER;
}

/* Give back everything but the descriptor. */
static void writer_free(struct capture_writer *w)
{
    free(w->path);
    free(w);
}

enum err capture_writer_open(struct capture_writer **ret_writer, const char *path,
    uint32_t link, uint32_t snaplen, struct fault *f)
{
    if (snaplen > PCAP_SNAPLEN_MAX)
        return fault_set(
            f, ERR_RANGE, "snapshot length %u: 1 to %d is allowed", snaplen, PCAP_SNAPLEN_MAX);
    struct capture_writer *w = calloc(1, sizeof *w);
    char *name = strdup(path);
    if (!w || !name) {
        free(w);
        free(name);
        return fault_set(f, ERR_NOMEM, "%s: out of memory", path);
    }
    w->path = name;
    w->snaplen = snaplen ? snaplen : PCAP_SNAPLEN_MAX;
    w->packer = packer_for(path);
    enum err err = w->packer->open(w);
    if (err) {
        writer_free(w);
        return fault_set(f, err, "%s: out of memory for the compressor", path);
    }
    w->descriptor = strcmp(path, "-") == 0
                        ? dup(STDOUT_FILENO)
                        : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->descriptor < 0) {
        fault_set(f, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        w->packer->close(w);
        writer_free(w);
        return ERR_IO;
    }
    put_header(w, link);
    *ret_writer = w;
    return OK;
}

enum err capture_writer_put(
    struct capture_writer *w, int64_t ts, const void *data, uint32_t len, uint32_t wire_len)
{
    if (w->err)
        return w->err;
    if (ts < 0 || ts / US_SECOND > UINT32_MAX)
        return ERR_RANGE;
    if (wire_len < len)
        wire_len = len;
    if (len > w->snaplen)
        len = w->snaplen;
    if (PLAIN_ROOM - w->used < PCAP_RECORD_HEADER + len) {
        w->err = w->packer->pack(w, false);
        w->used = 0;
        if (w->err)
            return w->err;
    }
    uint8_t *to = w->plain + w->used;
    put_le32(to, (uint32_t)(ts / US_SECOND));
    put_le32(to + 4, (uint32_t)(ts % US_SECOND));
    put_le32(to + 8, len);
    put_le32(to + 12, wire_len);
    if (len)
        memcpy(to + PCAP_RECORD_HEADER, data, len);
    w->used += PCAP_RECORD_HEADER + len;
    return OK;
}

enum err capture_writer_close(struct capture_writer *w, struct fault *f)
{
    if (!w)
        return OK;
    if (!w->err)
        w->err = w->packer->pack(w, true);
    if (close(w->descriptor) && !w->err) {
        w->system_error = errno;
        w->err = ERR_IO;
    }
    enum err err = w->err;
    if (err == ERR_IO)
        fault_set(f, err, "%s: cannot be written: %s", w->path, strerror(w->system_error));
    else if (err)
        fault_set(f, err, "%s: %s", w->path, err_text(err));
    w->packer->close(w);
    writer_free(w);
    return err;
}

void capture_writer_drop(struct capture_writer *w)
{
    if (!w)
        return;
    close(w->descriptor);
    w->packer->close(w);
    writer_free(w);
}
