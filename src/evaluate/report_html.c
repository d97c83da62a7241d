#include "evaluate/evaluation.h"
#include "evaluate/interval.h"
#include "evaluate/report_html_int.h"

#include <math.h>
#include <string.h>

/* One page without any reference to the outside: its style, its charts (SVG) and its words. */

enum {
    WIDE = HTML_WIDE,
    LABEL = 170, /* where charts begin */
    ROW = 30,
    DETAILS = 12 /* runs whose time line is drawn */
};

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1d2430;--dim:#667085;"
    "--line:#e3e6ea;--a:#1f6feb;--b:#98a2b3;--c:#d9822b;--d:#8250df;--bad:#d1435b;--good:#"
    "2f9e63}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2028;--ink:#e6eaf0;"
    "--dim:#98a2b3;--line:#2c3542;--a:#5b9dff;--b:#7d8899;--c:#e9a35b;--d:#b392f0;--bad:#"
    "ef6d82;"
    "--good:#56c288}}\n"
    "body{margin:0 auto;max-width:1040px;padding:32px 20px 64px;background:var(--bg);"
    "color:var(--ink);font:15px/1.55 system-ui,sans-serif}\n"
    "h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 10px}\n"
    "p.dim,td.dim,.dim{color:var(--dim)}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px;"
    "margin:22px 0}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "padding:14px 16px}.card b{display:block;font-size:26px;font-weight:600}\n"
    "svg{display:block;width:100%;height:auto;background:var(--card);"
    "border:1px solid var(--line);border-radius:10px}\n"
    "svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .dim{fill:var(--dim)}\n"
    "svg .a{fill:var(--a)}svg .b{fill:var(--b)}svg .c{fill:var(--c)}svg .d{fill:var(--d)}svg "
    ".bad{fill:var(--bad)}"
    "svg .good{fill:var(--good)}svg .grid{stroke:var(--line)}svg .whisker{stroke:var(--ink)}\n"
    "table{border-collapse:collapse;width:100%;background:var(--card);"
    "border:1px solid var(--line);border-radius:10px}\n"
    "th,td{text-align:left;white-space:nowrap;padding:6px 10px;border-bottom:1px solid "
    "var(--line)}"
    "th{font-weight:600;color:var(--dim)}tr:last-child td{border:0}\n"
    "details{margin:10px 0}summary{cursor:pointer;padding:4px 0}\n"
    "code{font-size:12.5px;word-break:break-all}.scroll{overflow-x:auto}\n"
    ".key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin:0 5px 0 "
    "14px}\n";

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            buf_str(out, "&lt;");
        else if (*text == '&')
            buf_str(out, "&amp;");
        else if (*text == '"')
            buf_str(out, "&quot;");
        else
            buf_put(out, text, 1);
    }
}

void html_hours(struct buf *out, double h)
{
    if (isnan(h))
        buf_str(out, "&ndash;");
    else if (fabs(h) < 2.0)
        buf_printf(out, "%.0f min", h * 60.0);
    else
        buf_printf(out, "%.1f h", h);
}

void html_share(struct buf *out, uint64_t hits, uint64_t of)
{
    struct interval ci = interval_share(hits, of);
    if (of == 0)
        buf_str(out, "&ndash;");
    else
        buf_printf(out, "%llu of %llu <span class=dim>(%.0f&ndash;%.0f %%)</span>",
            (unsigned long long)hits, (unsigned long long)of, 100.0 * ci.low, 100.0 * ci.high);
}

static void put_card(struct buf *out, const char *label, double value, const char *unit,
    struct interval ci, const char *note)
{
    buf_printf(out, "<div class=card><span class=dim>%s</span>", label);
    if (isnan(value))
        buf_str(out, "<b>&ndash;</b>");
    else
        buf_printf(out, "<b>%.3g%s</b>", value, unit);
    buf_printf(out, "<span class=dim>95 %%: %.3g&ndash;%.3g%s, %s</span></div>\n", ci.low,
        ci.high, unit, note);
}

static struct interval scaled(struct interval ci, double by)
{
    return (struct interval){ci.low * by, ci.high * by};
}

static double percent(uint64_t hits, uint64_t of)
{
    return of ? 100.0 * (double)hits / (double)of : NAN;
}

