#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ending.h"
#include "cmd/output.h"
#include "cmd/screen_data.h"
#include "cmd/stop.h"
#include "cmd/table.h"
#include "screen/builtin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {.name = "propose",
        .type = CONF_FLAG,
        .text = "Learn rules from captures and labels, and write them for a person to read."},
    {.name = "accept",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "Take rules of this file over into those that act, which --rules names."},
    {.name = "list",
        .type = CONF_FLAG,
        .text = "Show the rules of --rules, or those built in."},
    {.name = "try",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "Try the rules of this file on captures: how many sources each fits, and with "
                "labels, how often rightly."},
    {.name = "rules",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text = "The rules that act, as screen.rules of replay and hub names them."},
    {.name = "rule",
        .type = CONF_LIST,
        .arg = "NAME",
        .text = "With --accept: this rule; without, all of the file."},
    {.name = "by",
        .type = CONF_TEXT,
        .arg = "WHO",
        .max = 190,
        .text = "With --accept: who reviewed."},
    {.name = "because",
        .type = CONF_TEXT,
        .arg = "WHY",
        .max = 190,
        .text = "With --accept: why."},
    {.name = "out",
        .type = CONF_TEXT,
        .arg = "FILE",
        .initial = "-",
        .text = "With --propose: where the rules go; - is standard output. "
                "A file that is there is not written over."},
    {.name = "known",
        .type = CONF_LIST,
        .arg = "LABEL",
        .text = "With --propose: rules for this label tag what they cover as known."},
    {.name = "survey",
        .type = CONF_LIST,
        .arg = "LABEL",
        .text = "With --propose: rules for this label tag sources as survey-like."},
    {.name = "from-fingerprints",
        .type = CONF_FLAG,
        .text =
            "Sources without a label have the tool that a signature names as one, and rules do "
            "without tools. Without --labels, sources that no signature names are "
            "\"unsigned\"."},
    {.name = "per-label",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .text =
            "With --propose: learn from so many sources of each label, drawn by --seed; the "
            "others are unlabelled, and tell how good the rules are."},
    {.name = "labelled",
        .type = CONF_FLAG,
        .text = "Leave out sources of which no label is known."},
    {.name = "seed",
        .type = CONF_COUNT,
        .arg = "S",
        .initial = "1",
        .text = "For --per-label."},
    {.name = "hold-out",
        .type = CONF_NUMBER,
        .arg = "SHARE",
        .min = 0,
        .max = 0.9,
        .initial = "0.25",
        .text = "With --propose: this share of the labels is kept back to try the rules on."},
    {.name = "confidence",
        .type = CONF_NUMBER,
        .arg = "X",
        .min = 0.5,
        .max = 0.999,
        .initial = "0.95",
        .text = "With --propose: of labels that unlabelled sources take over, and of rules on "
                "what they were learned from."},
    {.name = "packets",
        .type = CONF_COUNT,
        .arg = "N",
        .min = 1,
        .max = 1e6,
        .initial = "1",
        .text = "Sources with fewer packets are left out."},
    {.name = "features",
        .type = CONF_TEXT,
        .arg = "FILE",
        .text =
            "With --propose and --try: write what is known of every source as CSV, for other "
            "programs to learn from. A file that is there is not written over."},
    {.name = "json", .type = CONF_FLAG, .text = "Tables as JSON lines."},
    SCREEN_DATA_ITEMS,
    {.name = NULL},
};

static void rows_show(const struct conf *conf, FILE *out, json_t *rows)
{
    table_rows(out, rows, conf_flag(conf, "json"));
    json_decref(rows);
}

/* --- list --------------------------------------------------------------------------------- */

