#include "base/json.h"

#include "base/clock.h"

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

json_t *json_text(const char *bytes, size_t len)
{
    json_t *text = json_stringn(bytes, len);
    if (text)
        return text;
    struct buf mended;
    buf_init(&mended, len * 3 + 1);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)bytes[i] < 0x80)
            buf_put(&mended, bytes + i, 1);
        else
            buf_str(&mended, "\xef\xbf\xbd");
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
