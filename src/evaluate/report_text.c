#include "evaluate/evaluation.h"
#include "evaluate/interval.h"
#include "evaluate/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "5/5 (57-100 %)" */
static void share(uint64_t hits, uint64_t of, char text[40])
{
    struct interval ci = interval_share(hits, of);
    if (of == 0)
        snprintf(text, 40, "-");
    else
        snprintf(text, 40, "%llu/%llu (%.0f-%.0f %%)", (unsigned long long)hits,
            (unsigned long long)of, 100.0 * ci.low, 100.0 * ci.high);
}

static void hours(double h, char text[TIME_TEXT])
{
    if (isnan(h))
        snprintf(text, TIME_TEXT, "-");
    else if (fabs(h) < 2.0)
        snprintf(text, TIME_TEXT, "%.0f min", h * 60.0);
    else
        snprintf(text, TIME_TEXT, "%.1f h", h);
}

static const struct summary_kind *same_kind(const struct summary *s, const char *kind)
{
    for (size_t i = 0; i < s->kind_count; i++)
        if (strcmp(s->kinds[i].kind, kind) == 0)
            return &s->kinds[i];
    return NULL;
}

static void put_kinds(struct evaluation *ev, struct buf *out)
{
    buf_printf(out, "%-16s %-20s %-18s %-18s", "event", "found (95 %)", "delay: median",
        "delay: 90 %");
    for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++)
        buf_printf(out, " %-12s", baseline_name((enum baseline_rule)b));
    buf_str(out, "\n");
    for (size_t i = 0; i < ev->engines.kind_count; i++) {
        struct summary_kind *k = &ev->engines.kinds[i];
        char found[40], middle[TIME_TEXT], late[TIME_TEXT];
        share(k->found, k->events, found);
        hours(delays_quantile(&k->delay, 0.5), middle);
        hours(delays_quantile(&k->delay, 0.9), late);
        buf_printf(out, "%-16s %-20s %-18s %-18s", k->kind, found, middle, late);
        for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++) {
            const struct summary_kind *other = same_kind(&ev->baseline[b], k->kind);
            char text[40] = "-";
            if (other)
                snprintf(text, sizeof text, "%llu/%llu", (unsigned long long)other->found,
                    (unsigned long long)other->events);
            buf_printf(out, " %-12s", text);
        }
        buf_printf(out, "%s\n", k->shown ? "" : "  (host counts cannot show it)");
    }
}

static void put_rate(struct buf *out, const char *label, const struct summary *s)
{
    if (s->runs == 0)
        return;
    struct interval ci = interval_count(s->false_alarms);
    buf_printf(out,
        "%-16s %.2f false alarms a day (%.2f-%.2f): %llu of %llu alerts, %.1f days\n", label,
        (double)s->false_alarms / s->days, ci.low / s->days, ci.high / s->days,
        (unsigned long long)s->false_alarms, (unsigned long long)s->alarms, s->days);
    if (s->cause_count == 0)
        return;
    buf_printf(out, "%-16s", "  because of");
    for (size_t i = 0; i < s->cause_count; i++)
        buf_printf(out, "%s %s %llu", i ? "," : "",
            *s->causes[i].kind ? s->causes[i].kind : "nothing known",
            (unsigned long long)s->causes[i].alarms);
    buf_str(out, "\n");
}

enum {
    FALSE_SHOWN = 40
};

/* Each false alarm: which run, when, what it said. */
static void put_false(const struct evaluation *ev, struct buf *out)
{
    size_t all = 0;
    for (size_t i = 0; i < ev->run_count; i++) {
        const struct score *s = &ev->runs[i].score;
        for (size_t k = 0; k < s->alarm_count; k++) {
            const struct score_alarm *a = &s->alarms[k];
            char when[TIME_TEXT];
            if (a->event >= 0 || ++all > FALSE_SHOWN)
                continue;
            buf_printf(out, "%s%-16s %s %s: %s%s%s%s\n", all == 1 ? "\nfalse alarms\n" : "",
                ev->runs[i].name, time_format(a->warning->raised, when), a->warning->kind,
                a->warning->title, a->nuisance >= 0 ? " (" : "",
                a->nuisance >= 0 ? s->truth->nuisances[a->nuisance].kind : "",
                a->nuisance >= 0 ? ")" : "");
        }
    }
    if (all > FALSE_SHOWN)
        buf_printf(out, "%-16s and %zu more; --json has them all\n", "", all - FALSE_SHOWN);
}