static json_t *rule_row(const struct rule *r)
{
    struct buf when;
    char time[TIME_TEXT] = "";
    char held[48] = "";
    buf_init(&when, 1 << 16);
    for (unsigned i = 0; i < r->condition_count; i++) {
        buf_str(&when, i ? "; " : "");
        buf_str(&when, r->condition[i].must_not ? "not " : "");
        condition_write(&r->condition[i], &when);
    }
    if (r->held_out)
        snprintf(held, sizeof held, "%u of %u", r->right, r->held_out);
    if (r->accepted)
        time_format(r->accepted, time);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "rule", r->name,
        "label", r->label, "tag", r->tag < TAG_COUNT ? tag_name(r->tag) : "", "when",
        when.data ? (const char *)when.data : "", "support", (json_int_t)r->support, "held_out",
        held, "accepted", time, "by", json_text(r->who, strlen(r->who)));
    buf_done(&when);
    return row;
}

static enum err list(const struct conf *conf, struct fault *f)
{
    struct rules rules;
    const char *path = conf_text(conf, "rules");
    rules_init(&rules);
    enum err e = path ? rules_read_file(&rules, path, f) : rules_builtin(&rules, f);
    json_t *rows = json_array();
    for (size_t i = 0; !e && i < rules.count; i++)
        json_array_append_new(rows, rule_row(&rules.list[i]));
    rows_show(conf, stdout, rows);
    rules_done(&rules);
    return e;
}

/* --- accept ------------------------------------------------------------------------------- */

