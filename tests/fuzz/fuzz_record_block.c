/* Any bytes as a block of each kind, plain and packed: refused, or a block that encodes to
 * bytes which decode to the same rows. The first byte chooses the kind and the form. */
#include "record/block.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct block *b)
{
    struct buf wire;
    struct block *back = NULL;
    buf_init(&wire, block_encoded_max(b->kind) + 64);
    if (block_encode(b, &wire))
        abort();
    if (block_decode(&back, b->kind, bytes_over(wire.data, wire.len), NULL))
        abort();
    if (block_digest(b) != block_digest(back))
        abort();
    block_free(back);
    buf_done(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct fault f;
    struct block *b = NULL;
    const struct record *kind = record_all[data[0] % 4];
    struct bytes in = bytes_over(data + 1, size - 1);
    enum err e = data[0] & 4 ? block_unpack(&b, kind, in, &f) : block_decode(&b, kind, in, &f);
    if (e)
        return 0;
    round_trip(b);
    struct buf text;
    buf_init(&text, 1 << 16);
    if (b->rows)
        block_row_json(b, b->rows - 1, &text);
    buf_done(&text);
    block_free(b);
    return 0;
}
