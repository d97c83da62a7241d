#include "engine/portrait.h"
#include "engine/reach/reach_int.h"
#include "engine/severity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWN_HOURS = 96
};

/* The sources of the service in this window that are at enough sites, as a tally of one group.
 */
struct crowd {
    struct tally tally;
    struct tally_group group;
};

static enum err crowd_take(struct crowd *ret_crowd, const struct reach *g,
    const struct round *r, uint32_t service, unsigned need, struct arena *scratch)
{
    const struct tally *t = &r->tally;
    size_t from = 0;
    while (from < t->group_count && t->groups[from].service != service)
        from++;
    size_t to = from < t->group_count ? tally_service_end(t, from) : from;
    size_t room = 1;
    for (size_t i = from; i < to; i++)
        room += t->groups[i].count;
    struct tally_source *sources = arena_room(scratch, room, sizeof *sources);
    if (!sources)
        return ERR_NOMEM;
    struct tally_group group = {.service = service};
    for (size_t i = from; i < to; i++)
        for (uint32_t k = 0; k < t->groups[i].count; k++) {
            const struct tally_source *s = &t->sources[t->groups[i].first + k];
            const struct visit *v = visits_find(&g->visits, s->hash, service);
            if (v && (unsigned)__builtin_popcountll(visit_sites(v) & r->live) >= need)
                sources[group.count++] = *s;
        }
    ret_crowd->group = group;
    ret_crowd->tally = *t;
    ret_crowd->tally.sources = sources;
    ret_crowd->tally.source_count = group.count;
    ret_crowd->tally.groups = &ret_crowd->group;
    ret_crowd->tally.group_count = 1;
    return OK;
}

/* Places that see at least half of the sources that make the finding; they need not all see
 * them while a thing comes from site to site. */
static uint64_t places_of(
    const struct reach *g, const struct round *r, uint32_t service, unsigned need)
{
    size_t at_place[SITES_CAP] = {0};
    size_t all = 0;
    for (size_t i = 0; i < g->visits.room; i++) {
        const struct visit *v = &g->visits.slots[i];
        uint64_t sites = visit_sites(v) & r->live;
        if (v->service != service || (unsigned)__builtin_popcountll(sites) < need)
            continue;
        all++;
        for (size_t k = 0; k < g->place_count; k++)
            at_place[k] += sites >> k & 1;
    }
    uint64_t places = 0;
    for (size_t k = 0; k < g->place_count; k++)
        if (all && at_place[k] * 2 >= all)
            places |= UINT64_C(1) << k;
    return places;
}

static double ratio_of(const struct verdict *v)
{
    return v->networks / fmax(v->mean, 0.5);
}

static enum severity severity_of(
    const struct round *r, const struct course *c, const struct verdict *v)
{
    struct rise rise = {.score = v->score,
        .ratio = ratio_of(v),
        .sites = (unsigned)__builtin_popcountll(r->live),
        .fired = (unsigned)__builtin_popcount(c->history & 7),
        .lasted = ((int64_t)(uint32_t)r->hour - c->first) * US_HOUR};
    if (v->learning && (rise.score < 3.0 || rise.fired < 2))
        return SEVERITY_INFO;
    return rise_severity(&rise);
}

static void write_words(struct finding *f, const struct round *r, const struct course *c,
    const struct verdict *v, const struct portrait *who)
{
    char what[SERVICE_TEXT];
    char origin[PORTRAIT_ORIGIN];
    service_format(c->service, what);
    portrait_origin(who, origin, sizeof origin);
    unsigned live = (unsigned)__builtin_popcountll(r->live);
    double ratio = ratio_of(v);
    snprintf(f->title, sizeof f->title,
        "%s: %.0f networks reach %u of %u sites each, %.*f times the normal", what, v->networks,
        r->terms.need[v->level], live, ratio < 10.0 ? 1 : 0, ratio);
    snprintf(f->explanation, sizeof f->explanation,
        "In the last %d hours %.0f different networks carried %s to at least %u of %u sites, "
        "each of them; %.1f would be normal at this hour. Hosts that are seen everywhere scan "
        "all of the address space, and fast: a few of them are the beginning of what the "
        "number "
        "of sources shows later.%s%s",
        SPAN_HOURS, v->networks, what, r->terms.need[v->level], live, v->mean,
        *origin ? " " : "", origin);
}

