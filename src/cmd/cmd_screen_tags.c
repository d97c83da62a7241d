#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ending.h"
#include "cmd/screen_data.h"
#include "cmd/stop.h"
#include "cmd/table.h"
#include "engine/screen/screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {.name = "after",
        .type = CONF_DURATION,
        .arg = "TIME",
        .min = 0,
        .max = 400 * 86400.0,
        .initial = "0s",
        .text =
            "Count only what comes so long after the first window: screening learns first."},
    {.name = "json", .type = CONF_FLAG, .text = "The table as JSON lines."},
    SCREEN_DATA_ITEMS,
    {.name = NULL},
};

/* What was seen of one label. */
struct share {
    uint64_t packets, listed, known, survey_like;
    uint64_t sources, sources_known, sources_survey_like;
};

/* One source, as far as it was seen. */
struct seen {
    uint64_t hash;
    uint16_t label;
    uint8_t tags; /* of any of its contacts */
};

struct tally_tags {
    const struct screen_data *data;
    struct share of[MARK_LABELS_MAX + 1]; /* the last: no label */
    struct seen *seen;                    /* one for each row that was counted; owned */
    size_t count, room;
};

static enum err row_take(struct tally_tags *t, const struct block *b, size_t row, uint8_t tags)
{
    const char *class = block_word_at(b, CONTACT_CLASS, row);
    const struct ip *src = &block_ip(b, CONTACT_SRC)[row];
    uint64_t packets = block_u32(b, CONTACT_PACKETS)[row];
    uint16_t label = screen_data_label(t->data, src);
    struct share *s = &t->of[label == MARK_NONE ? MARK_LABELS_MAX : label];
    bool listed = strcmp(class, "survey") == 0;
    s->packets += packets;
    s->listed += listed ? packets : 0;
    s->known += tags >> TAG_KNOWN & 1 ? packets : 0;
    s->survey_like += !listed && (tags >> TAG_SURVEY_LIKE & 1) ? packets : 0;
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 1 << 16;
        struct seen *seen = realloc(t->seen, room * sizeof *seen);
        if (!seen)
            return ERR_NOMEM;
        t->seen = seen;
        t->room = room;
    }
    t->seen[t->count++] = (struct seen){ip_hash(src), label, tags};
    return OK;
}

static int by_source(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void sources_count(struct tally_tags *t)
{
    if (t->count)
        qsort(t->seen, t->count, sizeof *t->seen, by_source);
    for (size_t from = 0, to; from < t->count; from = to) {
        unsigned tags = 0;
        for (to = from; to < t->count && t->seen[to].hash == t->seen[from].hash; to++)
            tags |= t->seen[to].tags;
        uint16_t label = t->seen[from].label;
        struct share *s = &t->of[label == MARK_NONE ? MARK_LABELS_MAX : label];
        s->sources++;
        s->sources_known += tags >> TAG_KNOWN & 1;
        s->sources_survey_like += tags >> TAG_SURVEY_LIKE & 1;
    }
}

static enum err finding_drop(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
    return OK;
}

static enum err window_take(struct tally_tags *t, struct engine_state *st,
    const struct window *w, struct arena *scratch, bool counts)
{
    struct sink sink = {.put = finding_drop};
    enum err e = engine_screen.step(st, w, scratch, &sink);
    arena_clear(scratch);
    const uint8_t *const *tags = engine_screen.tags(st).tags;
    for (size_t i = 0; !e && counts && i < w->block_count; i++)
        for (size_t row = 0; !e && row < w->blocks[i]->rows; row++)
            e = row_take(t, w->blocks[i], row, tags[i][row]);
    return e;
}

static enum err engine_open(
    const struct screen_data *data, struct engine_state **ret_state, struct fault *f)
{
    for (size_t i = 0; i < data->setup.engines.count; i++)
        if (data->setup.engines.engines[i] == &engine_screen)
            return engine_screen.open(
                ret_state, data->setup.engines.confs[i], data->setup.window, f);
    return fault_set(f, ERR_BAD, "--engines: screen is not among them");
}

static enum err windows_take(struct tally_tags *t, struct fault *f)
{
    struct engine_state *st;
    struct arena scratch;
    const struct screen_data *data = t->data;
    int64_t from = tape_start(data->tape, 0) + conf_us(data->conf, "after");
    enum err e = engine_open(data, &st, f);
    if (e)
        return e;
    arena_init(&scratch, (size_t)1 << 31);
    for (size_t i = 0; !e && i < tape_count(data->tape); i++) {
        const struct window *w;
        e = tape_read(data->tape, i, &w, f);
        if (e)
            break;
        e = window_take(t, st, w, &scratch, w->start >= from);
        if (e)
            fault_set(f, e, "screen: %s", err_text(e));
    }
    arena_done(&scratch);
    engine_screen.close(st);
    return e;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? round(1e4 * (double)part / (double)whole) / 100.0 : 0.0;
}

static void show(const struct tally_tags *t, const struct conf *conf)
{
    json_t *rows = json_array();
    for (size_t i = 0; i <= MARK_LABELS_MAX; i++) {
        const struct share *s = &t->of[i];
        if (!s->packets)
            continue;
        json_array_append_new(rows,
            json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "label",
                i < MARK_LABELS_MAX ? t->data->marks.label[i] : "(none)", "sources",
                (json_int_t)s->sources, "packets", (json_int_t)s->packets, "listed_pct",
                percent(s->listed, s->packets), "known_pct", percent(s->known, s->packets),
                "survey_like_pct", percent(s->survey_like, s->packets), "sources_known_pct",
                percent(s->sources_known, s->sources), "sources_survey_like_pct",
                percent(s->sources_survey_like, s->sources)));
    }
    table_rows(stdout, rows, conf_flag(conf, "json"));
    json_decref(rows);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    struct screen_data data = {0};
    struct tally_tags *t = calloc(1, sizeof *t);
    stop_install();
    enum err e = t ? screen_data_open(&data, conf, count, operands, &f) : ERR_NOMEM;
    if (!e) {
        t->data = &data;
        e = windows_take(t, &f);
    }
    if (!e) {
        sources_count(t);
        show(t, conf);
    }
    int status = ending("screen tags", e, &f);
    if (t)
        free(t->seen);
    free(t);
    screen_data_done(&data);
    return status;
}

const struct command cmd_screen_tags = {
    .name = "screen tags",
    .text = "Tell how much of captures screening tags, label by label.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "With labels of sources, a row for each: packets that lists name as surveys, that are\n"
        "tagged as known, that are tagged survey-like though on no list; and the sources of\n"
        "which any contact was tagged.\n"
        "\n"
        "  kizashi screen tags --set screen.rules=active.rules --labels labels.csv \\\n"
        "      --survey-list surveys.txt --after 1d --site jp-01=a.pcap\n",
};
