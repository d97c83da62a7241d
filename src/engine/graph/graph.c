#include "engine/graph/graph_int.h"

#include "engine/classes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"min-sources", CONF_COUNT, "N", "sources", 1, 1e6, "10", NULL,
        "A port with fewer sources beyond the usual never explains a change; of a window that "
        "has fewer, and should have, only what a port explains is told."},
    {"min-ratio", CONF_NUMBER, "X", NULL, 1, 100, "2", NULL,
        "Nor does one with less than this many times the usual sources."},
    {"learn", CONF_DURATION, "TIME", NULL, 3600, 30 * 86400, "1d", NULL,
        "How long a new site is watched before its changes are notices."},
    LEAVE_OUT_ITEM,
    {"sites-max", CONF_COUNT, "N", NULL, 1, WINDOW_SITES_MAX, "64", NULL,
        "Sites for which there is room, 1.1 MiB each."},
    {"detector", CONF_TEXT, "WORD", NULL, 0, 16, "evidence", "evidence|changefinder",
        "How changes are detected: by evidence whose rate of false alarms is bounded, or by "
        "the published ChangeFinder, for comparison."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err graph_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    if (window < 5 * US_MINUTE || window > US_HOUR || US_DAY % window)
        return fault_set(
            f, ERR_RANGE, "needs a --window of 5 minutes to 1 hour that divides a day evenly");
    unsigned leave_out = 0;
    enum err e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    struct graph *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_graph;
    s->options = (struct graph_options){
        .min_sources = (double)conf_count(conf, "min-sources"),
        .min_ratio = conf_number(conf, "min-ratio"),
        .learn = conf_us(conf, "learn"),
        .leave_out = leave_out,
        .sites_max = conf_count(conf, "sites-max"),
        .detector = strcmp(conf_text(conf, "detector"), "evidence") == 0
                        ? DETECTOR_EVIDENCE
                        : DETECTOR_CHANGEFINDER,
    };
    s->window = window;
    *ret_state = &s->state;
    return OK;
}

void graph_clear(struct graph *s)
{
    for (size_t i = 0; i < s->site_count; i++) {
        free(s->sites[i].usual);
        free(s->sites[i].direction);
        free(s->sites[i].crowds);
    }
    free(s->sites);
    s->sites = NULL;
    s->site_count = 0;
    s->now = 0;
    s->left_out = 0;
}

static void graph_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_graph);
    struct graph *s = (struct graph *)(void *)st;
    graph_clear(s);
    free(s);
}

enum err graph_site_add(struct graph *s, const char *name, struct site **ret_site)
{
    if (s->site_count == s->options.sites_max)
        return ERR_FULL;
    if (!s->sites)
        s->sites = calloc(s->options.sites_max, sizeof *s->sites);
    if (!s->sites || strlen(name) > RECORD_NAME_MAX)
        return ERR_NOMEM;
    struct site *site = &s->sites[s->site_count];
    *site = (struct site){.usual = calloc(SERVICES, sizeof *site->usual),
        .direction = calloc(SERVICES, sizeof *site->direction),
        .crowds = calloc(CROWD_WINDOWS, sizeof *site->crowds)};
    if (!site->usual || !site->direction || !site->crowds) {
        free(site->usual);
        free(site->direction);
        free(site->crowds);
        return ERR_NOMEM;
    }
    memcpy(site->name, name, strlen(name) + 1);
    for (size_t i = 0; i < FEATURES; i++) {
        struct feature *f = &site->features[i];
        sdar_init(&f->model, 2, 0.5);
        f->model.limit =
            0.98; /* it learns errors that are held, so it must not trust them all */
        changefinder_init(&f->finder);
        for (size_t k = 0; k < RING; k++)
            f->ring[k] = f->expected[k] = NAN;
    }
    s->site_count++;
    *ret_site = site;
    return OK;
}

/* Windows that were skipped were watched by nobody. */
static void advance(struct graph *s, const struct window *w)
{
    uint32_t last = s->now;
    if (!last)
        s->origin = w->start - s->window;
    s->now = (uint32_t)((w->start - s->origin) / s->window);
    uint32_t skipped = s->now - last;
    skipped = skipped < RING ? skipped : RING;
    for (size_t i = 0; i < s->site_count; i++) {
        for (uint32_t n = 0; n < skipped && n < s->now; n++)
            crowds_forget(&s->sites[i], s->now - n);
        for (size_t k = 0; k < FEATURES; k++)
            for (uint32_t n = 0; n < skipped && n < s->now; n++) {
                s->sites[i].features[k].ring[(s->now - n) % RING] = NAN;
                s->sites[i].features[k].expected[(s->now - n) % RING] = NAN;
            }
    }
    if (w->start % US_DAY == 0)
        for (size_t k = 0; k < FEATURES; k++)
            tail_decay(&s->tails[k]);
}

/* One site, whose whole window was watched. */
static enum err look(struct graph *s, struct view *v, struct present *at)
{
    struct site *site = v->site;
    bipartite_close(&v->graph, &at->measuring.work);
    features_measure(v, &at->measuring);
    site->windows++;
    crowds_note(s, v);
    enum err e = alarm_step(s, v, at, features_judge(s, site));
    usual_learn(v);
    return e;
}

static enum err graph_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_graph && w->kind == &record_contact);
    struct graph *s = (struct graph *)(void *)st;
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    advance(s, w);
    struct view *views = arena_take(scratch, w->site_count + 1, sizeof *views);
    size_t count = 0;
    enum err e = views ? graph_build(s, w, scratch, views, &count) : ERR_NOMEM;
    struct present at = {.window = w, .scratch = scratch, .out = out};
    if (!e)
        e = measuring_init(&at.measuring, scratch);
    for (size_t i = 0; !e && i < count; i++)
        if (views[i].about->watching)
            e = look(s, &views[i], &at);
    return e;
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "there is no graph of who asks for what"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "there is no graph of who asks for what"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_MINUTE,
        .vital = true,
        .without = "packets fall into wrong windows"},
    {.without = NULL},
};

const struct engine engine_graph = {
    .name = "graph",
    .text = "finds change points of the graph of sources and ports, and the ports behind them",
    .source = "features after Ide, Kashima, KDD 2004; detector after Shin, Ramdas, Rinaldo, "
              "NEJSDS 2(2), 2024",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = graph_open,
    .step = graph_step,
    .save = graph_save,
    .load = graph_load,
    .close = graph_close,
};
