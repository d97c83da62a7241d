#include "engine/growth/growth_int.h"
#include "engine/severity.h"
#include "engine/tagged.h"
#include "num/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lags {
    unsigned across, waiting;
    size_t first;            /* place that crossed first */
    double median_s;         /* of the others behind it; NAN if it is alone */
    char waiting_names[160]; /* "de-01, us-02 and 3 more" */
};

static struct lags lags_of(
    const struct growth *g, const struct rising *r, const struct verdict *v)
{
    struct lags l = {.median_s = NAN};
    double lags[SITES_CAP];
    size_t count = 0;
    uint32_t earliest = UINT32_MAX;
    for (size_t k = 0; k < g->place_count; k++)
        if (v->across >> k & 1 && r->sites[k].first < earliest) {
            earliest = r->sites[k].first;
            l.first = k;
        }
    size_t used = 0;
    unsigned named = 0;
    for (size_t k = 0; k < g->place_count; k++) {
        if (v->across >> k & 1) {
            l.across++;
            if (k != l.first)
                lags[count++] =
                    (double)(r->sites[k].first - earliest) * (double)g->window / 1e6;
        } else if (v->live >> k & 1) {
            l.waiting++;
            if (named < 6 && used + RECORD_NAME_MAX + 3 < sizeof l.waiting_names) {
                used += (size_t)snprintf(l.waiting_names + used, sizeof l.waiting_names - used,
                    "%s%s", named ? ", " : "", g->places[k].name);
                named++;
            }
        }
    }
    if (l.waiting > named && used + 16 < sizeof l.waiting_names)
        snprintf(l.waiting_names + used, sizeof l.waiting_names - used, " and %u more",
            l.waiting - named);
    if (count)
        l.median_s = median(lags, count);
    return l;
}

static double ratio_of(const struct growth *g, const struct rising *r, const struct verdict *v)
{
    double ratios[SITES_CAP];
    size_t count = 0;
    for (size_t k = 0; k < g->place_count; k++)
        if (v->across >> k & 1)
            ratios[count++] =
                (double)r->sites[k].seen / fmax((double)r->sites[k].expected, 0.5);
    return count ? median(ratios, count) : 1.0;
}

/* "grows at 4 of 8 sites"; of a site alone only days are compared. */
static void where_grows(const struct verdict *v, const struct lags *l, char text[64])
{
    unsigned live = (unsigned)__builtin_popcountll(v->live);
    if (live == 1)
        snprintf(text, 64, "within a day");
    else
        snprintf(text, 64, "at %u of %u sites", l->across, live);
}

static void write_words(struct finding *f, const struct growth *g, const struct rising *r,
    const struct verdict *v, const struct portrait *who, const struct lags *l)
{
    char what[SERVICE_TEXT];
    char began[TIME_TEXT];
    char lag[TIME_TEXT];
    char origin[PORTRAIT_ORIGIN];
    char tagged[TAGGED_TEXT];
    service_format(r->service, what);
    tagged_tell(v->tally->window, r->service, NULL, g->options.leave_out, tagged);
    portrait_origin(who, origin, sizeof origin);
    char where[64];
    where_grows(v, l, where);
    double ratio = ratio_of(g, r, v);
    snprintf(f->title, sizeof f->title, "%s grows %s, %.*f times the normal", what, where,
        ratio < 10.0 ? 1 : 0, ratio);
    time_format(growth_time(g, r->sites[l->first].first), began);
    size_t used = (size_t)snprintf(f->explanation, sizeof f->explanation,
        "Sources of %s grow %s, to %.*f times the normal%s; %s saw it first, at %.16sZ. About "
        "%.0f different sources so far.%s%s%s",
        what, where, ratio < 10.0 ? 1 : 0, ratio, l->across > 1 ? " at the middle one" : "",
        g->places[l->first].name, began, distinct_count(&r->hosts), *origin ? " " : "", origin,
        tagged);
    if (used < sizeof f->explanation && l->waiting)
        used += (size_t)snprintf(f->explanation + used, sizeof f->explanation - used,
            " Not yet seen at %s.", l->waiting_names);
    if (used < sizeof f->explanation && l->waiting && l->median_s >= 1.0)
        snprintf(f->explanation + used, sizeof f->explanation - used,
            " So far sites came %s after the first.",
            duration_format((int64_t)(l->median_s * 1e6), lag));
}

