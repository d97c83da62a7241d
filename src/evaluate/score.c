#include "evaluate/score.h"

#include "num/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool shares_port(const struct warning *w, const struct truth_event *e)
{
    for (uint32_t i = 0; i < e->port_count; i++)
        if (warning_has_port(w, e->ports[i]))
            return true;
    return false;
}

static bool shares_site(
    const struct warning *w, const struct truth *t, const struct truth_event *e)
{
    if (w->site_count == 0)
        return true;
    for (uint32_t i = 0; i < e->site_count; i++)
        if (warning_site_raised(w, t->sites[e->sites[i].site].name) != INT64_MAX)
            return true;
    return false;
}

bool score_is_about(const struct warning *w, const struct truth *t, const struct truth_event *e,
    const struct score_options *o)
{
    return w->proto == e->proto && shares_port(w, e) && w->raised >= e->start &&
           w->raised <= e->end + o->slack && shares_site(w, t, e);
}

/* Nuisances with a port take what fits it; those of a whole site only what concerns that site
 * alone. */
static bool fits_nuisance(const struct warning *w, const struct truth *t,
    const struct truth_nuisance *n, const struct score_options *o)
{
    if (w->raised < n->start || w->raised > n->end + o->slack)
        return false;
    if (n->site >= 0 && w->site_count &&
        warning_site_raised(w, t->sites[n->site].name) == INT64_MAX)
        return false;
    if (n->port)
        return n->proto == w->proto && warning_has_port(w, n->port);
    return n->site >= 0 && w->site_count == 1;
}

static int32_t cause_of(
    const struct warning *w, const struct truth *t, const struct score_options *o)
{
    for (int pass = 0; pass < 2; pass++) /* what names a port first */
        for (uint32_t i = 0; i < t->nuisance_count; i++)
            if ((t->nuisances[i].port != 0) == (pass == 0) &&
                fits_nuisance(w, t, &t->nuisances[i], o))
                return (int32_t)i;
    return -1;
}

static void event_note(struct score_event *s, const struct truth *t, const struct warning *w)
{
    s->alerts++;
    s->raised = w->raised < s->raised ? w->raised : s->raised;
    for (uint32_t i = 0; i < s->event->site_count; i++) {
        int64_t when = warning_site_raised(w, t->sites[s->event->sites[i].site].name);
        if (when < s->site_raised[i])
            s->site_raised[i] = when;
    }
}

static void event_begin(struct score_event *s, const struct truth_event *e)
{
    *s = (struct score_event){.event = e, .start = INT64_MAX, .raised = INT64_MAX};
    for (uint32_t i = 0; i < e->site_count; i++) {
        s->site_raised[i] = INT64_MAX;
        if (e->sites[i].first && e->sites[i].first < s->start)
            s->start = e->sites[i].first;
    }
    if (s->start == INT64_MAX)
        s->start = e->start;
}

enum err score_run(struct score *ret_score, const struct truth *t, const struct warnings *w,
    const struct score_options *o)
{
    struct score s = {.truth = t, .days = (double)(t->end - t->start) / (double)US_DAY};
    s.alarms = calloc(w->count ? w->count : 1, sizeof *s.alarms);
    if (!s.alarms)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->event_count; i++)
        event_begin(&s.events[i], &t->events[i]);
    s.alarm_count = w->count;
    for (size_t k = 0; k < w->count; k++) {
        struct score_alarm *a = &s.alarms[k];
        *a = (struct score_alarm){.warning = &w->list[k], .event = -1, .nuisance = -1};
        for (uint32_t i = 0; i < t->event_count; i++) {
            if (!score_is_about(a->warning, t, &t->events[i], o))
                continue;
            a->event = a->event < 0 ? (int32_t)i : a->event;
            event_note(&s.events[i], t, a->warning);
        }
        if (a->event < 0) {
            a->nuisance = cause_of(a->warning, t, o);
            s.false_alarms++;
        }
    }
    *ret_score = s;
    return OK;
}

void score_done(struct score *s)
{
    free(s->alarms);
    *s = (struct score){0};
}

enum err delays_add(struct delays *d, int64_t us)
{
    if (d->count == SUMMARY_DELAYS)
        return ERR_FULL;
    double *hours = realloc(d->hours, (d->count + 1) * sizeof *hours);
    if (!hours)
        return ERR_NOMEM;
    d->hours = hours;
    d->hours[d->count++] = (double)us / (double)US_HOUR;
    return OK;
}

double delays_quantile(struct delays *d, double q)
{
    return d->count ? quantile(d->hours, d->count, q) : NAN;
}

