#include "cmd/holder.h"

#include "base/clock.h"
#include "cmd/ask_args.h"
#include "cmd/line_split.h"
#include "cmd/setup.h"
#include "geo/geo.h"
#include "record/proto.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ANSWER_CAP = 256 << 20
};

struct holder {
    bool remote;
    struct hub_address hub;
    struct geo *geo; /* the names of networks; NULL: nobody asked for them */
    struct store *store;
    struct catalog *catalog;
};

/* A question makes nothing: a folder that was named by mistake stays as it is. */
static enum err must_hold(
    const char *data, const char *file, const char *what, char path[4200], struct fault *f)
{
    struct stat st;
    if (snprintf(path, 4200, "%s/%s", data, file) >= 4200)
        return fault_set(f, ERR_RANGE, "%.80s...: path too long", data);
    if (stat(path, &st) != 0)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO,
            "%s: holds no %s%s%s; --data names the folder that hub or replay wrote", data, what,
            errno == ENOENT ? "" : " that can be read: ",
            errno == ENOENT ? "" : strerror(errno));
    return OK;
}

/* A database that cannot be read costs the names, not the answer. */
static void open_names(struct holder *a)
{
    struct fault f = {0};
    if (geo_open(&a->geo, &(struct geo_options){.automatic = true}, &f) != OK)
        fprintf(stderr, "kizashi: networks have no names: %s\n", f.text);
}

static enum err open_store(struct holder *a, const char *data, struct fault *f)
{
    char path[4200];
    enum err held = must_hold(data, "journal.db", "store", path, f);
    if (held)
        return held;
    char *whole = realpath(data, NULL);
    struct store_options options = {.names = setup_names(a->geo)};
    enum err e = whole ? store_open(&a->store, whole, &options, f)
                       : fault_set(f, ERR_IO, "%s: %s", data, strerror(errno));
    free(whole);
    return e;
}

static enum err open_catalog(struct holder *a, const char *data, struct fault *f)
{
    char path[4200];
    enum err held = must_hold(data, "catalog.sqlite", "alerts", path, f);
    return held ? held : catalog_open(&a->catalog, path, f);
}

/* A hub that was killed leaves its address behind: only one that answers is asked. */
static bool hub_runs(const char *data, struct hub_address *ret_hub)
{
    if (hub_address_read(data, ret_hub) != OK)
        return false;
    const char *scheme = strstr(ret_hub->url, "://");
    return hub_is_at(scheme ? scheme + 3 : ret_hub->url);
}

enum err holder_open(
    struct holder **ret_holder, const char *data, unsigned what, struct fault *f)
{
    struct stat st;
    if (stat(data, &st) != 0 || !S_ISDIR(st.st_mode))
        return fault_set(f, ERR_NOTFOUND,
            "%s: no data folder; --data names the one that hub or replay wrote", data);
    struct holder *a = calloc(1, sizeof *a);
    if (!a)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = OK;
    a->remote = hub_runs(data, &a->hub);
    if (!a->remote) {
        if (what & HOLDER_NAMES)
            open_names(a);
        e = what & HOLDER_STORE ? open_store(a, data, f) : OK;
        if (!e && what & HOLDER_CATALOG)
            e = open_catalog(a, data, f);
    }
    if (e) {
        holder_close(a);
        return e;
    }
    *ret_holder = a;
    return OK;
}

void holder_close(struct holder *a)
{
    if (!a)
        return;
    if (a->store)
        store_close(a->store);
    if (a->catalog)
        catalog_close(a->catalog);
    geo_close(a->geo);
    free(a);
}

const struct hub_address *holder_hub(const struct holder *a)
{
    return a->remote ? &a->hub : NULL;
}

struct catalog *holder_catalog(struct holder *a)
{
    return a->catalog;
}

struct store *holder_store(struct holder *a)
{
    return a->store;
}

static enum err body_part(void *context, const void *data, size_t len)
{
    struct buf *body = context;
    buf_put(body, data, len);
    return body->err;
}

