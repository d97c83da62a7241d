#include "api/handler_int.h"

#include "api/api_int.h"
#include "api/question_int.h"
#include "record/proto.h"
#include "store/catalog_published.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What has passed the publication policy. These handlers read what publisher.c has let out and
 * nothing else of the hub: not even the time of its newest packet, from which `-24h` counts
 * elsewhere, and which would tell that a site is silent. */

static bool publishes(struct request *r)
{
    if (r->api->publication.on)
        return true;
    reply_problem(r, 404, NULL, NULL, "this hub publishes nothing: it runs without --publish");
    return false;
}

enum err handle_published(struct request *r)
{
    const struct api_publication *p = &r->api->publication;
    struct catalog_published_span span;
    if (!publishes(r))
        return OK;
    enum err e = catalog_published_span(r->api->parts.catalog, &span);
    if (e)
        return e;
    reply_json(r, 200,
        json_pack("{s:o, s:o, s:I, s:b, s:o}", "first",
            span.first ? json_time(span.first) : json_null(), "end",
            span.end ? json_time(span.end) : json_null(), "steps", (json_int_t)span.steps,
            "public", (int)p->to_all, "policy", publication_json(&p->policy)));
    return OK;
}

/* ---- ports ---- */

struct published_page {
    struct buf *out;
    bool csv;
    size_t rows, limit;
    int64_t start, rank; /* of the last row that fits */
    bool more;
};

static void put_row(struct published_page *page, const struct catalog_published_step *step,
    const struct catalog_published_row *row)
{
    char time[TIME_TEXT], made[TIME_TEXT], proto[PROTO_TEXT];
    time_format(step->start, time);
    time_format(step->made, made);
    proto_format((uint8_t)(row->key >> 16), proto);
    if (page->csv)
        buf_printf(page->out, "%s,%lld,%s,%u,%llu,%s\r\n", time,
            (long long)(step->length / US_SECOND), proto, row->key & 0xffff,
            (unsigned long long)row->sources, made);
    else
        buf_printf(page->out,
            "%s{\"time\":\"%s\",\"step_s\":%lld,\"proto\":\"%s\",\"port\":%u,\"sources\":%llu,"
            "\"published\":\"%s\"}",
            page->rows ? "," : "", time, (long long)(step->length / US_SECOND), proto,
            row->key & 0xffff, (unsigned long long)row->sources, made);
}

static enum err take_row(void *context, const struct catalog_published_step *step, int64_t rank,
    const struct catalog_published_row *row)
{
    struct published_page *page = context;
    if (page->rows == page->limit) {
        page->more = true;
        return OK;
    }
    put_row(page, step, row);
    page->rows++;
    page->start = step->start;
    page->rank = rank;
    return page->out->err;
}

/* Relative times count from the end of what is out. */
static int64_t end_of_span(const struct request *r, enum param_id id,
    const struct catalog_published_span *span, int64_t otherwise)
{
    const struct value *v = arg(r, id);
    if (!v->given)
        return otherwise;
    if (v->is_now)
        return r->now;
    return v->relative ? span->end + v->number : v->number;
}

/* "START.RANK", START in hexadecimal. */
static bool cursor_read(const char *text, struct catalog_published_query *wanted)
{
    char *end;
    errno = 0;
    wanted->after = strtoll(text, &end, 16);
    if (end == text || *end != '.' || errno || wanted->after < 1)
        return false;
    const char *rank = end + 1;
    wanted->rank = strtoll(rank, &end, 10);
    return end != rank && !*end && !errno && wanted->rank > 0;
}

static void narrow(const struct request *r, struct catalog_published_query *wanted)
{
    const struct value *proto = arg(r, P_PROTO), *port = arg(r, P_PORT);
    wanted->key = -1;
    if (!proto->given && !port->given)
        return;
    wanted->key_mask = (proto->given ? 0xff0000u : 0) | (port->given ? 0xffffu : 0);
    wanted->key = (proto->given ? proto->number << 16 : 0) | (port->given ? port->number : 0);
}

static enum err page_put(struct request *r, const struct catalog_published_query *wanted,
    struct published_page *page)
{
    struct buf *out = page->out;
    const struct span span = {wanted->from, wanted->to};
    if (page->csv) {
        r->reply.type = "text/csv; charset=utf-8; header=present";
        buf_str(out, "time,step_s,proto,port,sources,published\r\n");
    } else {
        buf_str(out, "{");
        question_put_span(out, &span);
        buf_str(out, ",\"rows\":[");
    }
    enum err e = catalog_published(r->api->parts.catalog, wanted, take_row, page);
    if (!e && page->more)
        snprintf(r->reply.next, sizeof r->reply.next, "%llx.%lld",
            (unsigned long long)page->start, (long long)page->rank);
    if (!page->csv) {
        buf_str(out, "],");
        question_put_next(out, r->reply.next);
        buf_str(out, "}");
    }
    return e;
}

enum err handle_published_ports(struct request *r)
{
    struct catalog_published_span span;
    struct catalog_published_query wanted = {.key = -1};
    if (!publishes(r))
        return OK;
    enum err e = catalog_published_span(r->api->parts.catalog, &span);
    if (e)
        return e;
    wanted.from = end_of_span(r, P_FROM, &span, span.first);
    wanted.to = end_of_span(r, P_TO, &span, span.end);
    wanted.limit = (size_t)arg(r, P_LIMIT)->number + 1; /* one more tells that there are more */
    narrow(r, &wanted);
    if (arg(r, P_CURSOR)->given && !cursor_read(arg(r, P_CURSOR)->text, &wanted)) {
        reply_problem(r, 400, "cursor", param_row(P_CURSOR)->allowed,
            "cursor is not one that this list gave");
        return OK;
    }
    if (wanted.to < wanted.from) {
        reply_problem(r, 400, "from", "a time before `to`", "the span ends before it begins");
        return OK;
    }
    struct published_page page = {.out = &r->reply.body,
        .csv = request_wants_csv(r, P_FORMAT),
        .limit = wanted.limit - 1};
    return page_put(r, &wanted, &page);
}
