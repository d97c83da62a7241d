#include "base/json.h"

#include "base/clock.h"

#include <assert.h>

static int write_part(const char *data, size_t len, void *context)
{
    struct buf *out = context;
    buf_put(out, data, len);
    return out->err ? -1 : 0;
}

void json_write(struct buf *out, const json_t *value)
{
    if (json_dump_callback(value, write_part, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0 &&
        !out->err)
        out->err = ERR_NOMEM;
}

/* How many bytes the well-formed UTF-8 sequence at `p` has (The Unicode Standard, table 3-7),
 * or 0 if there is none. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first_least, first_most, second_least, second_most, len;
    } rows[] = {
        {0x00, 0x7f, 0x80, 0xbf, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].first_least || p[0] > rows[i].first_most)
            continue;
        if (rows[i].len > left)
            return 0;
        for (size_t k = 1; k < rows[i].len; k++) {
            uint8_t least = k == 1 ? rows[i].second_least : 0x80;
            uint8_t most = k == 1 ? rows[i].second_most : 0xbf;
            if (p[k] < least || p[k] > most)
                return 0;
        }
        return rows[i].len;
    }
    return 0;
}

json_t *json_text(const char *bytes, size_t len)
{
    json_t *text = json_stringn(bytes ? bytes : "", len);
    if (text)
        return text;
    assert(bytes);
    const uint8_t *p = (const uint8_t *)bytes;
    struct buf mended;
    buf_init(&mended, len * 3);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_sequence(p + i, len - i);
        if (step)
            buf_put(&mended, p + i, step);
        else
            buf_str(&mended, "\xef\xbf\xbd");
        step += !step;
    }
    text = mended.err ? NULL : json_stringn((const char *)mended.data, mended.len);
    buf_done(&mended);
    return text;
}

json_t *json_time(int64_t us)
{
    char text[TIME_TEXT];
    return json_string(time_format(us, text));
}
