#include "screen/learn_int.h"

#include <stdlib.h>
#include <string.h>

static enum err task_check(const struct learn_task *t, struct fault *f)
{
    size_t labelled = 0;
    for (size_t i = 0; i < t->source_count; i++)
        labelled += t->sources[i].label != LEARN_UNKNOWN && !t->sources[i].held_out;
    if (t->label_count > LEARN_LABELS_MAX)
        return fault_set(
            f, ERR_RANGE, "%zu different labels; at most %d", t->label_count, LEARN_LABELS_MAX);
    if (t->source_count > LEARN_SOURCES_MAX)
        return fault_set(
            f, ERR_RANGE, "%zu sources; at most %d", t->source_count, LEARN_SOURCES_MAX);
    if (!labelled)
        return fault_set(f, ERR_RANGE, "no labelled source is among those seen");
    return OK;
}

/* As the engine would see each source when it was active last. */
static enum err samples_make(
    const struct learn_task *t, bool with_held_out, struct learn_sample **ret_samples)
{
    struct arena scratch;
    struct neighbours n;
    arena_init(&scratch, (size_t)1 << 30);
    struct learn_sample *samples = calloc(t->source_count + 1, sizeof *samples);
    enum err e = samples ? neighbours_count(t->profiles, t->now, 0, &scratch, &n) : ERR_NOMEM;
    for (size_t i = 0; !e && i < t->source_count; i++) {
        const struct learn_source *s = &t->sources[i];
        suspect_make(t->profiles, &n, s->profile, t->profiles->list[s->profile].last,
            &samples[i].suspect);
        for (unsigned k = 0; !t->options.tools && k < samples[i].suspect.thing_count; k++)
            samples[i].suspect.thing[k] = thing_without_tool(samples[i].suspect.thing[k]);
        samples[i].label = s->held_out && !with_held_out ? LEARN_UNKNOWN : s->label;
    }
    arena_done(&scratch);
    if (e)
        free(samples);
    else
        *ret_samples = samples;
    return e;
}

/* How each rule does on the sources whose label was kept back. */
static void held_out_count(
    const struct learn_task *t, const struct learn_sample *samples, struct rules *rules)
{
    for (size_t i = 0; i < t->source_count; i++) {
        const struct learn_source *s = &t->sources[i];
        if (!s->held_out || s->label == LEARN_UNKNOWN)
            continue;
        size_t n = rules_first(rules, &samples[i].suspect);
        if (n == rules->count)
            continue;
        struct rule *r = &rules->list[n];
        r->held_out++;
        r->right += strcmp(r->label, t->labels[s->label]) == 0;
    }
}

enum err learn_rules(const struct learn_task *task, struct rules *ret_rules,
    struct learn_result *ret_result, struct fault *f)
{
    struct learn_sample *samples = NULL;
    struct learn_result result = {0};
    enum err e = task_check(task, f);
    if (e)
        return e;
    result.spread = malloc((task->source_count + 1) * sizeof *result.spread);
    e = result.spread ? samples_make(task, false, &samples) : ERR_NOMEM;
    if (!e)
        e = learn_spread(samples, task->source_count, task->label_count,
            task->options.confidence, result.spread, &result.sure);
    if (!e)
        e = learn_grow(task, samples, task->source_count, result.spread, ret_rules);
    if (!e)
        held_out_count(task, samples, ret_rules);
    for (size_t i = 0; !e && i < task->source_count; i++)
        result.taken_over +=
            samples[i].label == LEARN_UNKNOWN && result.spread[i] != LEARN_UNKNOWN;
    free(samples);
    if (e) {
        free(result.spread);
        return fault_set(f, e, "rules could not be learned: %s", err_text(e));
    }
    *ret_result = result;
    return OK;
}

enum err learn_count(
    const struct learn_task *task, const struct rules *rules, size_t *ret_counts)
{
    struct learn_sample *samples;
    enum err e = samples_make(task, true, &samples);
    if (e)
        return e;
    memset(ret_counts, 0, (rules->count + 1) * sizeof *ret_counts);
    for (size_t i = 0; i < task->source_count; i++)
        ret_counts[rules_first(rules, &samples[i].suspect)]++;
    free(samples);
    return OK;
}

struct counts {
    size_t right, given, there;
};

static void score_make(
    const struct counts *c, size_t labels, size_t all, struct learn_score *ret)
{
    size_t used = 0;
    size_t right = 0;
    *ret = (struct learn_score){0};
    for (size_t i = 0; i < labels; i++) {
        double hits = (double)c[i].right;
        ret->sources[i] = c[i].there;
        ret->precision[i] = c[i].given ? hits / (double)c[i].given : 0.0;
        ret->recall[i] = c[i].there ? hits / (double)c[i].there : 0.0;
        ret->f1[i] = c[i].right ? 2.0 * hits / (double)(c[i].given + c[i].there) : 0.0;
        right += c[i].right;
        if (!c[i].there)
            continue;
        ret->macro_f1 += ret->f1[i];
        used++;
    }
    ret->macro_f1 /= used ? (double)used : 1.0;
    ret->accuracy = all ? (double)right / (double)all : 0.0;
}

enum err learn_score(const struct learn_task *task, const struct rules *rules,
    bool held_out_only, struct learn_score *ret_score)
{
    struct counts counts[LEARN_LABELS_MAX] = {{0}};
    struct learn_sample *samples;
    size_t all = 0;
    enum err e = samples_make(task, true, &samples);
    if (e)
        return e;
    for (size_t i = 0; i < task->source_count; i++) {
        const struct learn_source *s = &task->sources[i];
        if (s->label == LEARN_UNKNOWN || (held_out_only && !s->held_out))
            continue;
        all++;
        counts[s->label].there++;
        size_t n = rules_first(rules, &samples[i].suspect);
        if (n == rules->count)
            continue;
        for (size_t c = 0; c < task->label_count; c++) {
            if (strcmp(task->labels[c], rules->list[n].label) != 0)
                continue;
            counts[c].given++;
            counts[c].right += c == s->label;
        }
    }
    free(samples);
    score_make(counts, task->label_count, all, ret_score);
    return OK;
}
