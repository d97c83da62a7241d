#include "engine/graph/graph_int.h"
#include "engine/hourly.h"
#include "engine/severity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FEW_TARGETS = 2,   /* bits of the destination map: nearly all to one or two addresses */
    MANY_TARGETS = 16, /* ... of a site that has many */
    MANY_SOURCES = 10,
    MOVERS = 3 /* services that a change without a cause names */
};

/* The feature that moved most. */
static unsigned loudest(const struct site *site)
{
    unsigned best = 0;
    for (unsigned i = 1; i < FEATURES; i++)
        if (fabs(site->features[i].z) > fabs(site->features[best].z))
            best = i;
    return best;
}

static enum err portrait_of(const struct graph *s, const struct view *v, struct present *at,
    uint32_t service, struct portrait *who)
{
    enum err e = OK;
    if (!at->tallied)
        e = tally_build(&at->tally, at->window, s->options.leave_out, at->scratch);
    if (e)
        return e;
    at->tallied = true;
    for (size_t g = 0; g < at->tally.group_count; g++) {
        const struct tally_group *group = &at->tally.groups[g];
        if (group->service == service && &at->window->sites[group->site] == v->about)
            return portrait_take(who, &at->tally, g, g + 1, at->scratch);
    }
    return OK;
}

/* "23+20012/tcp", or the first words of an unexplained change. */
static void name_services(const struct cause *c, char *text, size_t room)
{
    char word[SERVICE_TEXT];
    *text = 0;
    for (size_t i = 0; i < c->count && i < 4 && service_port(c->services[0]); i++)
        snprintf(text + strlen(text), room - strlen(text), "%s%u", i ? "+" : "",
            service_port(c->services[i]));
    service_format(c->services[0], word);
    const char *slash = *text ? strchr(word, '/') : word;
    snprintf(text + strlen(text), room - strlen(text), "%s", slash ? slash : "");
}

/* A mean number of sources is told to the tenth while it is small. */
static int digits_of(double usual)
{
    return usual < 10.0 ? 1 : 0;
}

/* What it means that a feature is above or below what was expected. */
static const char *meaning_of(const struct site *site, unsigned feature)
{
    return site->features[feature].z < 0.0 ? feature_rows[feature].less
                                           : feature_rows[feature].more;
}

/* A service whose sources are not as many as usual. */
struct mover {
    uint32_t service;
    double seen, usual;
    double far; /* in deviations */
};

/* Keeps the farthest MOVERS in order. */
static void movers_take(
    struct mover movers[MOVERS], const struct site *site, uint32_t service, double seen)
{
    double usual = usual_sources(site, service);
    double d = fmax(usual_dispersion(site), LEAST_DISPERSION);
    struct mover one = {.service = service,
        .seen = seen,
        .usual = usual,
        .far = fabs(seen - usual) / sqrt(usual + d * usual * usual + 1.0)};
    for (size_t i = 0; i < MOVERS; i++)
        if (one.far > movers[i].far) {
            struct mover next = movers[i];
            movers[i] = one;
            one = next;
        }
}

/* The services that have moved most, in either direction: "445/tcp 120 sources (80 usual), ..."
 */
static void name_movers(const struct view *v, char *text, size_t room)
{
    struct mover movers[MOVERS] = {{0}};
    uint64_t there[SERVICES / 64 + 1] = {0};
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i];
        there[service / 64] |= UINT64_C(1) << service % 64;
        movers_take(movers, v->site, service, v->graph.right[i].degree / v->kept);
    }
    for (uint32_t service = 0; service < SERVICES; service++)
        if (v->site->usual[service] > 0.0F && !(there[service / 64] >> service % 64 & 1))
            movers_take(movers, v->site, service, 0.0);
    *text = 0;
    for (size_t i = 0; i < MOVERS && movers[i].far > 0.0; i++) {
        char word[SERVICE_TEXT];
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s%s %.0f sources (%.*f usual)", i ? ", " : "",
            service_format(movers[i].service, word), movers[i].seen, digits_of(movers[i].usual),
            movers[i].usual);
    }
}

