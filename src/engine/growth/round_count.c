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
    for (size_t k = 0; k < g->place_count; k++)
        g->places[k].least = quiet_rate(0.0, g->places[k].windows);
    return OK;
}

/* Is the service part of a rise that was reported and goes on? Then this is not its normal. */
static bool is_strange(struct growth *g, uint32_t service)
{
    const struct rising *r = rising_of(g, service);
    return r && r->fired;
}

/* Sources of the last hour that make a service busy. */
static const double busy_hour = 3.0;

/* Of the hour that ends with the window in hand; what was not watched counts as none. */
static bool is_busy(const struct growth *g, const struct cell *c)
{
    unsigned known;
    return cell_sum(c, g->now, g->span[0], &known) >= busy_hour;
}

static void advance(struct growth *g, struct round *r)
{
    enum {
        AHEAD = 8 /* cells whose line is asked for, as the next are not near */
    };
    uint32_t last = g->now;
    if (!last)
        g->origin = r->window->start - g->window;
    g->now = (uint32_t)((r->window->start - g->origin) / g->window);
    growth_turn(g);
    bool new_hour = last && g->hour != growth_hour(g, last);
    for (size_t i = 0; i < g->cell_count; i++) {
        struct cell *c = &g->cells[i];
        if (i + AHEAD < g->cell_count)
            __builtin_prefetch(&c[AHEAD].recent[g->now % RECENT], 1);
        cell_advance(g, c, r->live >> c->site & 1, g->now - last - 1);
        r->busy += is_busy(g, c);
        if (new_hour)
            cell_close_hour(g, c, growth_hour(g, last), is_strange(g, c->service));
    }
    if (new_hour && r->window->start % US_DAY == 0) {
        tail_decay(&g->tail);
        cells_thin(g);
    }
}

/* The cells of one service, by place. */
static void cells_find(const struct growth *g, uint32_t service, struct cell *cells[SITES_CAP])
{
    for (size_t k = 0; k < g->place_count; k++)
        cells[k] = NULL;
    for (uint32_t at = g->cell_of ? g->cell_of[service] : 0; at; at = g->cells[at - 1].next)
        cells[g->cells[at - 1].site] = &g->cells[at - 1];
}

/* A cell for a service that is worth one; *ret_cell is NULL if it is not, or there is no room.
 */
static enum err promote(struct growth *g, uint32_t service, size_t k, double seen, size_t sites,
    struct cell **ret_cell)
{
    struct place *place = &g->places[k];
    struct quiet *q = &place->quiet[service];
    double before = quiet_hits_by(q, g->now, g->powers);
    bool worth =
        seen >= PROMOTE_SOURCES || sites >= PROMOTE_SITES || before + seen >= promote_hits;
    *ret_cell = NULL;
    *q = (struct quiet){.hits = (float)(before + seen), .window = g->now};
    if (!worth)
        return OK;
    enum err e =
        growth_cell_add(g, service, (uint16_t)k, quiet_rate(before, place->windows), ret_cell);
    if (e == ERR_FULL)
        g->left_out++;
    return e == ERR_FULL ? OK : e;
}

/* The groups [from, to) of one service. */
static enum err count_service(struct growth *g, struct round *r, size_t from, size_t to)
{
    struct cell *cells[SITES_CAP];
    uint32_t service = r->tally.groups[from].service;
    cells_find(g, service, cells);
    for (size_t i = from; i < to; i++) {
        const struct tally_group *group = &r->tally.groups[i];
        size_t k = r->place_of[group->site];
        if (!k || !(r->live >> (k - 1) & 1))
            continue;
        double seen = group->count / r->kept[k - 1];
        struct cell *c = cells[k - 1];
        bool was_busy = c && is_busy(g, c);
        if (!c) {
            const struct cell *old = g->cells;
            enum err e = promote(g, service, k - 1, seen, to - from, &c);
            if (e)
                return e;
            if (g->cells != old) /* they have moved */
                cells_find(g, service, cells);
        }
        if (!c)
            continue;
        c->recent[g->now % RECENT] = (float)seen;
        r->busy += !was_busy && is_busy(g, c);
        r->cell_of[i] = (uint32_t)(c - g->cells) + 1;
    }
    return OK;
}

/* Which of its addresses a site has ever been reached at; a sample of rows does. */
static void learn_targets(struct growth *g, const struct round *r)
{
    const struct tally *t = &r->tally;
    for (size_t i = 0; i < t->source_count; i += 1 + t->source_count / 1024) {
        size_t k = r->place_of[tally_site(&t->sources[i])];
        if (!k || g->places[k - 1].targets == UINT64_MAX)
            continue;
        size_t row;
        const struct block *b = tally_row(t, &t->sources[i], &row);
        g->places[k - 1].targets |= block_u64(b, CONTACT_DSTS)[row];
    }
}

enum err round_count(struct growth *g, struct round *r, struct arena *scratch)
{
    enum err e = tally_build(&r->tally, r->window, g->options.leave_out, scratch);
    if (!e)
        e = map_places(g, r, scratch);
    if (e)
        return e;
    r->cell_of = arena_take(scratch, r->tally.group_count + 1, sizeof *r->cell_of);
    if (!r->cell_of)
        return ERR_NOMEM;
    advance(g, r);
    learn_targets(g, r);
    for (size_t at = 0; !e && at < r->tally.group_count;) {
        size_t end = tally_service_end(&r->tally, at);
        e = count_service(g, r, at, end);
        at = end;
    }
    if (!e)
        e = places_share(g, scratch);
    if (!e && r->window->start % US_HOUR == 0 && g->now > 1)
        cells_learn(g);
    return e;
}
