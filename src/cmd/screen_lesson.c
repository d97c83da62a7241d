#include "cmd/screen_lesson.h"

#include "screen/feature.h"

#include <stdlib.h>
#include <string.h>

/* The tool that a signature names for most of its packets. */
static uint16_t label_by_tool(struct lesson *l, const struct profile *p)
{
    uint64_t packets[WORDS_MAX] = {0};
    unsigned most = 0; /* no tool, until one has packets */
    for (unsigned i = 0; i < p->thing_count; i++) {
        unsigned tool = thing_tool(p->thing[i].key);
        packets[tool] += p->thing[i].packets;
        if (tool && (!most || packets[tool] > packets[most]))
            most = tool;
    }
    return most ? marks_label(&l->data.marks, l->profiles.words.word[most]) : MARK_NONE;
}

/* Signatures are there or not: where they alone give labels, what has none is told from those
 * that have one, rather than left to take over the nearest. */
static uint16_t label_by_signature(struct lesson *l, const struct profile *p)
{
    const char *const *labels;
    uint16_t mark = label_by_tool(l, p);
    bool alone = conf_list(l->conf, "labels", &labels) == 0 && !conf_flag(l->conf, "labelled");
    return mark == MARK_NONE && alone ? marks_label(&l->data.marks, "unsigned") : mark;
}

static uint16_t label_number(struct lesson *l, uint16_t mark)
{
    if (mark == MARK_NONE)
        return LEARN_UNKNOWN;
    if (l->number_of[mark] == LEARN_UNKNOWN && l->task.label_count < LEARN_LABELS_MAX) {
        l->number_of[mark] = (uint16_t)l->task.label_count;
        l->names[l->task.label_count++] = l->data.marks.label[mark];
    }
    return l->number_of[mark];
}

/* Keep `most` labels of each sort, and of these a share for trying: the order of drawing is
 * that of a hash of seed and address. */
static void labels_draw(struct lesson *l, uint64_t most, double hold_out, uint64_t seed)
{
    for (size_t c = 0; c < l->task.label_count; c++) {
        for (uint64_t kept = 0; kept < most; kept++) {
            size_t best = SIZE_MAX;
            uint64_t least = UINT64_MAX;
            for (size_t i = 0; i < l->task.source_count; i++) {
                uint64_t hash = hash_two(l->profiles.list[l->sources[i].profile].hash, seed);
                if (l->truth[i] != c || l->sources[i].label != LEARN_UNKNOWN || hash >= least)
                    continue;
                best = i;
                least = hash;
            }
            if (best == SIZE_MAX)
                break;
            l->sources[best].label = (uint16_t)c;
            l->sources[best].held_out = (double)(kept % 20) < 20.0 * hold_out - 1e-9;
        }
    }
}

void lesson_draw(struct lesson *l)
{
    uint64_t seed = conf_count(l->conf, "seed");
    double hold_out = conf_number(l->conf, "hold-out");
    if (conf_given(l->conf, "per-label")) {
        labels_draw(l, conf_count(l->conf, "per-label"), hold_out, seed);
        return;
    }
    for (size_t i = 0; i < l->task.source_count; i++) {
        uint64_t hash = hash_two(l->profiles.list[l->sources[i].profile].hash, seed);
        l->sources[i].label = l->truth[i];
        l->sources[i].held_out = (double)(hash >> 40) * 0x1p-24 < hold_out;
    }
}

static bool is_wanted(const struct lesson *l, const struct profile *p)
{
    return (uint64_t)p->span[0].packets + p->span[1].packets >=
               conf_count(l->conf, "packets") &&
           p->thing_count;
}

