#include "api/request_int.h"
#include "api/server_int.h"
#include "api/session_int.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A request as text: the method and the target on the first line, then header lines "name:
 * value" of those that the interface reads, an empty line, the body. Everything that may be
 * parsed before anybody is asked anything is parsed. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *line_of(char **at)
{
    char *line = *at;
    char *end = strchr(line, '\n');
    if (end)
        *end = 0;
    *at = end ? end + 1 : line + strlen(line);
    return line;
}

static void take_header(struct request *r, char *line)
{
    const struct {
        const char *name;
        const char **to;
    } headers[] = {{"cookie: ", &r->in.cookie}, {"accept: ", &r->in.accept},
        {"accept-encoding: ", &r->in.accept_encoding},
        {"if-none-match: ", &r->in.if_none_match}, {"content-type: ", &r->in.content_type}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (strncmp(line, headers[i].name, strlen(headers[i].name)) == 0)
            *headers[i].to = line + strlen(headers[i].name);
}

static void check(struct request *r)
{
    enum err e = request_parse(r);
    struct bytes cookie = session_cookie(r->in.cookie, "kz_session");
    assert(cookie.left <= (r->in.cookie ? strlen(r->in.cookie) : 0));
    (void)reply_takes_gzip(r->in.accept_encoding);
    (void)reply_matches(r->in.if_none_match, "\"0123456789abcdef\"");
    if (!e) {
        assert(r->route && !r->reply.status);
        for (int id = P_NONE + 1; id < PARAM_COUNT; id++)
            assert(!arg(r, (enum param_id)id)->given || arg(r, (enum param_id)id)->text);
        return;
    }
    json_error_t wrong;
    json_t *problem =
        json_loadb((const char *)r->reply.body.data, r->reply.body.len, 0, &wrong);
    assert(problem && r->reply.status >= 400 && r->reply.status < 500);
    json_decref(problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request *r;
    char *text = malloc(size + 1);
    if (!text || request_new(&r, NULL) != OK)
        abort();
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    char *at = text;
    char *method = line_of(&at);
    char *space = strchr(method, ' ');
    r->method = method;
    r->target = space ? space + 1 : "";
    if (space)
        *space = 0;
    for (char *line = line_of(&at); *line; line = line_of(&at))
        take_header(r, line);
    buf_put(&r->body, at, (size_t)(text + size - at));
    if (!r->body.err)
        check(r);
    request_free(r);
    free(text);
    return 0;
}
