#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/question_int.h"

#include <string.h>

/* Sites: what the store has of each, joined with what the hub sees of it now. */

static json_t *live_sites(struct request *r)
{
    const struct api_live *live = &r->api->parts.live;
    return live->sites ? live->sites(live->context) : json_array();
}

/* The row of a site in an array of objects with a member "site"; borrowed. */
static json_t *site_in(const json_t *array, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(array, i, row)
    {
        const char *site = json_string_value(json_object_get(row, "site"));
        if (site && strcmp(site, name) == 0)
            return row;
    }
    return NULL;
}

/* A site that the hub watches and of which the store has nothing yet. */
static json_t *empty_row(const char *name)
{
    return json_pack("{s:s, s:n, s:n, s:i, s:i, s:i, s:i, s:i}", "site", name, "first", "last",
        "packets", 0, "sources", 0, "dropped", 0, "malformed", 0, "sampled_out", 0);
}

static enum err join(json_t *rows, const json_t *live, const char *only)
{
    size_t i;
    json_t *row;
    int failed = 0;
    json_array_foreach(live, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "site"));
        if (name && (!only || strcmp(only, name) == 0) && !site_in(rows, name))
            failed |= json_array_append_new(rows, empty_row(name));
    }
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "site"));
        json_t *now = name ? site_in(live, name) : NULL;
        failed |= now ? json_object_set(row, "live", now)
                      : json_object_set_new(row, "live", json_null());
    }
    return failed ? ERR_NOMEM : OK;
}

enum err sites_rows(
    struct request *r, const struct span *span, const char *only, json_t **ret_rows)
{
    struct ask a;
    json_t *rows = json_array();
    enum err e = OK;
    if (span->to) {
        json_decref(rows);
        ask_init(&a, ASK_SITES);
        a.from = span->from;
        a.to = span->to;
        a.limit = ASK_ROWS_MAX;
        if (only)
            memcpy(a.site, only, strlen(only) + 1);
        e = question_rows(r, &a, &rows);
    }
    if (e)
        return e;
    json_t *live = live_sites(r);
    e = live ? join(rows, live, only) : ERR_NOMEM;
    json_decref(live);
    if (e)
        json_decref(rows);
    else
        *ret_rows = rows;
    return e;
}

enum err handle_sites(struct request *r)
{
    struct span span;
    json_t *rows;
    struct buf *out = &r->reply.body;
    enum err e = question_window(r, &span);
    if (e)
        return r->reply.status ? OK : e;
    if (request_wants_csv(r, P_FORMAT)) {
        struct ask a;
        question_init(r, &a, ASK_SITES, &span);
        a.limit = ASK_ROWS_MAX;
        r->reply.type = "text/csv; charset=utf-8; header=present";
        return question_ask(r, &a, FORMAT_CSV, out, NULL);
    }
    const struct value *site = arg(r, P_SITE);
    e = sites_rows(r, &span, site->given ? site->text : NULL, &rows);
    if (e)
        return e;
    buf_str(out, "{");
    question_put_span(out, &span);
    buf_str(out, ",\"rows\":");
    json_write(out, rows);
    buf_str(out, ",\"next\":null}");
    json_decref(rows);
    return OK;
}

static enum err put_list(struct request *r, const struct span *span, enum ask_what what,
    const char *member, struct buf *out)
{
    struct ask a;
    buf_printf(out, ",\"%s\":", member);
    if (!span->to) {
        buf_str(out, "[]");
        return OK;
    }
    ask_init(&a, what);
    a.from = span->from;
    a.to = span->to;
    a.limit = 10;
    memcpy(a.site, arg(r, P_SITE_NAME)->text, strlen(arg(r, P_SITE_NAME)->text) + 1);
    return question_ask(r, &a, FORMAT_JSON, out, NULL);
}

static enum err put_chart(struct request *r, const struct span *span, enum ask_what what,
    const char *member, struct buf *out)
{
    struct series_ask s = {.span = *span};
    buf_printf(out, ",\"%s\":", member);
    if (!span->to) {
        buf_str(out, "null");
        return OK;
    }
    ask_init(&s.ask, what);
    s.ask.by = what == ASK_LOSSES ? BY_CAUSE : BY_CLASS;
    s.ask.limit = 8;
    memcpy(s.ask.site, arg(r, P_SITE_NAME)->text, strlen(arg(r, P_SITE_NAME)->text) + 1);
    series_align(&s);
    return series_put(r, &s, out);
}

enum err handle_site(struct request *r)
{
    const char *name = arg(r, P_SITE_NAME)->text;
    struct buf *out = &r->reply.body;
    struct span span;
    json_t *rows;
    enum err e = question_window(r, &span);
    if (e)
        return r->reply.status ? OK : e;
    e = sites_rows(r, &span, name, &rows);
    if (e)
        return e;
    if (!json_array_size(rows)) {
        json_decref(rows);
        reply_problem(r, 404, NULL, NULL, "there is no site %s in this span", name);
        return OK;
    }
    buf_str(out, "{");
    question_put_span(out, &span);
    buf_str(out, ",\"site\":");
    json_write(out, json_array_get(rows, 0));
    json_decref(rows);
    e = put_list(r, &span, ASK_PORTS, "ports", out);
    if (!e)
        e = put_list(r, &span, ASK_COUNTRIES, "countries", out);
    if (!e)
        e = put_chart(r, &span, ASK_SERIES, "series", out);
    if (!e)
        e = put_chart(r, &span, ASK_LOSSES, "losses", out);
    buf_str(out, "}");
    return e;
}
