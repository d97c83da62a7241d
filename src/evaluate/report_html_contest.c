/* The part of the page that is about recorded windows: engines alone, and planted crowds. */
#include "evaluate/evaluation.h"
#include "evaluate/interval.h"
#include "evaluate/report_html_int.h"
#include "evaluate/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void html_alone(struct buf *out, struct evaluation *ev)
{
    buf_str(out,
        "<h2>Each engine alone</h2>\n<div class=scroll><table><tr><th>Engine<th>Found, "
        "of those host counts can show<th>Found, of the others<th>Precision<th>Delay, "
        "median<th>False a day<th>No events<th>Shuffled</tr>\n");
    for (size_t i = 0; i < ev->alone_count; i++) {
        struct evaluation *one = ev->alone[i];
        struct tally shown = summary_shown(&one->engines),
                     hidden = summary_hidden(&one->engines);
        struct delays all = {0};
        bool whole = true;
        for (size_t k = 0; k < one->engines.kind_count; k++)
            for (size_t d = 0; whole && d < one->engines.kinds[k].delay.count; d++)
                whole = !delays_add(
                    &all, (int64_t)(one->engines.kinds[k].delay.hours[d] * (double)US_HOUR));
        buf_printf(out, "<tr><td>%s<td>", one->name);
        html_share(out, shown.hits, shown.of);
        buf_str(out, "<td>");
        html_share(out, hidden.hits, hidden.of);
        buf_str(out, "<td>");
        html_share(out, one->engines.alarms - one->engines.false_alarms, one->engines.alarms);
        buf_str(out, "<td>");
        html_hours(out, delays_quantile(&all, 0.5));
        free(all.hours);
        const struct summary *rates[] = {&one->engines, &one->null, &one->shuffled};
        for (size_t k = 0; k < 3; k++)
            if (rates[k]->runs)
                buf_printf(out, "<td>%.2f <span class=dim>(&lt; %.2f)</span>",
                    (double)rates[k]->false_alarms / rates[k]->days,
                    interval_count(rates[k]->false_alarms).high / rates[k]->days);
            else
                buf_str(out, "<td>&ndash;");
        buf_str(out, "</tr>\n");
    }
    buf_str(out,
        "</table></div>\n<p class=dim>In brackets: 95 % intervals, of rates their upper "
        "ends. Shuffled: the windows of each source permuted, so that nothing happens "
        "together.</p>\n");
}

static void put_null_row(
    struct buf *out, const char *name, const struct summary *s, double level)
{
    if (!s->runs)
        return;
    struct verdict v = verdict_of(s->false_alarms, s->days, level);
    char kept[VERDICT_TEXT];
    verdict_format(&v, kept);
    buf_printf(out,
        "<tr><td>%s<td>%.3g<td>%llu<td>%.3g <span class=dim>(%.2g&ndash;%.2g)</span>"
        "<td>%.2g<td>%s%s%s</tr>\n",
        name, s->days, (unsigned long long)s->false_alarms, v.rate, v.about.low, v.about.high,
        level, v.kept == VERDICT_NO ? "<span class=bad>" : "", kept,
        v.kept == VERDICT_NO ? "</span>" : "");
}

void html_null(struct buf *out, const struct evaluation *ev)
{
    if (!ev->shuffled.runs)
        return;
    double level = evaluation_level(ev->options.least);
    buf_str(out, "<h2>The null</h2>\n<div class=scroll><table><tr><th>Engine<th>Days<th>Alerts"
                 "<th>A day, all sites<th>Stated level<th>Kept</tr>\n");
    for (size_t i = 0; i < ev->alone_count; i++)
        put_null_row(out, ev->alone[i]->name, &ev->alone[i]->shuffled, level);
    put_null_row(out, ev->alone_count ? "all together" : "the engines", &ev->shuffled,
        evaluation_level_together(ev));
    buf_printf(out,
        "</table></div>\n<p class=dim>Windows of each source permuted, so that nothing happens "
        "together: every alert is false. The stated level is what an alert of severity %s "
        "means "
        "by its score, for each engine; for all together their sum. In brackets: 95 %% "
        "intervals (Poisson). Kept: the interval lies at the level or below. How many days "
        "would "
        "tell is counted as if alerts went on coming as often; %.0f are needed where there is "
        "none.</p>\n",
        severity_name(ev->options.least), ceil(verdict_of(0, 1.0, level).days));
}

