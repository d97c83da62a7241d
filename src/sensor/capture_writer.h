#ifndef SENSOR_CAPTURE_WRITER_H
#define SENSOR_CAPTURE_WRITER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes a capture file: pcap 2.4, little-endian, microseconds; gzip or zstd when the path ends
 * in ".gz" or ".zst". Packets are written in the order in which they are put; memory is one
 * buffer, whatever the length of the file. */
struct capture_writer;

/* Does the path name a file that is compressed? */
bool capture_writer_packs(const char *path);

/**
 * Make (or empty) the file and write its header.
 *
 * @param path    "-" is stdout, uncompressed.
 * @param link    of every packet (decode/packet.h, enum link_type).
 * @param snaplen 1..262144; 0: 262144. Longer packets are cut to it.
 * @return OK; ERR_RANGE; ERR_IO, the fault names the file; ERR_NOMEM.
 */
enum err capture_writer_open(struct capture_writer **ret_writer, const char *path,
    uint32_t link, uint32_t snaplen, struct fault *f) MUST_CHECK;

/**
 * Add one packet.
 *
 * @param ts       us since 1970, at most what 32 bits of seconds hold (2106).
 * @param wire_len length before the capture cut it; raised to `len` if it is less.
 * @return OK; ERR_RANGE (ts), nothing is written; ERR_IO, which stays: capture_writer_close()
 *         tells the reason.
 * Cost: about 15 ns for a small packet into a plain file.
 */
enum err capture_writer_put(struct capture_writer *w, int64_t ts, const void *data,
    uint32_t len, uint32_t wire_len) MUST_CHECK;

/* Write what is left, end the compressed stream and close. The writer is gone in any case; the
 * first failure of its life is returned. NULL is fine. */
enum err capture_writer_close(struct capture_writer *w, struct fault *f) MUST_CHECK;

/* Close without what is left: of a short file nothing is written then, not even its header.
 * NULL is fine. */
void capture_writer_drop(struct capture_writer *w);

#endif
