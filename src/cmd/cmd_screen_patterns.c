#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ending.h"
#include "cmd/output.h"
#include "cmd/screen_data.h"
#include "cmd/stop.h"
#include "cmd/table.h"
#include "screen/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {.name = "learn",
        .type = CONF_DURATION,
        .arg = "TIME",
        .min = 0,
        .max = 30 * 86400.0,
        .initial = "1d",
        .text = "Patterns seen in this time from the first window on are not new."},
    {.name = "new", .type = CONF_FLAG, .text = "Show new ones alone."},
    {.name = "sources",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .initial = "5",
        .text = "Show those with so many sources in some window."},
    {.name = "out",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "Write those shown as rules for a person to review (screen rules --accept). "
                "A file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "The table as JSON lines."},
    SCREEN_DATA_ITEMS,
    {.name = NULL},
};

/* What the book does not keep of a pattern: its largest window, by id. */
struct most {
    uint32_t *sources; /* by id; owned */
    size_t room;
};

static enum err most_note(struct most *m, const struct pattern *p)
{
    if (p->id >= m->room) {
        size_t room = 2 * ((size_t)p->id + 512);
        uint32_t *sources = realloc(m->sources, room * sizeof *sources);
        if (!sources)
            return ERR_NOMEM;
        memset(sources + m->room, 0, (room - m->room) * sizeof *sources);
        m->sources = sources;
        m->room = room;
    }
    if (p->sources > m->sources[p->id])
        m->sources[p->id] = p->sources;
    return OK;
}

struct work {
    const struct conf *conf;
    struct screen_data data;
    struct profiles profiles;
    struct pattern_book book;
    struct most most;
    struct output out;
};

static enum err windows_take(struct work *w, struct fault *f)
{
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 31);
    enum err e = OK;
    for (size_t i = 0; !e && i < tape_count(w->data.tape); i++) {
        const struct window *win;
        struct profile_rows rows;
        struct pattern_strings strings;
        e = tape_read(w->data.tape, i, &win, f);
        if (e)
            break;
        uint32_t now = (uint32_t)((win->start - tape_start(w->data.tape, 0)) / win->length) + 1;
        e = profiles_take(&w->profiles, win, now, &scratch, &rows);
        if (!e)
            e = patterns_take(&w->book, &w->profiles, &rows, now, &scratch, &strings);
        for (size_t k = 0; !e && k < w->book.count; k++)
            e = most_note(&w->most, &w->book.list[k]);
        if (e)
            fault_set(f, e, "patterns: %s", err_text(e));
        arena_clear(&scratch);
    }
    arena_done(&scratch);
    return e;
}

