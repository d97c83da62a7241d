#include "engine/graph/graph_int.h"

#include <math.h>

bool graph_learns(const struct graph *s, const struct site *site)
{
    return (int64_t)site->windows * s->window <= s->options.learn;
}

/* A handful of sources has no shape that could change. */
static bool has_shape(const struct graph *s, const struct site *site)
{
    const struct feature *f = &site->features[FEATURE_SOURCES];
    return feature_unscale(FEATURE_SOURCES, fmax(f->value, f->guess)) >= s->options.min_sources;
}

static bool lasts(const struct graph *s, const struct alarm *a)
{
    return a->first && s->now - a->last <= CALM;
}

static bool is_about(const struct alarm *a, const struct cause *c)
{
    if (a->count == 0)
        return true; /* what explains it may take some windows to show */
    for (size_t i = 0; i < c->count; i++)
        for (uint32_t k = 0; k < a->count; k++)
            if (c->services[i] == a->services[k])
                return true;
    return false;
}

static void remember(struct alarm *a, const struct cause *c)
{
    for (size_t i = 0; i < c->count; i++) {
        uint32_t k = 0;
        while (k < a->count && a->services[k] != c->services[i])
            k++;
        if (k == a->count && k < CAUSES)
            a->services[a->count++] = c->services[i];
    }
}

/* Where the evidence began to rise, but not more than an hour ago: before a jump it wanders. */
static uint32_t began(const struct graph *s, const struct site *site)
{
    uint32_t since = site->since ? site->since : s->now;
    return s->now - since > CALM ? s->now - CALM : since;
}

static void begin(const struct graph *s, struct site *site, double score)
{
    struct alarm *a = &site->alarm;
    if (!lasts(s, a))
        *a = (struct alarm){.first = s->now, .start = window_start(s, began(s, site))};
    a->score = fmax(a->score, score);
    a->last = s->now;
    features_restart(site);
}

enum err alarm_step(const struct graph *s, struct view *v, struct present *at, double score)
{
    struct alarm *a = &v->site->alarm;
    struct cause causes[CAUSES];
    bool fresh = score >= 0.0 && v->site->evalue > 1.0; /* and this window adds to it */
    a->history = (uint8_t)(a->history << 1);
    if (!fresh && !lasts(s, a))
        return OK;
    if (fresh)
        begin(s, v->site, score);
    size_t count = causes_find(s, v, causes), told = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++) {
        if (!fresh && !is_about(a, &causes[i]))
            continue;
        a->history |= 1;
        a->last = s->now;
        told++;
        e = graph_report(s, v, at, &causes[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (fresh || is_about(a, &causes[i]))
            remember(a, &causes[i]);
    /* The rhythm of a day is a change to who has not seen one. */
    if (!e && fresh && !told && a->first == s->now && !graph_learns(s, v->site) &&
        has_shape(s, v->site))
        e = graph_report(s, v, at, NULL);
    if (fresh && !told)
        v->site->evidence = 0.0; /* what nothing explains is told once */
    return e;
}
