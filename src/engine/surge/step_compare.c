#include "engine/surge/step_int.h"
#include "engine/surge/view_int.h"

#include "num/order.h"

#include <math.h>
#include <string.h>

enum {
    SHARED_LEAST = 12 /* ports that must agree before a rise is the site's, not a port's */
};
static const double busy = 3.0; /* sources a window: ports that vote on what the site shares */

static enum err map_groups(struct surge *s, struct step *step, struct arena *scratch)
{
    step->group_of = arena_take(scratch, s->series_count + 1, sizeof *step->group_of);
    step->views = arena_take(scratch, s->series_count + 1, sizeof *step->views);
    if (!step->group_of || !step->views)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->series_count; i++)
        step->group_of[i] = NO_GROUP;
    for (size_t g = 0; g < step->tally.group_count; g++)
        if (step->series_of[g])
            step->group_of[step->series_of[g] - 1] = (uint32_t)g;
    return OK;
}

static bool votes(const struct surge *s, const struct view *v, unsigned h)
{
    return !isnan(v->expected) && !isnan(v->seen) && (double)v->expected >= busy * s->span[h];
}

/* The ports of each site that vote, over one horizon: how far above normal they are, site by
 * site in `ratios`; first[k] is where those of site k begin. */
struct poll {
    double *ratios;
    size_t *first; /* one more than sites */
};

static void poll_take(
    const struct surge *s, const struct step *step, unsigned h, struct poll *p)
{
    memset(p->first, 0, (s->site_count + 1) * sizeof *p->first);
    for (size_t i = 0; i < s->series_count; i++)
        if (votes(s, &step->views[i][h], h))
            p->first[s->series[i].site + 1u]++;
    for (size_t k = 0; k < s->site_count; k++)
        p->first[k + 1] += p->first[k];
    for (size_t i = 0; i < s->series_count; i++)
        if (votes(s, &step->views[i][h], h)) {
            size_t at = p->first[s->series[i].site]++;
            p->ratios[at] = (double)step->views[i][h].seen / (double)step->views[i][h].expected;
        }
    memmove(p->first + 1, p->first, s->site_count * sizeof *p->first);
    p->first[0] = 0;
}

/* What most busy ports of a site have in common (a telescope that grew, a day on which
 * everybody scans) is no news of one port: if the median of now over expected is above one,
 * expectations rise by it. */
static void share_rise(struct surge *s, struct step *step, unsigned h, struct poll *p)
{
    poll_take(s, step, h, p);
    for (size_t k = 0; k < s->site_count; k++) {
        size_t count = p->first[k + 1] - p->first[k];
        double shared = count < SHARED_LEAST ? 1.0 : median(p->ratios + p->first[k], count);
        if (shared <= 1.0)
            continue;
        for (size_t i = 0; i < s->series_count; i++)
            if (s->series[i].site == k)
                step->views[i][h].expected *= (float)shared;
    }
}

static void prefetch(const struct series *p)
{
    const char *at = (const char *)p;
    for (size_t i = 0; i < sizeof *p; i += 64)
        __builtin_prefetch(at + i);
}

enum err step_compare(struct surge *s, struct step *step, struct arena *scratch)
{
    enum err e = map_groups(s, step, scratch);
    if (e)
        return e;
    struct outlook *outlook = arena_take(scratch, 1, sizeof *outlook);
    struct poll poll = {
        .ratios = arena_take(scratch, s->series_count + 1, sizeof *poll.ratios),
        .first = arena_take(scratch, s->site_count + 1, sizeof *poll.first),
    };
    if (!outlook || !poll.ratios || !poll.first)
        return ERR_NOMEM;
    e = outlook_make(outlook, s, scratch);
    if (e)
        return e;
    for (size_t k = 0; k < s->site_count; k++)
        s->sites[k].series_count = 0;
    for (size_t i = 0; i < s->series_count; i++) {
        const struct series *p = &s->series[i];
        if (i + 2 < s->series_count)
            prefetch(p + 2);
        views_take(s, outlook, p, step->views[i]);
        s->sites[p->site].series_count += (double)step->views[i][0].expected >= 0.5;
    }
    for (unsigned h = 0; h < HORIZONS; h++)
        share_rise(s, step, h, &poll);
    return OK;
}