static int by_most(const void *a, const void *b, void *context)
{
    const struct work *w = context;
    const struct pattern *x = a;
    const struct pattern *y = b;
    uint32_t i = w->most.sources[x->id];
    uint32_t k = w->most.sources[y->id];
    if (i != k)
        return i > k ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static bool is_shown(const struct work *w, const struct pattern *p)
{
    return w->most.sources[p->id] >= conf_count(w->conf, "sources") &&
           (p->born > w->book.learn || !conf_flag(w->conf, "new"));
}

static json_t *pattern_row(const struct work *w, const struct pattern *p)
{
    struct buf things;
    char first[TIME_TEXT], last[TIME_TEXT], text[THING_TEXT];
    int64_t start = tape_start(w->data.tape, 0), length = tape_length(w->data.tape);
    buf_init(&things, 1 << 16);
    for (unsigned i = 0; i < p->key_count; i++) {
        struct thing_match m = thing_match_of(p->key[i], &w->profiles.words);
        buf_printf(&things, "%s%s", i ? " " : "", thing_match_format(&m, text));
    }
    json_t *row = json_pack("{s:I, s:s, s:I, s:s, s:s, s:s}", "id", (json_int_t)p->id, "state",
        p->born > w->book.learn ? "new" : "old", "sources", (json_int_t)w->most.sources[p->id],
        "first", time_format(start + (int64_t)(p->born - 1) * length, first), "last",
        time_format(start + (int64_t)p->last * length, last), "things",
        things.data ? (const char *)things.data : "");
    buf_done(&things);
    return row;
}

static enum err rule_add(const struct work *w, const struct pattern *p, struct rules *rules)
{
    struct clock wall = clock_system();
    struct rule r = {.tag = TAG_KNOWN,
        .support = w->most.sources[p->id],
        .proposed = clock_now(&wall),
        .condition_count = 1};
    snprintf(r.name, sizeof r.name, "pattern-%u", p->id);
    snprintf(r.label, sizeof r.label, "pattern-%u", p->id);
    snprintf(r.from, sizeof r.from, "patterns of %zu sites", w->data.list.count);
    struct condition *c = &r.condition[0];
    *c = (struct condition){.kind = CONDITION_ONLY, .feature = FEATURE_COUNT};
    for (unsigned i = 0; i < p->key_count; i++)
        c->thing[c->thing_count++] = thing_match_of(p->key[i], &w->profiles.words);
    return rules_add(rules, &r);
}

static enum err show(struct work *w, struct fault *f)
{
    struct rules rules;
    json_t *rows = json_array();
    enum err e = OK;
    rules_init(&rules);
    if (w->book.count)
        qsort_r(w->book.list, w->book.count, sizeof *w->book.list, by_most, w);
    for (size_t i = 0; i < w->book.count; i++) {
        const struct pattern *p = &w->book.list[i];
        if (!is_shown(w, p))
            continue;
        json_array_append_new(rows, pattern_row(w, p));
        if (!e && rules.count < RULES_MAX)
            e = rule_add(w, p, &rules);
    }
    table_rows(stdout, rows, conf_flag(w->conf, "json"));
    json_decref(rows);
    if (!e && w->out.file) {
        struct buf text;
        buf_init(&text, RULES_FILE_MAX);
        rules_write(&rules, &text);
        e = output_write(&w->out, &text, f);
        buf_done(&text);
    }
    rules_done(&rules);
    return e;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    enum {
        SOURCES = 1 << 20
    };
    struct fault f = {0};
    struct work w = {.conf = conf};
    stop_install();
    const char *out = conf_text(conf, "out");
    enum err e = out ? output_open(&w.out, "--out", out, &f) : OK;
    if (!e)
        e = screen_data_open(&w.data, conf, count, operands, &f);
    int64_t window = e ? 0 : w.data.setup.window;
    if (!e && (window < 10 * US_MINUTE || US_HOUR % window))
        e = fault_set(
            &f, ERR_RANGE, "--window: 10 minutes or more, and it is to divide an hour");
    if (!e && (profiles_init(&w.profiles, SOURCES, window) ||
                  patterns_init(&w.book, window, conf_us(conf, "learn"))))
        e = ERR_NOMEM;
    if (!e)
        e = windows_take(&w, &f);
    if (!e)
        e = show(&w, &f);
    e = output_close(&w.out, e, &f);
    int status = ending("screen patterns", e, &f);
    free(w.most.sources);
    patterns_done(&w.book);
    profiles_done(&w.profiles);
    screen_data_done(&w.data);
    return status;
}

const struct command cmd_screen_patterns = {
    .name = "screen patterns",
    .text = "Show what many sources of captures have in common, without labels.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "A pattern is a set of things (service, size, flags, tool) that sources send within "
        "an\n"
        "hour and several networks share. Those that a person knows can be accepted, and\n"
        "leave the view of new threats by a tag:\n"
        "\n"
        "  kizashi screen patterns --new --out new.rules --site jp-01=a.pcap\n"
        "  kizashi screen rules --accept new.rules --rule pattern-17 --rules active.rules \\\n"
        "      --by yk --because \"the university's measurement of May\"\n",
};