static const char *method_colour(size_t method)
{
    static const char *const colours[] = {"#1f6feb", "#d9822b", "#2f9e63", "#8250df", "#d1435b",
        "#0e8a9c", "#c026d3", "#98a2b3", "#65a30d", "#bf8700", "#6e40c9", "#3b7a57"};
    return colours[method % (sizeof colours / sizeof *colours)];
}

enum {
    PANEL = 300,      /* width of a small chart, and ... */
    PANEL_TALL = 190, /* ... its height, */
    PANEL_LEFT = 34   /* where its plot begins */
};

struct panel {
    double x, y; /* of its upper left corner */
    size_t points;
};

static double panel_x(const struct panel *p, size_t point)
{
    double wide = PANEL - PANEL_LEFT - 24.0;
    return p->x + PANEL_LEFT +
           (p->points > 1 ? wide * (double)point / (double)(p->points - 1) : 0);
}

static double panel_y(const struct panel *p, double share)
{
    return p->y + 26.0 + (1.0 - share) * (PANEL_TALL - 56.0);
}

/* Three panels stand in a row. */
static double row_of(size_t panel)
{
    size_t row = panel / 3;
    return (double)row;
}

static void put_panel(struct buf *out, const struct panel *p, const char *title)
{
    buf_printf(out, "<text x=%.1f y=%.1f>%s</text>\n", p->x + PANEL_LEFT, p->y + 14.0, title);
    for (int i = 0; i <= 2; i++)
        buf_printf(out,
            "<line class=grid x1=%.1f x2=%.1f y1=%.1f y2=%.1f /><text class=dim x=%.1f y=%.1f "
            "text-anchor=end>%d</text>\n",
            p->x + PANEL_LEFT, p->x + PANEL - 20, panel_y(p, i / 2.0), panel_y(p, i / 2.0),
            p->x + PANEL_LEFT - 5, panel_y(p, i / 2.0) + 4.0, i * 50);
}

static void put_tick(struct buf *out, const struct panel *p, size_t point, double value)
{
    buf_printf(out, "<text class=dim x=%.1f y=%.1f text-anchor=middle>%g</text>\n",
        panel_x(p, point), p->y + PANEL_TALL - 10.0, value);
}

/* Shares of trials, point by point, as a line with dots. */
static void put_line(struct buf *out, const struct panel *p, size_t method,
    const struct plant_method *m, const uint64_t *hits, uint64_t of)
{
    buf_printf(out, "<polyline fill=none stroke=\"%s\" stroke-width=2%s points=\"",
        method_colour(method), m->engine ? "" : " stroke-dasharray=\"5 4\"");
    for (size_t i = 0; i < p->points; i++)
        buf_printf(out, "%.1f,%.1f ", panel_x(p, i), panel_y(p, (double)hits[i] / (double)of));
    buf_str(out, "\" />\n");
    for (size_t i = 0; i < p->points; i++) {
        struct interval ci = interval_share(hits[i], of);
        buf_printf(out,
            "<circle cx=%.1f cy=%.1f r=3.5 fill=\"%s\"><title>%s: %llu of %llu (%.0f-%.0f "
            "%%)</title></circle>\n",
            panel_x(p, i), panel_y(p, (double)hits[i] / (double)of), method_colour(method),
            m->name, (unsigned long long)hits[i], (unsigned long long)of, 100.0 * ci.low,
            100.0 * ci.high);
    }
}

static void put_key(struct buf *out, const struct plant_result *p)
{
    buf_str(out, "<p class=\"dim key\">");
    for (size_t m = 0; m < p->method_count; m++)
        if (!p->methods[m].together)
            buf_printf(
                out, "<i style=\"background:%s\"></i>%s", method_colour(m), p->methods[m].name);
    buf_str(out, "</p>\n");
}

