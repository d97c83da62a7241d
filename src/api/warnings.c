#include "api/warnings_int.h"

#include "api/api_int.h"
#include "api/handler_int.h"
#include "api/question_int.h"

#include <stdio.h>
#include <string.h>

/* Alerts as the catalogue keeps them, with what people said about them. */

enum {
    LATEST = 8,
    PAGE_MAX = 1000, /* of the catalogue */
    OPEN_PAGES = 8
};

static json_t *workflow_json(const struct catalog_alert *a)
{
    bool said = a->by[0] != 0;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "state", state_name(a->state), "note",
        a->note, "by", said ? json_string(a->by) : json_null(), "changed",
        said ? json_time(a->changed) : json_null(), "suppression",
        a->rule ? json_integer(a->rule) : json_null(), "back",
        a->back[0] ? json_string(a->back) : json_null());
}

json_t *warning_json(const struct catalog_alert *a, bool whole)
{
    json_t *alert = json_loadb(a->json, a->json_len, 0, NULL);
    if (!json_is_object(alert) ||
        json_object_set_new(alert, "workflow", workflow_json(a)) != 0) {
        json_decref(alert);
        return NULL;
    }
    if (!whole) {
        json_object_del(alert, "evidence");
        json_object_del(alert, "hosts");
    }
    return alert;
}

static enum err add_alert(void *context, const struct catalog_alert *a)
{
    json_t *alert = warning_json(a, false);
    return alert && json_array_append_new(context, alert) == 0 ? OK : ERR_NOMEM;
}

static const char *text_of(const struct request *r, enum param_id id)
{
    return arg(r, id)->given ? arg(r, id)->text : NULL;
}

static int number_of(const struct request *r, enum param_id id)
{
    return arg(r, id)->given ? (int)arg(r, id)->number : -1;
}

/* With suppressed alerts, without them, or they alone. */
static int shown_of(const struct request *r)
{
    static const int shown[] = {-1, 0, 1};
    return shown[arg(r, P_SUPPRESSED)->number];
}

/* A time that is written out, also where no packet says when the newest was; else `otherwise`.
 */
static int64_t written_out(const struct request *r, enum param_id id, int64_t otherwise)
{
    const struct value *v = arg(r, id);
    if (!v->given || v->relative)
        return otherwise;
    return v->is_now ? r->now : v->number;
}

/* ERR_BAD: the reply may hold the problem. */
static enum err query_init(struct request *r, struct catalog_alert_query *q)
{
    struct span span = {0};
    catalog_alert_query_init(q);
    if (arg(r, P_FROM)->given || arg(r, P_TO)->given) {
        enum err e = question_window(r, &span);
        if (e)
            return e;
        if (!span.to)
            span = (struct span){written_out(r, P_FROM, 0), written_out(r, P_TO, INT64_MAX)};
    }
    q->from = span.from;
    q->to = span.to;
    if (arg(r, P_SEVERITY)->given)
        q->least = (enum severity)arg(r, P_SEVERITY)->number;
    q->kind = text_of(r, P_KIND);
    q->engine = text_of(r, P_ENGINE);
    q->site = text_of(r, P_SITE);
    q->country = text_of(r, P_COUNTRY);
    q->words = text_of(r, P_WORDS);
    q->cursor = text_of(r, P_CURSOR);
    q->proto = number_of(r, P_PROTO);
    q->port = number_of(r, P_PORT);
    q->state = number_of(r, P_STATE);
    q->open = number_of(r, P_STATUS);
    q->suppressed = shown_of(r);
    q->limit = (size_t)arg(r, P_LIMIT)->number;
    if (q->limit > PAGE_MAX)
        q->limit = PAGE_MAX;
    return OK;
}

static void put_csv_value(struct buf *out, const json_t *value)
{
    size_t i;
    json_t *part;
    if (json_is_string(value))
        reply_csv_text(out, json_string_value(value));
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(out, "%.3g", json_real_value(value));
    json_array_foreach(value, i, part)
    {
        if (i)
            buf_str(out, " ");
        put_csv_value(out, part);
    }
}

static void put_csv(struct buf *out, const json_t *alerts)
{
    static const char *const columns[] = {"id", "time", "start", "end", "severity",
        "confidence", "kind", "engine", "status", "proto", "ports", "sites", "countries",
        "host_count", "tool", "title", "explanation"};
    size_t i;
    json_t *alert;
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        buf_printf(out, "%s,", columns[c]);
    buf_str(out, "state,note,suppression\r\n");
    json_array_foreach(alerts, i, alert)
    {
        const json_t *workflow = json_object_get(alert, "workflow");
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            put_csv_value(out, json_object_get(alert, columns[c]));
            buf_str(out, ",");
        }
        put_csv_value(out, json_object_get(workflow, "state"));
        buf_str(out, ",");
        put_csv_value(out, json_object_get(workflow, "note"));
        buf_str(out, ",");
        put_csv_value(out, json_object_get(workflow, "suppression"));
        buf_str(out, "\r\n");
    }
}

static enum err count_one(void *context, const struct catalog_alert *a)
{
    (void)a;
    ++*(json_int_t *)context;
    return OK;
}

/* How many suppressed alerts the list leaves out; more than a page of the catalogue is told as
 * a page. */
static enum err count_left_out(
    struct request *r, const struct catalog_alert_query *wanted, json_int_t *ret_count)
{
    struct catalog_alert_query q = *wanted;
    if (wanted->suppressed != 0)
        return OK;
    q.suppressed = 1;
    q.cursor = NULL;
    q.limit = PAGE_MAX;
    return catalog_alerts(r->api->parts.catalog, &q, count_one, ret_count, NULL, &r->fault);
}