static void put_early(struct evaluation *ev, struct buf *out)
{
    for (size_t i = 0; i < ev->engines.kind_count; i++) {
        struct summary_kind *k = &ev->engines.kinds[i];
        if (k->later_sites == 0)
            continue;
        char warned[40], lead[TIME_TEXT];
        share(k->warned_sites, k->later_sites, warned);
        hours(delays_quantile(&k->lead, 0.5), lead);
        buf_printf(out,
            "%-16s %s of the sites that it reaches later were warned before, by %s (median)\n",
            k->kind, warned, lead);
    }
}

/* "forecasts: 24/35 of the later sites were told when it comes; ..." */
static void put_foresight(const char *label, const struct foresight *f, struct buf *out)
{
    char came[40], inside[40], error[TIME_TEXT], ahead[TIME_TEXT];
    share(f->came, f->came + f->missed, came);
    share(f->inside, f->came, inside);
    hours(foresight_error(f), error);
    hours(foresight_ahead(f), ahead);
    buf_printf(out,
        "%-16s %llu forecasts, %llu of them too late; of the others came %s, said %s ahead, "
        "off by %s (medians), in the 80 %% interval %s\n",
        label, (unsigned long long)f->forecasts, (unsigned long long)f->late, came, ahead,
        error, inside);
}

static void put_forecasts(const struct summary *s, struct buf *out)
{
    if (!s->foresight.forecasts)
        return;
    buf_str(out, "\n");
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct summary_kind *k = &s->kinds[i];
        char told[40];
        if (k->later_sites) {
            share(k->foretold_sites, k->later_sites, told);
            buf_printf(
                out, "%-16s %s of the later sites had a forecast before\n", k->kind, told);
        }
        if (k->foresight.forecasts)
            put_foresight(k->kind, &k->foresight, out);
    }
    put_foresight("all forecasts", &s->foresight, out);
}

/* "ChangeFinder: 3 events found by both, first by 40 min (median), 2 only here, 0 only there"
 */
static void put_duel(struct evaluation *ev, size_t rule, struct buf *out)
{
    struct delays all = {0};
    uint64_t both = 0, ours = 0, theirs = 0;
    bool whole = true;
    for (size_t k = 0; k < ev->engines_compared.kind_count; k++) {
        const struct duel *d = &ev->duels[rule][k];
        both += d->both;
        ours += d->ours;
        theirs += d->theirs;
        for (size_t i = 0; whole && i < d->lead.count; i++)
            whole = !delays_add(&all, (int64_t)(d->lead.hours[i] * (double)US_HOUR));
    }
    char lead[TIME_TEXT];
    double middle = whole ? delays_quantile(&all, 0.5) : NAN;
    hours(fabs(middle), lead);
    buf_printf(out,
        "%-16s %llu events found by both, the engines %s by %s (median); %llu only by the "
        "engines, %llu only by it\n",
        "  lead", (unsigned long long)both, middle < 0.0 ? "later" : "first", lead,
        (unsigned long long)ours, (unsigned long long)theirs);
    free(all.hours);
}

/* One line an engine: what it finds and cries wolf over when it is alone. */
static void put_alone(struct evaluation *ev, struct buf *out)
{
    if (ev->alone_count == 0)
        return;
    buf_printf(out, "\n%-10s %-22s %-18s %-18s %-14s %-14s %s\n", "alone", "found, of shown",
        "of the others", "precision", "false a day", "no events", "shuffled");
    for (size_t i = 0; i < ev->alone_count; i++) {
        struct evaluation *one = ev->alone[i];
        struct tally shown = summary_shown(&one->engines),
                     hidden = summary_hidden(&one->engines);
        char found[40], others[40], right[40];
        share(shown.hits, shown.of, found);
        share(hidden.hits, hidden.of, others);
        share(one->engines.alarms - one->engines.false_alarms, one->engines.alarms, right);
        buf_printf(out, "%-10s %-22s %-18s %-18s", one->name, found, others, right);
        const struct summary *rates[] = {&one->engines, &one->null, &one->shuffled};
        for (size_t k = 0; k < 3; k++) {
            char rate[40] = "-";
            if (rates[k]->runs)
                snprintf(rate, sizeof rate, "%.2f (<%.2f)",
                    (double)rates[k]->false_alarms / rates[k]->days,
                    interval_count(rates[k]->false_alarms).high / rates[k]->days);
            buf_printf(out, " %-14s", rate);
        }
        buf_str(out, "\n");
    }
}