static struct summary_kind *kind_of(struct summary *all, const char *kind)
{
    for (size_t i = 0; i < all->kind_count; i++)
        if (strcmp(all->kinds[i].kind, kind) == 0)
            return &all->kinds[i];
    if (all->kind_count == SUMMARY_KINDS)
        return NULL;
    struct summary_kind *k = &all->kinds[all->kind_count++];
    memcpy(k->kind, kind, strlen(kind) + 1);
    return k;
}

static enum err sites_add(struct summary_kind *k, const struct score_event *s)
{
    enum err e = OK;
    for (uint32_t i = 0; !e && i < s->event->site_count; i++) {
        const struct truth_presence *p = &s->event->sites[i];
        if (s->site_raised[i] != INT64_MAX)
            e = delays_add(&k->site_delay, s->site_raised[i] - p->onset);
        if (p->onset <= s->event->start)
            continue;
        k->later_sites++;
        if (s->raised >= p->onset)
            continue;
        k->warned_sites++;
        e = e ? e : delays_add(&k->lead, p->onset - s->raised);
    }
    return e;
}

/* Was it said, before it came there, that it would? */
static bool is_foretold(const struct score *s, const struct score_event *event, size_t place)
{
    const struct truth_presence *p = &event->event->sites[place];
    for (size_t k = 0; k < s->alarm_count; k++) {
        const struct score_alarm *a = &s->alarms[k];
        if (a->event < 0 || &s->truth->events[a->event] != event->event)
            continue;
        for (uint32_t i = 0; i < a->warning->forecast_count; i++) {
            const struct warning_forecast *f = &a->warning->forecasts[i];
            if (f->made < p->onset && strcmp(f->site, s->truth->sites[p->site].name) == 0)
                return true;
        }
    }
    return false;
}

static enum err forecasts_add(struct summary *all, const struct score *s)
{
    enum err e = OK;
    for (uint32_t i = 0; !e && i < s->truth->event_count; i++) {
        const struct score_event *event = &s->events[i];
        struct summary_kind *k = kind_of(all, event->event->kind);
        for (uint32_t n = 0; k && n < event->event->site_count; n++)
            k->foretold_sites +=
                event->event->sites[n].onset > event->start && is_foretold(s, event, n);
    }
    for (size_t i = 0; !e && i < s->alarm_count; i++) {
        const struct score_alarm *a = &s->alarms[i];
        const struct truth_event *event = a->event < 0 ? NULL : &s->truth->events[a->event];
        struct summary_kind *k = event ? kind_of(all, event->kind) : NULL;
        e = foresight_add(&all->foresight, a->warning, s->truth, event);
        if (!e && k)
            e = foresight_add(&k->foresight, a->warning, s->truth, event);
    }
    return e;
}

static enum err event_add(struct summary *all, const struct score_event *s)
{
    struct summary_kind *k = kind_of(all, s->event->kind);
    if (!k)
        return ERR_FULL;
    bool found = s->raised != INT64_MAX;
    k->events++;
    k->found += found;
    k->shown += s->event->shown;
    k->shown_found += s->event->shown && found;
    enum err e = found ? delays_add(&k->delay, s->raised - s->start) : OK;
    return e ? e : sites_add(k, s);
}

static enum err cause_add(struct summary *all, const char *kind)
{
    size_t i = 0;
    while (i < all->cause_count && strcmp(all->causes[i].kind, kind) != 0)
        i++;
    if (i == SUMMARY_CAUSES)
        return ERR_FULL;
    if (i == all->cause_count) {
        memcpy(all->causes[i].kind, kind, strlen(kind) + 1);
        all->cause_count++;
    }
    all->causes[i].alarms++;
    return OK;
}

enum err summary_add(struct summary *all, const struct score *s)
{
    all->runs++;
    all->days += s->days;
    all->alarms += s->alarm_count;
    all->false_alarms += s->false_alarms;
    enum err e = OK;
    for (uint32_t i = 0; !e && i < s->truth->event_count; i++)
        e = event_add(all, &s->events[i]);
    for (size_t i = 0; !e && i < s->alarm_count; i++) {
        const struct score_alarm *a = &s->alarms[i];
        if (a->event < 0)
            e = cause_add(all, a->nuisance < 0 ? "" : s->truth->nuisances[a->nuisance].kind);
    }
    return e ? e : forecasts_add(all, s);
}

void summary_done(struct summary *all)
{
    for (size_t i = 0; i < all->kind_count; i++) {
        free(all->kinds[i].delay.hours);
        free(all->kinds[i].site_delay.hours);
        free(all->kinds[i].lead.hours);
        foresight_done(&all->kinds[i].foresight);
    }
    foresight_done(&all->foresight);
    *all = (struct summary){0};
}
