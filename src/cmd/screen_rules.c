#include "cmd/screen_rules.h"

#include "base/clock.h"
#include "cmd/screen_lesson.h"
#include "cmd/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_listed(const struct conf *conf, const char *option, const char *label)
{
    const char *const *labels;
    size_t count = conf_list(conf, option, &labels);
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i], label) == 0)
            return true;
    return false;
}

static void rules_finish(const struct lesson *l, struct rules *rules)
{
    struct clock wall = clock_system();
    int64_t now = clock_now(&wall);
    const char *const *labels;
    size_t count = conf_list(l->conf, "labels", &labels);
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *r = &rules->list[i];
        r->proposed = now;
        snprintf(r->from, sizeof r->from, "%.120s, %zu sources at %zu sites",
            count ? labels[0] : "signatures", l->task.source_count, l->data.list.count);
        if (is_listed(l->conf, "known", r->label))
            r->tag = TAG_KNOWN;
        else if (is_listed(l->conf, "survey", r->label))
            r->tag = TAG_SURVEY_LIKE;
    }
}

/* How the rules do on every source whose label is known, but not to the learner. */
static enum err score_show(struct lesson *l, const struct rules *rules, bool unseen)
{
    struct learn_score *score = calloc(1, sizeof *score);
    if (!score)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->task.source_count; i++) {
        bool used = unseen && l->sources[i].label != LEARN_UNKNOWN && !l->sources[i].held_out;
        l->sources[i].label = used ? LEARN_UNKNOWN : l->truth[i];
    }
    enum err e = learn_score(&l->task, rules, false, score);
    json_t *rows = json_array();
    for (size_t c = 0; !e && c < l->task.label_count; c++)
        if (score->sources[c])
            json_array_append_new(
                rows, json_pack("{s:s, s:I, s:f, s:f, s:f}", "label", l->names[c], "sources",
                          (json_int_t)score->sources[c], "precision",
                          round(score->precision[c] * 1e4) / 1e4, "recall",
                          round(score->recall[c] * 1e4) / 1e4, "f1",
                          round(score->f1[c] * 1e4) / 1e4));
    json_array_append_new(
        rows, json_pack("{s:s, s:n, s:n, s:n, s:f}", "label", "(mean)", "sources", "precision",
                  "recall", "f1", round(score->macro_f1 * 1e4) / 1e4));
    table_rows(stderr, rows, conf_flag(l->conf, "json"));
    json_decref(rows);
    free(score);
    return e;
}

static enum err rules_out(struct output *out, const struct rules *rules, struct fault *f)
{
    struct buf text;
    buf_init(&text, RULES_FILE_MAX);
    rules_write(rules, &text);
    enum err e = output_write(out, &text, f);
    buf_done(&text);
    return e;
}

/* Learn, and say how it went. */
static enum err rules_learn(struct lesson *l, struct output *out, struct fault *f)
{
    struct rules rules;
    struct learn_result result = {0};
    rules_init(&rules);
    lesson_draw(l);
    enum err e = learn_rules(&l->task, &rules, &result, f);
    if (!e) {
        rules_finish(l, &rules);
        fprintf(stderr,
            "%zu sources, %zu labels; %zu sources without a label took one over (sure from "
            "%.2f on); %zu rules\n",
            l->task.source_count, l->task.label_count, result.taken_over, result.sure,
            rules.count);
        e = rules_out(out, &rules, f);
    }
    if (!e && (conf_given(l->conf, "per-label") || conf_flag(l->conf, "from-fingerprints")))
        e = score_show(l, &rules, true);
    free(result.spread);
    rules_done(&rules);
    return e;
}

enum err screen_rules_propose(
    const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    struct lesson *l = NULL;
    struct output out;
    enum err e = output_open(&out, "--out", conf_text(conf, "out"), f);
    if (e)
        return e;
    e = lesson_open(&l, conf, count, operands, f);
    if (!e)
        e = lesson_close(l, rules_learn(l, &out, f), f);
    return output_close(&out, e, f);
}

/* How many sources each rule fits. */
static enum err counts_show(struct lesson *l, const struct rules *rules)
{
    size_t *fits = calloc(rules->count + 1, sizeof *fits);
    enum err e = fits ? learn_count(&l->task, rules, fits) : ERR_NOMEM;
    json_t *rows = json_array();
    for (size_t i = 0; !e && i <= rules->count; i++)
        json_array_append_new(rows,
            json_pack("{s:s, s:s, s:I}", "rule",
                i < rules->count ? rules->list[i].name : "(none)", "label",
                i < rules->count ? rules->list[i].label : "", "sources", (json_int_t)fits[i]));
    table_rows(stdout, rows, conf_flag(l->conf, "json"));
    json_decref(rows);
    free(fits);
    return e;
}

enum err screen_rules_try(
    const struct conf *conf, size_t count, char **operands, struct fault *f)
{
    struct lesson *l = NULL;
    struct rules rules;
    rules_init(&rules);
    enum err e = rules_read_file(&rules, conf_text(conf, "try"), f);
    if (!e)
        e = lesson_open(&l, conf, count, operands, f);
    if (!e)
        e = counts_show(l, &rules);
    if (!e && l->task.label_count)
        e = score_show(l, &rules, false);
    rules_done(&rules);
    return l ? lesson_close(l, e, f) : e;
}
