#include "evaluate/baseline.h"

#include "base/clock.h"
#include "num/sdar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lower scores are never a threshold. */
static const double score_least[BASELINE_RULES] = {3.0, 3.0, 0.5};
enum {
    HOSTS_LEAST = 3 /* a series that never has as many is not looked at by ChangeFinder */
};

/* A window of a series that scores. */
struct scored {
    float score;
    uint32_t window;
    uint16_t port;
    uint8_t proto;
    uint8_t site;
};

struct scored_list {
    struct scored *list; /* owned */
    size_t count;
    size_t room;
    int64_t quiet_windows;
};

const char *baseline_name(enum baseline_rule rule)
{
    static const char *const names[BASELINE_RULES] = {
        "host count", "host rise", "ChangeFinder"};
    return names[rule];
}

static enum err scored_add(struct scored_list *s, const struct scored *one)
{
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 65536;
        struct scored *list =
            room > HOST_COUNT_ROWS ? NULL : realloc(s->list, room * sizeof *list);
        if (!list)
            return room > HOST_COUNT_ROWS ? ERR_FULL : ERR_NOMEM;
        s->list = list;
        s->room = room;
    }
    s->list[s->count++] = *one;
    return OK;
}

/* Scores of one series: rows [from, to), windows without a row are zero. */
static enum err series_score(const struct host_counts *h, size_t from, size_t to,
    enum baseline_rule rule, struct scored_list *out)
{
    uint32_t day = (uint32_t)(US_DAY / h->window);
    size_t back = from;
    double sum = 0.0; /* of the rows in the day before the one that is looked at */
    enum err e = OK;
    for (size_t i = from; !e && i < to; i++) {
        const struct host_count *row = &h->rows[i];
        while (h->rows[back].window + day < row->window)
            sum -= h->rows[back++].hosts;
        double score = rule == BASELINE_COUNT ? row->hosts : row->hosts - sum / day;
        sum += row->hosts;
        if (score < score_least[rule] || (rule == BASELINE_RISE && row->window < day))
            continue;
        e = scored_add(
            out, &(struct scored){(float)score, row->window, row->port, row->proto, row->site});
    }
    return e;
}

/* The same by ChangeFinder, with its published parameters; the first day, on which its
 * estimates still settle, gives no alerts. */
static enum err series_change(
    const struct host_counts *h, size_t from, size_t to, struct scored_list *out)
{
    uint32_t day = (uint32_t)(US_DAY / h->window), peak = 0;
    struct changefinder c;
    const struct host_count *row = &h->rows[from], *end = &h->rows[to];
    for (const struct host_count *r = row; r < end; r++)
        peak = r->hosts > peak ? r->hosts : peak;
    if (peak < HOSTS_LEAST)
        return OK;
    enum err e = OK;
    changefinder_init(&c);
    for (uint32_t w = 0; !e && w < h->windows; w++) {
        bool there = row < end && row->window == w;
        double score = changefinder_step(&c, there ? row->hosts : 0.0);
        row += there;
        const struct host_count *any = &h->rows[from];
        if (w >= day && score >= score_least[BASELINE_CHANGEFINDER])
            e = scored_add(
                out, &(struct scored){(float)score, w, any->port, any->proto, any->site});
    }
    return e;
}

static int by_service(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    if (x->window != y->window)
        return x->window < y->window ? -1 : 1;
    return x->site < y->site ? -1 : x->site > y->site;
}

static enum err scores_make(
    const struct host_counts *h, const struct baseline_options *o, struct scored_list *out)
{
    *out = (struct scored_list){.quiet_windows = o->quiet / h->window};
    enum err e = OK;
    for (size_t i = 0; !e && i < h->count;) {
        const struct host_count *first = &h->rows[i];
        size_t end = i + 1;
        while (end < h->count && h->rows[end].proto == first->proto &&
               h->rows[end].port == first->port && h->rows[end].site == first->site)
            end++;
        e = o->rule == BASELINE_CHANGEFINDER ? series_change(h, i, end, out)
                                             : series_score(h, i, end, o->rule, out);
        i = end;
    }
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->list[i].window >= o->from)
            out->list[kept++] = out->list[i];
    out->count = kept;
    if (out->count)
        qsort(out->list, out->count, sizeof *out->list, by_service);
    return e;
}

/* Does `next`, which reaches the threshold, belong to the alert whose last window is `last`? */
static bool continues(
    const struct scored_list *s, const struct scored *last, const struct scored *next)
{
    return last && last->proto == next->proto && last->port == next->port &&
           next->window - last->window <= s->quiet_windows;
}

