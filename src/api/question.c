#include "api/question_int.h"

#include "api/api_int.h"
#include "api/kept_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELD_AGE = 2 * US_SECOND,
    ROWS_MAX = 32 << 20
};

static int64_t time_member(const json_t *row, const char *name)
{
    int64_t us = 0;
    const char *text = json_string_value(json_object_get(row, name));
    return text && time_parse(text, &us) == OK ? us : 0;
}

static enum err ask_held(struct request *r, struct held_span *ret_held)
{
    struct ask a;
    json_t *rows;
    ask_init(&a, ASK_SPAN);
    enum err e = question_rows(r, &a, &rows);
    if (e)
        return e;
    const json_t *row = json_array_get(rows, 0);
    struct held_span held = {.first = time_member(row, "first"),
        .last = time_member(row, "last"),
        .packets = (uint64_t)json_integer_value(json_object_get(row, "packets"))};
    if (!held.packets || !held.last)
        held = (struct held_span){0};
    json_decref(rows);
    *ret_held = held;
    return OK;
}

enum err question_held(struct request *r, struct held_span *ret_held)
{
    struct held *kept = &r->api->held;
    struct held_span held = {0};
    pthread_mutex_lock(&kept->lock);
    bool fresh = kept->asked && r->now - kept->asked < HELD_AGE && r->now >= kept->asked;
    if (fresh)
        held = (struct held_span){kept->first, kept->last, kept->packets};
    pthread_mutex_unlock(&kept->lock);
    enum err e = fresh ? OK : ask_held(r, &held);
    if (e)
        return e;
    if (!fresh) {
        pthread_mutex_lock(&kept->lock);
        kept->asked = r->now;
        kept->first = held.first;
        kept->last = held.last;
        kept->packets = held.packets;
        pthread_mutex_unlock(&kept->lock);
    }
    *ret_held = held;
    return OK;
}

static int64_t resolve(
    const struct request *r, enum param_id id, const struct held_span *held, int64_t otherwise)
{
    const struct value *v = arg(r, id);
    if (!v->given)
        return otherwise;
    if (v->is_now)
        return r->now;
    return v->relative ? held->last + 1 + v->number : v->number;
}

/* New packets move the ends of a span that is not written out. So that pages fit together, a
 * cursor carries the span of its first page before the store's own cursor: "FROM~TO~REST". */
static const char *cursor_rest(const struct request *r, struct span *ret_span)
{
    const char *at = arg(r, P_CURSOR)->text;
    int64_t ends[2];
    for (int i = 0; i < 2; i++) {
        char *end;
        errno = 0;
        ends[i] = strtoll(at, &end, 16);
        if (end == at || *end != '~' || errno || ends[i] < 1)
            return NULL;
        at = end + 1;
    }
    if (ends[0] >= ends[1])
        return NULL;
    *ret_span = (struct span){ends[0], ends[1]};
    return at;
}

static enum err wrong_cursor(struct request *r)
{
    reply_problem(r, 400, "cursor", param_row(P_CURSOR)->allowed,
        "cursor is not one that this list gave");
    return ERR_BAD;
}

enum err question_page_window(struct request *r, struct span *ret_span)
{
    if (arg(r, P_CURSOR)->given)
        return cursor_rest(r, ret_span) ? OK : wrong_cursor(r);
    return question_window(r, ret_span);
}

static enum err wrong_span(struct request *r)
{
    reply_problem(r, 400, "from", "a time before `to`", "the span ends before it begins");
    return ERR_BAD;
}

/* Where nothing is stored, only times that are written out say when they are. */
static enum err empty_window(struct request *r, struct span *ret_span)
{
    const struct value *from = arg(r, P_FROM), *to = arg(r, P_TO);
    const struct held_span none = {0};
    if (from->given && to->given && from->relative == to->relative &&
        resolve(r, P_FROM, &none, 0) >= resolve(r, P_TO, &none, 0))
        return wrong_span(r);
    *ret_span = (struct span){0};
    return OK;
}

enum err question_window(struct request *r, struct span *ret_span)
{
    struct held_span held;
    enum err e = question_held(r, &held);
    if (e)
        return e;
    if (!held.packets)
        return empty_window(r, ret_span);
    struct span span = {
        resolve(r, P_FROM, &held, held.first), resolve(r, P_TO, &held, held.last + 1)};
    if (span.from < 1)
        span.from = 1;
    if (span.to > span.from) {
        *ret_span = span;
        return OK;
    }
    if (arg(r, P_FROM)->given && arg(r, P_TO)->given)
        return wrong_span(r);
    /* One end lies beyond what the store holds: an honest span without rows. */
    span.from = arg(r, P_FROM)->given ? span.from : span.to - 1;
    span.to = span.from + 1;
    *ret_span = span;
    return OK;
}

static void copy_name(char *to, size_t room, const struct value *v)
{
    if (v->given)
        snprintf(to, room, "%s", v->text);
}

