#include "engine/growth/growth_int.h"

#include "engine/classes.h"
#include "engine/fits.h"
#include "engine/growth/step_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"ratio", CONF_NUMBER, "X", NULL, 1, 100, "2", NULL,
        "How many times the normal number of sources makes a site cross."},
    {"own", CONF_COUNT, "N", "networks", 1, 100, "5", NULL,
        "Networks (/24, /48) that each confirming site must have for itself."},
    {"share", CONF_NUMBER, "X", NULL, 0, 1, "0.3", NULL,
        "Share of the watching sites that must cross within six hours."},
    {"least-sites", CONF_COUNT, "N", "sites", 2, 64, "3", NULL,
        "... but at least so many, or all if there are fewer."},
    {"learn", CONF_DURATION, "TIME", NULL, 3600, 30 * 86400, "1d", NULL,
        "How long sites are watched before ordinary growth is a notice."},
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What stays risen for this long is the new normal."},
    LEAVE_OUT_ITEM,
    {"sites-max", CONF_COUNT, "N", NULL, 1, SITES_CAP, "64", NULL,
        "Sites for which there is room, 1 MiB each; further ones are left out."},
    {"cells-max", CONF_COUNT, "N", NULL, 16, 1 << 22, "65536", NULL,
        "Services with traffic, over all sites, for which there is room, 1 KiB each."},
    {"rises-max", CONF_COUNT, "N", NULL, 16, 4096, "512", NULL,
        "Services that rise at once, 15 KiB each."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err growth_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    unsigned leave_out = 0;
    enum err e = window_fits(window, 5 * US_MINUTE, f);
    if (!e)
        e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    struct growth *g = calloc(1, sizeof *g);
    if (!g)
        return fault_set(f, ERR_NOMEM, "out of memory");
    g->state.of = &engine_growth;
    g->options = (struct growth_options){
        .ratio = conf_number(conf, "ratio"),
        .own = (double)conf_count(conf, "own"),
        .share = conf_number(conf, "share"),
        .least_sites = conf_count(conf, "least-sites"),
        .learn = conf_us(conf, "learn"),
        .freeze = conf_us(conf, "freeze"),
        .leave_out = leave_out,
        .sites_max = conf_count(conf, "sites-max"),
        .cells_max = conf_count(conf, "cells-max"),
        .rises_max = conf_count(conf, "rises-max"),
    };
    g->window = window;
    quiet_powers(g->powers);
    g->span[0] = (uint32_t)(US_HOUR / window);
    g->span[1] = 6 * g->span[0];
    g->span[SPAN_DAY] = DAY_HOURS * g->span[0];
    *ret_state = &g->state;
    return OK;
}

void growth_clear(struct growth *g)
{
    for (size_t i = 0; i < g->place_count; i++)
        free(g->places[i].quiet);
    free(g->places);
    free(g->cells);
    free(g->rises);
    free(g->cell_of);
    free(g->rise_of);
    g->places = NULL;
    g->cells = NULL;
    g->rises = NULL;
    g->cell_of = NULL;
    g->rise_of = NULL;
    g->place_count = g->cell_count = g->cell_room = g->rise_count = 0;
    g->now = 0;
    g->left_out = 0;
    g->tail = (struct tail){0};
}

static void growth_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_growth);
    struct growth *g = (struct growth *)(void *)st;
    growth_clear(g);
    free(g);
}

enum err growth_place_add(struct growth *g, const char *name, size_t *ret_place)
{
    if (g->place_count == g->options.sites_max)
        return ERR_FULL;
    if (!g->places)
        g->places = calloc(g->options.sites_max, sizeof *g->places);
    struct quiet *quiet = calloc(SERVICES, sizeof *quiet);
    if (!g->places || !quiet || strlen(name) > RECORD_NAME_MAX) {
        free(quiet);
        return ERR_NOMEM;
    }
    struct place *p = &g->places[g->place_count];
    *p = (struct place){.quiet = quiet};
    memcpy(p->name, name, strlen(name) + 1);
    *ret_place = g->place_count++;
    return OK;
}

static enum err growth_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_growth && w->kind == &record_contact);
    struct growth *g = (struct growth *)(void *)st;
    if (w->length != g->window || w->start % g->window ||
        (g->now && (w->start <= growth_time(g, g->now) ||
                       (w->start - g->origin) / g->window > INT32_MAX)))
        return ERR_RANGE;
    struct round round = {.window = w};
    enum err e = round_count(g, &round, scratch);
    if (!e)
        e = round_judge(g, &round, scratch, out);
    return e;
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "sources of a service cannot be counted"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "nobody knows which service grows"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_MINUTE,
        .vital = true,
        .without = "sites cannot be compared window by window"},
    {.without = NULL},
};

const struct engine engine_growth = {
    .name = "growth",
    .text = "finds services that more sources reach at several sites at once, and who lags",
    .source = "after the global alerts of the PRACTICE programme, 2011-2016",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = growth_open,
    .step = growth_step,
    .save = growth_save,
    .load = growth_load,
    .close = growth_close,
};
