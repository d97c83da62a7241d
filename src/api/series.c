#include "api/handler_int.h"

#include "api/question_int.h"

#include <stdlib.h>
#include <string.h>

/* A chart: the store's rows (time, key, value) turned into one array of values a line. */

enum {
    LINES_MAX = ASK_LINES_MAX + 1 /* those that are named and the rest */
};

static const char *const by_names[] = {[BY_NOTHING] = NULL,
    [BY_SITE] = "site",
    [BY_COUNTRY] = "country",
    [BY_TOOL] = "tool",
    [BY_CLASS] = "class",
    [BY_ASN] = "asn",
    [BY_PORT] = "port",
    [BY_CAUSE] = "cause"};
static const char *const measure_names[] = {
    [MEASURE_PACKETS] = "packets", [MEASURE_SOURCES] = "sources", [MEASURE_BYTES] = "bytes"};

void series_align(struct series_ask *s)
{
    if (!s->ask.step)
        s->ask.step = ask_step(&s->ask, s->span.from, s->span.to);
    s->ask.from = time_floor(s->span.from, s->ask.step);
    s->ask.to = time_floor(s->span.to - 1, s->ask.step) + s->ask.step;
}

struct line {
    const char *key; /* borrowed from the rows, as the name of the network is */
    const char *name;
    double total;
    double *values;
};

struct chart {
    struct line lines[LINES_MAX];
    size_t line_count;
    size_t steps;
};

static struct line *line_of(struct chart *c, const char *key)
{
    for (size_t i = 0; i < c->line_count; i++)
        if (strcmp(c->lines[i].key, key) == 0)
            return &c->lines[i];
    if (c->line_count == LINES_MAX)
        return NULL;
    struct line *line = &c->lines[c->line_count];
    line->values = calloc(c->steps, sizeof *line->values);
    if (!line->values)
        return NULL;
    line->key = key;
    c->line_count++;
    return line;
}

static enum err add_rows(struct chart *c, const struct ask *a, const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        int64_t time;
        const char *text = json_string_value(json_object_get(row, "time"));
        const char *key = json_string_value(json_object_get(row, "key"));
        if (!text || time_parse(text, &time) != OK)
            return ERR_IO;
        int64_t step = (time - a->from) / a->step;
        if (time < a->from || step >= (int64_t)c->steps)
            continue;
        struct line *line = line_of(c, key ? key : "");
        if (!line)
            return ERR_NOMEM;
        line->name = json_string_value(json_object_get(row, "as_name"));
        double value = json_number_value(json_object_get(row, "value"));
        line->values[step] += value;
        line->total += value;
    }
    return OK;
}

static int larger_first(const void *left, const void *right)
{
    const struct line *a = left;
    const struct line *b = right;
    int rest = (strcmp(a->key, "other") == 0) - (strcmp(b->key, "other") == 0);
    if (rest)
        return rest;
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return strcmp(a->key, b->key);
}

static void put_value(struct buf *out, double value)
{
    if (value >= 0 && value < 9e15 && value == (double)(int64_t)value)
        buf_printf(out, "%lld", (long long)value);
    else
        buf_printf(out, "%.6g", value);
}

static void put_text(struct buf *out, const char *text)
{
    json_t *value = json_text(text, strlen(text));
    if (!value)
        out->err = ERR_NOMEM;
    else
        json_write(out, value);
    json_decref(value);
}

static void put_chart(struct buf *out, const struct chart *c, const struct ask *a)
{
    char start[TIME_TEXT];
    struct span span = {a->from, a->to};
    buf_str(out, "{");
    question_put_span(out, &span);
    buf_printf(out, ",\"start\":\"%s\",\"step_s\":%lld,\"measure\":\"%s\",\"by\":",
        time_format(a->from, start), (long long)(a->step / US_SECOND),
        measure_names[a->measure]);
    if (by_names[a->by])
        buf_printf(out, "\"%s\"", by_names[a->by]);
    else
        buf_str(out, "null");
    buf_str(out, ",\"series\":[");
    for (size_t i = 0; i < c->line_count; i++) {
        const struct line *line = &c->lines[i];
        buf_str(out, i ? ",{\"key\":" : "{\"key\":");
        put_text(out, line->key);
        if (line->name) {
            buf_str(out, ",\"as_name\":");
            put_text(out, line->name);
        }
        buf_str(out, ",\"total\":");
        put_value(out, line->total);
        buf_str(out, ",\"values\":[");
        for (size_t k = 0; k < c->steps; k++) {
            if (k)
                buf_str(out, ",");
            put_value(out, line->values[k]);
        }
        buf_str(out, "]}");
    }
    buf_str(out, "]}");
}

static void chart_done(struct chart *c)
{
    for (size_t i = 0; i < c->line_count; i++)
        free(c->lines[i].values);
}

enum err series_put(struct request *r, struct series_ask *s, struct buf *out)
{
    struct chart chart = {.steps = (size_t)((s->ask.to - s->ask.from) / s->ask.step)};
    json_t *rows;
    enum err e = question_rows(r, &s->ask, &rows);
    if (e)
        return e;
    if (s->ask.by == BY_NOTHING && !line_of(&chart, ""))
        e = ERR_NOMEM;
    if (!e)
        e = add_rows(&chart, &s->ask, rows);
    if (!e) {
        qsort(chart.lines, chart.line_count, sizeof chart.lines[0], larger_first);
        put_chart(out, &chart, &s->ask);
    }
    chart_done(&chart);
    json_decref(rows);
    return e;
}

/* ERR_BAD: the reply holds the problem. */
static enum err series_steps(struct request *r, struct series_ask *s)
{
    s->ask.step = arg(r, P_STEP)->given ? arg(r, P_STEP)->number : 0;
    if (s->ask.step % US_MINUTE) {
        reply_problem(r, 400, "step", param_row(P_STEP)->allowed,
            "step must be a number of whole minutes");
        return ERR_BAD;
    }
    series_align(s);
    if ((s->ask.to - s->ask.from) / s->ask.step > ASK_STEPS_MAX) {
        reply_problem(r, 400, "step", "a longer step, or a shorter span",
            "the span has more than %d steps of that length", ASK_STEPS_MAX);
        return ERR_BAD;
    }
    return OK;
}

static enum err reply_series(struct request *r, enum ask_what what)
{
    struct series_ask s;
    enum err e = question_window(r, &s.span);
    if (e)
        return r->reply.status ? OK : e;
    if (!s.span.to) /* an empty store: a chart of the last day, all zero */
        s.span = (struct span){r->now - US_DAY, r->now};
    question_init(r, &s.ask, what, &s.span);
    if (what == ASK_LOSSES) {
        s.ask.by = BY_CAUSE;
    } else {
        s.ask.by = arg(r, P_BY)->given ? (enum ask_by)(arg(r, P_BY)->number + 1) : BY_NOTHING;
        s.ask.measure = (enum ask_measure)arg(r, P_MEASURE)->number;
        s.ask.limit = (size_t)arg(r, P_LINES)->number;
    }
    if (series_steps(r, &s) != OK)
        return OK;
    if (!request_wants_csv(r, P_FORMAT))
        return series_put(r, &s, &r->reply.body);
    r->reply.type = "text/csv; charset=utf-8; header=present";
    return question_ask(r, &s.ask, FORMAT_CSV, &r->reply.body, NULL);
}

enum err handle_series(struct request *r)
{
    return reply_series(r, ASK_SERIES);
}

enum err handle_losses(struct request *r)
{
    return reply_series(r, ASK_LOSSES);
}