static enum err write_numbers(
    struct finding *f, const struct reach *g, const struct round *r, const struct verdict *v)
{
    const struct evidence_value rows[] = {
        {"networks", v->networks, "networks", "at so many sites within six hours"},
        {"normal", v->mean, "networks", "that is normal at this hour"},
        {"ratio", ratio_of(v), "",
            "the former over the latter, which is taken as 0.5 at least"},
        {"sites_needed", r->terms.need[v->level], "sites", "at which each of them was seen"},
        {"dispersion", v->dispersion, "", "of what is normal: variance = m + d m^2"},
        {"steepness", v->steep, "%", "more of them if all hosts went one per cent faster"},
        {"log10_p", -v->log_p, "", "logarithm of the p-value, negative binomial"},
        {"score", v->score, "",
            "minus the logarithm of how many such rises chance gives in a day"},
        {"sample", 1.0 / (double)(UINT64_C(1) << g->shift), "",
            "share of the sources that was counted; less than 1 where there was no more room"},
    };
    return evidence_numbers(f, rows, sizeof rows / sizeof *rows);
}

/* The last four days, hour by hour, beside what was normal. */
static enum err write_series(struct finding *f, const struct reach *g, const struct round *r,
    const struct course *c, const struct verdict *v)
{
    double values[DRAWN_HOURS];
    double expected[DRAWN_HOURS];
    double scale = (double)(UINT64_C(1) << g->shift);
    int64_t first = r->hour - DRAWN_HOURS + 1;
    if (first < hour_of(g->origin))
        first = hour_of(g->origin);
    size_t count = (size_t)(r->hour - first + 1);
    for (size_t i = 0; i < count; i++) {
        int64_t hour = first + (int64_t)i;
        values[i] = (double)c->seen[v->level][hour_slot(hour, PAST_HOURS)] * scale;
        expected[i] = course_normal(g, c, v->level, hour).mean * scale;
    }
    values[count - 1] = v->networks;
    expected[count - 1] = v->mean;
    char name[64];
    snprintf(name, sizeof name, "networks at %u sites each", r->terms.need[v->level]);
    return evidence_series(f, &(struct evidence_series){.name = name,
                                  .unit = "networks",
                                  .start = first * US_HOUR,
                                  .step = US_HOUR,
                                  .count = count,
                                  .values = values,
                                  .expected = expected});
}

enum err reach_report(const struct reach *g, const struct round *r, const struct course *c,
    const struct verdict *v, struct arena *scratch, struct sink *out)
{
    struct crowd crowd;
    struct portrait who = {0};
    enum err e = crowd_take(&crowd, g, r, c->service, r->terms.need[v->level], scratch);
    if (!e && crowd.group.count)
        e = portrait_take(&who, &crowd.tally, 0, 1, scratch);
    if (e)
        return e;
    struct finding f;
    finding_init(&f, "reach", "wide-growth");
    f.time = (r->hour + 1) * US_HOUR;
    f.start = (int64_t)c->first * US_HOUR; /* the span reaches further back than what began */
    f.end = f.time;
    f.score = fmin(v->score, 300.0);
    f.severity = severity_of(r, c, v);
    f.proto = service_proto(c->service);
    f.host_count = (uint64_t)llround(v->networks);
    finding_port(&f, service_port(c->service));
    uint64_t places = places_of(g, r, c->service, r->terms.need[v->level]);
    for (size_t k = 0; k < g->place_count; k++)
        if (places >> k & 1)
            finding_site(&f, g->places[k].name);
    portrait_tell(&who, &f);
    write_words(&f, r, c, v, &who);
    e = write_numbers(&f, g, r, v);
    if (!e)
        e = write_series(&f, g, r, c, v);
    if (!e)
        e = out->put(out->context, &f);
    finding_done(&f);
    return e;
}
