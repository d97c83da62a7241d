/* A question is checked, planned (plan.c), put into SQL (questions.c), asked, and its rows are
 * written as JSON or CSV (answer.c). */
#include "store/ask_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ask_init(struct ask *a, enum ask_what what)
{
    *a = (struct ask){.what = what, .proto = -1, .port = -1, .asn = -1};
}

/* --- the step of a chart ------------------------------------------------------------------ */

enum {
    STEPS_WANTED = 500
};

/* Can the store answer from what it has by ten minutes? */
static bool by_window(const struct ask *a)
{
    return a->what == ASK_LOSSES ||
           (!a->tag[0] && (a->by == BY_NOTHING || a->by == BY_SITE || a->by == BY_CLASS) &&
               !a->country[0] && !a->tool[0] && a->proto < 0 && a->port < 0 && a->asn < 0 &&
               !a->has_src);
}

/* The shortest of these that needs no more than 500 for the span. The store has totals by ten
 * minutes, all else by the hour: shorter steps are then counted from contacts, and asked for by
 * themselves only over twelve hours, or 36 for one port, whose contacts stand together. Sources
 * are counted by the hour beyond a day, for which the store has their numbers; with tags, by
 * the hour beyond six. What is finer than contacts is counted from packets, by itself only over
 * two hours. */
int64_t ask_step(const struct ask *a, int64_t from, int64_t to)
{
    static const int64_t steps[] = {10 * US_MINUTE, 20 * US_MINUTE, 30 * US_MINUTE, US_HOUR,
        2 * US_HOUR, 3 * US_HOUR, 6 * US_HOUR, 12 * US_HOUR, US_DAY, 2 * US_DAY, 7 * US_DAY,
        14 * US_DAY, 28 * US_DAY};
    size_t last = sizeof steps / sizeof *steps - 1;
    int64_t length = to - from;
    bool hours = by_window(a) ? a->measure == MEASURE_SOURCES && length > 26 * US_HOUR
                              : length > (a->port >= 0   ? 36
                                             : a->tag[0] ? 6
                                                         : 12) *
                                             US_HOUR;
    if (length <= 2 * US_HOUR)
        return a->tag[0] ? 10 * US_MINUTE : US_MINUTE; /* packets have no tags */
    for (size_t i = 0; i < last; i++)
        if (length / steps[i] < STEPS_WANTED && (!hours || steps[i] >= US_HOUR))
            return steps[i];
    return steps[last];
}

/* --- checking ----------------------------------------------------------------------------- */