static enum err sources_make(struct lesson *l, struct fault *f)
{
    l->sources = calloc(l->profiles.count + 1, sizeof *l->sources);
    l->truth = calloc(l->profiles.count + 1, sizeof *l->truth);
    if (!l->sources || !l->truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memset(l->number_of, 0xff, sizeof l->number_of);
    for (size_t i = 0; i < l->profiles.count; i++) {
        const struct profile *p = &l->profiles.list[i];
        if (!is_wanted(l, p))
            continue;
        uint16_t mark = screen_data_label(&l->data, &p->ip);
        if (mark == MARK_NONE && conf_flag(l->conf, "from-fingerprints"))
            mark = label_by_signature(l, p);
        if (mark == MARK_NONE && conf_flag(l->conf, "labelled"))
            continue;
        size_t at = l->task.source_count++;
        l->truth[at] = label_number(l, mark);
        l->sources[at] = (struct learn_source){.profile = (uint32_t)i, .label = LEARN_UNKNOWN};
    }
    return OK;
}

static void features_row(
    const struct lesson *l, const struct neighbours *n, size_t number, struct buf *out)
{
    double values[FEATURE_COUNT];
    char address[IP_TEXT], text[THING_TEXT];
    uint32_t profile = l->sources[number].profile;
    const struct profile *p = &l->profiles.list[profile];
    bool labelled = l->truth[number] != LEARN_UNKNOWN;
    features_of(&l->profiles, n, profile, p->last, values);
    buf_printf(
        out, "%s,%s", ip_format(&p->ip, address), labelled ? l->names[l->truth[number]] : "");
    for (size_t f = 0; f < FEATURE_COUNT; f++)
        buf_printf(out, ",%.10g", values[f]);
    buf_str(out, ",\"");
    for (unsigned i = 0; i < p->thing_count; i++) {
        struct thing_match m = thing_match_of(p->thing[i].key, &l->profiles.words);
        buf_printf(out, "%s%s", i ? " " : "", thing_match_format(&m, text));
    }
    buf_str(out, "\"\n");
}

/* Every source as a line: address, label, numbers, things. */
static enum err features_write(struct lesson *l, struct fault *f)
{
    enum {
        CSV_MAX = 1 << 30
    };
    struct neighbours n;
    struct arena scratch;
    struct buf out;
    if (!l->features.file)
        return OK;
    buf_init(&out, CSV_MAX);
    arena_init(&scratch, CSV_MAX);
    enum err e = neighbours_count(&l->profiles, l->task.now, 0, &scratch, &n);
    buf_str(&out, "source,label");
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        buf_printf(&out, ",%s", feature_word((enum feature)i));
    buf_str(&out, ",things\n");
    for (size_t i = 0; !e && i < l->task.source_count; i++)
        features_row(l, &n, i, &out);
    e = e ? fault_set(f, e, "%s", err_text(e)) : output_write(&l->features, &out, f);
    arena_done(&scratch);
    buf_done(&out);
    return e;
}

static enum err lesson_read(struct lesson *l, size_t count, char **operands, struct fault *f)
{
    enum {
        SOURCES = 1 << 21
    };
    const struct conf *conf = l->conf;
    const char *features = conf_text(conf, "features");
    enum err e = features ? output_open(&l->features, "--features", features, f) : OK;
    if (!e)
        e = screen_data_open(&l->data, conf, count, operands, f);
    if (e)
        return e;
    if (US_HOUR % l->data.setup.window)
        return fault_set(f, ERR_RANGE, "--window: is to divide an hour");
    if (profiles_init(&l->profiles, SOURCES, l->data.setup.window))
        return fault_set(f, ERR_NOMEM, "out of memory");
    e = screen_data_profiles(&l->data, &l->profiles, &l->task.now, f);
    if (!e)
        e = sources_make(l, f);
    if (!e)
        e = features_write(l, f);
    l->task.profiles = &l->profiles;
    l->task.sources = l->sources;
    l->task.labels = l->names;
    l->task.options = (struct learn_options){.confidence = conf_number(conf, "confidence"),
        .conditions = 4,
        .support = 4,
        .tools = !conf_flag(conf, "from-fingerprints")};
    return e;
}

enum err lesson_close(struct lesson *l, enum err run, struct fault *f)
{
    enum err e = output_close(&l->features, run, f);
    free(l->sources);
    free(l->truth);
    profiles_done(&l->profiles);
    screen_data_done(&l->data);
    free(l);
    return e;
}

enum err lesson_open(struct lesson **ret_lesson, const struct conf *conf, size_t count,
    char **operands, struct fault *f)
{
    struct lesson *l = calloc(1, sizeof *l);
    if (!l)
        return fault_set(f, ERR_NOMEM, "out of memory");
    l->conf = conf;
    enum err e = lesson_read(l, count, operands, f);
    if (e)
        return lesson_close(l, e, f);
    *ret_lesson = l;
    return OK;
}
