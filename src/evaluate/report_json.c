#include "evaluate/evaluation.h"
#include "evaluate/interval.h"
#include "evaluate/verdict.h"

#include <math.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 10000.0) / 10000.0) : json_null();
}

static json_t *time_or_null(int64_t us)
{
    return us == INT64_MAX ? json_null() : json_time(us);
}

static json_t *share_json(uint64_t hits, uint64_t of)
{
    struct interval ci = interval_share(hits, of);
    return json_pack("{s:I, s:I, s:o, s:o, s:o}", "hits", (json_int_t)hits, "of",
        (json_int_t)of, "share", number(of ? (double)hits / (double)of : NAN), "low",
        number(ci.low), "high", number(ci.high));
}

static json_t *delays_json(struct delays *d)
{
    return json_pack("{s:I, s:o, s:o, s:o}", "count", (json_int_t)d->count, "median_h",
        number(delays_quantile(d, 0.5)), "p90_h", number(delays_quantile(d, 0.9)), "max_h",
        number(delays_quantile(d, 1.0)));
}

static json_t *foresight_json(const struct foresight *f)
{
    json_t *bins = json_array();
    for (size_t i = 0; i < FORESIGHT_BINS; i++)
        if (f->bin[i])
            json_array_append_new(
                bins, json_pack("{s:o, s:o}", "said", number(f->chance[i] / (double)f->bin[i]),
                          "came", share_json(f->true_bin[i], f->bin[i])));
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "forecasts",
        (json_int_t)f->forecasts, "late", (json_int_t)f->late, "came",
        share_json(f->came, f->came + f->missed), "in_interval", share_json(f->inside, f->came),
        "error_median_h", number(foresight_error(f)), "ahead_median_h",
        number(foresight_ahead(f)), "chance", bins);
}

static json_t *kind_json(struct summary_kind *k)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", k->kind, "found",
        share_json(k->found, k->events), "found_of_shown", share_json(k->shown_found, k->shown),
        "delay", delays_json(&k->delay), "site_delay", delays_json(&k->site_delay),
        "early_warning", share_json(k->warned_sites, k->later_sites), "lead",
        delays_json(&k->lead), "foretold", share_json(k->foretold_sites, k->later_sites),
        "forecasts", foresight_json(&k->foresight));
}

static json_t *summary_json(struct summary *s)
{
    json_t *kinds = json_array(), *causes = json_array();
    for (size_t i = 0; i < s->kind_count; i++)
        json_array_append_new(kinds, kind_json(&s->kinds[i]));
    for (size_t i = 0; i < s->cause_count; i++)
        json_array_append_new(causes, json_pack("{s:s, s:I}", "nuisance", s->causes[i].kind,
                                          "alerts", (json_int_t)s->causes[i].alarms));
    struct interval ci = interval_count(s->false_alarms);
    double days = s->days > 0.0 ? s->days : NAN;
    struct tally shown = summary_shown(s), hidden = summary_hidden(s);
    return json_pack("{s:I, s:o, s:I, s:I, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}",
        "runs", (json_int_t)s->runs, "days", number(s->days), "alerts", (json_int_t)s->alarms,
        "false_alarms", (json_int_t)s->false_alarms, "false_alarms_a_day", "mean",
        number((double)s->false_alarms / days), "low", number(ci.low / days), "high",
        number(ci.high / days), "precision", share_json(s->alarms - s->false_alarms, s->alarms),
        "found_of_shown", share_json(shown.hits, shown.of), "found_of_hidden",
        share_json(hidden.hits, hidden.of), "kinds", kinds, "false_alarms_because_of", causes,
        "forecasts", foresight_json(&s->foresight));
}

static json_t *event_json(const struct evaluation_run *r, const struct score_event *s)
{
    json_t *sites = json_array();
    for (uint32_t i = 0; i < s->event->site_count; i++)
        json_array_append_new(sites,
            json_pack("{s:s, s:o, s:o}", "site", r->truth->sites[s->event->sites[i].site].name,
                "onset", json_time(s->event->sites[i].onset), "raised",
                time_or_null(s->site_raised[i])));
    return json_pack("{s:s, s:s, s:b, s:o, s:o, s:I, s:o}", "id", s->event->id, "kind",
        s->event->kind, "host_counts_can_show", s->event->shown, "start", json_time(s->start),
        "raised", time_or_null(s->raised), "alerts", (json_int_t)s->alerts, "sites", sites);
}

static json_t *alarm_json(const struct evaluation_run *r, const struct score_alarm *a)
{
    const char *cause = a->nuisance < 0 ? "" : r->truth->nuisances[a->nuisance].kind;
    json_t *event = a->event < 0 ? json_null() : json_string(r->truth->events[a->event].id);
    json_t *ports = json_array();
    for (uint32_t i = 0; i < a->warning->port_count; i++)
        json_array_append_new(ports, json_integer(a->warning->ports[i]));
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:I, s:o, s:s}", "id", a->warning->id, "raised",
        json_time(a->warning->raised), "severity", severity_name(a->warning->severity), "title",
        a->warning->title, "ports", ports, "sites", (json_int_t)a->warning->site_count, "event",
        event, "nuisance", cause);
}

