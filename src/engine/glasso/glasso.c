#include "engine/glasso/glasso.h"

#include "engine/classes.h"
#include "engine/fits.h"
#include "engine/glasso/step_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"slots", CONF_COUNT, "N", NULL, 6, SLOTS_MOST, "60", NULL,
        "Slots of a window in which presence counts: a divisor of 60."},
    {"penalties", CONF_TEXT, "LIST", NULL, 0, 200, "0.32,0.24,0.16,0.08", NULL,
        "Penalties of the path, falling, at most 8."},
    {"min-hosts", CONF_COUNT, "N", "hosts", 3, 100000, "8", NULL,
        "Smaller groups are never reported."},
    {"host-bits", CONF_COUNT, "N", NULL, 8, 32, "16", NULL,
        "Sources that share so many bits are one host (IPv6: twice as many)."},
    {"active-most", CONF_COUNT, "N", NULL, 1, SLOTS_MOST, "12", NULL,
        "Hosts active in more slots tell nothing about moments and are left out."},
    {"counts", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Packets of each slot count, as far as contacts tell them, instead of presence."},
    {"hosts-most", CONF_COUNT, "N", "hosts", 0, 1e6, "0", NULL,
        "If a graph has more hosts, so many of them are drawn at random; 0: all count."},
    {"across", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "One graph for all services, instead of one each."},
    {"busy", CONF_NUMBER, "N", "hosts", 0, 1e6, "1000", NULL,
        "Services with more hosts a window in the mean are left out; 0: none are."},
    {"removal-test", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,
        "Jumps of density by the published removal test, for comparison: many false alarms."},
    {"learn", CONF_DURATION, "TIME", NULL, 3600, 30 * 86400, "1d", NULL,
        "How long a new site is watched before ordinary findings there are notices."},
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What is in step for this long is the new normal."},
    LEAVE_OUT_ITEM,
    {"component-max", CONF_COUNT, "N", "hosts", 2, 4096, "200", NULL,
        "Largest component of different hosts that is solved."},
    {"sites-max", CONF_COUNT, "N", NULL, 1, WINDOW_SITES_MAX, "64", NULL,
        "Sites for which there is room, 1.1 MiB each."},
    {"suspects-max", CONF_COUNT, "N", NULL, 16, 32768, "4096", NULL,
        "Services in step at once, 32 bytes each."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err parse_penalties(const char *list, struct sync_options *o, struct fault *f)
{
    double before = INFINITY;
    for (const char *at = list;;) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || !(value > 0.0 && value < before) || (*end && *end != ',') ||
            o->penalty_count == PENALTIES_MOST)
            return fault_set(f, ERR_RANGE,
                "penalties: \"%s\" is not a list of at most %d falling numbers above 0", list,
                PENALTIES_MOST);
        o->penalties[o->penalty_count++] = before = value;
        if (!*end)
            return OK;
        at = end + 1;
    }
}

static enum err read_options(const struct conf *conf, struct sync_options *o, struct fault *f)
{
    *o = (struct sync_options){
        .slots = (unsigned)conf_count(conf, "slots"),
        .host_bits = (unsigned)conf_count(conf, "host-bits"),
        .min_hosts = conf_count(conf, "min-hosts"),
        .active_most = (unsigned)conf_count(conf, "active-most"),
        .hosts_most = conf_count(conf, "hosts-most"),
        .across = conf_flag(conf, "across"),
        .counts = conf_flag(conf, "counts"),
        .busy = conf_number(conf, "busy"),
        .removal = conf_flag(conf, "removal-test"),
        .learn = conf_us(conf, "learn"),
        .freeze = conf_us(conf, "freeze"),
        .component_most = conf_count(conf, "component-max"),
        .sites_max = conf_count(conf, "sites-max"),
        .suspects_max = conf_count(conf, "suspects-max"),
    };
    if (SLOTS_MOST % o->slots)
        return fault_set(
            f, ERR_RANGE, "slots: %u does not divide %d evenly", o->slots, SLOTS_MOST);
    enum err e = parse_penalties(conf_text(conf, "penalties"), o, f);
    return e ? e : classes_parse(conf_text(conf, "leave-out"), &o->leave_out, f);
}

static enum err sync_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    enum err e = window_fits(window, 5 * US_MINUTE, f);
    if (e)
        return e;
    struct sync *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->state.of = &engine_glasso;
    s->window = window;
    e = read_options(conf, &s->options, f);
    if (e) {
        free(s);
        return e;
    }
    *ret_state = &s->state;
    return OK;
}

void sync_clear(struct sync *s)
{
    for (size_t i = 0; i < s->view_count; i++)
        free(s->views[i].usual);
    free(s->views);
    free(s->episodes);
    s->views = NULL;
    s->episodes = NULL;
    s->view_count = s->episode_count = 0;
    s->now = 0;
    s->left_out = 0;
}

static void sync_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_glasso);
    struct sync *s = (struct sync *)(void *)st;
    sync_clear(s);
    free(s);
}

enum err sync_view_add(struct sync *s, const char *name, struct view **ret_view)
{
    if (s->view_count == s->options.sites_max + 1)
        return ERR_FULL;
    if (!s->views)
        s->views = calloc(s->options.sites_max + 1, sizeof *s->views);
    if (!s->views)
        return ERR_NOMEM;
    struct view *v = &s->views[s->view_count];
    *v = (struct view){.usual = calloc(SERVICES, sizeof *v->usual)};
    if (!v->usual || strlen(name) > RECORD_NAME_MAX) {
        free(v->usual);
        return ERR_NOMEM;
    }
    memcpy(v->name, name, strlen(name) + 1);
    for (size_t k = 0; k < PENALTIES_MOST; k++)
        for (size_t i = 0; i < HISTORY; i++)
            v->densities[k].ring[i] = NAN;
    s->view_count++;
    *ret_view = v;
    return OK;
}

enum err sync_episode_room(struct sync *s)
{
    if (!s->episodes)
        s->episodes = calloc(s->options.suspects_max, sizeof *s->episodes);
    return s->episodes ? OK : ERR_NOMEM;
}

static enum err sync_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_glasso && w->kind == &record_contact);
    struct sync *s = (struct sync *)(void *)st;
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= sync_window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    if (!s->now)
        s->origin = w->start - s->window;
    s->now = (uint32_t)((w->start - s->origin) / s->window);
    struct sync_step step = {.window = w};
    enum err e = sync_entries_build(s, &step, scratch);
    return e ? e : sync_step_judge(s, &step, out);
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_EQUAL,
        .vital = true,
        .without = "hosts cannot be told apart"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "hosts of different services are taken together"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = 10 * US_SECOND,
        .vital = true,
        .without = "moments of a window cannot be told apart"},
    {.without = NULL},
};

const struct engine engine_glasso = {
    .name = "glasso",
    .text = "finds hosts that act in the same moments, however few they are",
    .source = "after Han, Shimamura, Takahashi, Inoue, Takeuchi, Nakao, IEICE E103-D(10), 2020",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = sync_open,
    .step = sync_step,
    .save = sync_save,
    .load = sync_load,
    .close = sync_close,
};
