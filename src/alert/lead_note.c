/* From findings to what came where and when. */
#include "alert/lead_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t together = US_HOUR;   /* a change of the whole, and what explains it */
static const int64_t before = 2 * US_HOUR; /* ... may have begun so much earlier */

/* Kinds that say by themselves that a thing rises; others tell where it is. */
static bool is_rise(const char *kind)
{
    static const char *const kinds[] = {
        "port-surge", "global-growth", "graph-change", "high-risk-port", "spread"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

bool spread_has_port(const struct spread *s, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < s->port_count; i++)
        for (size_t k = 0; k < count; k++)
            if (s->ports[i] == ports[k])
                return true;
    return false;
}

const struct arrival *spread_at(const struct spread *s, const char *site)
{
    for (size_t i = 0; i < s->arrival_count; i++)
        if (strcmp(s->arrivals[i].site, site) == 0)
            return &s->arrivals[i];
    return NULL;
}

static struct spread *spread_of(struct lead *l, const struct finding *f)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->spreads[i]->proto == f->proto &&
            spread_has_port(l->spreads[i], f->ports, f->port_count))
            return l->spreads[i];
    return NULL;
}

static void add_ports(struct spread *s, const struct finding *f)
{
    for (size_t k = 0; k < f->port_count && s->port_count < FINDING_PORTS; k++)
        if (!spread_has_port(s, &f->ports[k], 1))
            s->ports[s->port_count++] = f->ports[k];
}

/* The earliest that any engine tells counts. */
static struct arrival *arrive(
    struct spread *s, const char *site, int64_t came, const struct finding *f)
{
    struct arrival *a = (struct arrival *)(uintptr_t)spread_at(s, site);
    if (!a && s->arrival_count < LEAD_SITES && strlen(site) <= RECORD_NAME_MAX) {
        a = &s->arrivals[s->arrival_count++];
        *a = (struct arrival){.came = came, .told = f->time};
        memcpy(a->site, site, strlen(site) + 1);
        s->arrived = true;
    }
    if (a && came < a->came)
        a->came = came;
    return a;
}

/* A number that a finding tells, by its name; 0 if it does not. */
static double number_of(const struct finding *f, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(f->evidence, "numbers"), i, row)
    {
        const char *is = json_string_value(json_object_get(row, "name"));
        if (is && strcmp(is, name) == 0)
            return json_number_value(json_object_get(row, "value"));
    }
    return 0.0;
}

/* A site that speaks for itself tells when it began there; of several sites only the first
 * finding of a thing can mean its start. What growth tells of single sites is too weak to say
 * that it has come to them: it is only together that they are improbable. Groups name sites
 * that saw them in a day or two. */
static void note_sites(struct spread *s, const struct finding *f)
{
    if (strcmp(f->kind, "global-growth") == 0 || strcmp(f->kind, "moving-group") == 0)
        return;
    bool one = f->site_count == 1;
    int64_t came = one || !s->arrival_count ? f->start : f->time;
    for (size_t i = 0; i < f->site_count; i++) {
        struct arrival *a = arrive(s, f->sites[i], came, f);
        if (!a || !one || strcmp(f->kind, "port-surge") != 0)
            continue;
        a->surged = f->time;
        a->surge_score = f->score;
        a->sources = number_of(f, "seen");
        a->normal = number_of(f, "expected");
    }
}

/* The latest of a site stands for all of the hour before. */
static void note_macro(struct lead *l, const struct finding *f)
{
    if (strcmp(f->engine, "graph") != 0 || f->site_count != 1)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < l->macro_count; i++)
        if (strcmp(l->macros[i].site, f->sites[0]) != 0 &&
            f->time - l->macros[i].time <= together)
            l->macros[kept++] = l->macros[i];
    l->macro_count = kept;
    if (kept == LEAD_MACROS)
        return;
    struct macro *m = &l->macros[l->macro_count++];
    *m = (struct macro){.time = f->time, .start = f->start, .score = f->score};
    memcpy(m->site, f->sites[0], sizeof m->site);
}

enum err lead_note(struct lead *l, const struct finding *f)
{
    bool rise = is_rise(f->kind);
    note_macro(l, f);
    if (!f->proto || !f->port_count || (!rise && f->severity < SEVERITY_NOTICE))
        return OK;
    struct spread *s = spread_of(l, f);
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return ERR_NOMEM;
        s->proto = f->proto;
        enum err e = lead_add(l, s);
        if (e) {
            free(s);
            return e == ERR_FULL ? OK : e; /* stronger things have all the room */
        }
    }
    add_ports(s, f);
    s->last = f->time;
    if (rise) {
        s->rose = f->time;
        s->severity = f->severity > s->severity ? f->severity : s->severity;
        s->score = fmax(s->score, isfinite(f->score) ? fmin(fmax(f->score, 0.0), 300.0) : 0.0);
    }
    note_sites(s, f);
    return OK;
}

/* --- what explains a change of the whole ---------------------------------------------------
 */

/* How well does the thing explain it? Below zero: not at all. */
static double explanation_score(const struct spread *s, const struct macro *m)
{
    const struct arrival *a = spread_at(s, m->site);
    if (!a || !a->surged || llabs(a->surged - m->time) > together ||
        a->came < m->start - before)
        return -1.0;
    return a->surge_score;
}

void lead_explain(struct lead *l, int64_t now)
{
    for (size_t i = 0; i < l->macro_count; i++) {
        const struct macro *m = &l->macros[i];
        struct spread *best = NULL;
        double most = -1.0;
        for (size_t k = 0; k < l->count && now - m->time <= together; k++) {
            double score = explanation_score(l->spreads[k], m);
            if (score > most) {
                most = score;
                best = l->spreads[k];
            }
        }
        if (best && (!best->macro.time || m->score > best->macro.score)) {
            best->explains |= !best->macro.time;
            best->macro = *m;
        }
    }
}
