/* Which services had more sources than usual in the last hours: what comes at the same place of
 * each is a timer's, and changes the graph every time. */
#include "engine/graph/graph_int.h"
#include "engine/hourly.h"

void crowds_forget(struct site *site, uint32_t window)
{
    site->crowds[window % CROWD_WINDOWS].count = 0;
}

/* By how much, falling; then by service. */
static bool goes_before(const struct crowd *a, const struct crowd *b)
{
    return a->more != b->more ? a->more > b->more : a->service < b->service;
}

static void keep(struct crowds *c, const struct crowd *one)
{
    if (c->count == CROWDS && !goes_before(one, &c->rows[CROWDS - 1]))
        return;
    size_t at = c->count < CROWDS ? c->count++ : CROWDS - 1;
    for (; at > 0 && goes_before(one, &c->rows[at - 1]); at--)
        c->rows[at] = c->rows[at - 1];
    c->rows[at] = *one;
}

void crowds_note(const struct graph *s, const struct view *v)
{
    struct crowds *c = &v->site->crowds[s->now % CROWD_WINDOWS];
    c->count = 0;
    for (uint32_t i = 0; i < v->graph.used_count; i++) {
        uint32_t service = v->graph.used[i];
        double seen = v->graph.right[i].degree / v->kept;
        double more = seen - usual_sources(v->site, service);
        if (more >= s->options.min_sources && seen >= s->options.min_ratio * (seen - more))
            keep(c, &(struct crowd){.service = service, .more = (float)more});
    }
}

static double more_of(const struct crowds *c, uint32_t service)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->rows[i].service == service)
            return (double)c->rows[i].more;
    return 0.0;
}

bool crowds_hourly(const struct graph *s, const struct site *site, uint32_t service)
{
    double more[CROWD_WINDOWS];
    size_t count = site->windows < CROWD_WINDOWS ? site->windows : CROWD_WINDOWS;
    size_t span = (size_t)(US_HOUR / s->window);
    for (uint32_t k = 0; k < count; k++)
        more[k] =
            k < s->now ? more_of(&site->crowds[(s->now - k) % CROWD_WINDOWS], service) : 0.0;
    return hourly_is(more, count, span);
}