static void write_words(struct finding *f, const struct graph *s, const struct view *v,
    const struct cause *c, const struct portrait *who)
{
    const struct site *site = v->site;
    unsigned best = loudest(site);
    const struct feature *moved = &site->features[best];
    char what[96], origin[80], began[TIME_TEXT];
    time_format(f->start, began);
    double now = feature_unscale((enum feature_id)best, moved->value);
    double usual = feature_unscale((enum feature_id)best, moved->guess);
    int used;
    if (c) {
        name_services(c, what, sizeof what);
        portrait_origin(who, origin, sizeof origin);
        snprintf(f->title, sizeof f->title,
            "%s changes the traffic of %s: %u sources, %.*f usual", what, site->name, c->seen,
            digits_of(c->usual), c->usual);
        used = snprintf(f->explanation, sizeof f->explanation,
            "The graph of sources and services at %s changed at %.16sZ, and %s explains it: %u "
            "sources, %.*f usual.%s%s",
            site->name, began, what, c->seen, digits_of(c->usual), c->usual, *origin ? " " : "",
            origin);
    } else {
        char movers[160];
        name_movers(v, movers, sizeof movers);
        snprintf(f->title, sizeof f->title, "traffic of %s changes: %s", site->name,
            meaning_of(site, best));
        used = snprintf(f->explanation, sizeof f->explanation,
            "The traffic of %s changed at %.16sZ: %s. No port explains it by a crowd of new "
            "sources; farthest from usual are %s.",
            site->name, began, meaning_of(site, best), *movers ? movers : "none");
    }
    if (used > 0 && (size_t)used < sizeof f->explanation)
        used += snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " %s: %.4g%s%s, %.4g expected.", feature_rows[best].name, now,
            *feature_rows[best].unit ? " " : "", feature_rows[best].unit, usual);
    if (c && crowds_hourly(s, site, c->services[0]) && used > 0 &&
        (size_t)used < sizeof f->explanation)
        used +=
            snprintf(f->explanation + used, sizeof f->explanation - (size_t)used, HOURLY_WORDS);
    if (graph_learns(s, site) && used > 0 && (size_t)used < sizeof f->explanation)
        snprintf(f->explanation + used, sizeof f->explanation - (size_t)used,
            " The site is still being learned.");
}

static enum err write_numbers(
    struct finding *f, const struct site *site, const struct cause *c, double score)
{
    enum err e = evidence_number(f, "score", score, "",
        "minus the logarithm of how often chance gives such evidence in a day, over all sites");
    if (!e)
        e = evidence_number(f, "evidence", site->evidence, "",
            "of the e-detector; its mean grows by 1 a window while nothing happens");
    if (c && !e)
        e = evidence_number(f, "seen", c->seen, "sources", "at the service that explains it");
    if (c && !e)
        e = evidence_number(f, "expected", c->usual, "sources", "usual there");
    if (c && !e)
        e = evidence_number(
            f, "log10_p", c->log_p / M_LN10, "", "logarithm of the service's p-value");
    for (unsigned i = 0; !e && i < FEATURES; i++)
        e = evidence_number(f, feature_rows[i].name,
            feature_unscale((enum feature_id)i, site->features[i].value), feature_rows[i].unit,
            feature_rows[i].text);
    char name[40];
    for (unsigned i = 0; !e && i < FEATURES; i++) {
        snprintf(name, sizeof name, "%s_z", feature_rows[i].name);
        e = evidence_number(f, name, site->features[i].z, "",
            "how many deviations it is from what the windows before foretold");
    }
    return e;
}

