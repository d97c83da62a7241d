/* How one alert begins and grows, and what ties two of them together. No lists of alerts here.
 */
#include "alert/alert_int.h"
#include "alert/lead.h"

#include "base/clock.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds that tell of one sort of thing share a family, and their findings become one alert. The
 * broader kind names it. A kind that is not listed is its own family. */
static const struct {
    const char *kind;
    const char *family;
    int breadth;
} kinds[] = {
    {"spread", "rise", 0},       /* where it comes next, beside what has come */
    {"graph-change", "rise", 1}, /* the ports that explain a change of the whole */
    {"wide-growth", "rise", 1},  /* the fast ones among them, before the others */
    {"new-pattern", "rise", 1},  /* what the sources of a rise have in common */
    {"known-surge", "rise", 1}, {"port-surge", "rise", 2},
    {"high-risk-port", "rise", 3}, /* a change of the whole, and the rise that explains it */
    {"global-growth", "rise", 4}, {"synchrony", "step", 0}, /* over the window, slot by slot */
    {"in-step", "step", 1},                                 /* in which seconds */
};

enum {
    KINDS = sizeof kinds / sizeof *kinds,
    SHARED_HOSTS = 2 /* in both samples: that many tie two alerts together */
};

static const int64_t together = US_HOUR; /* alerts that came so close may be one thing */

static const char *family_of(const char *kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].family;
    return kind;
}

static int breadth_of(const char *kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].breadth;
    return 0;
}

static bool sites_overlap(const struct alert *a, const struct finding *f)
{
    for (size_t i = 0; i < a->site_count; i++)
        for (size_t k = 0; k < f->site_count; k++)
            if (strcmp(a->sites[i], f->sites[k]) == 0)
                return true;
    return !a->site_count || !f->site_count;
}

static bool has_port(const struct alert *a, uint16_t port)
{
    for (size_t i = 0; i < a->port_count; i++)
        if (a->ports[i] == port)
            return true;
    return false;
}

/* What names no port is about one thing only where it is at one site. */
static bool ports_overlap(const struct alert *a, const struct finding *f)
{
    if (!a->port_count && !f->port_count)
        return sites_overlap(a, f);
    for (size_t k = 0; k < f->port_count; k++)
        if (has_port(a, f->ports[k]))
            return true;
    return false;
}

bool kinds_join(const char *kind, const char *other)
{
    return strcmp(family_of(kind), family_of(other)) == 0;
}

/* A wrong setting that sends many hosts to one address is a rise, and they act in step, too. */
static bool is_one_setting(const struct track *t, const struct finding *f)
{
    return t->one_target && f->one_target && f->port_count && sites_overlap(&t->alert, f);
}

static size_t shared_hosts(
    const struct ip *hosts, size_t count, const struct ip *others, size_t other_count)
{
    size_t shared = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < other_count; k++)
            shared += ip_same(&hosts[i], &others[k]);
    return shared;
}

/* Sources that come back together are found hours after they came in step, or were a rise: the
 * same hosts, and nothing but ports that the alert has. */
static bool is_same_group(const struct alert *a, const struct finding *f)
{
    if (strcmp(f->kind, "moving-group") != 0 || !f->port_count || !sites_overlap(a, f))
        return false;
    for (size_t i = 0; i < f->port_count; i++)
        if (!has_port(a, f->ports[i]))
            return false;
    return shared_hosts(a->hosts, a->host_sample, f->hosts, f->host_sample) >= SHARED_HOSTS;
}

bool track_matches(const struct track *t, const struct finding *f, int64_t quiet)
{
    const struct alert *a = &t->alert;
    return a->open && a->proto == f->proto && f->time - t->last <= quiet &&
           ports_overlap(a, f) &&
           (kinds_join(a->kind, f->kind) || is_one_setting(t, f) || is_same_group(a, f));
}

static void copy_cut(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from);
}

/* Number of the engine in the alert's list; it is added if new. ALERT_ENGINES if full. */
static size_t engine_number(struct alert *a, const char *engine)
{
    for (size_t i = 0; i < a->engine_count; i++)
        if (strcmp(a->engines[i], engine) == 0)
            return i;
    if (a->engine_count == ALERT_ENGINES)
        return ALERT_ENGINES;
    copy_cut(a->engines[a->engine_count], sizeof a->engines[0], engine);
    return a->engine_count++;
}

