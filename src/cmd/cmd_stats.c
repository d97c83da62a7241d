#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ask_args.h"
#include "cmd/ending.h"
#include "cmd/holder.h"
#include "cmd/table.h"

#include <stdio.h>
#include <string.h>

static const struct conf_item stats_items[] = {
    ASK_ITEMS("20", "At most so many rows; for series, lines with a name, 50 at most."),
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
        .text = "For series and losses: length of a step, whole minutes; chosen to fit without "
                "it."},
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

#define NARROW "from,to,site,proto,port,country,asn,tool,class,src"
#define LISTED NARROW ",limit"

/* Which options act on a question, of those that do not act on all. Any other is refused: it
 * would be ignored unseen. */
static const char *const takes[] = {
    [ASK_SPAN] = "",
    [ASK_TOTALS] = NARROW,
    [ASK_SERIES] = LISTED ",by,measure,step",
    [ASK_PORTS] = LISTED,
    [ASK_MOVERS] = LISTED,
    [ASK_SOURCES] = LISTED,
    [ASK_SOURCE] = "from,to,site,proto,port,tool,class,src,limit",
    [ASK_COUNTRIES] = LISTED,
    [ASK_ASNS] = LISTED,
    [ASK_TOOLS] = LISTED,
    [ASK_CLASSES] = LISTED,
    [ASK_SCREENED] = LISTED,
    [ASK_TAGGED] = LISTED,
    [ASK_SITES] = "from,to,site",
    [ASK_VICTIMS] = "from,to,site,proto,port,country,asn,src,limit",
    [ASK_LOSSES] = "from,to,site,step",
};

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t word = strcspn(at, ",");
        if (word == len && strncmp(at, name, len) == 0)
            return true;
        at += word;
    }
    return false;
}

/* "from,to" as "--from, --to". */
static void list_options(const char *list, char *text, size_t room)
{
    size_t used = 0;
    *text = 0;
    for (const char *at = list; *at && used < room; at += strspn(at, ",")) {
        int word = (int)strcspn(at, ",");
        used += (size_t)snprintf(
            text + used, room - used, "%s--%.*s", at == list ? "" : ", ", word, at);
        at += word;
    }
}

static enum err options_check(
    const struct question *q, const struct conf *conf, struct fault *f)
{
    char allowed[256];
    list_options(takes[q->what], allowed, sizeof allowed);
    for (const struct conf_item *item = conf_items(conf); item->name; item++) {
        if (is_listed("data,json,csv", item->name) || !conf_given(conf, item->name) ||
            is_listed(takes[q->what], item->name))
            continue;
        return fault_set(f, ERR_BAD, "--%s: does not act on the question %s%s%s", item->name,
            q->name, *allowed ? "; these do: " : ", which is about all that is stored",
            allowed);
    }
    return OK;
}

static const struct question *question_find(const char *name)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (strcmp(questions[i].name, name) == 0 && questions[i].what != ASK_PACKETS)
            return &questions[i];
    return NULL;
}

static enum err series_options(struct ask *a, const struct conf *conf, struct fault *f)
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
    if (a->step % US_MINUTE)
        return fault_set(f, ERR_RANGE, "--step: must be a whole number of minutes");
    if (a->what == ASK_SERIES && a->limit > ASK_LINES_MAX)
        return fault_set(f, ERR_RANGE, "--limit: a series has at most %d lines", ASK_LINES_MAX);
    return OK;
}

/* A share of nothing is no number: for people it is a word. */
static void name_new(json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        if (json_is_null(json_object_get(row, "ratio")))
            json_object_set_new(row, "ratio", json_string("new"));
    }
}

static void rows_print(const struct conf *conf, json_t *rows)
{
    if (!conf_flag(conf, "json")) {
        name_new(rows);
        table_print(stdout, rows);
        if (!json_array_size(rows))
            fprintf(stderr, "kizashi stats: no rows; nothing matches, or the store is empty\n");
        return;
    }
    table_rows(stdout, rows, true);
}

static enum err write_out(void *context, const void *data, size_t len)
{
    return fwrite(data, 1, len, context) == len ? OK : ERR_IO;
}

static bool has_networks(const struct ask *a)
{
    return a->what == ASK_SOURCES || a->what == ASK_ASNS || a->what == ASK_TAGGED ||
           a->what == ASK_VICTIMS || (a->what == ASK_SERIES && a->by == BY_ASN);
}

static enum err ask_and_print(const struct conf *conf, struct ask *ask, struct fault *f)
{
    struct holder *holder;
    int64_t first = 0;
    unsigned names = has_networks(ask) ? HOLDER_NAMES : 0;
    enum err e = holder_open(&holder, conf_text(conf, "data"), HOLDER_STORE | names, f);
    if (e)
        return e;
    e = span_from_conf(conf, holder, &ask->from, &ask->to, f);
    if (!e)
        e = narrow_known(holder, ask->site, ask->tool, f);
    if (!e)
        e = span_close(holder, ask, &first, f);
    if (!e && ask->what == ASK_MOVERS && first >= ask->from)
        fprintf(stderr, "kizashi stats: the store holds nothing from before the span, so every "
                        "service counts as new\n");
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
        e = options_check(q, conf, &f);
    if (!e)
        e = ask_from_conf(&ask, q->what, conf, &f);
    if (!e)
        e = series_options(&ask, conf, &f);
    if (!e && q->what == ASK_SOURCE && (!ask.has_src || ask.src.bits != 128))
        e = fault_set(&f, ERR_BAD, "--src: the question source needs it, with one address");
    if (!e)
        e = ask_and_print(conf, &ask, &f);
    return ending("stats", e, &f);
}

#define X(id, name, text) "  " name "  " text "\n"
const struct command cmd_stats = {
    .name = "stats",
    .text = "Ask what the store holds: totals, ports, movers, sources, countries, series.",
    .operands = "[QUESTION]",
    .items = stats_items,
    .run = run,
    .more =
        "The questions, each with the columns of its answer; totals without one:\n\n" ASK_ROWS(
            X) "\nAn option that does not act on a question is refused: span takes none that "
               "narrows, "
               "sites and losses take --from, --to and --site, victims neither --tool nor "
               "--class, "
               "source neither --country nor --asn. Movers are those of the last day unless "
               "--from "
               "says otherwise; ratio is new, in JSON null, where there was no source "
               "before.\n\n"
               "Numbers of sources, ports and countries are estimates with a standard error of "
               "0.8 %, most often exact below some hundreds. A source counts in each row of a "
               "list that it has contacts in: under a tool from the window on in which there "
               "was evidence enough, under none before, so rows may add up to more than there "
               "are.\n\n"
               "Example:\n"
               "  kizashi stats series --port 23 --by country --measure sources "
               "--from 2026-11-01\n",
};
#undef X