/* The last day of the feature that moved most. */
static enum err write_series(
    struct finding *f, const struct graph *s, const struct site *site, struct arena *scratch)
{
    unsigned best = loudest(site);
    const struct feature *moved = &site->features[best];
    uint32_t count = s->now < RING ? s->now : RING;
    double *values = arena_take(scratch, count, sizeof *values);
    double *expected = arena_take(scratch, count, sizeof *expected);
    double *threshold = arena_take(scratch, count, sizeof *threshold);
    if (!values || !expected || !threshold)
        return ERR_NOMEM;
    double five = 5.0 * sqrt(moved->variance) * (moved->z < 0.0 ? -1.0 : 1.0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (s->now - count + 1 + i) % RING;
        values[i] = feature_unscale((enum feature_id)best, (double)moved->ring[at]);
        expected[i] = feature_unscale((enum feature_id)best, (double)moved->expected[at]);
        threshold[i] =
            feature_unscale((enum feature_id)best, (double)moved->expected[at] + five);
    }
    char name[RECORD_NAME_MAX + 40];
    snprintf(name, sizeof name, "%s at %s", feature_rows[best].name, site->name);
    const struct evidence_series row = {.name = name,
        .unit = feature_rows[best].unit,
        .start = window_start(s, s->now - count + 1),
        .step = s->window,
        .count = count,
        .values = values,
        .expected = expected,
        .threshold = threshold};
    return evidence_series(f, &row);
}

/* Many sources that all want the same address have been told so: a wrong setting somewhere. */
static bool is_one_target(const struct site *site, const struct portrait *who)
{
    bool wide = __builtin_popcountll(site->targets) >= MANY_TARGETS;
    return wide && who->sources >= MANY_SOURCES && who->targets <= FEW_TARGETS;
}

/* One network's hosts are one scanner. */
static bool is_crowd(const struct graph *s, const struct cause *c, const struct portrait *who)
{
    return fmin(who->sources, who->networks / 0.8) - c->usual >= s->options.min_sources;
}

/* A change is improbable, and so is the port that explains it. The port's p-value, corrected
 * for the number of services, counts for half its digits, as the model of counts may be wrong
 * in its tail, and for no more than three. */
static double support_of(const struct cause *c)
{
    return fmin(0.5 * (-c->log_p / M_LN10 - log10(SERVICES)), 3.0);
}

static enum severity severity_of(const struct graph *s, const struct site *site,
    const struct cause *c, const struct portrait *who, double score)
{
    if (!c || is_one_target(site, who) || !is_crowd(s, c, who) || graph_learns(s, site) ||
        crowds_hourly(s, site, c->services[0]))
        return SEVERITY_INFO;
    struct rise rise = {.score = score,
        .ratio = c->seen / fmax(c->usual, 0.5),
        .sites = 1,
        .fired = (unsigned)__builtin_popcount(site->alarm.history & 7),
        .lasted = (int64_t)(s->now - site->alarm.first) * s->window};
    return rise_severity(&rise);
}

enum err graph_report(
    const struct graph *s, const struct view *v, struct present *at, const struct cause *c)
{
    const struct site *site = v->site;
    double score = site->alarm.score + (c ? support_of(c) : 0.0);
    struct portrait who = {0};
    enum err e = c ? portrait_of(s, v, at, c->services[0], &who) : OK;
    if (e)
        return e;
    struct finding f;
    finding_init(&f, "graph", c ? "graph-change" : "graph-shift");
    f.time = window_start(s, s->now + 1);
    f.start = site->alarm.start;
    f.end = f.time;
    f.score = fmin(fmax(score, 0.0), 300.0);
    f.severity = severity_of(s, site, c, &who, score);
    finding_site(&f, site->name);
    if (c) {
        f.proto = service_proto(c->services[0]);
        for (size_t i = 0; i < c->count; i++)
            finding_port(&f, service_port(c->services[i]));
        f.host_count = who.sources;
        f.one_target = is_one_target(site, &who);
        portrait_tell(&who, &f);
    }
    write_words(&f, s, v, c, &who);
    e = write_numbers(&f, site, c, score);
    if (!e)
        e = write_series(&f, s, site, at->scratch);
    if (!e)
        e = at->out->put(at->out->context, &f);
    finding_done(&f);
    return e;
}
