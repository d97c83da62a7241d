#include "evaluate/evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err evaluation_new(struct evaluation **ret_evaluation, const struct evaluation_options *o)
{
    struct evaluation *ev = calloc(1, sizeof *ev);
    if (!ev)
        return ERR_NOMEM;
    ev->runs = calloc(EVALUATION_RUNS, sizeof *ev->runs);
    if (!ev->runs) {
        free(ev);
        return ERR_NOMEM;
    }
    ev->options = *o;
    if (ev->options.quiet == 0)
        ev->options.quiet = 6 * US_HOUR;
    *ret_evaluation = ev;
    return OK;
}

static void run_done(struct evaluation_run *r)
{
    score_done(&r->score);
    warnings_done(&r->warnings);
    for (size_t i = 0; i < BASELINE_RULES; i++) {
        score_done(&r->baseline_score[i]);
        warnings_done(&r->baseline[i]);
    }
    free(r->truth);
    r->truth = NULL;
}

void evaluation_free(struct evaluation *ev)
{
    if (!ev)
        return;
    for (size_t i = 0; i < ev->run_count; i++)
        run_done(&ev->runs[i]);
    free(ev->runs);
    summary_done(&ev->engines);
    summary_done(&ev->engines_compared);
    summary_done(&ev->null);
    summary_done(&ev->shuffled);
    for (size_t i = 0; i < ev->alone_count; i++)
        evaluation_free(ev->alone[i]);
    free(ev->planted);
    for (size_t i = 0; i < BASELINE_RULES; i++) {
        summary_done(&ev->baseline[i]);
        for (size_t k = 0; k < SUMMARY_KINDS; k++)
            free(ev->duels[i][k].lead.hours);
    }
    free(ev);
}

static enum err run_compare(
    struct evaluation *ev, struct evaluation_run *r, struct host_counts *counts)
{
    r->compared = true;
    for (size_t i = 0; i < BASELINE_RULES; i++) {
        const struct baseline_options o = {
            .rule = (enum baseline_rule)i,
            .alerts = r->warnings.count,
            .quiet = ev->options.quiet,
        };
        enum err e = baseline_make(counts, &o, &r->baseline[i], &r->threshold[i]);
        if (!e)
            e = score_run(&r->baseline_score[i], r->truth, &r->baseline[i], &ev->options.score);
        if (e)
            return e;
    }
    return OK;
}

static enum err run_duel(
    struct evaluation *ev, const struct evaluation_run *r, enum baseline_rule rule)
{
    enum err e = OK;
    for (uint32_t i = 0; !e && i < r->truth->event_count; i++) {
        const struct score_event *ours = &r->score.events[i];
        const struct score_event *theirs = &r->baseline_score[rule].events[i];
        size_t k = 0;
        while (strcmp(ev->engines_compared.kinds[k].kind, ours->event->kind) != 0)
            k++;
        struct duel *d = &ev->duels[rule][k];
        bool we = ours->raised != INT64_MAX, they = theirs->raised != INT64_MAX;
        d->both += we && they;
        d->ours += we && !they;
        d->theirs += they && !we;
        if (we && they)
            e = delays_add(&d->lead, theirs->raised - ours->raised);
    }
    return e;
}

static enum err run_sum(struct evaluation *ev, const struct evaluation_run *r)
{
    if (r->truth->event_count == 0)
        return summary_add(&ev->null, &r->score);
    enum err e = summary_add(&ev->engines, &r->score);
    if (!r->compared)
        return e;
    ev->compared++;
    if (!e)
        e = summary_add(&ev->engines_compared, &r->score);
    for (size_t i = 0; !e && i < BASELINE_RULES; i++) {
        e = summary_add(&ev->baseline[i], &r->baseline_score[i]);
        e = e ? e : run_duel(ev, r, (enum baseline_rule)i);
    }
    return e;
}

enum err evaluation_add(struct evaluation *ev, const char *name, struct truth *truth,
    struct warnings *warnings, struct host_counts *counts)
{
    if (ev->run_count == EVALUATION_RUNS) {
        free(truth);
        warnings_done(warnings);
        return ERR_FULL;
    }
    struct evaluation_run *r = &ev->runs[ev->run_count++];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->truth = truth;
    r->warnings = *warnings;
    *warnings = (struct warnings){0};
    enum err e = score_run(&r->score, r->truth, &r->warnings, &ev->options.score);
    if (!e && counts)
        e = run_compare(ev, r, counts);
    return e ? e : run_sum(ev, r);
}

enum err evaluation_add_shuffled(
    struct evaluation *ev, struct truth *truth, struct warnings *warnings)
{
    struct score s = {0};
    truth->event_count = truth->nuisance_count = 0;
    enum err e = score_run(&s, truth, warnings, &ev->options.score);
    if (!e)
        e = summary_add(&ev->shuffled, &s);
    score_done(&s);
    free(truth);
    warnings_done(warnings);
    return e;
}

struct evaluation *evaluation_alone(struct evaluation *ev, const char *engine)
{
    for (size_t i = 0; i < ev->alone_count; i++)
        if (strcmp(ev->alone[i]->name, engine) == 0)
            return ev->alone[i];
    struct evaluation *one;
    if (ev->alone_count == EVALUATION_ALONE || evaluation_new(&one, &ev->options))
        return NULL;
    snprintf(one->name, sizeof one->name, "%s", engine);
    return ev->alone[ev->alone_count++] = one;
}

struct tally summary_shown(const struct summary *s)
{
    struct tally t = {0};
    for (size_t i = 0; i < s->kind_count; i++) {
        t.hits += s->kinds[i].shown_found;
        t.of += s->kinds[i].shown;
    }
    return t;
}

struct tally summary_hidden(const struct summary *s)
{
    struct tally t = {0};
    for (size_t i = 0; i < s->kind_count; i++) {
        t.hits += s->kinds[i].found - s->kinds[i].shown_found;
        t.of += s->kinds[i].events - s->kinds[i].shown;
    }
    return t;
}

double evaluation_level(enum severity least)
{
    static const double levels[] = {[SEVERITY_INFO] = 1.0,
        [SEVERITY_NOTICE] = 0.1,
        [SEVERITY_WARNING] = 1e-3,
        [SEVERITY_CRITICAL] = 1e-10};
    return levels[least];
}

double evaluation_level_together(const struct evaluation *ev)
{
    double engines = ev->engine_count ? (double)ev->engine_count : 1.0;
    return engines * evaluation_level(ev->options.least);
}