static void add_ports(struct alert *a, const struct finding *f)
{
    for (size_t k = 0; k < f->port_count; k++)
        if (!has_port(a, f->ports[k]) && a->port_count < FINDING_PORTS)
            a->ports[a->port_count++] = f->ports[k];
}

static void add_sites(struct alert *a, const struct finding *f)
{
    for (size_t k = 0; k < f->site_count; k++) {
        size_t i = 0;
        while (i < a->site_count && strcmp(a->sites[i], f->sites[k]) != 0)
            i++;
        if (i == a->site_count && i < FINDING_SITES)
            memcpy(a->sites[a->site_count++], f->sites[k], sizeof f->sites[k]);
    }
}

static void add_country(struct alert *a, const char country[3])
{
    for (size_t i = 0; i < a->country_count; i++)
        if (memcmp(a->countries[i], country, 3) == 0)
            return;
    if (a->country_count < FINDING_COUNTRIES)
        memcpy(a->countries[a->country_count++], country, 3);
}

static void add_host(struct alert *a, const struct ip *host)
{
    for (size_t i = 0; i < a->host_sample; i++)
        if (ip_same(&a->hosts[i], host))
            return;
    if (a->host_sample < FINDING_HOSTS)
        a->hosts[a->host_sample++] = *host;
}

/* Countries and hosts of the strongest finding come first, what was known before after them. */
static void add_origins(struct alert *a, const struct finding *f, bool strongest)
{
    struct alert before;
    before.country_count = before.host_sample = 0;
    if (strongest) {
        memcpy(before.countries, a->countries, sizeof before.countries);
        memcpy(before.hosts, a->hosts, sizeof before.hosts);
        before.country_count = a->country_count;
        before.host_sample = a->host_sample;
        a->country_count = a->host_sample = 0;
    }
    for (size_t i = 0; i < f->country_count; i++)
        add_country(a, f->countries[i]);
    for (size_t i = 0; i < f->host_sample; i++)
        add_host(a, &f->hosts[i]);
    for (size_t i = 0; i < before.country_count; i++)
        add_country(a, before.countries[i]);
    for (size_t i = 0; i < before.host_sample; i++)
        add_host(a, &before.hosts[i]);
}

static double strongest_score(const struct track *t)
{
    double strongest = 0.0;
    for (size_t i = 0; i < t->alert.engine_count; i++)
        strongest = fmax(strongest, t->scores[i]);
    return strongest;
}

/* What joins the engines' findings adds to them; it never speaks for the alert. */
static bool is_joiner(const char *engine)
{
    return strcmp(engine, LEAD_ENGINE) == 0;
}

static void add_words(struct track *t, size_t engine)
{
    struct alert *a = &t->alert;
    size_t used = strlen(a->explanation);
    if (engine && t->said[engine][0] &&
        used + 1 + strlen(t->said[engine]) < sizeof a->explanation)
        snprintf(a->explanation + used, sizeof a->explanation - used, " %s", t->said[engine]);
}

/* The leading engine speaks first, then what joins them, and the others add what fits as a
 * whole. */
static void compose(struct track *t)
{
    struct alert *a = &t->alert;
    copy_cut(a->explanation, sizeof a->explanation, t->said[0]);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < a->engine_count; i++)
            if (is_joiner(a->engines[i]) == (pass == 0))
                add_words(t, i);
}

static bool takes_the_lead(const struct track *t, const struct finding *f, size_t engine)
{
    if (engine == 0 || !t->alert.title[0])
        return true;
    if (is_joiner(f->engine))
        return false;
    if (f->severity != t->lead_severity)
        return f->severity > t->lead_severity;
    /* Of two that say the same kind of thing, the one that spoke first goes on. */
    return breadth_of(f->kind) > breadth_of(t->alert.kind);
}