static bool is_chosen(const struct conf *conf, const char *name)
{
    const char *const *names;
    size_t count = conf_list(conf, "rule", &names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return !count;
}

/* A name that was mistyped would leave out a rule unseen. */
static enum err chosen_check(
    const struct conf *conf, const struct rules *proposed, const char *path, struct fault *f)
{
    const char *const *names;
    size_t count = conf_list(conf, "rule", &names);
    for (size_t i = 0; i < count; i++)
        if (!rules_find(proposed, names[i]))
            return fault_set(f, ERR_NOTFOUND, "%s: there is no rule %.63s", path, names[i]);
    return OK;
}

static enum err texts_check(const struct conf *conf, struct fault *f)
{
    static const char *const options[] = {"by", "because"};
    for (size_t i = 0; i < 2; i++) {
        const char *text = conf_text(conf, options[i]);
        for (const char *at = text ? text : ""; *at; at++)
            if ((unsigned char)*at < ' ' || *at == 0x7f)
                return fault_set(f, ERR_BAD, "--%s: a control character", options[i]);
    }
    const char *who = conf_text(conf, "by");
    return who && who[strspn(who, " ")]
               ? OK
               : fault_set(f, ERR_BAD, "--accept needs --by: who has reviewed the rules?");
}

static enum err take_over(const struct conf *conf, const struct rules *proposed,
    struct rules *active, size_t *ret_taken, struct fault *f)
{
    struct clock wall = clock_system();
    const char *why = conf_text(conf, "because");
    for (size_t i = 0; i < proposed->count; i++) {
        struct rule r = proposed->list[i];
        if (!is_chosen(conf, r.name))
            continue;
        r.accepted = clock_now(&wall);
        snprintf(r.who, sizeof r.who, "%s", conf_text(conf, "by"));
        snprintf(r.why, sizeof r.why, "%s", why ? why : "");
        enum err e = rules_add(active, &r);
        if (e)
            return fault_set(f, e, "rule %s: %s", r.name,
                e == ERR_EXISTS ? "a rule of this name acts already" : err_text(e));
        ++*ret_taken;
    }
    return OK;
}

static enum err accept(const struct conf *conf, struct fault *f)
{
    const char *from = conf_text(conf, "accept");
    const char *to = conf_text(conf, "rules");
    struct rules proposed, active;
    struct buf text;
    size_t taken = 0;
    rules_init(&proposed);
    rules_init(&active);
    buf_init(&text, RULES_FILE_MAX);
    enum err e = to ? texts_check(conf, f)
                    : fault_set(f, ERR_BAD, "--accept needs --rules FILE: the rules that act");
    if (!e)
        e = rules_read_file(&proposed, from, f);
    if (!e)
        e = rules_read_file(&active, to, f);
    if (e == ERR_NOTFOUND && proposed.count)
        e = OK; /* the first that are accepted */
    if (!e)
        e = chosen_check(conf, &proposed, from, f);
    if (!e)
        e = take_over(conf, &proposed, &active, &taken, f);
    if (!e) {
        rules_write(&active, &text);
        e = screen_file_write(to, &text, f);
    }
    if (!e)
        fprintf(stderr, "%zu rules accepted, %zu act: %s\n", taken, active.count, to);
    buf_done(&text);
    rules_done(&proposed);
    rules_done(&active);
    return e;
}

/* --- propose, try ------------------------------------------------------------------------- */

struct work {
    const struct conf *conf;
    struct screen_data data;
    struct profiles profiles;
    struct learn_source *sources; /* owned */
    uint16_t *truth; /* label by source, also of those taken as unlabelled; owned */
    const char *names[LEARN_LABELS_MAX];
    uint16_t number[MARK_LABELS_MAX + 1]; /* of a mark's label among `names` */
    struct learn_task task;
    struct output features, out; /* of --features and --out */
};

/* The tool that a signature names for most of its packets. */
static uint16_t label_by_tool(struct work *w, const struct profile *p)
{
    uint64_t packets[WORDS_MAX] = {0};
    unsigned most = 0; /* no tool, until one has packets */
    for (unsigned i = 0; i < p->thing_count; i++) {
        unsigned tool = thing_tool(p->thing[i].key);
        packets[tool] += p->thing[i].packets;
        if (tool && (!most || packets[tool] > packets[most]))
            most = tool;
    }
    return most ? marks_label(&w->data.marks, w->profiles.words.word[most]) : MARK_NONE;
}

/* Signatures are there or not: where they alone give labels, what has none is told from those
 * that have one, rather than left to take over the nearest. */
static uint16_t label_by_signature(struct work *w, const struct profile *p)
{
    const char *const *labels;
    uint16_t mark = label_by_tool(w, p);
    bool alone = conf_list(w->conf, "labels", &labels) == 0 && !conf_flag(w->conf, "labelled");
    return mark == MARK_NONE && alone ? marks_label(&w->data.marks, "unsigned") : mark;
}

static uint16_t label_number(struct work *w, uint16_t mark)
{
    if (mark == MARK_NONE)
        return LEARN_UNKNOWN;
    if (w->number[mark] == LEARN_UNKNOWN && w->task.label_count < LEARN_LABELS_MAX) {
        w->number[mark] = (uint16_t)w->task.label_count;
        w->names[w->task.label_count++] = w->data.marks.label[mark];
    }
    return w->number[mark];
}

/* Keep `most` labels of each sort, and of these a share for trying: the order of drawing is
 * that of a hash of seed and address. */
static void labels_draw(struct work *w, uint64_t most, double hold_out, uint64_t seed)
{
    for (size_t c = 0; c < w->task.label_count; c++) {
        for (uint64_t kept = 0; kept < most; kept++) {
            size_t best = SIZE_MAX;
            uint64_t least = UINT64_MAX;
            for (size_t i = 0; i < w->task.source_count; i++) {
                uint64_t hash = hash_two(w->profiles.list[w->sources[i].profile].hash, seed);
                if (w->truth[i] != c || w->sources[i].label != LEARN_UNKNOWN || hash >= least)
                    continue;
                best = i;
                least = hash;
            }
            if (best == SIZE_MAX)
                break;
            w->sources[best].label = (uint16_t)c;
            w->sources[best].held_out = (double)(kept % 20) < 20.0 * hold_out - 1e-9;
        }
    }
}

static void labels_give(struct work *w)
{
    uint64_t seed = conf_count(w->conf, "seed");
    double hold_out = conf_number(w->conf, "hold-out");
    if (conf_given(w->conf, "per-label")) {
        labels_draw(w, conf_count(w->conf, "per-label"), hold_out, seed);
        return;
    }
    for (size_t i = 0; i < w->task.source_count; i++) {
        uint64_t hash = hash_two(w->profiles.list[w->sources[i].profile].hash, seed);
        w->sources[i].label = w->truth[i];
        w->sources[i].held_out = (double)(hash >> 40) * 0x1p-24 < hold_out;
    }
}

static bool is_wanted(const struct work *w, const struct profile *p)
{
    return (uint64_t)p->span[0].packets + p->span[1].packets >=
               conf_count(w->conf, "packets") &&
           p->thing_count;
}

static enum err sources_make(struct work *w, struct fault *f)
{
    w->sources = calloc(w->profiles.count + 1, sizeof *w->sources);
    w->truth = calloc(w->profiles.count + 1, sizeof *w->truth);
    if (!w->sources || !w->truth)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memset(w->number, 0xff, sizeof w->number);
    for (size_t i = 0; i < w->profiles.count; i++) {
        const struct profile *p = &w->profiles.list[i];
        if (!is_wanted(w, p))
            continue;
        uint16_t mark = screen_data_label(&w->data, &p->ip);
        if (mark == MARK_NONE && conf_flag(w->conf, "from-fingerprints"))
            mark = label_by_signature(w, p);
        if (mark == MARK_NONE && conf_flag(w->conf, "labelled"))
            continue;
        size_t at = w->task.source_count++;
        w->truth[at] = label_number(w, mark);
        w->sources[at] = (struct learn_source){.profile = (uint32_t)i, .label = LEARN_UNKNOWN};
    }
    return OK;
}

static void features_row(
    const struct work *w, const struct neighbours *n, size_t number, struct buf *out)
{
    double values[FEATURE_COUNT];
    char address[IP_TEXT], text[THING_TEXT];
    uint32_t profile = w->sources[number].profile;
    const struct profile *p = &w->profiles.list[profile];
    bool labelled = w->truth[number] != LEARN_UNKNOWN;
    features_of(&w->profiles, n, profile, p->last, values);
    buf_printf(
        out, "%s,%s", ip_format(&p->ip, address), labelled ? w->names[w->truth[number]] : "");
    for (size_t f = 0; f < FEATURE_COUNT; f++)
        buf_printf(out, ",%.10g", values[f]);
    buf_str(out, ",\"");
    for (unsigned i = 0; i < p->thing_count; i++) {
        struct thing_match m = thing_match_of(p->thing[i].key, &w->profiles.words);
        buf_printf(out, "%s%s", i ? " " : "", thing_match_format(&m, text));
    }
    buf_str(out, "\"\n");
}

/* Every source as a line: address, label, numbers, things. */
static enum err features_write(struct work *w, struct fault *f)
{
    enum {
        CSV_MAX = 1 << 30
    };
    struct neighbours n;
    struct arena scratch;
    struct buf out;
    if (!w->features.file)
        return OK;
    buf_init(&out, CSV_MAX);
    arena_init(&scratch, CSV_MAX);
    enum err e = neighbours_count(&w->profiles, w->task.now, 0, &scratch, &n);
    buf_str(&out, "source,label");
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        buf_printf(&out, ",%s", feature_word((enum feature)i));
    buf_str(&out, ",things\n");
    for (size_t i = 0; !e && i < w->task.source_count; i++)
        features_row(w, &n, i, &out);
    e = e ? fault_set(f, e, "%s", err_text(e)) : output_write(&w->features, &out, f);
    arena_done(&scratch);
    buf_done(&out);
    return e;
}

static enum err work_open(
    struct work *w, const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    enum {
        SOURCES = 1 << 21
    };
    const char *features = conf_text(conf, "features");
    w->conf = conf;
    enum err e = features ? output_open(&w->features, "--features", features, f) : OK;
    if (!e)
        e = screen_data_open(&w->data, conf, count, operands, f);
    if (e)
        return e;
    if (US_HOUR % w->data.setup.window)
        return fault_set(f, ERR_RANGE, "--window: is to divide an hour");
    if (profiles_init(&w->profiles, SOURCES, w->data.setup.window))
        return fault_set(f, ERR_NOMEM, "out of memory");
    e = screen_data_profiles(&w->data, &w->profiles, &w->task.now, f);
    if (!e)
        e = sources_make(w, f);
    if (!e)
        e = features_write(w, f);
    w->task.profiles = &w->profiles;
    w->task.sources = w->sources;
    w->task.labels = w->names;
    w->task.options = (struct learn_options){.confidence = conf_number(conf, "confidence"),
        .conditions = 4,
        .support = 4,
        .tools = !conf_flag(conf, "from-fingerprints")};
    return e;
}

/* `e` is how the work went. */
static enum err work_done(struct work *w, enum err e, struct fault *f)
{
    e = output_close(&w->features, e, f);
    e = output_close(&w->out, e, f);
    free(w->sources);
    free(w->truth);
    profiles_done(&w->profiles);
    screen_data_done(&w->data);
    free(w);
    return e;
}

static bool is_listed(const struct conf *conf, const char *option, const char *label)
{
    const char *const *labels;
    size_t count = conf_list(conf, option, &labels);
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i], label) == 0)
            return true;
    return false;
}