/* A panel for each number of slots: share found against hosts, at one alert a day. */
static void put_size_charts(struct buf *out, const struct plant_result *p)
{
    const struct plant_options *o = &p->options;
    size_t rows = (o->slot_count + 2) / 3;
    buf_printf(out, "<svg viewBox=\"0 0 %d %zu\" role=img aria-label=\"found by size\">\n",
        HTML_WIDE, rows * PANEL_TALL);
    for (size_t k = 0; k < o->slot_count; k++) {
        struct panel panel = {
            (double)(k % 3) * (PANEL + 15), PANEL_TALL * row_of(k), o->size_count};
        char title[40];
        snprintf(title, sizeof title, "%% found by hosts, %u slots", o->slots[k]);
        put_panel(out, &panel, title);
        for (size_t i = 0; i < o->size_count; i++)
            put_tick(out, &panel, i, o->sizes[i]);
        for (size_t m = 0; m < p->method_count; m++) {
            uint64_t hits[PLANT_SIZES] = {0};
            for (size_t i = 0; i < o->size_count; i++)
                hits[i] = p->methods[m].cells[i][k].hits[1];
            if (!p->methods[m].together)
                put_line(out, &panel, m, &p->methods[m], hits, o->trials);
        }
    }
    buf_str(out, "</svg>\n");
}

/* A panel for each size: share found against alerts a day, all numbers of slots together. */
static void put_budget_charts(struct buf *out, const struct plant_result *p)
{
    const struct plant_options *o = &p->options;
    size_t rows = (o->size_count + 2) / 3;
    buf_printf(out, "<svg viewBox=\"0 0 %d %zu\" role=img aria-label=\"found by budget\">\n",
        HTML_WIDE, rows * PANEL_TALL);
    for (size_t i = 0; i < o->size_count; i++) {
        struct panel panel = {
            (double)(i % 3) * (PANEL + 15), PANEL_TALL * row_of(i), PLANT_BUDGETS};
        char title[60];
        snprintf(title, sizeof title, "%% found by alerts a day, %u hosts", o->sizes[i]);
        put_panel(out, &panel, title);
        for (size_t b = 0; b < PLANT_BUDGETS; b++)
            put_tick(out, &panel, b, plant_budgets[b]);
        for (size_t m = 0; m < p->method_count; m++) {
            uint64_t hits[PLANT_BUDGETS] = {0};
            for (size_t b = 0; b < PLANT_BUDGETS; b++)
                for (size_t k = 0; k < o->slot_count; k++)
                    hits[b] += p->methods[m].cells[i][k].hits[b];
            if (!p->methods[m].together)
                put_line(out, &panel, m, &p->methods[m], hits, o->trials * o->slot_count);
        }
    }
    buf_str(out, "</svg>\n");
}

static void put_notice_table(struct buf *out, const struct plant_result *p)
{
    const struct plant_options *o = &p->options;
    buf_str(out, "<div class=scroll><table><tr><th>At notice<th>Notices a day");
    for (size_t i = 0; i < o->size_count; i++)
        buf_printf(out, "<th>%u hosts", o->sizes[i]);
    buf_str(out, "</tr>\n");
    for (size_t m = 0; m < p->method_count; m++) {
        const struct plant_method *method = &p->methods[m];
        if (!method->engine)
            continue;
        buf_printf(
            out, "<tr><td>%s<td>%.2f", method->name, (double)method->clean_notices / p->days);
        for (size_t i = 0; i < o->size_count; i++) {
            uint64_t hits = 0;
            for (size_t k = 0; k < o->slot_count; k++)
                hits += method->cells[i][k].notices;
            buf_str(out, "<td>");
            html_share(out, hits, o->trials * o->slot_count);
        }
        buf_str(out, "</tr>\n");
    }
    buf_str(out, "</table></div>\n");
}

void html_planted(struct buf *out, const struct plant_result *p)
{
    buf_str(out, "<h2>Crowds that act in step</h2>\n");
    put_size_charts(out, p);
    put_key(out, p);
    buf_printf(out,
        "<p class=dim>Share of %zu planted crowds that each method finds, its threshold being "
        "the "
        "lowest that gives no more than one alert a day over all sites on the %.3g days of "
        "windows "
        "as they are. A crowd is that many new hosts of random networks, which send to the "
        "port of "
        "a random TCP scan of the window in the same slots of 50 seconds.</p>\n",
        p->options.trials, p->days);
    put_budget_charts(out, p);
    put_key(out, p);
    buf_str(out, "<p class=dim>The same against the number of alerts a day that is allowed; a "
                 "threshold is never below what an engine reports at all.</p>\n");
    put_notice_table(out, p);
}
