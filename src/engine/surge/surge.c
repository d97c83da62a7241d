#include "engine/surge/surge_int.h"

#include "engine/classes.h"
#include "engine/fits.h"
#include "engine/surge/step_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"min-sources", CONF_COUNT, "N", "sources", 1, 1e6, "10", NULL,
        "Fewer distinct sources beyond the normal number are never reported."},
    {"min-ratio", CONF_NUMBER, "X", NULL, 1, 100, "1.5", NULL,
        "Less than this many times the normal number is never reported."},
    {"learn", CONF_DURATION, "TIME", NULL, 3600, 30 * 86400, "1d", NULL,
        "How long a new site is watched before ordinary rises there are notices."},
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What stays risen for this long is the new normal."},
    LEAVE_OUT_ITEM,
    {"sites-max", CONF_COUNT, "N", NULL, 1, WINDOW_SITES_MAX, "64", NULL,
        "Sites for which there is room, 1.6 MiB each."},
    {"series-max", CONF_COUNT, "N", NULL, 16, 1 << 22, "65536", NULL,
        "Ports with regular traffic, over all sites, for which there is room, 1.2 KiB each."},
    {"suspects-max", CONF_COUNT, "N", NULL, 16, 32768, "4096", NULL,
        "Ports under suspicion at once, 2.2 KiB each."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err surge_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    unsigned leave_out = 0;
    enum err e = window_fits(window, 5 * US_MINUTE, f);
    if (!e)
        e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    struct surge *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_surge;
    s->options = (struct surge_options){
        .min_sources = (double)conf_count(conf, "min-sources"),
        .min_ratio = conf_number(conf, "min-ratio"),
        .learn = conf_us(conf, "learn"),
        .freeze = conf_us(conf, "freeze"),
        .leave_out = leave_out,
        .sites_max = conf_count(conf, "sites-max"),
        .series_max = conf_count(conf, "series-max"),
        .suspects_max = conf_count(conf, "suspects-max"),
    };
    s->window = window;
    quiet_powers(s->powers);
    s->span[0] = 1;
    s->span[1] = (uint32_t)(US_HOUR / window);
    s->span[2] = 6 * s->span[1];
    *ret_state = &s->state;
    return OK;
}

void surge_clear(struct surge *s)
{
    for (size_t i = 0; i < s->site_count; i++) {
        free(s->sites[i].quiet);
        free(s->sites[i].series_of);
    }
    free(s->sites);
    free(s->series);
    free(s->episodes);
    s->sites = NULL;
    s->series = NULL;
    s->episodes = NULL;
    s->site_count = s->series_count = s->series_room = s->episode_count = 0;
    s->now = 0;
    s->left_out = 0;
}

static void surge_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_surge);
    struct surge *s = (struct surge *)(void *)st;
    surge_clear(s);
    free(s);
}

enum err surge_site_add(struct surge *s, const char *name, struct site **ret_site)
{
    if (s->site_count == s->options.sites_max)
        return ERR_FULL;
    if (!s->sites)
        s->sites = calloc(s->options.sites_max, sizeof *s->sites);
    if (!s->sites)
        return ERR_NOMEM;
    struct site *site = &s->sites[s->site_count];
    *site = (struct site){.quiet = calloc(SERVICES, sizeof *site->quiet),
        .series_of = calloc(SERVICES, sizeof *site->series_of)};
    if (!site->quiet || !site->series_of || strlen(name) > RECORD_NAME_MAX) {
        free(site->quiet);
        free(site->series_of);
        return ERR_NOMEM;
    }
    memcpy(site->name, name, strlen(name) + 1);
    s->site_count++;
    *ret_site = site;
    return OK;
}

enum err surge_series_room(struct surge *s)
{
    if (s->series_count < s->series_room)
        return OK;
    if (s->series_count >= s->options.series_max)
        return ERR_FULL;
    size_t room = s->series_room ? s->series_room * 2 : 1024;
    room = room < s->options.series_max ? room : s->options.series_max;
    struct series *grown = realloc(s->series, room * sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    s->series = grown;
    s->series_room = room;
    return OK;
}

static enum err surge_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_surge && w->kind == &record_contact);
    struct surge *s = (struct surge *)(void *)st;
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    struct step step = {.window = w};
    enum err e = step_count(s, &step, scratch);
    if (!e)
        e = step_compare(s, &step, scratch);
    if (!e)
        e = step_judge(s, &step, scratch, out);
    return e;
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "sources of a port cannot be counted"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "nobody knows which port grows"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_MINUTE,
        .vital = true,
        .without = "packets fall into wrong windows"},
    {.without = NULL},
};

const struct engine engine_surge = {
    .name = "surge",
    .text = "finds ports that more sources reach than is normal for the site, port and hour",
    .source = "after Feng, Hori, Sakurai, Takeuchi, JIP 21(3), 2013",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = surge_open,
    .step = surge_step,
    .save = surge_save,
    .load = surge_load,
    .close = surge_close,
};
