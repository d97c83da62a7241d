#ifndef SENSOR_SOURCE_H
#define SENSOR_SOURCE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where frames come from, live or from a file, behind one face: everything above is the same
 * code for both. */
struct frame {
    int64_t ts; /* us; nanoseconds are cut */
    uint32_t link;
    uint32_t wire_len;
    uint32_t len;        /* captured */
    const uint8_t *data; /* borrowed until the next call */
};

enum {
    FRAME_MAX = 262144
}; /* a longer record is a broken file */

struct source_counts {
    uint64_t frames;
    uint64_t bytes;          /* captured */
    uint64_t dropped_kernel; /* live, or as a pcapng file states of its interfaces */
    uint64_t dropped_interface;
    uint64_t offset;   /* file: bytes consumed, before decompression */
    uint64_t size;     /* file: its size, 0 if not known (a pipe) */
    uint64_t misdated; /* frames whose impossible time was mended; a source leaves it at 0 */
};

struct source;

/* A capture file: pcap or pcapng, plain, gzip or zstd, told by its first bytes; "-" is stdin; a
 * FIFO is fine, and the call waits for its first bytes. The fault names file and offset.
 * ERR_STOPPED: a signal came while waiting. What is read: docs/formats/captures.md. */
enum err source_open_file(
    struct source **ret_source, const char *path, struct fault *f) MUST_CHECK;

/* A live interface by libpcap. `filter` is a pcap-filter(7) expression or NULL; snaplen 0:
 * 65535; buffer in bytes, 0: 64 MiB. Needs CAP_NET_RAW at this call only. The fault begins with
 * "interface NAME" or "filter", whichever it is about. ERR_NOTFOUND (it names the interfaces
 * there are), ERR_DENIED, ERR_BAD (filter, link type), ERR_IO; ERR_RANGE: snaplen or buffer. */
enum err source_open_live(struct source **ret_source, const char *interface, const char *filter,
    uint32_t snaplen, size_t buffer, struct fault *f) MUST_CHECK;

/**
 * The next frames, at most `cap`.
 *
 * @param ret_count how many were filled; frames stay valid until the next call on this source.
 * @return OK with *ret_count > 0; OK with 0: live and nothing came within `wait_ms`, or a
 * signal came: ask again; ERR_NOTFOUND: the file has ended well; ERR_BAD or ERR_SHORT: broken
 * from here on, the fault names file and offset, all before it has been delivered; ERR_IO: the
 * system cannot read, or the interface is gone. A failure and the end stay. Cost: about 10 ns a
 * frame of a plain file in the page cache, in batches of hundreds.
 */
enum err source_next(struct source *s, struct frame *frames, size_t cap, int wait_ms,
    size_t *ret_count, struct fault *f) MUST_CHECK;

void source_counts(const struct source *s, struct source_counts *ret_counts);
void source_close(struct source *s);

#endif
