#ifndef SENSOR_SOURCE_INT_H
#define SENSOR_SOURCE_INT_H

#include "base/bytes.h"
#include "sensor/source.h"

/* The bits of a link type field that are the link type; the rest tells about checksums. */
#define LINK_TYPE_BITS UINT32_C(0x03ffffff)

#define LINKS_READ                                                                             \
    "Ethernet (1), raw IP (12, 14, 101, 228, 229), Linux cooked (113, 276) and null or loop "  \
    "(0, 108) are"

/* What a kind of source must do. Its own struct begins with a struct source. */
struct source_kind {
    enum err (*next)(struct source *s, struct frame *frames, size_t cap, int wait_ms,
        size_t *ret_count, struct fault *f);
    void (*counts)(const struct source *s, struct source_counts *ret_counts);
    void (*close)(struct source *s);
};

struct source {
    const struct source_kind *kind;
};

/* Bytes of a file, unpacked on the way. */
struct stream;

enum {
    PCAP_HEADER = 24,
    STREAM_FIRST = 4,               /* bytes that tell gzip and zstd */
    RECORD_MAX = FRAME_MAX + 65536, /* a packet with its pcapng options */
    READ_ROOM = 1 << 19,   /* more than RECORD_MAX; see docs/decisions for the measurement */
    INTERFACES_MAX = 4096, /* of one pcapng section */
    SKIP_MAX = 1 << 26,    /* the longest pcapng block that is stepped over */
};

/* The fault names the file. Blocks until the first bytes of a pipe are there. */
enum err stream_open(struct stream **ret_stream, const char *path, struct fault *f) MUST_CHECK;

/* Bytes in memory in place of a file, borrowed; each read gives at most `chunk` of them. For
 * tests. */
enum err stream_open_memory(struct stream **ret_stream, const void *data, size_t len,
    size_t chunk, struct fault *f) MUST_CHECK;
void stream_close(struct stream *s);

/**
 * Unpacked bytes, as many as are at hand.
 *
 * @param ret_len 0 at the end, and when a signal came (*ret_ended tells them apart).
 * @return OK; ERR_SHORT or ERR_BAD: the compressed data end too early or are broken, after all
 *         that could be unpacked has been given; ERR_IO; ERR_NOMEM.
 */
enum err stream_read(struct stream *s, uint8_t *to, size_t room, size_t *ret_len,
    bool *ret_ended, struct fault *f) MUST_CHECK;

/* "gzip", "zstd", or NULL. */
const char *stream_packing(const struct stream *s);
const char *stream_path(const struct stream *s);
/* Bytes taken from the file, and its size, 0 if it has none. */
void stream_position(const struct stream *s, uint64_t *ret_offset, uint64_t *ret_size);

struct reader;

/* A capture format. */
struct format {
    const char *name;
    /* Fill up to `cap` frames from what is in the buffer and step over what is used. OK with
     * fewer than `cap`: the next record is not whole. A failure comes after the frames before
     * it (*ret_count is set in any case). */
    enum err (*parse)(struct reader *r, struct frame *frames, size_t cap, size_t *ret_count);
    /* The file has ended, and something is left over: what is missing. */
    enum err (*cut)(struct reader *r);
};

/* One interface of a pcapng section. */
struct pcapng_interface {
    uint32_t link;
    uint32_t snaplen;                           /* 0: none */
    uint8_t resolution;                         /* if_tsresol */
    int64_t offset;                             /* if_tsoffset, s */
    uint64_t dropped_interface, dropped_kernel; /* of its last statistics block */
};

/* A capture file that is being read. */
struct reader {
    struct source source;
    struct stream *stream;
    const struct format *format;
    uint8_t *buffer;        /* READ_ROOM bytes */
    size_t begin, end;      /* what is in it and not yet used */
    uint64_t buffer_offset; /* of buffer[0] in the unpacked stream */
    uint64_t skip;          /* bytes to step over before the next record */
    bool ended;
    enum err failed; /* stays, with its sentence */
    struct fault fault;
    uint64_t frames, bytes;
    uint64_t dropped_kernel, dropped_interface; /* of pcapng sections that are over */
    bool big_endian;
    bool nanoseconds;     /* pcap */
    size_t record_header; /* pcap: 16, or 24 in the modified form */
    uint32_t link;        /* pcap */
    struct pcapng_interface *interfaces;
    size_t interface_count, interface_room;
    bool interface_known; /* one of them has a link type that is read */
    uint32_t skip_length; /* pcapng: total length of the block that is stepped over; 0: none */
    int64_t last_ts;      /* for blocks that have none */
};

extern const struct format format_pcap;
extern const struct format format_pcapng;

/* Read the file header that stands at the start of the buffer; it is whole, and its magic
 * fits. */
enum err pcap_begin(struct reader *r) MUST_CHECK;

/* Remember a failure `at` bytes behind r->begin: "FILE: offset N: ..." and return its code. */
enum err reader_fail(struct reader *r, enum err code, size_t at, const char *format, ...)
    PRINTF(4, 5);

/* Any bytes as a capture file, borrowed; a read gives at most `chunk` of them. For tests. */
enum err source_open_memory(struct source **ret_source, const void *data, size_t len,
    size_t chunk, struct fault *f) MUST_CHECK;

static inline struct bytes reader_bytes(const struct reader *r)
{
    return bytes_over(r->buffer + r->begin, r->end - r->begin);
}

static inline uint32_t reader_u32(const struct reader *r, struct bytes *in)
{
    return r->big_endian ? bytes_be32(in) : bytes_le32(in);
}

static inline uint16_t reader_u16(const struct reader *r, struct bytes *in)
{
    return r->big_endian ? bytes_be16(in) : bytes_le16(in);
}

#endif
