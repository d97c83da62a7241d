#include "engine/growth/step_int.h"

#include <string.h>

enum {
    PROMOTE_SOURCES = 2, /* in one window make a cell */
    PROMOTE_SITES = 3    /* or a service that so many sites see in one window */
};
static const double promote_hits = 4.0;

static enum err map_places(struct growth *g, struct round *r, struct arena *scratch)
{
    const struct window *w = r->window;
    r->place_of = arena_take(scratch, w->site_count + 1, sizeof *r->place_of);
    if (!r->place_of)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->site_count; i++) {
        size_t k = 0;
        while (k < g->place_count && strcmp(g->places[k].name, w->sites[i].name) != 0)
            k++;
        enum err e = k == g->place_count ? growth_place_add(g, w->sites[i].name, &k) : OK;
        if (e == ERR_FULL) {
            g->left_out++;
            continue;
        }
        if (e)
            return e;
        r->place_of[i] = (uint16_t)(k + 1);
        if (!w->sites[i].watching)
            continue;
        g->places[k].windows++;
        r->live |= (uint64_t)1 << k;
        r->kept[k] = w->sites[i].kept > 0.0 ? w->sites[i].kept : 1.0;
    }
    return OK;
}

/* Is the service part of a rise that was reported and goes on? Then this is not its normal. */
static bool is_strange(struct growth *g, uint32_t service)
{
    const struct rising *r = rising_of(g, service);
    return r && r->fired;
}

static enum err advance(struct growth *g, const struct round *r)
{
    uint32_t last = g->now;
    if (!last)
        g->origin = r->window->start - g->window;
    g->now = (uint32_t)((r->window->start - g->origin) / g->window);
    bool new_hour = last && growth_hour(g, g->now) != growth_hour(g, last);
    for (size_t i = 0; i < g->cell_count; i++) {
        struct cell *c = &g->cells[i];
        cell_advance(g, c, r->live >> c->site & 1, g->now - last - 1);
        if (new_hour)
            cell_close_hour(g, c, growth_hour(g, last), is_strange(g, c->service));
    }
    if (new_hour && r->window->start % US_DAY == 0) {
        tail_decay(&g->tail);
        return cells_thin(g);
    }
    return OK;
}

static enum err count_group(
    struct growth *g, const struct round *r, const struct tally_group *group, size_t sites)
{
    size_t k = r->place_of[group->site];
    if (!k || !(r->live >> (k - 1) & 1))
        return OK;
    double seen = group->count / r->kept[k - 1];
    struct cell *c = growth_cell(g, group->service, (uint16_t)(k - 1));
    if (!c) {
        struct place *place = &g->places[k - 1];
        struct quiet *q = &place->quiet[group->service];
        double before = quiet_hits(q, g->now);
        bool worth =
            seen >= PROMOTE_SOURCES || sites >= PROMOTE_SITES || before + seen >= promote_hits;
        *q = (struct quiet){.hits = (float)(before + seen), .window = g->now};
        if (!worth)
            return OK;
        enum err e = growth_cell_add(
            g, group->service, (uint16_t)(k - 1), quiet_rate(before, place->windows), &c);
        if (e == ERR_FULL)
            g->left_out++;
        if (e)
            return e == ERR_FULL ? OK : e;
    }
    c->recent[g->now % RECENT] = (float)seen;
    return OK;
}

enum err round_count(struct growth *g, struct round *r, struct arena *scratch)
{
    enum err e = tally_build(&r->tally, r->window, g->options.leave_out, scratch);
    if (!e)
        e = map_places(g, r, scratch);
    if (!e)
        e = advance(g, r);
    for (size_t at = 0; !e && at < r->tally.group_count;) {
        size_t end = tally_service_end(&r->tally, at);
        size_t sites = end - at;
        for (; !e && at < end; at++)
            e = count_group(g, r, &r->tally.groups[at], sites);
    }
    if (!e && r->window->start % US_HOUR == 0 && g->now > 1)
        cells_learn(g);
    return e;
}
