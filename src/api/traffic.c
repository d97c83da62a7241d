#include "api/handler_int.h"

#include "api/question_int.h"

/* Lists about traffic: one question to the store each. */

enum err handle_ports(struct request *r)
{
    return question_page(r, ASK_PORTS);
}

enum err handle_movers(struct request *r)
{
    return question_page(r, ASK_MOVERS);
}

enum err handle_sources(struct request *r)
{
    return question_page(r, ASK_SOURCES);
}

enum err handle_countries(struct request *r)
{
    return question_page(r, ASK_COUNTRIES);
}

enum err handle_asns(struct request *r)
{
    return question_page(r, ASK_ASNS);
}

enum err handle_tools(struct request *r)
{
    return question_page(r, ASK_TOOLS);
}

enum err handle_totals(struct request *r)
{
    return question_page(r, ASK_TOTALS);
}

enum err handle_classes(struct request *r)
{
    return question_page(r, ASK_CLASSES);
}

enum err handle_screened(struct request *r)
{
    return question_page(r, ASK_SCREENED);
}

enum err handle_tagged(struct request *r)
{
    return question_page(r, ASK_TAGGED);
}

enum err handle_victims(struct request *r)
{
    return question_page(r, ASK_VICTIMS);
}

static enum err put_summary(struct request *r, const struct span *span, struct buf *out)
{
    struct ask a;
    struct buf rows;
    question_init(r, &a, ASK_SOURCES, span);
    a.has_src = true;
    a.src = arg(r, P_ADDRESS)->prefix;
    a.limit = 1;
    a.cursor[0] = 0;
    buf_init(&rows, 1 << 16);
    enum err e = question_ask(r, &a, FORMAT_JSON, &rows, NULL);
    if (!e)
        question_put_only(out, &rows);
    buf_done(&rows);
    return e;
}

static enum err source_json(struct request *r, const struct ask *a, const struct span *span)
{
    struct buf *out = &r->reply.body;
    char address[IP_TEXT];
    buf_printf(out, "{\"address\":\"%s\",", ip_format(&a->src.ip, address));
    question_put_span(out, span);
    buf_str(out, ",\"summary\":");
    if (!span->to) {
        buf_str(out, "null,\"rows\":[],\"next\":null}");
        return OK;
    }
    enum err e = put_summary(r, span, out);
    buf_str(out, ",\"rows\":");
    if (!e)
        e = question_list(r, a, FORMAT_JSON);
    if (r->reply.status)
        return e;
    buf_str(out, ",");
    question_put_next(out, r->reply.next);
    buf_str(out, "}");
    return e;
}

enum err handle_source(struct request *r)
{
    struct span span;
    struct ask a;
    enum err e = question_page_window(r, &span);
    if (e)
        return r->reply.status ? OK : e;
    question_init(r, &a, ASK_SOURCE, &span);
    a.has_src = true;
    a.src = arg(r, P_ADDRESS)->prefix;
    if (!request_wants_csv(r, P_FORMAT))
        return source_json(r, &a, &span);
    r->reply.type = "text/csv; charset=utf-8; header=present";
    return question_list(r, &a, FORMAT_CSV);
}
