#include "bus/envelope.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const uint32_t envelope_magic = 0x31425a4b; /* "KZB1" */

void envelope_write(const struct envelope *e, struct buf *out)
{
    size_t from = out->len;
    char kind[SPOOL_KIND_MAX + 1] = "";
    memcpy(kind, e->kind, strnlen(e->kind, SPOOL_KIND_MAX));
    buf_le32(out, envelope_magic);
    buf_le32(out, e->items);
    buf_le64(out, e->spool);
    buf_le64(out, e->number);
    buf_le64(out, e->previous);
    buf_put(out, kind, sizeof kind);
    buf_le32(out, (uint32_t)e->data.left);
    if (out->err)
        return;
    uint32_t sum = (uint32_t)crc32_z(0, out->data + from, ENVELOPE_HEADER - 4);
    if (e->data.left) /* zlib takes no bytes at all for a new begin */
        sum = (uint32_t)crc32_z(sum, e->data.at, e->data.left);
    buf_le32(out, sum);
    buf_put(out, e->data.at, e->data.left);
}

enum err envelope_read(struct bytes in, struct envelope *ret_envelope)
{
    const uint8_t *header = in.at;
    struct envelope e = {0};
    uint32_t magic = bytes_le32(&in);
    e.items = bytes_le32(&in);
    e.spool = bytes_le64(&in);
    e.number = bytes_le64(&in);
    e.previous = bytes_le64(&in);
    struct bytes kind = bytes_take(&in, sizeof e.kind);
    uint32_t len = bytes_le32(&in);
    uint32_t sum = bytes_le32(&in);
    if (in.cut)
        return ERR_SHORT;
    if (magic != envelope_magic || len != in.left || len > SPOOL_ENTRY_MAX)
        return ERR_BAD;
    uint32_t have = (uint32_t)crc32_z(0, header, ENVELOPE_HEADER - 4);
    if (in.left)
        have = (uint32_t)crc32_z(have, in.at, in.left);
    if (have != sum)
        return ERR_BAD;
    memcpy(e.kind, kind.at, sizeof e.kind);
    if (e.kind[SPOOL_KIND_MAX] || !e.kind[0])
        return ERR_BAD;
    /* Numbers stay far from the end, so that adding to them never wraps. */
    if (!e.spool || !e.number || e.number > INT64_MAX || e.previous >= e.number)
        return ERR_RANGE;
    e.data = in;
    *ret_envelope = e;
    return OK;
}

void commitment_write(const struct commitment *c, struct buf *out)
{
    buf_printf(out, "{\"spool\":\"%016" PRIx64 "\",\"committed\":\"%" PRIu64 "\"", c->spool,
        c->committed);
    if (c->want)
        buf_printf(out, ",\"want\":\"%" PRIu64 "\"", c->want);
    buf_str(out, "}");
}

static enum err number_of(const json_t *object, const char *key, int base, uint64_t *ret_number)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !*text || strspn(text, "0123456789abcdef") != strlen(text) ||
        strlen(text) > 20)
        return ERR_BAD;
    char *end;
    *ret_number = strtoull(text, &end, base);
    return *end ? ERR_BAD : OK;
}

enum err commitment_read(struct bytes in, struct commitment *ret_commitment)
{
    struct commitment c = {0};
    char text[256];
    if (in.left >= sizeof text)
        return ERR_BAD;
    memcpy(text, in.at, in.left);
    json_t *object = json_loadb(text, in.left, JSON_REJECT_DUPLICATES, NULL);
    enum err e = object ? number_of(object, "spool", 16, &c.spool) : ERR_BAD;
    if (!e)
        e = number_of(object, "committed", 10, &c.committed);
    if (!e && json_object_get(object, "want"))
        e = number_of(object, "want", 10, &c.want);
    json_decref(object);
    if (!e)
        *ret_commitment = c;
    return e;
}
