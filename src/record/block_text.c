/* Rows as JSON objects and CSV lines. The words of a block and the texts made here need no
 * escaping: their alphabets hold no quote, comma, backslash or control character. */
#include "record/block_int.h"

#include "base/clock.h"

#include <inttypes.h>

static void put_hex(struct buf *out, struct bytes value)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = buf_reserve(out, 2 * value.left);
    if (!to)
        return;
    for (size_t i = 0; i < value.left; i++) {
        to[2 * i] = (uint8_t)digits[value.at[i] >> 4];
        to[2 * i + 1] = (uint8_t)digits[value.at[i] & 15];
    }
    out->len += 2 * value.left;
}

/* Does JSON show the type as text? */
static bool quoted(enum column_type type)
{
    return type != COLUMN_U8 && type != COLUMN_U16 && type != COLUMN_U32;
}

static void put_value(const struct block *b, size_t column, size_t row, struct buf *out)
{
    char address[IP_TEXT];
    char time[TIME_TEXT];
    switch (b->kind->columns[column].type) {
    case COLUMN_U8:
        buf_printf(out, "%u", (unsigned)block_u8(b, column)[row]);
        return;
    case COLUMN_U16:
        buf_printf(out, "%u", (unsigned)block_u16(b, column)[row]);
        return;
    case COLUMN_U32:
        buf_printf(out, "%" PRIu32, block_u32(b, column)[row]);
        return;
    case COLUMN_U64:
        buf_printf(out, "%" PRIu64, block_u64(b, column)[row]);
        return;
    case COLUMN_TIME:
        buf_str(out, time_format(block_time(b, column)[row], time));
        return;
    case COLUMN_IP:
        buf_str(out, ip_format(&block_ip(b, column)[row], address));
        return;
    case COLUMN_NAME:
        buf_str(out, block_word_at(b, column, row));
        return;
    case COLUMN_BYTES:
        put_hex(out, block_bytes_at(b, column, row));
        return;
    }
}

void block_row_json(const struct block *b, size_t row, struct buf *out)
{
    for (size_t i = 0; i < b->kind->column_count; i++) {
        const char *quote = quoted(b->kind->columns[i].type) ? "\"" : "";
        buf_printf(out, "%s\"%s\":%s", i ? "," : "{", b->kind->columns[i].name, quote);
        put_value(b, i, row, out);
        buf_str(out, quote);
    }
    buf_str(out, "}");
}

void block_row_csv(const struct block *b, size_t row, struct buf *out)
{
    for (size_t i = 0; i < b->kind->column_count; i++) {
        buf_str(out, i ? "," : "");
        put_value(b, i, row, out);
    }
    buf_str(out, "\r\n");
}

void record_csv_header(const struct record *kind, struct buf *out)
{
    for (size_t i = 0; i < kind->column_count; i++)
        buf_printf(out, "%s%s", i ? "," : "", kind->columns[i].name);
    buf_str(out, "\r\n");
}