static void put_cards(struct buf *out, const struct evaluation *ev)
{
    const struct summary *s = &ev->engines;
    struct tally shown = summary_shown(s);
    uint64_t right = s->alarms - s->false_alarms, later = 0, warned = 0;
    for (size_t i = 0; i < s->kind_count; i++) {
        later += s->kinds[i].later_sites;
        warned += s->kinds[i].warned_sites;
    }
    buf_str(out, "<div class=cards>\n");
    put_card(out, "Events found", percent(shown.hits, shown.of), " %",
        scaled(interval_share(shown.hits, shown.of), 100.0), "of those host counts can show");
    if (s->runs)
        put_card(out, "False alarms a day, all sites", (double)s->false_alarms / s->days, "",
            scaled(interval_count(s->false_alarms), 1.0 / s->days), "in runs with events");
    if (ev->null.runs)
        put_card(out, "False alarms a day, no events",
            (double)ev->null.false_alarms / ev->null.days, "",
            scaled(interval_count(ev->null.false_alarms), 1.0 / ev->null.days),
            "in runs where nothing happens");
    put_card(out, "Precision", percent(right, s->alarms), " %",
        scaled(interval_share(right, s->alarms), 100.0), "alerts that are about an event");
    if (later)
        put_card(out, "Early warning", percent(warned, later), " %",
            scaled(interval_share(warned, later), 100.0),
            "later sites warned before the event reached them");
    buf_str(out, "</div>\n");
}

static const struct summary_kind *same_kind(const struct summary *s, const char *kind)
{
    for (size_t i = 0; i < s->kind_count; i++)
        if (strcmp(s->kinds[i].kind, kind) == 0)
            return &s->kinds[i];
    return NULL;
}

static void put_bar(
    struct buf *out, const struct summary_kind *k, const char *class, double y, double high)
{
    if (!k || k->events == 0)
        return;
    const double wide = WIDE - LABEL - 60;
    struct interval ci = interval_share(k->found, k->events);
    double share = (double)k->found / (double)k->events;
    buf_printf(out,
        "<rect class=%s x=%d y=%.1f width=%.1f height=%.1f rx=2><title>%llu of "
        "%llu</title></rect>"
        "<line class=whisker x1=%.1f x2=%.1f y1=%.1f y2=%.1f />\n",
        class, LABEL, y, fmax(share * wide, 1.0), high, (unsigned long long)k->found,
        (unsigned long long)k->events, LABEL + ci.low * wide, LABEL + ci.high * wide,
        y + high / 2, y + high / 2);
}

static void put_found_chart(struct buf *out, const struct evaluation *ev)
{
    static const char *const classes[BASELINE_RULES] = {"b", "c", "d"};
    const struct summary *s = &ev->engines;
    size_t bars = ev->compared ? 1 + BASELINE_RULES : 1;
    double row = 12.0 + 13.0 * (double)bars, tall = 34.0 + row * (double)s->kind_count;
    buf_printf(
        out, "<svg viewBox=\"0 0 %d %.0f\" role=img aria-label=\"share found\">\n", WIDE, tall);
    for (int p = 0; p <= 4; p++) {
        double x = LABEL + p * (WIDE - LABEL - 60) / 4.0;
        buf_printf(out,
            "<line class=grid x1=%.1f x2=%.1f y1=20 y2=%.0f /><text class=dim x=%.1f y=14 "
            "text-anchor=middle>%d %%</text>\n",
            x, x, tall - 8, x, p * 25);
    }
    for (size_t i = 0; i < s->kind_count; i++) {
        double y = 28.0 + row * (double)i;
        buf_printf(out, "<text x=12 y=%.1f>%s</text>\n", y + 11.0, s->kinds[i].kind);
        put_bar(out, &s->kinds[i], "a", y, 10.0);
        for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++)
            put_bar(out, same_kind(&ev->baseline[b], s->kinds[i].kind), classes[b],
                y + 13.0 * (double)(b + 1), 10.0);
    }
    buf_str(out, "</svg>\n<p class=\"dim key\"><i style=\"background:var(--a)\"></i>kizashi");
    if (ev->compared)
        for (size_t b = 0; b < BASELINE_RULES; b++)
            buf_printf(out, "<i style=\"background:var(--%s)\"></i>%s", classes[b],
                baseline_name((enum baseline_rule)b));
    if (ev->compared)
        buf_str(out, "; the others with at most as many alerts as kizashi gave in the run; "
                     "lines: 95 % intervals");
    buf_str(out, "</p>\n");
}