static void put_planted(const struct plant_result *p, struct buf *out)
{
    const struct plant_options *o = &p->options;
    buf_printf(out,
        "\nplanted crowds: %% of %zu trials found at %g alert a day over all sites (engines "
        "also: at "
        "notice)\n%-17s %-12s",
        o->trials, plant_budgets[1], "method", "notices/day");
    for (size_t i = 0; i < o->size_count; i++)
        for (size_t k = 0; k < o->slot_count; k++)
            buf_printf(out, " %5ux%-2u", o->sizes[i], o->slots[k]);
    buf_str(out, "\n");
    for (size_t m = 0; m < p->method_count; m++) {
        const struct plant_method *method = &p->methods[m];
        char rate[24] = "";
        if (method->engine)
            snprintf(rate, sizeof rate, "%.2f", (double)method->clean_notices / p->days);
        buf_printf(out, "%-17s %-12s", method->name, rate);
        for (size_t i = 0; i < o->size_count; i++)
            for (size_t k = 0; k < o->slot_count; k++) {
                const struct plant_cell *c = &method->cells[i][k];
                double all = (double)o->trials / 100.0;
                char cell[24];
                if (method->together)
                    snprintf(cell, sizeof cell, "/%.0f", (double)c->notices / all);
                else if (method->engine)
                    snprintf(cell, sizeof cell, "%.0f/%.0f", (double)c->hits[1] / all,
                        (double)c->notices / all);
                else
                    snprintf(cell, sizeof cell, "%.0f", (double)c->hits[1] / all);
                buf_printf(out, " %8s", cell);
            }
        buf_str(out, "\n");
    }
}

static void put_null_row(
    struct buf *out, const char *name, const struct summary *s, double level)
{
    if (!s->runs)
        return;
    struct verdict v = verdict_of(s->false_alarms, s->days, level);
    char kept[VERDICT_TEXT];
    buf_printf(out, "  %-14s %.3f a day (%.3f-%.3f), states %.2g: %s\n", name, v.rate,
        v.about.low, v.about.high, level, verdict_format(&v, kept));
}

/* What each states of windows in which nothing happens together, and whether it keeps to it. */
static void put_null(struct evaluation *ev, struct buf *out)
{
    double level = evaluation_level(ev->options.least);
    for (size_t i = 0; ev->shuffled.runs && i < ev->alone_count; i++)
        put_null_row(out, ev->alone[i]->name, &ev->alone[i]->shuffled, level);
    put_null_row(out, ev->alone_count ? "all together" : "the engines", &ev->shuffled,
        evaluation_level_together(ev));
}

void report_text(struct evaluation *ev, struct buf *out)
{
    struct tally shown = summary_shown(&ev->engines), hidden = summary_hidden(&ev->engines);
    char text[40];
    buf_printf(out, "%zu run%s; alerts of severity %s and above\n\n", ev->run_count,
        ev->run_count == 1 ? "" : "s", severity_name(ev->options.least));
    if (ev->engines.runs) {
        put_kinds(ev, out);
        share(shown.hits, shown.of, text);
        buf_printf(out, "\n%-16s %s of the events that host counts can show", "found", text);
        share(hidden.hits, hidden.of, text);
        buf_printf(out, ", %s of the others\n", text);
        uint64_t right = ev->engines.alarms - ev->engines.false_alarms;
        share(right, ev->engines.alarms, text);
        buf_printf(out, "%-16s %s of the alerts are about an event\n", "precision", text);
    }
    put_early(ev, out);
    put_rate(out, "with events", &ev->engines);
    put_rate(out, "without events", &ev->null);
    put_rate(out, "shuffled", &ev->shuffled);
    put_null(ev, out);
    for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++) {
        shown = summary_shown(&ev->baseline[b]);
        share(shown.hits, shown.of, text);
        buf_printf(out, "%-16s %s found by it, of those it can show, with as many alerts\n",
            baseline_name((enum baseline_rule)b), text);
        put_duel(ev, b, out);
        put_rate(out, "", &ev->baseline[b]);
    }
    put_forecasts(&ev->engines, out);
    if (ev->null.foresight.forecasts)
        put_foresight("without events", &ev->null.foresight, out);
    put_false(ev, out);
    put_alone(ev, out);
    if (ev->planted)
        put_planted(ev->planted, out);
}
