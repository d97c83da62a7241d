#include "api/request_int.h"

#include "api/api_int.h"
#include "api/known_int.h"
#include "api/session_int.h"
#include "api/shared_int.h"
#include "base/log.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err request_new(struct request **ret_request, struct api *a)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->api = a;
    buf_init(&r->body, API_BODY_MAX);
    buf_init(&r->reply.body, API_ANSWER_MAX);
    *ret_request = r;
    return OK;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    sodium_memzero(r->args.heap, r->args.used); /* there may be a password */
    if (r->body.data)
        sodium_memzero(r->body.data, r->body.len);
    buf_done(&r->body);
    buf_done(&r->reply.body);
    free(r);
}

struct bytes target_path(const char *target)
{
    return bytes_over(target, strcspn(target, "?"));
}

struct bytes target_query(const char *target)
{
    const char *query = strchr(target, '?');
    return query ? bytes_over(query + 1, strlen(query + 1)) : bytes_over("", 0);
}

static const char *status_title(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "The request is wrong"},
        {401, "Not signed in"},
        {403, "Not allowed"},
        {404, "No such thing"},
        {405, "Not with this method"},
        {409, "Already there"},
        {413, "Too large"},
        {415, "Not JSON"},
        {421, "Not our name"},
        {429, "Too many requests"},
        {502, "The other side has failed"},
        {503, "Not available now"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "The hub has failed";
}

void reply_problem(struct request *r, unsigned status, const char *field, const char *allowed,
    const char *format, ...)
{
    char detail[640];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    size_t shown = len < 0 ? 0 : (size_t)len < sizeof detail ? (size_t)len : sizeof detail - 1;
    json_t *problem = json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title",
        status_title(status), "status", (int)status, "detail", json_text(detail, shown));
    if (problem && field && *field)
        json_object_set_new(problem, "field", json_text(field, strlen(field)));
    if (problem && allowed)
        json_object_set_new(problem, "allowed", json_string(allowed));
    buf_clear(&r->reply.body);
    r->reply.body.err = OK;
    r->reply.status = status;
    r->reply.type = "application/problem+json";
    r->reply.no_store = true;
    r->reply.next[0] = 0;
    if (problem)
        json_write(&r->reply.body, problem);
    json_decref(problem);
    if ((status == 429 || status == 503) && !r->reply.retry_after)
        r->reply.retry_after = 1;
}

void reply_error(struct request *r, enum err e)
{
    static const struct {
        enum err code;
        unsigned status;
        bool tell; /* the fault's text is for the asker */
    } rows[] = {
        {ERR_NOTFOUND, 404, true},
        {ERR_EXISTS, 409, true},
        {ERR_DENIED, 403, true},
        {ERR_BAD, 400, true},
        {ERR_RANGE, 400, true},
        {ERR_BUSY, 503, false},
        {ERR_FULL, 503, false},
        {ERR_STOPPED, 503, false},
    };
    const char *text = r->fault.text[0] ? r->fault.text : err_text(e);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].code == e) {
            reply_problem(r, rows[i].status, NULL, NULL, "%s",
                rows[i].tell ? text : "the store cannot answer now; try again");
            return;
        }
    }
    reply_problem(r, e == ERR_NOMEM ? 503 : 500, NULL, NULL, "%s",
        e == ERR_NOMEM ? "out of memory; try again" : "the hub's log says more");
}

void reply_json(struct request *r, unsigned status, json_t *value)
{
    r->reply.status = status;
    if (value)
        json_write(&r->reply.body, value);
    else
        reply_error(r, ERR_NOMEM);
    json_decref(value);
}

bool request_wants_csv(const struct request *r, enum param_id format)
{
    if (arg(r, format)->given)
        return arg(r, format)->number == 1;
    return r->in.accept && strncasecmp(r->in.accept, "text/csv", 8) == 0;
}

static bool takes_body(const struct route *route)
{
    for (const enum param_id *id = route->params; *id != P_NONE; id++)
        if (param_row(*id)->where == IN_BODY)
            return true;
    return false;
}