static enum err hub_json(
    struct holder *a, const char *path, json_t **ret_answer, struct fault *f)
{
    struct buf body;
    buf_init(&body, ANSWER_CAP);
    enum err e = hub_get(&a->hub, path, body_part, &body, f);
    json_error_t error;
    if (!e) {
        *ret_answer = json_loadb((const char *)body.data, body.len, 0, &error);
        if (!*ret_answer)
            e = fault_set(f, ERR_BAD, "the hub's answer is not JSON: %s", error.text);
    }
    buf_done(&body);
    return e;
}

/* Packets or losses of it: a site that is watched only has neither. */
static bool is_stored(const json_t *site)
{
    static const char *const losses[] = {"dropped", "malformed", "sampled_out"};
    bool is = json_is_string(json_object_get(site, "first"));
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        is = is || json_integer_value(json_object_get(site, losses[i])) > 0;
    return is;
}

/* What the store has of them, without what the hub sees of them now. */
static json_t *stored_sites(json_t *rows)
{
    json_t *stored = json_array();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        json_object_del(row, "live");
        if (is_stored(row))
            json_array_append(stored, row);
    }
    return stored;
}

static json_t *rows_of(json_t *answer, enum ask_what what)
{
    json_t *rows = json_object_get(answer, "rows");
    if (rows && what == ASK_SITES)
        return stored_sites(rows);
    if (rows)
        return json_incref(rows);
    rows = json_array();
    json_array_append(rows, what == ASK_SPAN ? json_object_get(answer, "held") : answer);
    return rows;
}

static const char *question_path(enum ask_what what)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        ASK_LIST(X)
#undef X
    };
    return what == ASK_SPAN ? "overview" : names[what];
}

static void hub_path(const struct ask *ask, enum ask_format format, struct buf *path)
{
    char ip[IP_TEXT];
    if (ask->what == ASK_SOURCE)
        buf_printf(path, "sources/%s", ip_format(&ask->src.ip, ip));
    else
        buf_str(path, question_path(ask->what));
    if (ask->what != ASK_SPAN)
        ask_query(ask, format, path);
}

/* The last field of a line of CSV as the text that it stands for, in place. */
static const char *last_field(char *field)
{
    char *to = field;
    bool quoted = *field == '"';
    const char *at = field + quoted;
    if (*at == '\'' && at[1] && strchr("=+-@", at[1]))
        at++; /* what keeps spreadsheets from taking it for a formula */
    for (; *at; at++) {
        if (quoted && *at == '"' && *++at != '"')
            break;
        *to++ = *at;
    }
    *to = 0;
    return field;
}

/* "time,key,value" as a row, or "time,key,value,name"; keys are words without commas. */
static json_t *series_row(const char *line, size_t len)
{
    char text[512];
    if (len >= sizeof text)
        return NULL;
    memcpy(text, line, len);
    text[len] = 0;
    char *key = strchr(text, ',');
    char *value = key ? strchr(key + 1, ',') : NULL;
    if (!value)
        return NULL;
    *key++ = *value++ = 0;
    char *end;
    long long number = strtoll(value, &end, 10);
    if (end == value || (*end && *end != ','))
        return NULL;
    json_t *row =
        json_pack("{s:s, s:s, s:I}", "time", text, "key", key, "value", (json_int_t)number);
    if (row && *end)
        json_object_set_new(row, "as_name", json_string(last_field(end + 1)));
    return row;
}

/* Series and losses: the API's JSON has one array of values a line, its CSV the store's rows in
 * the store's order. */
