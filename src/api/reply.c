#include "api/server_int.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

void reply_etag(const struct buf *body, bool gzipped, char ret_tag[ETAG_TEXT])
{
    uint8_t hash[16];
    char text[33];
    crypto_generichash(hash, sizeof hash, body->data, body->len, NULL, 0);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    snprintf(ret_tag, ETAG_TEXT, "\"%s%s\"", text, gzipped ? "-gz" : "");
}

/* RFC 9110, section 13.1.2: a list of tags, or *. The comparison is the weak one. */
bool reply_matches(const char *if_none_match, const char *tag)
{
    const char *at = if_none_match;
    size_t len = strlen(tag);
    while (at && *at) {
        at += strspn(at, " \t,");
        if (strcmp(at, "*") == 0)
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, tag, len) == 0)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

/* "gzip", "br, gzip;q=0.8"; "gzip;q=0" refuses. */
bool reply_takes_gzip(const char *accept_encoding)
{
    for (const char *at = accept_encoding; at && *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ",");
        if (strncasecmp(at, "gzip", 4) == 0 && strchr(" \t,;", at[4])) {
            const char *q = memchr(at, '=', len);
            if (!q)
                return true;
            q++;
            return *q == '1' || (*q == '0' && strspn(q + 1, ".0") < (size_t)(at + len - q - 1));
        }
        at += len;
    }
    return false;
}

enum err reply_gzip(const struct buf *body, struct buf *out)
{
    z_stream z = {0};
    enum {
        WINDOW_GZIP = 15 + 16
    };
    if (body->len > UINT32_MAX || body->len < 64)
        return ERR_FULL;
    if (deflateInit2(&z, 3, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    size_t room = body->len - body->len / 16;
    uint8_t *to = buf_reserve(out, room);
    if (!to) {
        deflateEnd(&z);
        return out->err;
    }
    z.next_in = body->data;
    z.avail_in = (uInt)body->len;
    z.next_out = to;
    z.avail_out = (uInt)room;
    int end = deflate(&z, Z_FINISH);
    if (end == Z_STREAM_END)
        out->len += z.total_out;
    deflateEnd(&z);
    return end == Z_STREAM_END ? OK : ERR_FULL;
}