static void put_delay_chart(struct buf *out, const struct summary *s)
{
    double most = 1.0;
    for (size_t i = 0; i < s->kind_count; i++)
        for (size_t d = 0; d < s->kinds[i].delay.count; d++)
            most = fmax(most, s->kinds[i].delay.hours[d]);
    double step = most > 24 ? 12 : most > 8 ? 4 : most > 3 ? 1 : 0.5;
    most = ceil(most / step) * step;
    double scale = (WIDE - LABEL - 60) / most, tall = 34.0 + ROW * (double)s->kind_count;
    buf_printf(
        out, "<svg viewBox=\"0 0 %d %.0f\" role=img aria-label=\"delay\">\n", WIDE, tall);
    int ticks = (int)(most / step + 0.5);
    for (int tick = 0; tick <= ticks; tick++) {
        double x = LABEL + tick * step * scale;
        buf_printf(out,
            "<line class=grid x1=%.1f x2=%.1f y1=20 y2=%.0f /><text class=dim x=%.1f y=14 "
            "text-anchor=middle>%g h</text>\n",
            x, x, tall - 8, x, tick * step);
    }
    for (size_t i = 0; i < s->kind_count; i++) {
        double y = 34.0 + ROW * (double)i + ROW / 2.0 - 8.0;
        buf_printf(out, "<text x=12 y=%.1f>%s</text>\n", y + 4.0, s->kinds[i].kind);
        for (size_t d = 0; d < s->kinds[i].delay.count; d++)
            buf_printf(out,
                "<circle class=a cx=%.1f cy=%.1f r=5 fill-opacity=.65><title>%.2f h</title>"
                "</circle>\n",
                LABEL + s->kinds[i].delay.hours[d] * scale, y, s->kinds[i].delay.hours[d]);
        if (s->kinds[i].delay.count == 0)
            buf_printf(
                out, "<text class=dim x=%d y=%.1f>none found</text>\n", LABEL + 8, y + 4.0);
    }
    buf_str(out,
        "</svg>\n<p class=dim>A dot an event: from its first packet at any site to the "
        "alert.</p>\n");
}

static void put_kind_table(struct buf *out, struct summary *s)
{
    buf_str(out,
        "<div class=scroll><table><tr><th>Event<th>Found<th>Delay, median<th>90 %"
        "<th>At each site, median<th>Later sites warned before<th>Lead, median</tr>\n");
    for (size_t i = 0; i < s->kind_count; i++) {
        struct summary_kind *k = &s->kinds[i];
        buf_printf(out, "<tr><td>%s%s<td>", k->kind,
            k->shown ? "" : " <span class=dim>(host counts cannot show it)</span>");
        html_share(out, k->found, k->events);
        buf_str(out, "<td>");
        html_hours(out, delays_quantile(&k->delay, 0.5));
        buf_str(out, "<td>");
        html_hours(out, delays_quantile(&k->delay, 0.9));
        buf_str(out, "<td>");
        html_hours(out, delays_quantile(&k->site_delay, 0.5));
        buf_str(out, "<td>");
        html_share(out, k->warned_sites, k->later_sites);
        buf_str(out, "<td>");
        html_hours(out, delays_quantile(&k->lead, 0.5));
        buf_str(out, "</tr>\n");
    }
    buf_str(out, "</table></div>\n");
}

static void put_false_row(struct buf *out, const char *label, const struct summary *s)
{
    struct interval ci = interval_count(s->false_alarms);
    buf_printf(out,
        "<tr><td>%s<td>%.1f<td>%llu<td>%llu<td>%.2f <span "
        "class=dim>(%.2f&ndash;%.2f)</span><td>",
        label, s->days, (unsigned long long)s->alarms, (unsigned long long)s->false_alarms,
        (double)s->false_alarms / s->days, ci.low / s->days, ci.high / s->days);
    for (size_t i = 0; i < s->cause_count; i++)
        buf_printf(out, "%s%s %llu", i ? ", " : "",
            *s->causes[i].kind ? s->causes[i].kind : "nothing known",
            (unsigned long long)s->causes[i].alarms);
    buf_str(out, "</tr>\n");
}

