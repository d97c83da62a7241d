#include "store/native_int.h"

#include <assert.h>
#include <string.h>

/* Lengths and counts of what is written here fit one byte of a varint. */
static void put_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    assert(len < 0x80);
    buf_u8(out, (uint8_t)len);
    buf_put(out, text, len);
}

void native_head(struct buf *out, const char *name, const char *type)
{
    put_text(out, name);
    put_text(out, type);
}

void native_words(struct buf *out, const char *name, const struct names *names,
    const uint16_t *numbers, size_t rows, bool numbered)
{
    native_head(out, name, numbered ? "LowCardinality(String)" : "String");
    if (numbered) {
        names_encode(names, rows, out);
        buf_put(out, numbers, rows * sizeof *numbers);
        return;
    }
    for (size_t i = 0; i < rows; i++)
        put_text(out, names->word[numbers[i]]);
}

uint8_t *native_more(
    struct buf *out, size_t at, const char *name, const char *type, size_t bytes)
{
    if (out->err)
        return NULL;
    assert(out->data[at] < 0x7f);
    out->data[at]++;
    native_head(out, name, type);
    uint8_t *to = buf_reserve(out, bytes);
    if (to)
        out->len += bytes;
    return to;
}

enum err native_block_number(struct buf *out, size_t at, size_t rows, uint64_t seq)
{
    uint8_t *to = native_more(out, at, "block", "UInt64", rows * sizeof seq);
    for (size_t i = 0; to && i < rows; i++)
        memcpy(to + i * sizeof seq, &seq, sizeof seq);
    return out->err;
}
