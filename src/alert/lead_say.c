/* What is known of a thing's way, as a finding: it becomes a part of the alert. */
#include "alert/lead_int.h"

#include "record/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMED = 4 /* sites in a sentence */
};

static const struct prediction *newest(const struct spread *s)
{
    const struct prediction *best = NULL;
    for (size_t i = 0; i < s->forecast_count; i++) {
        const struct forecast *f = &s->forecasts[i].forecast;
        if (f->state == FORECAST_OPEN && (!best || f->last.made > best->made))
            best = &f->last;
    }
    return best;
}

/* "br-01, de-01 and 3 more" */
static void name_waiting(const struct spread *s, char *text, size_t room)
{
    size_t used = 0;
    size_t waiting = 0;
    text[0] = 0;
    for (size_t i = 0; i < s->forecast_count; i++) {
        if (s->forecasts[i].forecast.state != FORECAST_OPEN)
            continue;
        if (waiting < NAMED && used < room)
            used += (size_t)snprintf(text + used, room - used, "%s%s", waiting ? ", " : "",
                s->forecasts[i].forecast.site);
        waiting++;
    }
    if (waiting > NAMED && used < room)
        snprintf(text + used, room - used, " and %zu more", waiting - NAMED);
}

/* What was said a while ago may be overdue. */
static const char *time_left(int64_t us, char text[TIME_TEXT])
{
    return duration_format(us > 0 ? us : 0, text);
}

static void write_words(struct finding *f, const struct spread *s, const struct window *w)
{
    char began[TIME_TEXT];
    char proto[PROTO_TEXT];
    char names[NAMED * (RECORD_NAME_MAX + 3) + 24];
    const struct arrival *first = spread_first(s);
    const struct prediction *p = newest(s);
    size_t used = 0;
    time_format(first->came, began);
    snprintf(f->title, sizeof f->title, "%u/%s began at %s and has reached %zu %s", s->ports[0],
        proto_format(s->proto, proto), first->site, s->arrival_count,
        s->arrival_count == 1 ? "site" : "sites");
    if (p) {
        char about[TIME_TEXT];
        char low[TIME_TEXT];
        char high[TIME_TEXT];
        int64_t now = window_end(w);
        name_waiting(s, names, sizeof names);
        time_left(p->expected - now, about);
        time_left(p->low - now, low);
        time_left(p->high - now, high);
        used = (size_t)snprintf(f->explanation, sizeof f->explanation,
            "Began at %s at %.16sZ; expected at %s in about %s (%s to %s), with a chance of "
            "%.0f %%.",
            first->site, began, names, about, low, high, p->chance * 100.0);
    }
    if (s->macro.time && used < sizeof f->explanation) {
        time_format(s->macro.start, began);
        snprintf(f->explanation + used, sizeof f->explanation - used,
            "%sIt explains the change of all traffic at %s since %.16sZ.", used ? " " : "",
            s->macro.site, began);
    }
}

static enum err write_numbers(struct finding *f, const struct spread *s, const struct window *w)
{
    const struct prediction *p = newest(s);
    size_t open = 0;
    for (size_t i = 0; i < s->forecast_count; i++)
        open += s->forecasts[i].forecast.state == FORECAST_OPEN;
    const struct {
        const char *name;
        double value;
        const char *unit;
        const char *text;
        bool told;
    } rows[] = {
        {"reached", (double)s->arrival_count, "sites", "that it has come to", true},
        {"expected_at", (double)open, "sites", "that it has not come to yet", p != NULL},
        {"chance", p ? p->chance : 0.0, "", "that it comes to each of these", p != NULL},
        {"expected_in", p ? (double)(p->expected - window_end(w)) / 1e6 : 0.0, "s",
            "as likely before as after, for each of these sites, if it comes", p != NULL},
        {"macro_score", s->macro.score, "",
            "of the change of all traffic at a site that this port explains",
            s->macro.time != 0},
    };
    enum err e = OK;
    for (size_t i = 0; !e && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].told)
            e = evidence_number(f, rows[i].name, rows[i].value, rows[i].unit, rows[i].text);
    return e;
}

static int by_arrival(const void *a, const void *b)
{
    const struct arrival *const *x = a;
    const struct arrival *const *y = b;
    if ((*x)->came != (*y)->came)
        return (*x)->came < (*y)->came ? -1 : 1;
    return strcmp((*x)->site, (*y)->site);
}

/* In the order in which it came; then those that wait. */
static enum err write_sites(struct finding *f, const struct spread *s, const struct window *w)
{
    const struct arrival *order[LEAD_SITES];
    enum err e = OK;
    for (size_t i = 0; i < s->arrival_count; i++)
        order[i] = &s->arrivals[i];
    qsort(order, s->arrival_count, sizeof(struct arrival *), by_arrival);
    for (size_t i = 0; !e && i < s->arrival_count; i++) {
        finding_site(f, order[i]->site);
        e = evidence_site(f, &(struct evidence_site){.site = order[i]->site,
                                 .state = i ? "rising" : "first",
                                 .sources = order[i]->sources,
                                 .normal = order[i]->normal,
                                 .first = order[i]->came,
                                 .lag = order[i]->came - order[0]->came});
    }
    for (size_t i = 0; !e && i < w->site_count; i++)
        if (w->sites[i].watching && !spread_at(s, w->sites[i].name))
            e = evidence_site(
                f, &(struct evidence_site){.site = w->sites[i].name, .state = "waiting"});
    return e == ERR_FULL ? OK : e; /* more sites than an alert has room for */
}

static enum err write_forecasts(struct finding *f, const struct spread *s)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < s->forecast_count; i++) {
        const struct forecast *x = &s->forecasts[i].forecast;
        e = evidence_forecast(f, &(struct evidence_forecast){.site = x->site,
                                     .state = forecast_state_name(x->state),
                                     .made = x->first.made,
                                     .expected = x->first.expected,
                                     .low = x->first.low,
                                     .high = x->first.high,
                                     .chance = x->first.chance,
                                     .came = x->came});
    }
    return e;
}

enum err lead_say(const struct spread *s, const struct window *w, struct alert_book *book)
{

    struct finding f;
    finding_init(&f, LEAD_ENGINE, s->macro.time ? "high-risk-port" : "spread");
    f.time = f.end = window_end(w);
    f.start = spread_first(s)->came;
    f.severity = s->severity;
    f.score = s->score;
    f.proto = s->proto;
    for (size_t i = 0; i < s->port_count; i++)
        finding_port(&f, s->ports[i]);
    write_words(&f, s, w);
    enum err e = write_numbers(&f, s, w);
    if (!e)
        e = write_sites(&f, s, w);
    if (!e)
        e = write_forecasts(&f, s);
    struct sink sink = alert_book_sink(book);
    if (!e)
        e = sink.put(sink.context, &f);
    finding_done(&f);
    return e;
}