static enum err hub_series(
    struct holder *a, const struct ask *ask, json_t **ret_rows, struct fault *f)
{
    struct buf path;
    struct buf text;
    json_t *rows = json_array();
    buf_init(&path, 4000);
    buf_init(&text, ANSWER_CAP);
    hub_path(ask, FORMAT_CSV, &path);
    enum err e = hub_get(&a->hub, (const char *)path.data, body_part, &text, f);
    const char *at = e || !text.len ? "" : strchr((const char *)text.data, '\n');
    while (!e && at && *at) {
        size_t len = strcspn(++at, "\r\n");
        json_t *row = len ? series_row(at, len) : NULL;
        if (len && (!row || json_array_append_new(rows, row) != 0))
            e = fault_set(f, ERR_BAD, "the hub's answer is not a series");
        at = strchr(at + len, '\n');
    }
    buf_done(&path);
    buf_done(&text);
    if (e)
        json_decref(rows);
    else
        *ret_rows = rows;
    return e;
}

enum err holder_rows(
    struct holder *a, const struct ask *ask, json_t **ret_rows, struct fault *f)
{
    struct buf text;
    enum err e;
    if (a->remote && (ask->what == ASK_SERIES || ask->what == ASK_LOSSES))
        return hub_series(a, ask, ret_rows, f);
    buf_init(&text, a->remote ? 4000 : ANSWER_CAP);
    if (a->remote) {
        json_t *answer = NULL;
        hub_path(ask, FORMAT_JSON, &text);
        e = hub_json(a, (const char *)text.data, &answer, f);
        if (!e)
            *ret_rows = rows_of(answer, ask->what);
        json_decref(answer);
    } else {
        json_error_t error;
        e = store_ask(a->store, ask, FORMAT_JSON, &text, NULL, f);
        json_t *rows = e ? NULL : json_loadb((const char *)text.data, text.len, 0, &error);
        if (!e && !rows)
            e = fault_set(f, ERR_BAD, "the store's answer is not JSON: %s", error.text);
        if (!e)
            *ret_rows = rows;
    }
    buf_done(&text);
    return e;
}

/* The store's rows as lines: JSON without its brackets and commas, and no more than asked for.
 */
struct stored {
    enum err (*part)(void *context, const void *data, size_t len);
    void *context;
    struct buf line; /* the beginning of one that has not ended yet */
    bool json;
    uint64_t left; /* lines that may still be written */
};

static enum err line_give(void *context)
{
    struct stored *s = context;
    const char *text = (const char *)s->line.data;
    size_t len = s->line.len;
    while (s->json && len && (text[0] == '[' || text[0] == ',')) {
        text++;
        len--;
    }
    while (s->json && len && (text[len - 1] == ',' || text[len - 1] == ']'))
        len--;
    if (!len)
        return OK;
    if (!s->left)
        return ERR_STOPPED;
    s->left--;
    enum err e = s->part(s->context, text, len);
    return e ? e : s->part(s->context, "\n", 1);
}

static enum err stored_part(void *context, const void *data, size_t len)
{
    struct stored *s = context;
    return line_split(&s->line, data, len, line_give, s);
}

static enum err stored_lines(struct store *store, const struct ask *ask, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f)
{
    struct stored s = {.part = part, .context = context, .json = format == FORMAT_JSON};
    struct ask all = *ask;
    bool lines = ask->what == ASK_SERIES || ask->what == ASK_LOSSES; /* not rows are limited */
    all.limit = lines ? ask->limit : 0;
    s.left = ask->limit && !lines ? ask->limit + (format == FORMAT_CSV) : UINT64_MAX;
    buf_init(&s.line, 1 << 20);
    enum err e = store_stream(store, &all, format, stored_part, &s, f);
    if (!e && s.line.len)
        e = line_give(&s);
    buf_done(&s.line);
    return e == ERR_STOPPED && !s.left ? OK : e; /* or else a question that took too long */
}

/* What the hub holds, which the API gives as JSON only, as the store's CSV. */
static enum err hub_span(struct holder *a, const struct ask *ask,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f)
{
    json_t *rows = NULL;
    struct buf text;
    enum err e = holder_rows(a, ask, &rows, f);
    if (e)
        return e;
    const json_t *row = json_array_get(rows, 0);
    const char *first = json_string_value(json_object_get(row, "first"));
    const char *last = json_string_value(json_object_get(row, "last"));
    buf_init(&text, 512);
    buf_str(&text, "first,last,packets\r\n");
    if (first && last)
        buf_printf(&text, "%s,%s,%lld\r\n", first, last,
            (long long)json_integer_value(json_object_get(row, "packets")));
    e = text.err ? text.err : part(context, text.data, text.len);
    buf_done(&text);
    json_decref(rows);
    return e;
}

