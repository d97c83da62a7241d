#include "cmd/commands.h"

#include "cmd/ask_args.h"
#include "cmd/holder.h"
#include "cmd/table.h"

#include <stdio.h>
#include <string.h>

static const struct conf_item stats_items[] = {
    ASK_ITEMS("20", "At most so many rows."),
    {.name = "by",
        .type = CONF_TEXT,
        .arg = "WHAT",
        .values = "site|country|tool|class|asn|port",
        .text = "For series: one line for each."},
    {.name = "measure",
        .type = CONF_TEXT,
        .arg = "WHAT",
        .initial = "packets",
        .values = "packets|sources|bytes",
        .text = "For series: what is counted."},
    {.name = "step",
        .type = CONF_DURATION,
        .arg = "DURATION",
        .min = 60,
        .max = 31536000,
        .text = "For series: length of a step; chosen to fit without it."},
    {.name = "json", .type = CONF_FLAG, .text = "Rows as JSON lines."},
    {.name = "csv", .type = CONF_FLAG, .text = "Rows as CSV."},
    {.name = NULL},
};

static const struct question {
    const char *name;
    enum ask_what what;
} questions[] = {
#define X(id, name, text) {name, id},
    ASK_LIST(X)
#undef X
};

static const struct question *question_find(const char *name)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (strcmp(questions[i].name, name) == 0 && questions[i].what != ASK_PACKETS)
            return &questions[i];
    return NULL;
}

static enum err series_options(struct ask *a, const struct conf *conf)
{
    static const char *const by[] = {"", "site", "country", "tool", "class", "asn", "port"};
    static const char *const measures[] = {"packets", "sources", "bytes"};
    const char *word = conf_text(conf, "by");
    for (size_t i = 1; word && i < sizeof by / sizeof *by; i++)
        if (strcmp(word, by[i]) == 0)
            a->by = (enum ask_by)i;
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        if (strcmp(conf_text(conf, "measure"), measures[i]) == 0)
            a->measure = (enum ask_measure)i;
    if (conf_given(conf, "step"))
        a->step = conf_us(conf, "step");
    return OK;
}

static void rows_print(const struct conf *conf, json_t *rows)
{
    if (!conf_flag(conf, "json")) {
        table_print(stdout, rows);
        if (!json_array_size(rows))
            fprintf(stderr, "kizashi stats: no rows; nothing matches, or the store is empty\n");
        return;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct buf line;
        buf_init(&line, 1 << 20);
        json_write(&line, json_array_get(rows, i));
        printf("%s\n", line.data ? (const char *)line.data : "");
        buf_done(&line);
    }
}

static enum err write_out(void *context, const void *data, size_t len)
{
    return fwrite(data, 1, len, context) == len ? OK : ERR_IO;
}

static enum err ask_and_print(const struct conf *conf, struct ask *ask, struct fault *f)
{
    struct holder *holder;
    enum err e = holder_open(&holder, conf_text(conf, "data"), HOLDER_STORE, f);
    if (e)
        return e;
    e = span_from_conf(conf, holder, &ask->from, &ask->to, f);
    if (!e)
        e = span_close(holder, ask, f);
    if (!e && conf_flag(conf, "csv"))
        e = holder_stream(holder, ask, FORMAT_CSV, write_out, stdout, f);
    else if (!e) {
        json_t *rows = NULL;
        e = holder_rows(holder, ask, &rows, f);
        if (!e)
            rows_print(conf, rows);
        json_decref(rows);
    }
    holder_close(holder);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct ask ask;
    const char *word = count ? operands[0] : "totals";
    const struct question *q = question_find(word);
    enum err e = OK;
    if (!q)
        e = fault_set(&f, ERR_NOTFOUND,
            strcmp(word, "packets") == 0
                ? "single packets are written by kizashi export%.0s"
                : "there is no question \"%.60s\"; kizashi stats --help lists them",
            word);
    else if (count > 1)
        e = fault_set(&f, ERR_BAD, "one question at a time");
    else if (conf_flag(conf, "csv") && conf_flag(conf, "json"))
        e = fault_set(&f, ERR_BAD, "--csv and --json exclude each other");
    if (!e)
        e = ask_from_conf(&ask, q->what, conf, &f);
    if (!e)
        e = series_options(&ask, conf);
    if (!e && q->what == ASK_SOURCE && (!ask.has_src || ask.src.bits != 128))
        e = fault_set(&f, ERR_BAD, "the question source needs --src with one address");
    if (!e)
        e = ask_and_print(conf, &ask, &f);
    if (!e)
        return EXIT_DONE;
    fprintf(stderr, "kizashi stats: %s\n", f.text);
    return e == ERR_BAD || e == ERR_RANGE || e == ERR_NOTFOUND ? EXIT_USAGE : EXIT_PROBLEM;
}

#define X(id, name, text) "  " name "  " text "\n"
const struct command cmd_stats = {
    .name = "stats",
    .text = "Ask what the store holds: totals, ports, movers, sources, countries, series.",
    .operands = "[QUESTION]",
    .items = stats_items,
    .run = run,
    .more = "The questions, each with the columns of its answer; totals without one:\n\n"
            "" ASK_ROWS(X) "\nExample:\n"
                           "  kizashi stats series --port 23 --by country --measure sources "
                           "--from 2026-11-01\n",
};
#undef X