static json_t *run_json(const struct evaluation_run *r)
{
    json_t *events = json_array(), *alerts = json_array();
    for (uint32_t i = 0; i < r->truth->event_count; i++)
        json_array_append_new(events, event_json(r, &r->score.events[i]));
    for (size_t i = 0; i < r->score.alarm_count; i++)
        json_array_append_new(alerts, alarm_json(r, &r->score.alarms[i]));
    json_t *thresholds = json_object();
    for (size_t b = 0; r->compared && b < BASELINE_RULES; b++)
        json_object_set_new(
            thresholds, baseline_name((enum baseline_rule)b), number(r->threshold[b]));
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", r->name, "command", r->truth->command,
        "events", events, "alerts", alerts, "baseline_thresholds", thresholds);
}

static json_t *duels_json(struct evaluation *ev, size_t rule)
{
    json_t *list = json_array();
    for (size_t k = 0; k < ev->engines_compared.kind_count; k++) {
        struct duel *d = &ev->duels[rule][k];
        json_array_append_new(list,
            json_pack("{s:s, s:I, s:I, s:I, s:o}", "kind", ev->engines_compared.kinds[k].kind,
                "found_by_both", (json_int_t)d->both, "only_engines", (json_int_t)d->ours,
                "only_baseline", (json_int_t)d->theirs, "lead", delays_json(&d->lead)));
    }
    return list;
}

static json_t *cell_json(
    const struct plant_result *p, const struct plant_method *m, size_t size, size_t slot)
{
    const struct plant_cell *c = &m->cells[size][slot];
    json_t *hits = json_array();
    for (size_t b = 0; !m->together && b < PLANT_BUDGETS; b++)
        json_array_append_new(hits, share_json(c->hits[b], p->options.trials));
    json_t *notices = m->engine ? share_json(c->notices, p->options.trials) : json_null();
    return json_pack("{s:I, s:I, s:o, s:o}", "hosts", (json_int_t)p->options.sizes[size],
        "slots", (json_int_t)p->options.slots[slot], "found_at_budget", hits, "found_at_notice",
        notices);
}

static json_t *planted_json(const struct plant_result *p)
{
    json_t *methods = json_array(), *budgets = json_array();
    for (size_t b = 0; b < PLANT_BUDGETS; b++)
        json_array_append_new(budgets, json_real(plant_budgets[b]));
    for (size_t m = 0; m < p->method_count; m++) {
        const struct plant_method *method = &p->methods[m];
        json_t *cells = json_array(), *thresholds = json_array();
        for (size_t b = 0; !method->together && b < PLANT_BUDGETS; b++)
            json_array_append_new(thresholds, number(method->threshold[b]));
        for (size_t i = 0; i < p->options.size_count; i++)
            for (size_t k = 0; k < p->options.slot_count; k++)
                json_array_append_new(cells, cell_json(p, method, i, k));
        json_array_append_new(methods,
            json_pack("{s:s, s:o, s:o, s:o}", "method", method->name, "thresholds", thresholds,
                "notices_a_day",
                method->engine ? number((double)method->clean_notices / p->days) : json_null(),
                "cells", cells));
    }
    return json_pack("{s:I, s:o, s:o, s:o}", "trials", (json_int_t)p->options.trials, "days",
        number(p->days), "budgets_a_day", budgets, "methods", methods);
}

/* Null if nothing was shuffled. */
static json_t *null_json(const struct summary *s, double level)
{
    static const char *const kept[] = {
        [VERDICT_YES] = "yes", [VERDICT_NO] = "no", [VERDICT_TOO_SHORT] = "too short"};
    if (!s->runs)
        return json_null();
    struct verdict v = verdict_of(s->false_alarms, s->days, level);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "level", number(level), "rate",
        number(v.rate), "low", number(v.about.low), "high", number(v.about.high), "days",
        number(s->days), "kept", kept[v.kept], "days_needed", number(v.days));
}

static json_t *alone_json(struct evaluation *ev)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ev->alone_count; i++) {
        struct evaluation *one = ev->alone[i];
        json_object_set_new(all, one->name,
            json_pack("{s:o, s:o, s:o, s:o}", "with_events", summary_json(&one->engines),
                "without_events", one->null.runs ? summary_json(&one->null) : json_null(),
                "shuffled", one->shuffled.runs ? summary_json(&one->shuffled) : json_null(),
                "null", null_json(&one->shuffled, evaluation_level(ev->options.least))));
    }
    return all;
}

json_t *report_json(struct evaluation *ev)
{
    json_t *runs = json_array(), *baselines = json_object(), *duels = json_object();
    for (size_t i = 0; i < ev->run_count; i++)
        json_array_append_new(runs, run_json(&ev->runs[i]));
    for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++) {
        const char *name = baseline_name((enum baseline_rule)b);
        json_object_set_new(baselines, name, summary_json(&ev->baseline[b]));
        json_object_set_new(duels, name, duels_json(ev, b));
    }
    json_t *null = ev->null.runs ? summary_json(&ev->null) : json_null();
    json_t *report = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o, s:o}", "what",
        "kizashi evaluation", "version", 1, "severity", severity_name(ev->options.least),
        "slack_s", number((double)ev->options.score.slack / (double)US_SECOND), "engines",
        summary_json(&ev->engines), "without_events", null, "shuffled",
        ev->shuffled.runs ? summary_json(&ev->shuffled) : json_null());
    json_object_set_new(
        report, "null", null_json(&ev->shuffled, evaluation_level_together(ev)));
    json_object_set_new(report, "baselines", baselines);
    json_object_set_new(report, "lead_over", duels);
    json_object_set_new(report, "alone", alone_json(ev));
    json_object_set_new(
        report, "planted", ev->planted ? planted_json(ev->planted) : json_null());
    json_object_set_new(report, "runs", runs);
    return report;
}
