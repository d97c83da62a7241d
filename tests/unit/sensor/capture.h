#ifndef TESTS_SENSOR_CAPTURE_H
#define TESTS_SENSOR_CAPTURE_H

#include "decode/packet.h"
#include "sensor/source.h"
#include "test.h"

#include <string.h>

/* All packets of a capture, in memory; payloads are copied. */
struct capture {
    struct packet *packet;
    size_t count;
    uint8_t *bytes;
};

enum {
    CAPTURE_PACKETS = 50000,
    CAPTURE_BYTES = 16 << 20
};

static inline void capture_add(
    struct capture *c, size_t *used, const struct frame *f, struct packet p)
{
    assert_true(c->count < CAPTURE_PACKETS);
    p.ts = f->ts;
    if (p.payload.left) {
        assert_true(*used + p.payload.left <= CAPTURE_BYTES);
        memcpy(c->bytes + *used, p.payload.at, p.payload.left);
        p.payload.at = c->bytes + *used;
        *used += p.payload.left;
    }
    c->packet[c->count++] = p;
}

static inline void capture_read(struct capture *c, const char *name)
{
    char path[512];
    struct source *source;
    struct fault fault;
    struct frame frames[64];
    size_t used = 0, count;
    test_data(name, path);
    *c = (struct capture){
        .packet = malloc(CAPTURE_PACKETS * sizeof *c->packet), .bytes = malloc(CAPTURE_BYTES)};
    assert_non_null(c->packet);
    assert_non_null(c->bytes);
    assert_int_equal(source_open_file(&source, path, &fault), OK);
    while (source_next(source, frames, 64, 0, &count, &fault) == OK) {
        for (size_t i = 0; i < count; i++) {
            struct packet p;
            if (decode_packet(frames[i].link, bytes_over(frames[i].data, frames[i].len),
                    frames[i].wire_len, &p) == DECODE_OK)
                capture_add(c, &used, &frames[i], p);
        }
    }
    source_close(source);
    assert_true(c->count > 0);
}

static inline void capture_free(struct capture *c)
{
    free(c->packet);
    free(c->bytes);
}

#endif