static void rules_finish(const struct work *w, struct rules *rules)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    const char *const *labels;
    size_t count = conf_list(w->conf, "labels", &labels);
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *r = &rules->list[i];
        r->proposed = now;
        snprintf(r->from, sizeof r->from, "%.120s, %zu sources at %zu sites",
            count ? labels[0] : "signatures", w->task.source_count, w->data.list.count);
        if (is_listed(w->conf, "known", r->label))
            r->tag = TAG_KNOWN;
        else if (is_listed(w->conf, "survey", r->label))
            r->tag = TAG_SURVEY_LIKE;
    }
}

/* How the rules do on every source whose label is known, but not to the learner. */
static enum err score_show(struct work *w, const struct rules *rules, bool unseen)
{
    struct learn_score *score = calloc(1, sizeof *score);
    if (!score)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->task.source_count; i++) {
        bool used = unseen && w->sources[i].label != LEARN_UNKNOWN && !w->sources[i].held_out;
        w->sources[i].label = used ? LEARN_UNKNOWN : w->truth[i];
    }
    enum err e = learn_score(&w->task, rules, false, score);
    json_t *rows = json_array();
    for (size_t c = 0; !e && c < w->task.label_count; c++)
        if (score->sources[c])
            json_array_append_new(
                rows, json_pack("{s:s, s:I, s:f, s:f, s:f}", "label", w->names[c], "sources",
                          (json_int_t)score->sources[c], "precision",
                          round(score->precision[c] * 1e4) / 1e4, "recall",
                          round(score->recall[c] * 1e4) / 1e4, "f1",
                          round(score->f1[c] * 1e4) / 1e4));
    json_array_append_new(
        rows, json_pack("{s:s, s:n, s:n, s:n, s:f}", "label", "(mean)", "sources", "precision",
                  "recall", "f1", round(score->macro_f1 * 1e4) / 1e4));
    rows_show(w->conf, stderr, rows);
    free(score);
    return e;
}