static enum err check_word(const char *what, const char *word, struct fault *f)
{
    size_t len = strnlen(word, RECORD_NAME_MAX + 1);
    if (len <= RECORD_NAME_MAX &&
        strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789._:-") == len)
        return OK;
    return fault_set(
        f, ERR_BAD, "%s \"%.63s\": a-z 0-9 . _ : - are allowed, at most 63", what, word);
}

/* Words with commas between; before each, or before none, a "-". */
static enum err check_list(const char *what, const char *classes, struct fault *f)
{
    char word[RECORD_NAME_MAX + 1];
    bool out = *classes == '-';
    const char *at = classes;
    if (!*at)
        return OK;
    for (bool more = true; more; at += more) {
        size_t len =
            strnlen(classes, RECORD_NAME_MAX + 1) > RECORD_NAME_MAX ? 0 : strcspn(at, ",");
        if (len <= out || (*at == '-') != out)
            return fault_set(f, ERR_BAD,
                "%s \"%.63s\": words with commas between; a - before all of them leaves "
                "them out",
                what, classes);
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        enum err e = check_word(what, word, f);
        if (e)
            return e;
        at += len;
        more = *at == ',';
    }
    return OK;
}

static enum err check_words(const struct ask *a, struct fault *f)
{
    enum err e = check_word("site", a->site, f);
    if (!e)
        e = check_word("tool", a->tool, f);
    if (!e)
        e = check_list("class", a->class, f);
    if (!e)
        e = check_list("tag", a->tag, f);
    if (!e)
        e = check_word("reason", a->reason, f);
    if (e)
        return e;
    for (size_t i = 0; i < sizeof a->country && a->country[0]; i++)
        if ((i < 2 && (a->country[i] < 'a' || a->country[i] > 'z')) ||
            (i == 2 && a->country[i]))
            return fault_set(f, ERR_BAD, "country: two letters a-z");
    return OK;
}

static enum err check_numbers(const struct ask *a, struct fault *f)
{
    if (a->proto < -1 || a->proto > 255)
        return fault_set(f, ERR_RANGE, "proto %d: 0 to 255", a->proto);
    if (a->port < -1 || a->port > 65535)
        return fault_set(f, ERR_RANGE, "port %d: 0 to 65535", a->port);
    if (a->asn < -1 || a->asn > UINT32_MAX)
        return fault_set(f, ERR_RANGE, "asn %" PRId64 ": 0 to 4294967295", a->asn);
    if (a->has_src && a->src.bits > 128)
        return fault_set(f, ERR_RANGE, "src: a prefix of at most 128 bits");
    if (a->limit > ASK_ROWS_MAX)
        return fault_set(f, ERR_RANGE, "limit %zu: 1 to %d", a->limit, ASK_ROWS_MAX);
    if (a->what >= ASK_COUNT || a->by > BY_CAUSE ||
        (a->by == BY_CAUSE && a->what != ASK_LOSSES) || a->measure > MEASURE_BYTES)
        return fault_set(f, ERR_RANGE, "no such question, grouping or measure");
    return OK;
}

static enum err check_times(const struct ask *a, struct fault *f)
{
    if ((a->from || a->to) && a->from >= a->to)
        return fault_set(f, ERR_RANGE, "from must be before to");
    if (a->step && (a->step < US_SECOND || a->step % US_SECOND))
        return fault_set(f, ERR_RANGE, "step: whole seconds, at least 1");
    if (a->step && (a->what == ASK_SERIES || a->what == ASK_LOSSES) && (a->from || a->to) &&
        (a->to - a->from) / a->step > ASK_STEPS_MAX)
        return fault_set(
            f, ERR_RANGE, "step: more than %d steps between from and to", ASK_STEPS_MAX);
    if (a->tag[0] && a->step % (10 * US_MINUTE))
        return fault_set(f, ERR_RANGE, "step: with tags, whole tens of minutes");
    if (a->tag[0] &&
        (a->what == ASK_PACKETS || a->what == ASK_VICTIMS || a->what == ASK_LOSSES))
        return fault_set(f, ERR_BAD, "tag: packets, attacks and losses have none");
    if (a->what == ASK_SOURCE && !a->has_src)
        return fault_set(f, ERR_BAD, "source: src, an address or prefix, is needed");
    return OK;
}

static enum err check(const struct ask *a, struct fault *f)
{
    enum err e = check_words(a, f);
    if (!e)
        e = check_numbers(a, f);
    if (!e)
        e = check_times(a, f);
    return e;
}

/* --- cursors ------------------------------------------------------------------------------ */

/* A cursor belongs to one question: "<hash>.<time>.<rows>", where rows are skipped from `time`
 * on (packets) or from the first row on (all else, time 0). */
static uint64_t ask_hash(const struct ask *a)
{
    struct buf text;
    char src[IP_TEXT] = "";
    buf_init(&text, 4096);
    if (a->has_src)
        ip_format(&a->src.ip, src);
    buf_printf(&text,
        "%d %" PRId64 " %" PRId64 " %" PRId64 " %d %d %s %s %s %s %s %s %d %d %" PRId64
        " %s/%d",
        (int)a->what, a->from, a->to, a->step, (int)a->by, (int)a->measure, a->site, a->country,
        a->tool, a->class, a->tag, a->reason, a->proto, a->port, a->asn, src,
        a->has_src ? a->src.bits : 0);
    uint64_t hash = hash_bytes(text.data, text.len, 1);
    buf_done(&text);
    return hash;
}

static enum err cursor_read(const struct ask *a, struct place *ret_place, struct fault *f)
{
    *ret_place = (struct place){0};
    if (!a->cursor[0])
        return OK;
    char *time = NULL;
    char *skip = NULL;
    char *end = NULL;
    bool fine = strnlen(a->cursor, ASK_CURSOR) < ASK_CURSOR &&
                strspn(a->cursor, "0123456789abcdef.-") == strlen(a->cursor) &&
                strtoull(a->cursor, &time, 16) == ask_hash(a) && *time == '.';
    if (fine)
        ret_place->time = strtoll(time + 1, &skip, 10);
    fine = fine && *skip == '.' && skip[1] != '-';
    if (fine)
        ret_place->skip = strtoull(skip + 1, &end, 10);
    if (!fine || *end || end == skip + 1 || ret_place->skip > CURSOR_ROWS_MAX)
        return fault_set(f, ERR_BAD, "cursor: not one that an answer to this question gave");
    return OK;
}

static void cursor_write(
    const struct ask *a, const struct place *next, char ret_cursor[ASK_CURSOR])
{
    snprintf(ret_cursor, ASK_CURSOR, "%016" PRIx64 ".%" PRId64 ".%" PRIu64, ask_hash(a),
        next->time, next->skip);
}

/* --- asking ------------------------------------------------------------------------------- */

static enum err take_lines(void *context, const char *data, size_t len)
{
    return answer_lines(context, data, len);
}

static enum err run(struct asking *q, struct answer *out)
{
    struct buf sql;
    buf_init(&sql, STORE_SQL_MAX);
    enum err e = question_sql(q, &sql);
    if (!e && sql.err)
        e = fault_set(q->fault, sql.err, "store: the question is too long");
    if (!e && sql.len)
        e = chdb_read_parts(
            q->store->chdb, (const char *)sql.data, "TabSeparated", take_lines, out, q->fault);
    if (out->more && e == ERR_STOPPED)
        e = OK; /* the page is full */
    if (out->error)
        e = fault_set(q->fault, out->error, "store: the answer cannot be handed over: %s",
            err_text(out->error));
    buf_done(&sql);
    return e;
}

/* Cuts the span to that of the packets. */
static enum err find_packets(struct asking *q)
{
    int64_t ends[2] = {INT64_MAX, INT64_MIN};
    struct buf out;
    buf_init(&out, 4096);
    enum err e = chdb_read(q->store->chdb,
        "SELECT min(ts), max(ts) FROM kz.packet HAVING count() > 0", &out, q->fault);
    if (!e && out.len && store_numbers((const char *)out.data, ends, 2))
        e = fault_set(q->fault, ERR_BAD, "store: the span of its packets cannot be read");
    q->from = ends[0] > q->from ? ends[0] : q->from;
    q->to = ends[1] < q->to ? ends[1] + 1 : q->to;
    buf_done(&out);
    return e;
}

/* A page of packets is the first of its span: it is looked for in a second, then in what comes
 * after, eight times as much each time. Most pages are full at once, and what a filter leaves
 * little of costs a few short statements more. */
static enum err run_page(struct asking *q, struct answer *out)
{
    const struct place place = q->place;
    enum err e = find_packets(q);
    const int64_t end = q->to;
    q->from = place.time > q->from ? place.time : q->from;
    for (int64_t length = US_SECOND; !e && !out->more && q->from < end; length *= 8) {
        q->to = length < end - q->from ? q->from + length : end;
        e = run(q, out);
        q->from = q->to;
        q->place.skip = 0; /* those were of the first moment */
    }
    q->place = place;
    return e;
}

/* All packets of a long span are more than can be sorted at once: they go out by slices of
 * time. */
static enum err run_slices(struct asking *q, struct answer *out)
{
    struct buf cuts;
    int64_t end = q->to;
    buf_init(&cuts, CUTS_MAX);
    enum err e = question_packets_cuts(q, &cuts);
    char *at = e || !cuts.len ? NULL : (char *)cuts.data;
    while (!e && at && *at) {
        q->to = strtoll(at, &at, 10);
        at += *at == '\n';
        e = run(q, out);
        q->from = q->to;
    }
    q->to = end;
    buf_done(&cuts);
    return e ? e : run(q, out);
}

static enum err ask(struct store *s, const struct ask *a, struct answer *out, bool paged,
    struct place *ret_next, struct fault *f)
{
    struct asking q = {.store = s, .ask = a, .fault = f};
    enum err e = check(a, f);
    if (!e)
        e = cursor_read(a, &q.place, f);
    if (!e)
        e = store_ready(s, f);
    if (e)
        return e;
    size_t limit = a->limit ? a->limit : a->what == ASK_SERIES ? SERIES_LINES : 100;
    q.limit = paged ? limit : 0;
    q.lines = limit;
    out->most = paged && a->what != ASK_SERIES && a->what != ASK_LOSSES ? limit : SIZE_MAX;
    out->columns = question_columns(a);
    out->names = s->options.names;
    pthread_rwlock_rdlock(&s->removal);
    e = view_take(s, &q.view);
    if (e)
        e = fault_set(f, e, "store: out of memory");
    else {
        question_span(&q);
        answer_begin(out);
        e = a->what != ASK_PACKETS ? run(&q, out)
            : paged                ? run_page(&q, out)
                                   : run_slices(&q, out);
        view_done(&q.view);
    }
    pthread_rwlock_unlock(&s->removal);
    if (e)
        return e;
    answer_end(out);
    *ret_next = q.place;
    answer_next(out, ret_next);
    return out->error ? fault_set(f, out->error, "store: the answer is too large") : OK;
}

enum err store_ask(struct store *s, const struct ask *a, enum ask_format format,
    struct buf *out, char ret_cursor[ASK_CURSOR], struct fault *f)
{
    struct answer answer;
    struct place next;
    answer_init(&answer, format, out, NULL, NULL);
    enum err e = ask(s, a, &answer, true, &next, f);
    if (!e && ret_cursor)
        ret_cursor[0] = 0;
    if (!e && ret_cursor && answer.more)
        cursor_write(a, &next, ret_cursor);
    return e;
}

enum err store_stream(struct store *s, const struct ask *a, enum ask_format format,
    enum err (*part)(void *context, const void *data, size_t len), void *context,
    struct fault *f)
{
    struct answer answer;
    struct place next;
    struct buf piece;
    buf_init(&piece, STREAM_PIECE_MAX);
    answer_init(&answer, format, &piece, part, context);
    enum err e = ask(s, a, &answer, false, &next, f);
    buf_done(&piece);
    return e;
}
