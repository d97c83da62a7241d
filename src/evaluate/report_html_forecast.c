/* The part of the page that is about forecasts: "expect it at site Y in about N hours". */
#include "evaluate/evaluation.h"
#include "evaluate/interval.h"
#include "evaluate/report_html_int.h"

#include <math.h>

enum {
    LEFT = 60, /* where the plot begins */
    SQUARE = 300
};

static void put_row(struct buf *out, const char *label, const struct foresight *f)
{
    if (!f->forecasts)
        return;
    buf_printf(out, "<tr><td>%s<td>%llu<td>%llu<td>", label, (unsigned long long)f->forecasts,
        (unsigned long long)f->late);
    html_share(out, f->came, f->came + f->missed);
    buf_str(out, "<td>");
    html_share(out, f->inside, f->came);
    buf_str(out, "<td>");
    html_hours(out, foresight_error(f));
    buf_str(out, "<td>");
    html_hours(out, foresight_ahead(f));
    buf_str(out, "</tr>\n");
}

static double longest(const struct foresight *f)
{
    double most = 1.0;
    for (uint64_t i = 0; i < f->came; i++)
        most = fmax(most, fmax(f->ahead[i], f->ahead[i] - f->errors[i]));
    return ceil(most / 6.0) * 6.0;
}

/* A dot a forecast that came: when it was expected against when it came, both after it was
 * made. On the diagonal it came when it was expected. */
static void put_dots(struct buf *out, const struct foresight *f)
{
    double most = longest(f), scale = SQUARE / most;
    for (int tick = 0; tick <= 4; tick++) {
        double at = tick * most / 4.0;
        buf_printf(out,
            "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f /><text class=dim x=%d y=%.1f "
            "text-anchor=end>%g h</text><text class=dim x=%.1f y=%d text-anchor=middle>%g "
            "h</text>\n",
            LEFT, LEFT + SQUARE, 330.0 - at * scale, 330.0 - at * scale, LEFT - 6,
            334.0 - at * scale, at, LEFT + at * scale, 348, at);
    }
    buf_printf(out,
        "<line class=whisker stroke-dasharray=\"4 4\" x1=%d y1=330 x2=%d y2=%d />"
        "<text x=%d y=20>came</text><text x=%d y=366 text-anchor=end>expected</text>\n",
        LEFT, LEFT + SQUARE, 330 - SQUARE, LEFT, LEFT + SQUARE);
    for (uint64_t i = 0; i < f->came; i++)
        buf_printf(out,
            "<circle class=a cx=%.1f cy=%.1f r=4.5 fill-opacity=.65><title>expected after %.1f "
            "h, came after %.1f h</title></circle>\n",
            LEFT + (f->ahead[i] - f->errors[i]) * scale, 330.0 - f->ahead[i] * scale,
            f->ahead[i] - f->errors[i], f->ahead[i]);
}

/* What share came, of forecasts with about the same chance, with its interval. */
static void put_chances(struct buf *out, const struct foresight *f)
{
    const double left = 2 * LEFT + SQUARE + 40.0;
    for (int tick = 0; tick <= 4; tick++)
        buf_printf(out,
            "<line class=grid x1=%.1f x2=%.1f y1=%.1f y2=%.1f /><text class=dim x=%.1f y=%.1f "
            "text-anchor=end>%d %%</text><text class=dim x=%.1f y=348 "
            "text-anchor=middle>%d %%</text>\n",
            left, left + SQUARE, 330.0 - tick * SQUARE / 4.0, 330.0 - tick * SQUARE / 4.0,
            left - 6, 334.0 - tick * SQUARE / 4.0, tick * 25, left + tick * SQUARE / 4.0,
            tick * 25);
    buf_printf(out,
        "<line class=whisker stroke-dasharray=\"4 4\" x1=%.1f y1=330 x2=%.1f y2=%d />"
        "<text x=%.1f y=20>share that came</text><text x=%.1f y=366 text-anchor=end>chance "
        "that was said</text>\n",
        left, left + SQUARE, 330 - SQUARE, left, left + SQUARE);
    for (size_t i = 0; i < FORESIGHT_BINS; i++) {
        if (!f->bin[i])
            continue;
        double said = f->chance[i] / (double)f->bin[i];
        double came = (double)f->true_bin[i] / (double)f->bin[i];
        struct interval ci = interval_share(f->true_bin[i], f->bin[i]);
        buf_printf(out,
            "<line class=whisker x1=%.1f x2=%.1f y1=%.1f y2=%.1f /><circle class=c cx=%.1f "
            "cy=%.1f r=5><title>said %.0f %%, came %llu of %llu</title></circle>\n",
            left + said * SQUARE, left + said * SQUARE, 330.0 - ci.low * SQUARE,
            330.0 - ci.high * SQUARE, left + said * SQUARE, 330.0 - came * SQUARE, 100.0 * said,
            (unsigned long long)f->true_bin[i], (unsigned long long)f->bin[i]);
    }
}

void html_forecasts(struct buf *out, const struct evaluation *ev)
{
    const struct summary *s = &ev->engines;
    if (!s->foresight.forecasts && !ev->null.foresight.forecasts)
        return;
    buf_str(out, "<h2>Forecasts</h2>\n<div class=scroll><table><tr><th>Event<th>Forecasts"
                 "<th>Too late<th>Came, of the others<th>In the 80 % interval<th>Off by, median"
                 "<th>Said ahead, median</tr>\n");
    for (size_t i = 0; i < s->kind_count; i++)
        put_row(out, s->kinds[i].kind, &s->kinds[i].foresight);
    put_row(out, "all", &s->foresight);
    put_row(out, "without events", &ev->null.foresight);
    buf_str(out,
        "</table></div>\n<p class=dim>A forecast came if the event reached the site after it "
        "was made, is too late if before, and missed if it does not reach the site at "
        "all.</p>\n");
    buf_printf(out,
        "<svg viewBox=\"0 0 %d 380\" role=img aria-label=\"forecasts: when they came, and how "
        "many\">\n",
        HTML_WIDE);
    put_dots(out, &s->foresight);
    put_chances(out, &s->foresight);
    buf_str(out,
        "</svg>\n<p class=dim>Left: a dot a forecast that came. Right: of forecasts "
        "with about the same chance, the share that came; lines: 95 % intervals.</p>\n");
}