enum err handle_alerts(struct request *r)
{
    struct catalog_alert_query q;
    json_int_t left_out = 0;
    char cursor[CATALOG_CURSOR] = "";
    enum err e = query_init(r, &q);
    if (e)
        return r->reply.status ? OK : e;
    json_t *alerts = json_array();
    e = catalog_alerts(r->api->parts.catalog, &q, add_alert, alerts, cursor, &r->fault);
    if (!e)
        e = count_left_out(r, &q, &left_out);
    if (e == ERR_BAD)
        reply_problem(r, 400, "cursor", param_row(P_CURSOR)->allowed,
            "cursor is not one that this list gave");
    if (e) {
        json_decref(alerts);
        return e == ERR_BAD ? OK : e;
    }
    memcpy(r->reply.next, cursor, sizeof r->reply.next);
    if (request_wants_csv(r, P_FORMAT)) {
        r->reply.type = "text/csv; charset=utf-8; header=present";
        put_csv(&r->reply.body, alerts);
        json_decref(alerts);
        return OK;
    }
    reply_json(r, 200,
        json_pack("{s:o, s:o, s:I}", "rows", alerts, "next",
            *cursor ? json_string(cursor) : json_null(), "left_out", left_out));
    return OK;
}

struct found {
    json_t *json;
    bool whole;
};

static enum err keep_found(void *context, const struct catalog_alert *a)
{
    struct found *found = context;
    found->json = warning_json(a, found->whole);
    return found->json ? OK : ERR_NOMEM;
}

enum err warning_reply(struct request *r, const char *id)
{
    struct found found = {.whole = true};
    enum err e = catalog_alert_find(r->api->parts.catalog, id, keep_found, &found);
    if (e == ERR_NOTFOUND) {
        reply_problem(r, 404, NULL, NULL, "there is no alert %s", id);
        return OK;
    }
    if (!e)
        reply_json(r, 200, found.json);
    return e;
}

enum err handle_alert(struct request *r)
{
    return warning_reply(r, arg(r, P_ALERT_ID)->text);
}

enum err api_publish_alert(struct api *a, const char *id)
{
    struct found found = {0};
    enum err e = catalog_alert_find(a->parts.catalog, id, keep_found, &found);
    if (!e)
        e = api_publish(a, "alert", found.json);
    json_decref(found.json);
    return e;
}

struct tally {
    uint64_t open[4];
    uint64_t unseen;
    uint64_t suppressed;
};

static enum err count_alert(void *context, const struct catalog_alert *a)
{
    struct tally *t = context;
    if (a->rule) {
        t->suppressed++;
        return OK;
    }
    t->open[a->severity]++;
    t->unseen += a->state == STATE_NEW && a->severity >= SEVERITY_NOTICE;
    return OK;
}

/* There are at most 4,096 open alerts by the book's default; more than eight pages are counted
 * as eight. */
static enum err count_open(struct request *r, struct tally *t)
{
    struct catalog_alert_query q;
    char cursor[CATALOG_CURSOR] = "";
    char next[CATALOG_CURSOR];
    catalog_alert_query_init(&q);
    q.open = 1;
    q.limit = PAGE_MAX;
    q.cursor = cursor;
    for (int page = 0; page < OPEN_PAGES; page++) {
        enum err e = catalog_alerts(r->api->parts.catalog, &q, count_alert, t, next, &r->fault);
        if (e || !next[0])
            return e;
        memcpy(cursor, next, sizeof cursor);
    }
    return OK;
}

/* The eight newest of notice and above; if there are fewer, filled up with info. */
static enum err list_latest(struct request *r, json_t *latest)
{
    struct catalog_alert_query q;
    catalog_alert_query_init(&q);
    q.least = SEVERITY_NOTICE;
    q.suppressed = 0;
    q.limit = LATEST;
    enum err e = catalog_alerts(r->api->parts.catalog, &q, add_alert, latest, NULL, &r->fault);
    if (e || json_array_size(latest) == LATEST)
        return e;
    json_t *any = json_array();
    q.least = SEVERITY_INFO;
    e = catalog_alerts(r->api->parts.catalog, &q, add_alert, any, NULL, &r->fault);
    size_t i;
    json_t *alert;
    json_array_foreach(any, i, alert)
    {
        const char *severity = json_string_value(json_object_get(alert, "severity"));
        if (severity && strcmp(severity, "info") == 0 && json_array_size(latest) < LATEST &&
            json_array_append(latest, alert) != 0)
            e = ERR_NOMEM;
    }
    json_decref(any);
    return e;
}

enum err warnings_summary(struct request *r, json_t **ret_summary)
{
    struct tally t = {0};
    json_t *latest = json_array();
    enum err e = count_open(r, &t);
    if (!e)
        e = list_latest(r, latest);
    if (e) {
        json_decref(latest);
        return e;
    }
    json_t *summary = json_pack("{s:{s:I, s:I, s:I, s:I}, s:I, s:I, s:o}", "open", "info",
        (json_int_t)t.open[SEVERITY_INFO], "notice", (json_int_t)t.open[SEVERITY_NOTICE],
        "warning", (json_int_t)t.open[SEVERITY_WARNING], "critical",
        (json_int_t)t.open[SEVERITY_CRITICAL], "unseen", (json_int_t)t.unseen, "suppressed",
        (json_int_t)t.suppressed, "latest", latest);
    if (!summary)
        return ERR_NOMEM;
    *ret_summary = summary;
    return OK;
}