static void put_false_table(struct buf *out, const struct evaluation *ev)
{
    buf_str(out, "<div class=scroll><table><tr><th>Method<th>Days<th>Alerts<th>False"
                 "<th>False a day, all sites<th>Because of</tr>\n");
    if (ev->engines.runs)
        put_false_row(out, "kizashi", &ev->engines);
    if (ev->null.runs)
        put_false_row(out, "kizashi, no events", &ev->null);
    if (ev->shuffled.runs)
        put_false_row(out, "kizashi, shuffled", &ev->shuffled);
    for (size_t b = 0; ev->compared && b < BASELINE_RULES; b++)
        put_false_row(out, baseline_name((enum baseline_rule)b), &ev->baseline[b]);
    buf_str(out, "</table></div>\n");
}

static void put_duel_table(struct buf *out, struct evaluation *ev)
{
    const struct summary *s = &ev->engines_compared;
    buf_str(out, "<h2>Who was first</h2>\n<div class=scroll><table><tr><th>Event");
    for (size_t b = 0; b < BASELINE_RULES; b++)
        buf_printf(out, "<th>Lead over %s, median<th>Only kizashi<th>Only it",
            baseline_name((enum baseline_rule)b));
    buf_str(out, "</tr>\n");
    for (size_t k = 0; k < s->kind_count; k++) {
        buf_printf(out, "<tr><td>%s", s->kinds[k].kind);
        for (size_t b = 0; b < BASELINE_RULES; b++) {
            struct duel *d = &ev->duels[b][k];
            buf_str(out, "<td>");
            html_hours(out, delays_quantile(&d->lead, 0.5));
            buf_printf(out, " <span class=dim>(%llu)</span><td>%llu<td>%llu",
                (unsigned long long)d->both, (unsigned long long)d->ours,
                (unsigned long long)d->theirs);
        }
        buf_str(out, "</tr>\n");
    }
    buf_str(out, "</table></div>\n<p class=dim>In brackets: events that both found. Less than "
                 "zero: the other was first.</p>\n");
}

struct axis {
    int64_t start;
    double scale; /* pixels a microsecond */
};

static double at(const struct axis *a, int64_t ts)
{
    return LABEL + (double)(ts - a->start) * a->scale;
}

static void put_ports(struct buf *out, const struct truth_event *e)
{
    for (uint32_t i = 0; i < e->port_count; i++)
        buf_printf(out, "%s%u", i ? "+" : " ", e->ports[i]);
}

static void put_event_line(
    struct buf *out, const struct axis *a, const struct score_event *s, double y)
{
    const struct truth_event *e = s->event;
    buf_printf(out, "<text x=12 y=%.1f>%s", y + 4.0, e->kind);
    put_ports(out, e);
    buf_printf(out,
        "</text><rect class=b fill-opacity=.35 x=%.1f y=%.1f width=%.1f height=10 rx=3 />\n",
        at(a, e->start), y - 5.0, at(a, e->end) - at(a, e->start));
    for (uint32_t i = 0; i < e->site_count; i++)
        if (e->sites[i].onset > e->start)
            buf_printf(out, "<line class=whisker x1=%.1f x2=%.1f y1=%.1f y2=%.1f />\n",
                at(a, e->sites[i].onset), at(a, e->sites[i].onset), y - 5.0, y + 5.0);
    if (s->raised != INT64_MAX)
        buf_printf(out,
            "<circle class=good cx=%.1f cy=%.1f r=5><title>alert after %.1f "
            "h</title></circle>\n",
            at(a, s->raised), y, (double)(s->raised - s->start) / (double)US_HOUR);
    else
        buf_printf(out, "<text class=dim x=%.1f y=%.1f>not found</text>\n", at(a, e->end) + 6.0,
            y + 4.0);
}

static void put_false_line(
    struct buf *out, const struct axis *a, const struct evaluation_run *r, double y)
{
    buf_printf(out, "<text x=12 y=%.1f>false alarms</text>\n", y + 4.0);
    for (size_t i = 0; i < r->score.alarm_count; i++) {
        const struct score_alarm *alarm = &r->score.alarms[i];
        if (alarm->event >= 0)
            continue;
        buf_printf(out, "<circle class=bad cx=%.1f cy=%.1f r=4 fill-opacity=.8><title>",
            at(a, alarm->warning->raised), y);
        put_escaped(out, alarm->warning->title);
        if (alarm->nuisance >= 0)
            buf_printf(out, " (%s)", r->truth->nuisances[alarm->nuisance].kind);
        buf_str(out, "</title></circle>\n");
    }
}

