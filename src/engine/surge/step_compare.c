#include "engine/surge/step_int.h"
#include "engine/surge/view_int.h"

#include "num/order.h"

#include <math.h>

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
    for (size_t g = 0; g < step->tally.group_count; g++) {
        const struct tally_group *group = &step->tally.groups[g];
        size_t k = step->site_of[group->site];
        uint32_t number = k ? s->sites[k - 1].series_of[group->service] : 0;
        if (number)
            step->group_of[number - 1] = (uint32_t)g;
    }
    return OK;
}

static bool votes(const struct surge *s, const struct view *v, unsigned h)
{
    return !isnan(v->expected) && !isnan(v->seen) && (double)v->expected >= busy * s->span[h];
}

/* What most busy ports of a site have in common (a telescope that grew, a day on which
 * everybody scans) is no news of one port: if the median of now over expected is above one,
 * expectations rise by it. */
static void share_rise(
    struct surge *s, struct step *step, size_t site, unsigned h, double *room)
{
    size_t count = 0;
    for (size_t i = 0; i < s->series_count; i++)
        if (s->series[i].site == site && votes(s, &step->views[i][h], h))
            room[count++] = (double)step->views[i][h].seen / (double)step->views[i][h].expected;
    if (count < SHARED_LEAST)
        return;
    double shared = median(room, count);
    if (shared <= 1.0)
        return;
    for (size_t i = 0; i < s->series_count; i++)
        if (s->series[i].site == site)
            step->views[i][h].expected *= (float)shared;
}

enum err step_compare(struct surge *s, struct step *step, struct arena *scratch)
{
    enum err e = map_groups(s, step, scratch);
    double *room = e ? NULL : arena_take(scratch, s->series_count + 1, sizeof *room);
    struct outlook *outlook = e ? NULL : arena_take(scratch, 1, sizeof *outlook);
    if (e || !room || !outlook)
        return e ? e : ERR_NOMEM;
    outlook_make(outlook, s);
    for (size_t k = 0; k < s->site_count; k++)
        s->sites[k].series_count = 0;
    for (size_t i = 0; i < s->series_count; i++) {
        const struct series *p = &s->series[i];
        views_take(s, outlook, p, step->views[i]);
        s->sites[p->site].series_count += (double)step->views[i][0].expected >= 0.5;
    }
    for (size_t k = 0; k < s->site_count; k++)
        for (unsigned h = 0; h < HORIZONS; h++)
            share_rise(s, step, k, h, room);
    return OK;
}