static void swap(void *a, void *b, size_t size)
{
    char kept[sizeof((struct track *)0)->said[0]];
    assert(size <= sizeof kept);
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

void track_put_first(struct track *t, size_t engine)
{
    struct alert *a = &t->alert;
    if (!engine)
        return;
    swap(a->engines[0], a->engines[engine], sizeof a->engines[0]);
    swap(&t->scores[0], &t->scores[engine], sizeof t->scores[0]);
    swap(t->said[0], t->said[engine], sizeof t->said[0]);
}

/* Take over what only the strongest finding of an engine says. */
static enum err take_words(struct track *t, const struct finding *f, size_t engine)
{
    struct alert *a = &t->alert;
    if (!a->evidence)
        a->evidence = json_object();
    json_t *evidence = f->evidence ? json_deep_copy(f->evidence) : json_object();
    if (json_object_set_new(a->evidence, a->engines[engine], evidence) != 0)
        return ERR_NOMEM;
    t->scores[engine] = f->score;
    copy_cut(t->said[engine], sizeof t->said[engine], f->explanation);
    if (takes_the_lead(t, f, engine)) {
        track_put_first(t, engine);
        t->lead_severity = f->severity;
        copy_cut(a->title, sizeof a->title, f->title);
        if (f->tool[0])
            copy_cut(a->tool, sizeof a->tool, f->tool);
    }
    return OK;
}

enum err track_grow(struct track *t, const struct finding *f)
{
    struct alert *a = &t->alert;
    size_t engine = engine_number(a, f->engine);
    bool strongest = engine < ALERT_ENGINES && f->score >= t->scores[engine];
    if (strongest) {
        enum err e = take_words(t, f, engine);
        if (e)
            return e;
    }
    if (breadth_of(f->kind) > breadth_of(a->kind))
        copy_cut(a->kind, sizeof a->kind, f->kind);
    add_ports(a, f);
    add_sites(a, f);
    add_origins(a, f, strongest && strcmp(a->engines[0], f->engine) == 0);
    a->start = f->start < a->start ? f->start : a->start;
    a->end = f->end > a->end ? f->end : a->end;
    if (f->severity >= SEVERITY_NOTICE && a->severity < SEVERITY_NOTICE)
        a->time = f->time; /* nobody was asked to look before */
    a->severity = f->severity > a->severity ? f->severity : a->severity;
    a->host_count = f->host_count > a->host_count ? f->host_count : a->host_count;
    if (a->host_count < a->host_sample) /* each engine tells of its own moment */
        a->host_count = a->host_sample;
    a->confidence = confidence_of(a, strongest_score(t));
    t->last = f->time > t->last ? f->time : t->last;
    t->one_target |= f->one_target;
    t->changed = true;
    compose(t);
    return OK;
}

enum err track_begin(struct track *t, const struct finding *f)
{
    *t = (struct track){
        .last = f->time,
        .alert = {.time = f->time,
            .start = f->start,
            .end = f->end,
            .severity = f->severity,
            .proto = f->proto,
            .open = true},
    };
    copy_cut(t->alert.kind, sizeof t->alert.kind, f->kind);
    return track_grow(t, f);
}

static bool shares_site(const struct alert *a, const struct alert *b)
{
    for (size_t i = 0; i < a->site_count; i++)
        for (size_t k = 0; k < b->site_count; k++)
            if (strcmp(a->sites[i], b->sites[k]) == 0)
                return true;
    return false;
}

static bool came_together(const struct alert *a, const struct alert *b)
{
    return llabs(a->time - b->time) <= together && a->country_count && b->country_count &&
           memcmp(a->countries[0], b->countries[0], 3) == 0 && shares_site(a, b);
}

void track_relate(struct track *t, const struct track *other)
{
    struct alert *a = &t->alert;
    for (size_t i = 0; i < a->related_count; i++)
        if (strcmp(a->related[i], other->alert.id) == 0)
            return;
    if (a->related_count == ALERT_RELATED)
        return;
    const struct alert *b = &other->alert;
    if (shared_hosts(a->hosts, a->host_sample, b->hosts, b->host_sample) < SHARED_HOSTS &&
        !came_together(a, b))
        return;
    memcpy(a->related[a->related_count++], other->alert.id, ALERT_ID);
    t->changed = true;
}