static enum err write_numbers(struct finding *f, const struct growth *g, const struct rising *r,
    const struct verdict *v, const struct portrait *who, const struct lags *l)
{
    const struct evidence_value rows[] = {
        {"sites", l->across, "sites",
            "that crossed within six hours with sources of their own"},
        {"waiting", l->waiting, "sites", "that watch and have not crossed"},
        {"ratio", ratio_of(g, r, v), "",
            "now over normal, the latter taken as 0.5 at least; median of these sites"},
        {"lag", l->median_s, "s", "of the sites behind the first, median"},
        {"log10_p", -v->log_p, "", "logarithm of the joint p-value of the sites (Stouffer)"},
        {"score", v->score, "",
            "minus the logarithm of how many such rises chance gives in a day"},
        {"hosts", distinct_count(&r->hosts), "sources", "different ones, over all sites"},
        {"top_country", portrait_top_share(who), "",
            "share of the most frequent country among the sources of this window"},
    };
    return evidence_numbers(f, rows, sizeof rows / sizeof *rows);
}

static enum err write_site(struct finding *f, const struct growth *g, const struct rising *r,
    const struct verdict *v, size_t k, const struct lags *l)
{
    const struct rise_site *site = &r->sites[k];
    bool crossed = v->across >> k & 1;
    struct evidence_site row = {.site = g->places[k].name,
        .state = !crossed        ? "waiting"
                 : k == l->first ? "first"
                                 : "rising",
        .sources = (double)site->seen,
        .normal = (double)site->expected};
    if (crossed) {
        row.first = growth_time(g, site->first); /* as the words and the alert's start say it */
        row.lag = (int64_t)(site->first - r->sites[l->first].first) * g->window;
    }
    return evidence_site(f, &row);
}

/* The last six hours at each of the sites that crossed, at most eight. */
static enum err write_series(struct finding *f, const struct growth *g, const struct rising *r,
    const struct verdict *v, struct arena *scratch)
{
    uint32_t count = g->now < g->span[1] ? g->now : g->span[1];
    double *values = arena_take(scratch, count, sizeof *values);
    if (!values)
        return ERR_NOMEM;
    enum err e = OK;
    unsigned drawn = 0;
    for (size_t k = 0; !e && k < g->place_count && drawn < 8; k++) {
        const struct cell *c = growth_cell(g, r->service, (uint16_t)k);
        if (!(v->across >> k & 1) || !c)
            continue;
        for (uint32_t i = 0; i < count; i++)
            values[i] = (double)c->recent[(g->now - count + 1 + i) % RECENT];
        char name[RECORD_NAME_MAX + 16];
        snprintf(name, sizeof name, "sources at %s", g->places[k].name);
        struct evidence_series row = {.name = name,
            .unit = "sources",
            .start = growth_time(g, g->now - count + 1),
            .step = g->window,
            .count = count,
            .values = values};
        e = evidence_series(f, &row);
        drawn++;
    }
    return e;
}

static enum severity severity_of(
    const struct growth *g, const struct rising *r, const struct verdict *v)
{
    struct rise rise = {.score = v->score,
        .ratio = ratio_of(g, r, v),
        .sites = (unsigned)__builtin_popcountll(v->across),
        .fired = (unsigned)__builtin_popcount(r->history & 7),
        .lasted = (int64_t)(g->now - r->fired) * g->window};
    if (v->learning && (rise.score < 3.0 || rise.fired < 2))
        return SEVERITY_INFO;
    return rise_severity(&rise);
}

enum err growth_report(const struct growth *g, const struct rising *r, const struct verdict *v,
    struct arena *scratch, struct sink *out)
{
    struct portrait who = {0};
    enum err e = portrait_take(&who, v->tally, v->from, v->to, scratch);
    if (e)
        return e;
    struct lags lags = lags_of(g, r, v);
    struct finding f;
    bool alone = __builtin_popcountll(v->live) == 1;
    finding_init(&f, "growth", alone ? "port-surge" : "global-growth");
    f.time = growth_time(g, g->now + 1);
    f.start = growth_time(g, r->sites[lags.first].first);
    f.end = f.time;
    f.score = fmin(v->score, 300.0);
    f.severity = severity_of(g, r, v);
    f.proto = service_proto(r->service);
    f.host_count = (uint64_t)llround(distinct_count(&r->hosts));
    finding_port(&f, service_port(r->service));
    finding_site(&f, g->places[lags.first].name);
    for (size_t k = 0; k < g->place_count; k++)
        if (v->across >> k & 1)
            finding_site(&f, g->places[k].name);
    portrait_tell(&who, &f);
    write_words(&f, g, r, v, &who, &lags);
    e = write_numbers(&f, g, r, v, &who, &lags);
    for (size_t k = 0; !e && k < g->place_count; k++)
        if ((v->across | v->live) >> k & 1)
            e = write_site(&f, g, r, v, k, &lags);
    if (!e)
        e = write_series(&f, g, r, v, scratch);
    if (!e)
        e = out->put(out->context, &f);
    finding_done(&f);
    return e;
}
