#include "alert/alert_int.h"
#include "alert/lead_int.h"
#include "record/proto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_DEFAULT = 256
};

static const int64_t quiet = US_DAY; /* a thing on which nothing came for so long is over */
static const int64_t eldest = 7 * US_DAY; /* and what lasts longer is not new any more */
static const double chance_default = 0.5; /* less likely than not: nothing is said */
static const double moved_least = 1.0;    /* hours between the first site and another */
static const double blind_share = 0.25;   /* of a forecast's time: nobody knows what came */

static const char *const states[] = {
#define X(id, name) name,
    FORECAST_STATES(X)
#undef X
};

const char *forecast_state_name(enum forecast_state s)
{
    return states[s < FORECAST_STATE_COUNT ? s : FORECAST_OPEN];
}

enum err forecast_state_parse(const char *word, enum forecast_state *ret_state)
{
    for (int i = 0; i < FORECAST_STATE_COUNT; i++)
        if (strcmp(states[i], word) == 0) {
            *ret_state = (enum forecast_state)i;
            return OK;
        }
    return ERR_BAD;
}

static json_t *prediction_json(const struct prediction *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:f}", "made", json_time(p->made), "expected",
        json_time(p->expected), "low", json_time(p->low), "high", json_time(p->high), "chance",
        round(p->chance * 100.0) / 100.0);
}

json_t *forecast_json(const struct forecast *f)
{
    char proto[PROTO_TEXT];
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:i, s:o, s:o, s:s, s:o, s:o}", "alert",
        f->alert, "site", f->site, "origin", f->origin, "began", json_time(f->began), "proto",
        proto_format(f->proto, proto), "port", (int)f->port, "first",
        prediction_json(&f->first), "last", prediction_json(&f->last), "state",
        forecast_state_name(f->state), "came", f->came ? json_time(f->came) : json_null(),
        "settled", f->settled ? json_time(f->settled) : json_null());
}

enum err lead_new(struct lead **ret_lead, const struct lead_options *options)
{
    struct lead *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->options = (struct lead_options){
        .horizon = options->horizon ? options->horizon : 48 * US_HOUR,
        .chance = options->chance > 0.0 ? options->chance : chance_default,
        .most = options->most ? options->most : MOST_DEFAULT,
    };
    *ret_lead = l;
    return OK;
}

void lead_clear(struct lead *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->spreads[i]);
    free(l->spreads);
    l->spreads = NULL;
    l->count = l->room = l->macro_count = 0;
}

void lead_free(struct lead *l)
{
    if (l)
        lead_clear(l);
    free(l);
}

static enum err put(void *context, const struct finding *f)
{
    struct lead *l = context;
    enum err e = lead_note(l, f);
    struct sink book = alert_book_sink(l->book);
    return e ? e : book.put(book.context, f);
}

struct sink lead_sink(struct lead *l, struct alert_book *book)
{
    l->book = book;
    return (struct sink){.put = put, .context = l};
}

/* --- what is followed ----------------------------------------------------------------------
 */

const struct arrival *spread_first(const struct spread *s)
{
    const struct arrival *first = s->arrival_count ? s->arrivals : NULL;
    for (size_t i = 1; i < s->arrival_count; i++) {
        const struct arrival *a = &s->arrivals[i];
        if (a->came < first->came ||
            (a->came == first->came && strcmp(a->site, first->site) < 0))
            first = a;
    }
    return first;
}

/* Are all its forecasts settled, and has somebody been told? */
static bool is_done(const struct spread *s)
{
    for (size_t i = 0; i < s->forecast_count; i++)
        if (s->forecasts[i].changed || s->forecasts[i].forecast.state == FORECAST_OPEN)
            return false;
    return true;
}

static void drop(struct lead *l, size_t number)
{
    free(l->spreads[number]);
    l->count--;
    memmove(
        &l->spreads[number], &l->spreads[number + 1], (l->count - number) * sizeof *l->spreads);
}

/* The weakest of those that owe nobody an outcome; count if there is none. */
static size_t weakest(const struct lead *l)
{
    size_t best = l->count;
    for (size_t i = 0; i < l->count; i++) {
        const struct spread *s = l->spreads[i];
        if (!is_done(s))
            continue;
        const struct spread *than = best < l->count ? l->spreads[best] : NULL;
        if (!than || s->severity < than->severity ||
            (s->severity == than->severity && s->last < than->last))
            best = i;
    }
    return best;
}

enum err lead_add(struct lead *l, struct spread *s)
{
    if (l->count >= l->options.most) {
        size_t number = weakest(l);
        if (number == l->count)
            return ERR_FULL;
        drop(l, number);
    }
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 16;
        struct spread **grown = realloc(l->spreads, room * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        l->spreads = grown;
        l->room = room;
    }
    l->spreads[l->count++] = s;
    return OK;
}

/* --- a turn --------------------------------------------------------------------------------
 */

static bool is_watching(const struct window *w, const char *site)
{
    for (size_t i = 0; i < w->site_count; i++)
        if (strcmp(w->sites[i].name, site) == 0)
            return w->sites[i].watching;
    return false;
}

static void settle(
    const struct lead *l, const struct spread *s, struct expected *x, const struct window *w)
{
    struct forecast *f = &x->forecast;
    int64_t now = window_end(w);
    if (f->state != FORECAST_OPEN)
        return;
    x->windows++;
    x->blind += !is_watching(w, f->site);
    const struct arrival *a = spread_at(s, f->site);
    if (a) {
        f->state = a->came > f->first.made ? FORECAST_CAME : FORECAST_LATE;
        f->came = a->came;
    } else if (now - f->first.made >= l->options.horizon) {
        bool blind = x->blind > blind_share * x->windows;
        f->state = blind ? FORECAST_VOID : FORECAST_MISSED;
    } else {
        return;
    }
    f->settled = now;
    x->changed = true;
}

