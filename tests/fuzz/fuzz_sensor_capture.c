/* Input: a capture file. It must give frames and then an end, and the same ones whatever the
 * size of the reads. */
#include "decode/packet.h"
#include "sensor/source_int.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum err err;
    uint64_t frames, sum;
};

static void read_all(const uint8_t *data, size_t size, size_t chunk, struct outcome *ret)
{
    struct outcome o = {.err = OK};
    struct fault fault = {.code = OK};
    struct source *s = NULL;
    o.err = source_open_memory(&s, data, size, chunk, &fault);
    while (!o.err) {
        struct frame frames[16];
        size_t count;
        o.err = source_next(s, frames, 16, -1, &count, &fault);
        for (size_t i = 0; !o.err && i < count; i++) {
            const struct frame *f = &frames[i];
            assert(f->len <= FRAME_MAX && f->wire_len >= f->len);
            for (uint32_t k = 0; k < f->len; k++)
                o.sum = o.sum * 31 + f->data[k];
            o.sum = o.sum * 31 + (uint64_t)f->ts + f->link;
            o.frames++;
            struct packet p;
            assert(decode_packet(f->link, bytes_over(f->data, f->len), f->wire_len, &p) <
                   DECODE_RESULTS);
        }
    }
    source_close(s);
    *ret = o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole;
    struct outcome pieces;
    read_all(data, size, SIZE_MAX, &whole);
    read_all(data, size, 7, &pieces);
    assert(whole.err != OK && whole.err != ERR_IO);
    /* Of a broken zstd frame, libzstd gives what it could unpack only if it came in pieces. */
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (whole.err != ERR_NOTFOUND && size >= sizeof zstd &&
        memcmp(data, zstd, sizeof zstd) == 0)
        return 0;
    assert(whole.err == pieces.err);
    assert(whole.frames == pieces.frames && whole.sum == pieces.sum);
    return 0;
}