static enum err rules_out(struct work *w, const struct rules *rules, struct fault *f)
{
    struct buf text;
    buf_init(&text, RULES_FILE_MAX);
    rules_write(rules, &text);
    enum err e = output_write(&w->out, &text, f);
    buf_done(&text);
    return e;
}

static enum err propose(const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    struct work *w = calloc(1, sizeof *w);
    struct rules rules;
    struct learn_result result = {0};
    rules_init(&rules);
    if (!w)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = output_open(&w->out, "--out", conf_text(conf, "out"), f);
    if (!e)
        e = work_open(w, conf, count, operands, f);
    if (!e) {
        labels_give(w);
        e = learn_rules(&w->task, &rules, &result, f);
    }
    if (!e) {
        rules_finish(w, &rules);
        fprintf(stderr,
            "%zu sources, %zu labels; %zu sources without a label took one over (sure from "
            "%.2f "
            "on); %zu rules\n",
            w->task.source_count, w->task.label_count, result.taken_over, result.sure,
            rules.count);
        e = rules_out(w, &rules, f);
    }
    if (!e && (conf_given(conf, "per-label") || conf_flag(conf, "from-fingerprints")))
        e = score_show(w, &rules, true);
    free(result.spread);
    rules_done(&rules);
    return work_done(w, e, f);
}