void question_init(
    const struct request *r, struct ask *a, enum ask_what what, const struct span *span)
{
    ask_init(a, what);
    a->from = span->from;
    a->to = span->to;
    copy_name(a->site, sizeof a->site, arg(r, P_SITE));
    copy_name(a->country, sizeof a->country, arg(r, P_COUNTRY));
    copy_name(a->tool, sizeof a->tool, arg(r, P_TOOL));
    copy_name(a->class, sizeof a->class, arg(r, P_CLASS));
    copy_name(a->tag, sizeof a->tag, arg(r, P_TAG));
    copy_name(a->reason, sizeof a->reason, arg(r, P_REASON));
    struct span frozen;
    const char *rest = arg(r, P_CURSOR)->given ? cursor_rest(r, &frozen) : NULL;
    if (rest)
        snprintf(a->cursor, sizeof a->cursor, "%s", rest);
    if (arg(r, P_PROTO)->given)
        a->proto = (int)arg(r, P_PROTO)->number;
    if (arg(r, P_PORT)->given)
        a->port = (int)arg(r, P_PORT)->number;
    if (arg(r, P_ASN)->given)
        a->asn = arg(r, P_ASN)->number;
    if (arg(r, P_SRC)->given) {
        a->has_src = true;
        a->src = arg(r, P_SRC)->prefix;
    }
    if (arg(r, P_LIMIT)->number)
        a->limit = (size_t)arg(r, P_LIMIT)->number;
}

/* What is kept of the store's span, by which a change is known; 0: not known yet. */
static uint64_t held_packets(struct request *r)
{
    struct held *held = &r->api->held;
    pthread_mutex_lock(&held->lock);
    uint64_t packets = held->packets;
    pthread_mutex_unlock(&held->lock);
    return packets;
}

enum err question_ask(struct request *r, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR])
{
    struct kept_ask q = {a, format, held_packets(r), r->now};
    struct kept_answer answer = {.out = out};
    if (r->stop && atomic_load(r->stop))
        return fault_set(&r->fault, ERR_STOPPED, "nobody waits for the answer");
    enum err e = kept_run(r->api->kept, &r->api->parts.store, &q, &answer, &r->fault);
    if (!e)
        e = out->err;
    if (!e && ret_cursor && answer.cursor[0]) {
        int len = snprintf(ret_cursor, ASK_CURSOR, "%llx~%llx~%s",
            (unsigned long long)answer.from, (unsigned long long)answer.to, answer.cursor);
        if (len >= ASK_CURSOR)
            return fault_set(&r->fault, ERR_IO, "the store's cursor is too long");
    }
    return e;
}

enum err question_rows(struct request *r, const struct ask *a, json_t **ret_rows)
{
    struct buf text;
    buf_init(&text, ROWS_MAX);
    enum err e = question_ask(r, a, FORMAT_JSON, &text, NULL);
    json_t *rows = e ? NULL : json_loadb((const char *)text.data, text.len, 0, NULL);
    buf_done(&text);
    if (e)
        return e;
    if (!json_is_array(rows)) {
        json_decref(rows);
        return fault_set(&r->fault, ERR_IO, "the store's answer is not an array");
    }
    *ret_rows = rows;
    return OK;
}

void question_put_span(struct buf *out, const struct span *span)
{
    char from[TIME_TEXT];
    char to[TIME_TEXT];
    if (span->to)
        buf_printf(out, "\"from\":\"%s\",\"to\":\"%s\"", time_format(span->from, from),
            time_format(span->to, to));
    else
        buf_str(out, "\"from\":null,\"to\":null");
}

void question_put_next(struct buf *out, const char *cursor)
{
    if (*cursor)
        buf_printf(out, "\"next\":\"%s\"", cursor);
    else
        buf_str(out, "\"next\":null");
}

void question_put_only(struct buf *out, const struct buf *rows)
{
    const char *text = rows->data ? (const char *)rows->data : "[]";
    const char *open = strchr(text, '{');
    const char *close = strrchr(text, '}');
    if (open && close && close > open)
        buf_put(out, open, (size_t)(close - open) + 1);
    else
        buf_str(out, "null");
}

enum err question_list(struct request *r, const struct ask *a, enum ask_format format)
{
    enum err e = question_ask(r, a, format, &r->reply.body, r->reply.next);
    if (e != ERR_BAD || !a->cursor[0])
        return e;
    (void)wrong_cursor(r);
    return OK;
}

static enum err page_json(struct request *r, struct ask *a, const struct span *span)
{
    struct buf *out = &r->reply.body;
    buf_str(out, "{");
    question_put_span(out, span);
    buf_str(out, ",\"rows\":");
    enum err e = OK;
    if (span->to)
        e = question_list(r, a, FORMAT_JSON);
    else
        buf_str(out, "[]");
    if (r->reply.status)
        return e;
    buf_str(out, ",");
    question_put_next(out, r->reply.next);
    buf_str(out, "}");
    return e;
}

enum err question_page(struct request *r, enum ask_what what)
{
    struct span span;
    struct ask a;
    enum err e = question_page_window(r, &span);
    if (e)
        return r->reply.status ? OK : e;
    if (what == ASK_MOVERS && !arg(r, P_FROM)->given && !arg(r, P_CURSOR)->given &&
        span.to - span.from > US_DAY)
        span.from = span.to - US_DAY; /* before all there is, there is nothing to compare */
    question_init(r, &a, what, &span);
    if (!request_wants_csv(r, P_FORMAT))
        return page_json(r, &a, &span);
    r->reply.type = "text/csv; charset=utf-8; header=present";
    if (!span.to)
        a.from = a.to = 0; /* an empty store gives the header */
    return question_list(r, &a, FORMAT_CSV);
}