static void put_run(struct buf *out, const struct evaluation_run *r)
{
    const struct truth *t = r->truth;
    struct axis a = {t->start, (WIDE - LABEL - 40) / (double)(t->end - t->start)};
    double tall = 40.0 + 24.0 * (t->event_count + 1);
    buf_str(out, "<details open><summary>");
    put_escaped(out, r->name);
    buf_printf(out,
        "</summary><svg viewBox=\"0 0 %d %.0f\" role=img aria-label=\"time line\">\n", WIDE,
        tall);
    int64_t step = t->end - t->start > 20 * US_DAY ? 7 * US_DAY : US_DAY;
    for (int64_t d = time_floor(t->start, US_DAY); d <= t->end; d += step) {
        char day[TIME_TEXT];
        time_format(d, day);
        if (d >= t->start)
            buf_printf(out,
                "<line class=grid x1=%.1f x2=%.1f y1=20 y2=%.0f /><text class=dim x=%.1f y=14 "
                "text-anchor=middle>%.10s</text>\n",
                at(&a, d), at(&a, d), tall - 8, at(&a, d), day);
    }
    for (uint32_t i = 0; i < t->event_count; i++)
        put_event_line(out, &a, &r->score.events[i], 38.0 + 24.0 * i);
    put_false_line(out, &a, r, 38.0 + 24.0 * t->event_count);
    buf_str(out, "</svg><p class=dim><code>");
    put_escaped(out, t->command);
    buf_str(out, "</code></p></details>\n");
}

static void put_method(struct buf *out, const struct evaluation *ev)
{
    char slack[TIME_TEXT];
    buf_printf(out,
        "<h2>How this was measured</h2><p>The captures are simulated: a model with stated "
        "events, "
        "not data. An alert is about an event if it has its protocol and one of its ports, was "
        "raised from the event's start to %s after its end, and names one of its sites if it "
        "names any. All others of severity %s and above are false alarms, also those that a "
        "nuisance in the background explains. An alert counts from when a person was first "
        "asked "
        "to look. Shares have Wilson intervals, rates exact Poisson intervals, all 95 "
        "%%.</p>\n",
        duration_format(ev->options.score.slack, slack), severity_name(ev->options.least));
    if (ev->compared)
        buf_str(out,
            "<p>Plain host counting sees the same packets without announced surveys. It alerts "
            "when the distinct hosts of a port at a site in ten minutes (host count), or their "
            "excess over the mean of the day before (host rise), reach a threshold. "
            "ChangeFinder "
            "(Yamanishi, Takeuchi, KDD 2002; order 2, r = 0.005, smoothing 10 and 5) runs over "
            "the same counts, from the second day on. In each run the threshold is the lowest "
            "that gives no more alerts than kizashi gave.</p>\n");
}

void report_html(struct evaluation *ev, struct buf *out)
{
    buf_printf(out,
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
        "content=\"width=device-width\"><title>kizashi evaluation</title>\n<style>%s</style>\n"
        "<h1>Evaluation</h1><p class=dim>%zu runs, %.4g days of several telescopes each; "
        "alerts "
        "of severity %s and above</p>\n",
        style, ev->run_count,
        (ev->engines.days + ev->null.days) / (double)(ev->run_count ? ev->run_count : 1),
        severity_name(ev->options.least));
    put_cards(out, ev);
    if (ev->engines.runs) {
        buf_str(out, "<h2>Events found</h2>\n");
        put_found_chart(out, ev);
        buf_str(out, "<h2>How long until the alert</h2>\n");
        put_delay_chart(out, &ev->engines);
        put_kind_table(out, &ev->engines);
    }
    if (ev->compared)
        put_duel_table(out, ev);
    html_forecasts(out, ev);
    buf_str(out, "<h2>False alarms</h2>\n");
    put_false_table(out, ev);
    html_null(out, ev);
    if (ev->alone_count)
        html_alone(out, ev);
    if (ev->planted)
        html_planted(out, ev->planted);
    if (ev->run_count)
        buf_str(out, "<h2>Runs</h2>\n");
    for (size_t i = 0; i < ev->run_count && i < DETAILS; i++)
        put_run(out, &ev->runs[i]);
    if (ev->run_count > DETAILS)
        buf_printf(out, "<p class=dim>%zu more runs are in the JSON report.</p>\n",
            ev->run_count - DETAILS);
    put_method(out, ev);
    buf_str(out, "</html>\n");
}