static double hours(int64_t us)
{
    return (double)us / (double)US_HOUR;
}

/* Sites that watch and have not been reached wait. */
static struct progress progress_of(const struct spread *s, const struct window *w)
{
    const struct arrival *first = spread_first(s);
    struct progress p = {
        .elapsed = hours(window_end(w) - first->came), .step = hours(w->length)};
    for (size_t i = 0; i < s->arrival_count; i++)
        if (&s->arrivals[i] != first)
            p.came[p.came_count++] = hours(s->arrivals[i].came - first->came);
    for (size_t i = 0; i < w->site_count; i++)
        p.waiting += w->sites[i].watching && !spread_at(s, w->sites[i].name);
    return p;
}

/* Sites that begin to see it within an hour tell nothing of how it moves: what comes to all at
 * once is noticed here sooner and there later. */
static bool has_moved(const struct progress *p)
{
    for (size_t i = 0; i < p->came_count; i++)
        if (p->came[i] >= moved_least)
            return true;
    return false;
}

/* A minute is finer than anything that is known of it. */
static int64_t after(int64_t now, double in_hours)
{
    return now + llround(in_hours * 60.0) * US_MINUTE;
}

static struct prediction prediction_of(const struct outlook *o, int64_t now)
{
    return (struct prediction){.made = now,
        .chance = o->chance,
        .expected = after(now, o->middle),
        .low = after(now, o->low),
        .high = after(now, o->high)};
}

static bool is_foretold(const struct spread *s, const char *site)
{
    for (size_t i = 0; i < s->forecast_count; i++)
        if (strcmp(s->forecasts[i].forecast.site, site) == 0)
            return true;
    return false;
}

static void foretell(
    struct spread *s, const struct window_site *site, const struct prediction *p)
{
    const struct arrival *first = spread_first(s);
    if (!site->watching || s->forecast_count == LEAD_SITES || spread_at(s, site->name) ||
        is_foretold(s, site->name))
        return;
    struct expected *x = &s->forecasts[s->forecast_count++];
    *x = (struct expected){.changed = true,
        .forecast = {.began = first->came,
            .proto = s->proto,
            .port = s->ports[0],
            .first = *p,
            .last = *p}};
    memcpy(x->forecast.alert, s->alert, sizeof x->forecast.alert);
    memcpy(x->forecast.site, site->name, sizeof x->forecast.site);
    memcpy(x->forecast.origin, first->site, sizeof x->forecast.origin);
}

/* Make and revise forecasts; is there anything new to say? */
static bool look(const struct lead *l, struct spread *s, const struct window *w)
{
    struct progress p = progress_of(s, w);
    struct outlook o;
    size_t known = s->forecast_count;
    bool arrived = s->arrived;
    s->arrived = false;
    if (!has_moved(&p) || !lead_foresee(&l->model, &p, hours(l->options.horizon), &o))
        return arrived && known;
    struct prediction now = prediction_of(&o, window_end(w));
    for (size_t i = 0; i < known && arrived; i++)
        if (s->forecasts[i].forecast.state == FORECAST_OPEN) {
            s->forecasts[i].forecast.last = now;
            s->forecasts[i].changed = true;
        }
    if (o.chance >= l->options.chance && o.middle >= p.step)
        for (size_t i = 0; i < w->site_count; i++)
            foretell(s, &w->sites[i], &now);
    return s->forecast_count > known || (arrived && known);
}

static void end_what_is_over(struct lead *l, const struct window *w)
{
    int64_t now = window_end(w);
    for (size_t i = l->count; i-- > 0;) {
        struct spread *s = l->spreads[i];
        const struct arrival *first = spread_first(s);
        bool over = now - s->last > quiet || (first && now - first->came > eldest);
        if (!over || !is_done(s))
            continue;
        if (first && s->severity >= SEVERITY_NOTICE) {
            struct progress p = progress_of(s, w);
            lead_learn(&l->model, &p);
        }
        drop(l, i);
    }
}

enum err lead_turn(struct lead *l, const struct window *w, struct alert_book *book)
{
    enum err e = OK;
    end_what_is_over(l, w);
    lead_explain(l, window_end(w));
    for (size_t i = 0; !e && i < l->count; i++) {
        struct spread *s = l->spreads[i];
        for (size_t k = 0; k < s->forecast_count; k++)
            settle(l, s, &s->forecasts[k], w);
        if (!s->arrival_count || s->severity < SEVERITY_NOTICE || s->rose != window_end(w))
            continue; /* nothing to say, or no alert to say it with */
        bool news = look(l, s, w);
        if (news || s->explains)
            e = lead_say(s, w, book);
        s->explains = false;
    }
    return e;
}

void lead_know(struct lead *l, const struct alert *a)
{
    if (!a->open || !kinds_join(a->kind, "spread"))
        return;
    for (size_t i = 0; i < l->count; i++) {
        struct spread *s = l->spreads[i];
        if (s->proto != a->proto || !spread_has_port(s, a->ports, a->port_count))
            continue;
        memcpy(s->alert, a->id, sizeof s->alert);
        for (size_t k = 0; k < s->forecast_count; k++)
            if (!s->forecasts[k].forecast.alert[0])
                memcpy(s->forecasts[k].forecast.alert, a->id, sizeof s->alert);
    }
}

enum err lead_tell(
    struct lead *l, enum err (*changed)(void *context, const struct forecast *f), void *context)
{
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->spreads[i]->forecast_count; k++) {
            struct expected *x = &l->spreads[i]->forecasts[k];
            enum err e = x->changed && changed ? changed(context, &x->forecast) : OK;
            if (e)
                return e;
            x->changed = false;
        }
    return OK;
}