static size_t alerts_at(const struct scored_list *s, double threshold)
{
    size_t alerts = 0;
    const struct scored *last = NULL;
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i].score < threshold)
            continue;
        alerts += !continues(s, last, &s->list[i]);
        last = &s->list[i];
    }
    return alerts;
}

/* From the highest score downwards in steps of 2 %, until there would be too many. */
static double threshold_choose(const struct scored_list *s, size_t most, double least)
{
    double highest = 0.0, chosen = INFINITY;
    for (size_t i = 0; i < s->count; i++)
        highest = fmax(highest, s->list[i].score);
    double next = highest;
    while (next >= least && alerts_at(s, next) <= most) {
        chosen = next;
        next /= 1.02;
    }
    return chosen;
}

static enum err site_note(
    struct warning *w, const struct host_counts *h, const struct scored *s, int64_t when)
{
    if (warning_site_raised(w, h->sites[s->site]) != INT64_MAX)
        return OK;
    struct warning_site *sites = realloc(w->sites, (w->site_count + 1) * sizeof *sites);
    if (!sites)
        return ERR_NOMEM;
    w->sites = sites;
    memcpy(sites[w->site_count].name, h->sites[s->site], sizeof sites->name);
    sites[w->site_count++].raised = when;
    return OK;
}

static enum err alert_begin(struct warnings *w, const struct scored *s, int64_t when)
{
    struct warning one = {
        .severity = SEVERITY_NOTICE,
        .raised = when,
        .start = when,
        .end = when,
        .proto = s->proto,
        .ports = {s->port},
        .port_count = 1,
        .lines = 1,
    };
    snprintf(one.id, sizeof one.id, "baseline-%zu", w->count + 1);
    snprintf(one.kind, sizeof one.kind, "baseline");
    snprintf(one.title, sizeof one.title, "score %.4g", (double)s->score);
    return warnings_add(w, &one);
}

static enum err alerts_make(const struct scored_list *s, const struct host_counts *h,
    double threshold, struct warnings *w)
{
    const struct scored *last = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const struct scored *here = &s->list[i];
        if (here->score < threshold)
            continue;
        int64_t when = h->start + (here->window + 1) * h->window;
        enum err e = continues(s, last, here) ? OK : alert_begin(w, here, when);
        if (!e)
            e = site_note(&w->list[w->count - 1], h, here, when);
        if (e)
            return e;
        w->list[w->count - 1].end = when;
        last = here;
    }
    return OK;
}

enum err baseline_highest(
    struct host_counts *h, const struct baseline_options *o, double *ret_score)
{
    struct scored_list s;
    double highest = 0.0;
    host_counts_sort(h);
    enum err e = scores_make(h, o, &s);
    for (size_t i = 0; i < s.count; i++)
        highest = fmax(highest, (double)s.list[i].score);
    free(s.list);
    if (!e)
        *ret_score = highest;
    return e;
}

enum err baseline_make(struct host_counts *h, const struct baseline_options *o,
    struct warnings *ret_warnings, double *ret_threshold)
{
    struct scored_list s;
    host_counts_sort(h);
    enum err e = scores_make(h, o, &s);
    if (e) {
        free(s.list);
        return e;
    }
    *ret_threshold =
        o->alerts ? threshold_choose(&s, o->alerts, score_least[o->rule]) : INFINITY;
    if (isfinite(*ret_threshold))
        e = alerts_make(&s, h, *ret_threshold, ret_warnings);
    free(s.list);
    return e;
}

static int row_compare(const struct host_count *a, const struct host_count *b)
{
    if (a->proto != b->proto)
        return a->proto < b->proto ? -1 : 1;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return a->site < b->site ? -1 : a->site > b->site;
}

/* The first row of the series that `where` names, or where it would be. */
static const struct host_count *series_first(
    const struct host_counts *h, const struct host_count *where)
{
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (row_compare(&h->rows[middle], where) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return h->rows + low;
}

double baseline_score(const struct host_counts *h, enum baseline_rule rule,
    const struct host_count *where, uint32_t more)
{
    const struct host_count *row = series_first(h, where), *end = h->rows + h->count;
    uint32_t day = (uint32_t)(US_DAY / h->window);
    struct changefinder c;
    double sum = 0.0, score = 0.0;
    changefinder_init(&c);
    for (uint32_t w = 0; w <= where->window; w++) {
        bool there = row < end && row_compare(row, where) == 0 && row->window == w;
        double hosts = (there ? row->hosts : 0) + (w == where->window ? more : 0);
        row += there;
        if (rule == BASELINE_CHANGEFINDER)
            score = changefinder_step(&c, hosts);
        else if (w == where->window)
            score = rule == BASELINE_COUNT ? hosts : hosts - sum / day;
        else if (w + day >= where->window)
            sum += hosts;
    }
    return score;
}
