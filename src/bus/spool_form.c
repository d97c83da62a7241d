/* How a segment of the spool is written: pure, bytes in and out. */
#include "bus/spool_int.h"

#include <string.h>
#include <zlib.h>

static const uint8_t segment_magic[8] = "KZSPOOL1";
static const uint32_t entry_magic = 0x31525a4b; /* "KZR1" */

static uint32_t sum_over(uint32_t sum, const void *data, size_t len)
{
    return len ? (uint32_t)crc32_z(sum, data, len) : sum;
}

void segment_form(struct buf *out, uint64_t id, uint64_t first)
{
    size_t from = out->len;
    buf_put(out, segment_magic, sizeof segment_magic);
    buf_le64(out, id);
    buf_le64(out, first);
    buf_le32(out, 0);
    if (!out->err)
        buf_le32(out, sum_over(0, out->data + from, SEGMENT_HEADER - 4));
}

enum err segment_parse(struct bytes *b, uint64_t *ret_id, uint64_t *ret_first)
{
    struct bytes whole = bytes_take(b, SEGMENT_HEADER);
    if (whole.cut)
        return ERR_SHORT;
    uint32_t sum = sum_over(0, whole.at, SEGMENT_HEADER - 4);
    struct bytes magic = bytes_take(&whole, sizeof segment_magic);
    uint64_t id = bytes_le64(&whole);
    uint64_t first = bytes_le64(&whole);
    bytes_skip(&whole, 4);
    if (memcmp(magic.at, segment_magic, sizeof segment_magic) != 0 ||
        bytes_le32(&whole) != sum || !first)
        return ERR_BAD;
    *ret_id = id;
    *ret_first = first;
    return OK;
}

void entry_form(uint8_t header[ENTRY_HEADER], const struct spool_entry *e)
{
    struct buf b;
    char kind[SPOOL_KIND_MAX + 1] = "";
    memcpy(kind, e->kind, strnlen(e->kind, SPOOL_KIND_MAX));
    buf_init(&b, ENTRY_HEADER);
    buf_le32(&b, entry_magic);
    buf_le32(&b, (uint32_t)e->data.left);
    buf_le64(&b, e->number);
    buf_le64(&b, (uint64_t)e->time);
    buf_le32(&b, e->items);
    buf_put(&b, kind, sizeof kind);
    memset(header, 0, ENTRY_HEADER);
    if (b.len != ENTRY_HEADER - 4) {
        buf_done(&b); /* memory is out: a header of zeros is refused when it is read */
        return;
    }
    buf_le32(&b, sum_over(sum_over(0, b.data, ENTRY_HEADER - 4), e->data.at, e->data.left));
    if (b.len == ENTRY_HEADER)
        memcpy(header, b.data, ENTRY_HEADER);
    buf_done(&b);
}

static bool kind_fits(const char kind[SPOOL_KIND_MAX + 1])
{
    size_t len = strnlen(kind, SPOOL_KIND_MAX + 1);
    if (!len || len > SPOOL_KIND_MAX)
        return false;
    for (size_t i = 0; i <= SPOOL_KIND_MAX; i++) {
        char c = kind[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (i < len ? !word : c != 0)
            return false;
    }
    return true;
}

enum err entry_header_parse(
    struct bytes *b, struct spool_entry *ret_entry, uint32_t *ret_len, uint32_t *ret_sum)
{
    struct bytes header = bytes_take(b, ENTRY_HEADER);
    if (header.cut)
        return ERR_SHORT;
    struct spool_entry e = {0};
    uint32_t magic = bytes_le32(&header);
    uint32_t len = bytes_le32(&header);
    e.number = bytes_le64(&header);
    e.time = (int64_t)bytes_le64(&header);
    e.items = bytes_le32(&header);
    struct bytes kind = bytes_take(&header, sizeof e.kind);
    memcpy(e.kind, kind.at, sizeof e.kind);
    if (magic != entry_magic || len > SPOOL_ENTRY_MAX || !e.number || !kind_fits(e.kind))
        return ERR_BAD;
    *ret_entry = e;
    *ret_len = len;
    *ret_sum = bytes_le32(&header);
    return OK;
}

bool entry_sum_fits(const uint8_t header[ENTRY_HEADER], struct bytes data, uint32_t sum)
{
    return sum_over(sum_over(0, header, ENTRY_HEADER - 4), data.at, data.left) == sum;
}

enum err entry_parse(struct bytes *b, struct spool_entry *ret_entry)
{
    struct bytes in = *b;
    const uint8_t *header = in.at;
    struct spool_entry e;
    uint32_t len, sum;
    enum err r = entry_header_parse(&in, &e, &len, &sum);
    if (r)
        return r;
    e.data = bytes_take(&in, len);
    if (e.data.cut)
        return ERR_SHORT;
    if (!entry_sum_fits(header, e.data, sum))
        return ERR_BAD;
    *b = in;
    *ret_entry = e;
    return OK;
}

bool spool_kind_fits(const char *kind)
{
    char whole[SPOOL_KIND_MAX + 1] = "";
    size_t len = strnlen(kind, SPOOL_KIND_MAX + 1);
    if (len > SPOOL_KIND_MAX)
        return false;
    memcpy(whole, kind, len);
    return kind_fits(whole);
}