/* How many sources each rule fits. */
static enum err counts_show(struct work *w, const struct rules *rules)
{
    size_t *fits = calloc(rules->count + 1, sizeof *fits);
    enum err e = fits ? learn_count(&w->task, rules, fits) : ERR_NOMEM;
    json_t *rows = json_array();
    for (size_t i = 0; !e && i <= rules->count; i++)
        json_array_append_new(rows,
            json_pack("{s:s, s:s, s:I}", "rule",
                i < rules->count ? rules->list[i].name : "(none)", "label",
                i < rules->count ? rules->list[i].label : "", "sources", (json_int_t)fits[i]));
    rows_show(w->conf, stdout, rows);
    free(fits);
    return e;
}

static enum err try_rules(
    const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    struct work *w = calloc(1, sizeof *w);
    struct rules rules;
    rules_init(&rules);
    if (!w)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = rules_read_file(&rules, conf_text(conf, "try"), f);
    if (!e)
        e = work_open(w, conf, count, operands, f);
    if (!e)
        e = counts_show(w, &rules);
    if (!e && w->task.label_count)
        e = score_show(w, &rules, false);
    rules_done(&rules);
    return work_done(w, e, f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    enum err e;
    int asked = conf_flag(conf, "propose") + conf_flag(conf, "list") +
                (conf_text(conf, "accept") != NULL) + (conf_text(conf, "try") != NULL);
    stop_install();
    if (asked != 1)
        e = fault_set(&f, ERR_BAD, "say one of --propose, --accept FILE, --list, --try FILE");
    else if (conf_flag(conf, "list"))
        e = list(conf, &f);
    else if (conf_text(conf, "accept"))
        e = accept(conf, &f);
    else if (conf_flag(conf, "propose"))
        e = propose(conf, count, operands, &f);
    else
        e = try_rules(conf, count, operands, &f);
    return ending("screen rules", e, &f);
}

const struct command cmd_screen_rules = {
    .name = "screen rules",
    .text = "Learn screening rules from few labels, review them, try them.",
    .operands = "[FILE...]",
    .items = items,
    .run = run,
    .more =
        "From captures, labels of some sources and many sources without, --propose learns an\n"
        "ordered list of rules that a person can read, each with the sources that it was "
        "learned\n"
        "from and how it did on labels that were kept back. Nothing acts by that: --accept "
        "moves\n"
        "the rules that a person finds right into the file that screen.rules names, with who,\n"
        "when and why.\n"
        "\n"
        "  kizashi screen rules --propose --labels labels.csv --known hajime --out new.rules "
        "\\\n"
        "      --site jp-01=a.pcap\n"
        "  kizashi screen rules --list --rules new.rules\n"
        "  kizashi screen rules --try new.rules --labels other.csv --site kr-01=b.pcap\n"
        "  kizashi screen rules --accept new.rules --rule hajime-1 --rules active.rules \\\n"
        "      --by yk --because \"seen since May\"\n"
        "  kizashi replay --set screen.rules=active.rules --site jp-01=c.pcap --alerts -\n",
};
