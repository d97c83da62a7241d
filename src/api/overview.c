#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/hub_int.h"
#include "api/question_int.h"
#include "api/warnings_int.h"

#include <string.h>

/* The first page in one answer. */

struct overview {
    struct held_span held;
    struct span now, before; /* to 0: nothing */
};

static enum err spans(struct request *r, struct overview *o)
{
    enum err e = question_held(r, &o->held);
    if (e || !o->held.packets)
        return e;
    int64_t last = arg(r, P_LAST)->number;
    o->now.to = o->held.last + 1;
    o->now.from = o->now.to > last ? o->now.to - last : 1;
    if (o->held.first < o->now.from)
        o->before = (struct span){o->now.from - last, o->now.from};
    return OK;
}

static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];
    if (us)
        buf_printf(out, "\"%s\":\"%s\",", name, time_format(us, text));
    else
        buf_printf(out, "\"%s\":null,", name);
}

static void put_spans(struct buf *out, const struct overview *o, int64_t last)
{
    buf_str(out, "\"held\":{");
    put_time(out, "first", o->held.first);
    put_time(out, "last", o->held.last);
    buf_printf(out, "\"packets\":%llu},\"span\":", (unsigned long long)o->held.packets);
    if (!o->now.to) {
        buf_str(out, "null");
        return;
    }
    buf_str(out, "{");
    put_time(out, "from", o->now.from);
    put_time(out, "to", o->now.to);
    put_time(out, "before_from", o->now.from - last);
    put_time(out, "before_to", o->now.from);
    buf_printf(out, "\"before_complete\":%s}",
        o->before.to && o->held.first <= o->before.from ? "true" : "false");
}

static void init(const struct request *r, struct ask *a, enum ask_what what,
    const struct span *span, size_t limit)
{
    ask_init(a, what);
    a->from = span->from;
    a->to = span->to;
    a->limit = limit;
    if (arg(r, P_SITE)->given)
        memcpy(a->site, arg(r, P_SITE)->text, strlen(arg(r, P_SITE)->text) + 1);
    if (arg(r, P_TAG)->given)
        memcpy(a->tag, arg(r, P_TAG)->text, strlen(arg(r, P_TAG)->text) + 1);
}

static enum err put_totals(
    struct request *r, const struct span *span, const char *none, struct buf *out)
{
    struct ask a;
    struct buf rows;
    if (!span->to) {
        buf_str(out, none);
        return OK;
    }
    buf_init(&rows, 1 << 16);
    init(r, &a, ASK_TOTALS, span, 1);
    enum err e = question_ask(r, &a, FORMAT_JSON, &rows, NULL);
    if (!e)
        question_put_only(out, &rows);
    buf_done(&rows);
    return e;
}

static enum err put_traffic(struct request *r, const struct overview *o, struct buf *out)
{
    static const char zero[] =
        "{\"packets\":0,\"bytes\":0,\"sources\":0,\"sites\":0,\"ports\":0}";
    struct series_ask s = {.span = o->now};
    struct ask a;
    buf_str(out, ",\"totals\":{\"now\":");
    enum err e = put_totals(r, &o->now, zero, out);
    buf_str(out, ",\"before\":");
    if (!e)
        e = put_totals(r, &o->before, "null", out);
    buf_str(out, "},\"series\":");
    if (e || !o->now.to) {
        buf_str(out, "null,\"movers\":[]");
        return e;
    }
    init(r, &s.ask, ASK_SERIES, &o->now, 8);
    s.ask.by = BY_CLASS;
    series_align(&s);
    e = series_put(r, &s, out);
    buf_str(out, ",\"movers\":");
    init(r, &a, ASK_MOVERS, &o->now, 10);
    return e ? e : question_ask(r, &a, FORMAT_JSON, out, NULL);
}

/* A member whose value is taken. */
static enum err put_value(struct buf *out, const char *name, json_t *value)
{
    if (!value)
        return ERR_NOMEM;
    buf_printf(out, ",\"%s\":", name);
    json_write(out, value);
    json_decref(value);
    return OK;
}

static enum err put_hub(struct request *r, const struct overview *o, struct buf *out)
{
    json_t *value;
    const char *only = arg(r, P_SITE)->given ? arg(r, P_SITE)->text : NULL;
    enum err e = warnings_summary(r, &value);
    if (!e)
        e = put_value(out, "alerts", value);
    if (!e)
        e = sites_rows(r, &o->now, only, &value);
    if (!e)
        e = put_value(out, "sites", value);
    if (!e)
        e = put_value(out, "datasets", hub_datasets(r));
    if (!e)
        e = hub_store_usage(r, &value);
    return e ? e : put_value(out, "store", value);
}

enum err handle_overview(struct request *r)
{
    struct buf *out = &r->reply.body;
    struct overview o = {0};
    char now[TIME_TEXT];
    enum err e = spans(r, &o);
    if (e)
        return e;
    buf_printf(out, "{\"now\":\"%s\",", time_format(r->now, now));
    put_spans(out, &o, arg(r, P_LAST)->number);
    e = put_traffic(r, &o, out);
    if (!e)
        e = put_hub(r, &o, out);
    buf_str(out, "}");
    return e;
}
