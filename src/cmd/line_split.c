#include "cmd/line_split.h"

#include <string.h>

enum err line_split(struct buf *line, const void *data, size_t len,
    enum err (*each)(void *context), void *context)
{
    const char *at = data;
    while (len) {
        const char *end = memchr(at, '\n', len);
        size_t piece = end ? (size_t)(end - at) : len;
        buf_put(line, at, piece);
        if (line->err)
            return line->err;
        if (!end)
            return OK;
        enum err e = each(context);
        if (e)
            return e;
        buf_clear(line);
        at += piece + 1;
        len -= piece + 1;
    }
    return OK;
}