enum err holder_stream(struct holder *a, const struct ask *ask, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f)
{
    if (!a->remote)
        return stored_lines(a->store, ask, format, part, context, f);
    if (ask->what == ASK_SPAN)
        return hub_span(a, ask, part, context, f);
    struct buf path;
    buf_init(&path, 4000);
    hub_path(ask, format, &path);
    char *json = path.data ? strstr((char *)path.data, "format=json") : NULL;
    struct buf lines;
    buf_init(&lines, 4000);
    if (json)
        buf_printf(&lines, "%.*sformat=jsonl%s", (int)(json - (char *)path.data),
            (char *)path.data, json + strlen("format=json"));
    else
        buf_put(&lines, path.data, path.len);
    enum err e = hub_get(&a->hub, (const char *)lines.data, part, context, f);
    buf_done(&path);
    buf_done(&lines);
    return e;
}

static enum err alert_collect(void *context, const struct catalog_alert *a)
{
    json_error_t error;
    json_t *alert = json_loadb(a->json, a->json_len, 0, &error);
    if (!alert)
        return ERR_BAD;
    json_object_set_new(alert, "workflow",
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "state", state_name(a->state), "note", a->note,
            "by", a->by, "suppression", a->rule ? json_integer(a->rule) : json_null(), "back",
            a->back[0] ? json_string(a->back) : json_null()));
    return json_array_append_new(context, alert) == 0 ? OK : ERR_NOMEM;
}

static void alerts_path(const struct catalog_alert_query *q, const char *id, struct buf *path)
{
    char text[TIME_TEXT];
    if (id) {
        buf_printf(path, "alerts/%s", id);
        return;
    }
    buf_printf(path, "alerts?severity=%s&limit=%zu", severity_name(q->least), q->limit);
    if (q->suppressed >= 0)
        buf_printf(path, "&suppressed=%s", q->suppressed ? "only" : "exclude");
    if (q->from)
        buf_printf(path, "&from=%s", time_format(q->from, text));
    if (q->to)
        buf_printf(path, "&to=%s", time_format(q->to, text));
    if (q->kind)
        buf_printf(path, "&kind=%s", q->kind);
    if (q->engine)
        buf_printf(path, "&engine=%s", q->engine);
    if (q->site)
        buf_printf(path, "&site=%s", q->site);
    if (q->proto >= 0)
        buf_printf(path, "&proto=%s", proto_format((uint8_t)q->proto, text));
    if (q->port >= 0)
        buf_printf(path, "&port=%d", q->port);
    if (q->state >= 0)
        buf_printf(path, "&state=%s", state_name((enum catalog_state)q->state));
}

enum err holder_alerts(struct holder *a, const struct catalog_alert_query *q, const char *id,
    json_t **ret_alerts, struct fault *f)
{
    json_t *alerts = json_array();
    enum err e = alerts ? OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (!e && a->remote) {
        struct buf path;
        json_t *answer = NULL;
        buf_init(&path, 4000);
        alerts_path(q, id, &path);
        e = hub_json(a, (const char *)path.data, &answer, f);
        if (!e && id)
            json_array_append(alerts, answer);
        else if (!e)
            json_array_extend(alerts, json_object_get(answer, "rows"));
        json_decref(answer);
        buf_done(&path);
    } else if (!e && id) {
        e = catalog_alert_find(a->catalog, id, alert_collect, alerts);
        if (e)
            fault_set(f, e, "there is no alert %s", id);
    } else if (!e)
        e = catalog_alerts(a->catalog, q, alert_collect, alerts, NULL, f);
    if (e) {
        json_decref(alerts);
        return e;
    }
    *ret_alerts = alerts;
    return OK;
}
