#include "api/server_int.h"

#include "api/api_int.h"
#include "api/pack_int.h"
#include "api/request_int.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* From a reply to what goes over the wire. */

enum {
    GZIP_FROM = 1024 /* bytes; below it compressing costs more than it saves */
};

static const char portal_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";
static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'";

static const char not_built[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>kizashi</title>"
    "</head><body>\n<h1>The portal is not part of this build</h1>\n"
    "<p>The HTTP interface works: its description is at "
    "<a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>\n"
    "<p>To have the portal, build it and then the program again:</p>\n"
    "<pre>cd portal &amp;&amp; npm ci &amp;&amp; npm run build\nninja -C build</pre>\n"
    "</body></html>\n";

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    /* Only fails for lack of memory; an answer without one header is better than none. */
    (void)!MHD_add_response_header(response, name, value);
}

static void add_common(struct MHD_Response *response, const char *type, const char *policy)
{
    if (type)
        add(response, "Content-Type", type);
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "X-Frame-Options", "DENY");
    add(response, "Referrer-Policy", "no-referrer");
    add(response, "Cross-Origin-Opener-Policy", "same-origin");
    add(response, "Cross-Origin-Resource-Policy", "same-origin");
    add(response, "Content-Security-Policy", policy);
}

/* The page that follows: the same target with another cursor. */
static void add_next(struct MHD_Response *response, const struct request *r)
{
    char link[2048];
    struct bytes path = target_path(r->target);
    struct bytes query = target_query(r->target);
    int len = snprintf(link, sizeof link, "<%.*s?", (int)path.left, (const char *)path.at);
    while (query.left && len > 0 && (size_t)len < sizeof link) {
        const uint8_t *end = memchr(query.at, '&', query.left);
        size_t part = end ? (size_t)(end - query.at) : query.left;
        if (part && (part < 7 || memcmp(query.at, "cursor=", 7) != 0))
            len += snprintf(link + len, sizeof link - (size_t)len, "%.*s&", (int)part,
                (const char *)query.at);
        bytes_skip(&query, part + (end != NULL));
    }
    if (len > 0 && (size_t)len < sizeof link)
        len += snprintf(
            link + len, sizeof link - (size_t)len, "cursor=%s>; rel=\"next\"", r->reply.next);
    if (len > 0 && (size_t)len < sizeof link) /* one that is cut would lead astray */
        add(response, "Link", link);
}

static void add_reply(struct MHD_Response *response, const struct request *r)
{
    const struct reply *reply = &r->reply;
    char number[16];
    add(response, "Cache-Control", reply->no_store ? "no-store" : "private, no-cache");
    add(response, "Vary", "Accept, Accept-Encoding, Authorization, Cookie");
    if (reply->cookie[0])
        add(response, "Set-Cookie", reply->cookie);
    if (reply->next[0])
        add_next(response, r);
    if (reply->allow[0] && reply->status == 405)
        add(response, "Allow", reply->allow);
    if (reply->status == 401)
        add(response, "WWW-Authenticate", "Bearer realm=\"kizashi\"");
    if (reply->retry_after) {
        snprintf(number, sizeof number, "%u", reply->retry_after);
        add(response, "Retry-After", number);
    }
}

static enum MHD_Result queue(struct request *r, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_stream(struct request *r)
{
    struct MHD_Response *response = r->reply.stream;
    r->reply.stream = NULL;
    add_common(response, r->reply.type, data_policy);
    add(response, "Cache-Control", "no-store");
    add(response, "X-Accel-Buffering", "no"); /* or a proxy keeps events back */
    return queue(r, 200, response);
}

/* Of the two buffers one is the body; `r->reply.body` may be left empty. */
static struct MHD_Response *take_body(struct buf *body)
{
    if (!body->len)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
    if (response)
        buf_init(body, body->cap); /* its bytes are the response's now */
    return response;
}

enum MHD_Result server_send(struct request *r)
{
    struct reply *reply = &r->reply;
    struct buf *body = &reply->body;
    struct buf small;
    char tag[ETAG_TEXT] = "";
    unsigned status = reply->status ? reply->status : 200;
    if (reply->stream)
        return send_stream(r);
    buf_init(&small, API_ANSWER_MAX);
    bool gzipped = body->len >= GZIP_FROM && reply_takes_gzip(r->in.accept_encoding);
    if (status == 200 && !reply->no_store)
        reply_etag(body, gzipped, tag);
    bool same = tag[0] && reply_matches(r->in.if_none_match, tag);
    if (same) {
        buf_clear(body);
        status = 304;
    }
    gzipped = gzipped && !same && reply_gzip(body, &small) == OK;
    if (!gzipped && tag[0] && !same)
        reply_etag(body, false, tag);
    struct MHD_Response *response = take_body(gzipped ? &small : body);
    buf_done(&small);
    if (!response)
        return MHD_NO;
    const char *type = reply->type ? reply->type : "application/json";
    add_common(response, status == 204 || status == 304 ? NULL : type, data_policy);
    if (tag[0])
        add(response, "ETag", tag);
    if (gzipped)
        add(response, "Content-Encoding", "gzip");
    add_reply(response, r);
    return queue(r, status, response);
}

static enum MHD_Result send_text(struct request *r, unsigned status, const char *text)
{
    union {
        const char *from;
        void *to;
    } body = {.from = text}; /* never written to: the response is persistent */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), body.to, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    add_common(response, "text/html; charset=utf-8", portal_policy);
    add(response, "Cache-Control", "no-cache");
    return queue(r, status, response);
}

/* The file of a path; index.html for the root and for the portal's own addresses, whose last
 * part has no dot. */
static bool find_file(const char *target, struct packed *ret_file)
{
    char path[256];
    struct bytes escaped = target_path(target);
    size_t len;
    if (param_unescape(escaped, false, path, sizeof path - 1, &len) != OK)
        return false;
    path[len] = 0;
    if (strlen(path) == len && pack_find(pack_portal(), path, ret_file))
        return true;
    const char *last = strrchr(path, '/');
    bool own = last && !strchr(last, '.');
    return own && pack_find(pack_portal(), "/index.html", ret_file);
}

enum MHD_Result server_send_file(struct request *r)
{
    struct packed file;
    char tag[ETAG_TEXT];
    if (!pack_portal()->count)
        return send_text(r, strcmp(r->target, "/") == 0 ? 200 : 404, not_built);
    if (!find_file(r->target, &file))
        return send_text(r, 404,
            "<!doctype html><title>kizashi</title><p>There is no such page. "
            "<a href=\"/\">To the portal</a>\n");
    bool gzipped = file.gzip && reply_takes_gzip(r->in.accept_encoding);
    snprintf(tag, sizeof tag, "%.*s%s", (int)strlen(file.etag) - 1, file.etag,
        gzipped ? "-gz\"" : "\"");
    bool same = reply_matches(r->in.if_none_match, tag);
    union {
        const uint8_t *from;
        void *to;
    } body = {.from = gzipped ? file.gzip : file.data};
    size_t len = same ? 0 : gzipped ? file.gzip_len : file.len;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, body.to, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    add_common(response, same ? NULL : file.type, portal_policy);
    add(response, "ETag", tag);
    add(response, "Vary", "Accept-Encoding");
    add(response, "Cache-Control",
        file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (gzipped && !same)
        add(response, "Content-Encoding", "gzip");
    return queue(r, same ? 304 : 200, response);
}