static enum err refuse(struct request *r, const struct objection *o)
{
    reply_problem(r, 400, o->field, o->allowed, "%s", o->detail);
    return ERR_BAD;
}

static enum err parse_body(struct request *r)
{
    struct objection o = {0};
    const char *type = r->in.content_type;
    if (!takes_body(r->route)) {
        if (!r->body.len)
            return OK;
        reply_problem(r, 400, NULL, NULL, "this request takes no body");
        return ERR_BAD;
    }
    if (!type || strncasecmp(type, "application/json", 16) != 0 || !strchr("; \t", type[16])) {
        reply_problem(r, 415, NULL, "application/json", "the body must be application/json");
        return ERR_BAD;
    }
    if (param_body(&r->args, r->route->params, r->route->required,
            bytes_over(r->body.data, r->body.len), &o) != OK)
        return refuse(r, &o);
    return OK;
}

static enum err parse_route(struct request *r)
{
    struct objection o = {0};
    enum err e =
        route_find(r->method, target_path(r->target), &r->args, &r->route, r->reply.allow, &o);
    if (e == ERR_DENIED)
        reply_problem(r, 405, NULL, r->reply.allow, "this path does not take %.16s", r->method);
    else if (e == ERR_NOTFOUND)
        reply_problem(
            r, 404, NULL, NULL, "there is no such path; " API_ROOT "/openapi.json lists them");
    else if (e)
        refuse(r, &o);
    return e;
}

static enum err parse_rest(struct request *r)
{
    struct objection o = {0};
    if (param_query(&r->args, r->route->params, target_query(r->target), &o) != OK)
        return refuse(r, &o);
    return parse_body(r);
}

enum err request_parse(struct request *r)
{
    enum err e = parse_route(r);
    return e ? e : parse_rest(r);
}

static bool throttled(struct request *r)
{
    int64_t wait = 0;
    bool passed;
    if (r->who.known)
        passed = throttle_take(r->api->throttle, r->who.hash, sizeof r->who.hash,
            &r->api->rule_requests, r->now, &wait);
    else
        passed = session_throttle_peer(r, "request", &r->api->rule_requests, &wait);
    if (passed)
        return false;
    r->reply.retry_after = (unsigned)(wait / US_SECOND) + 1;
    reply_problem(r, 429, NULL, NULL, "too many requests; wait %u s", r->reply.retry_after);
    atomic_fetch_add(&r->api->counters.throttled, 1);
    return true;
}

static void answer(struct request *r)
{
    if (!session_host_allowed(r))
        return;
    enum err named = session_identify(r);
    if (throttled(r) || named)
        return;
    if (parse_route(r) != OK || session_may(r) != OK || parse_rest(r) != OK ||
        known_check(r) != OK)
        return;
    bool shared = r->route->flags & ROUTE_SHARED;
    enum err e = shared ? shared_run(r->api->shared, r) : r->route->run(r);
    if (!e)
        e = r->reply.body.err;
    if (e)
        reply_error(r, e);
}

void request_answer(struct request *r)
{
    r->now = clock_now(&r->api->clock);
    answer(r);
    unsigned status = r->reply.status ? r->reply.status : 200;
    atomic_fetch_add(&r->api->counters.requests[status / 100 % 6], 1);
    if (status >= 500 && r->fault.text[0])
        log_event(LOG_ERROR, "api.failed", "route=%s status=%u text=\"%s\"",
            r->route ? r->route->id : "none", status, r->fault.text);
    int64_t took = clock_now(&r->api->clock) - r->now;
    if (took > 0)
        atomic_fetch_add(&r->api->counters.seconds_us, (uint64_t)took);
}

void reply_csv_text(struct buf *out, const char *text)
{
    if (!text[strcspn(text, "\",\r\n")]) {
        buf_str(out, text);
        return;
    }
    buf_str(out, "\"");
    for (; *text; text++) {
        if (*text == '"')
            buf_str(out, "\"");
        buf_put(out, text, 1);
    }
    buf_str(out, "\"");
}
