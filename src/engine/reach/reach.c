#include "engine/reach/reach_int.h"

#include "engine/classes.h"
#include "engine/fits.h"
#include "engine/pulse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_item items[] = {
    {"least", CONF_COUNT, "N", "networks", 3, 10000, "12", NULL,
        "Networks (/24, /48) beyond what is normal that must be seen at so many sites."},
    {"ratio", CONF_NUMBER, "X", NULL, 1, 100, "2", NULL,
        "How many times the normal number they must be."},
    {"pace", CONF_NUMBER, "SHARE", NULL, 0, 5, "0", NULL,
        "By how much all hosts of a service may change their pace together (standard "
        "deviation, "
        "of its logarithm) without that being news."},
    {"learn", CONF_DURATION, "TIME", NULL, 3600, 30 * 86400, "1d", NULL,
        "How long sites are watched before an ordinary rise is a notice."},
    {"freeze", CONF_DURATION, "TIME", NULL, 3600, 90 * 86400, "3d", NULL,
        "What stays risen for this long is the new normal."},
    LEAVE_OUT_ITEM,
    {"sites-max", CONF_COUNT, "N", NULL, SITES_LEAST, SITES_CAP, "64", NULL,
        "Sites that take part; further ones are left out."},
    {"visits-max", CONF_COUNT, "N", NULL, 1024, 1 << 26, "786432", NULL,
        "Sources by service of six hours for which there is room, 64 to 128 bytes each; with "
        "more, a sample of the sources counts."},
    {"courses-max", CONF_COUNT, "N", NULL, 16, SERVICE_ICMP, "8192", NULL,
        "Services that are followed at once, 1.4 KiB each."},
    {NULL, CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, NULL},
};

static enum err reach_open(
    struct engine_state **ret_state, const struct conf *conf, int64_t window, struct fault *f)
{
    unsigned leave_out = 0;
    enum err e = window_fits(window, 5 * US_MINUTE, f);
    if (!e)
        e = classes_parse(conf_text(conf, "leave-out"), &leave_out, f);
    if (e)
        return e;
    struct reach *g = calloc(1, sizeof *g);
    if (!g)
        return fault_set(f, ERR_NOMEM, "out of memory");
    g->state.of = &engine_reach;
    g->options = (struct reach_options){
        .least = (double)conf_count(conf, "least"),
        .ratio = conf_number(conf, "ratio"),
        .pace = conf_number(conf, "pace"),
        .learn = conf_us(conf, "learn"),
        .freeze = conf_us(conf, "freeze"),
        .leave_out = leave_out,
        .sites_max = conf_count(conf, "sites-max"),
        .visits_max = conf_count(conf, "visits-max"),
        .courses_max = conf_count(conf, "courses-max"),
    };
    g->visits.most = g->options.visits_max;
    g->window = window;
    *ret_state = &g->state;
    return OK;
}

void reach_clear(struct reach *g)
{
    visits_done(&g->visits);
    free(g->courses);
    free(g->course_of);
    *g = (struct reach){.state = g->state,
        .options = g->options,
        .window = g->window,
        .visits = {.most = g->options.visits_max}};
}

static void reach_close(struct engine_state *st)
{
    if (!st)
        return;
    assert(st->of == &engine_reach);
    struct reach *g = (struct reach *)(void *)st;
    reach_clear(g);
    free(g);
}

static enum err map_places(struct reach *g, struct round *r, struct arena *scratch)
{
    const struct window *w = r->window;
    r->place_of = arena_take(scratch, w->site_count + 1, sizeof *r->place_of);
    if (!r->place_of)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->site_count; i++) {
        size_t k = 0;
        while (k < g->place_count && strcmp(g->places[k].name, w->sites[i].name) != 0)
            k++;
        if (k == g->options.sites_max) {
            g->left_out++;
            continue;
        }
        if (k == g->place_count) {
            g->places[k] = (struct place){{0}, {0}};
            memcpy(g->places[k].name, w->sites[i].name, sizeof g->places[k].name);
            g->place_count++;
        }
        /* A sample of a site's sources is not the sample of the others. */
        if (!w->sites[i].watching || w->sites[i].kept < 1.0)
            continue;
        g->places[k].watched[hour_slot(r->hour, SPAN_HOURS)]++;
        r->place_of[i] = (uint8_t)(k + 1);
    }
    return OK;
}

/* Hours that have left the span are forgotten, those that were never judged are not known. */
static enum err advance(struct reach *g, int64_t hour)
{
    if (!g->now)
        return OK;
    unsigned slots = 0;
    int64_t passed = hour - hour_of(g->start);
    for (int64_t h = 1; h <= passed && h <= SPAN_HOURS; h++)
        slots |= 1u << hour_slot(hour_of(g->start) + h, SPAN_HOURS);
    if (!slots)
        return OK;
    for (size_t k = 0; k < g->place_count; k++)
        for (unsigned i = 0; i < SPAN_HOURS; i++)
            if (slots >> i & 1)
                g->places[k].watched[i] = 0;
    for (int64_t h = 1; h <= passed && h <= PAST_HOURS; h++)
        courses_forget(g, hour_of(g->start) + h);
    return visits_forget(&g->visits, slots, 0);
}

/* Half of the sources make room for the others. */
static enum err halve(struct reach *g)
{
    if (g->shift == SHIFT_MAX)
        return ERR_FULL;
    g->shift++;
    courses_halve(g);
    return visits_forget(&g->visits, 0, g->shift);
}

static enum err note(struct reach *g, const struct round *r, const struct tally_source *s)
{
    size_t row;
    const struct block *b = tally_row(&r->tally, s, &row);
    struct visit v = {.source = s->hash,
        .service = tally_service(s),
        .network = (uint32_t)pulse_network(&block_ip(b, CONTACT_SRC)[row], 24)};
    size_t place = r->place_of[tally_site(s)] - 1u;
    unsigned slot = hour_slot(r->hour, SPAN_HOURS);
    enum err e = visits_note(&g->visits, &v, slot, place);
    while (e == ERR_FULL) {
        e = halve(g);
        if (e || !sample_has(s->hash, g->shift))
            return e;
        e = visits_note(&g->visits, &v, slot, place);
    }
    return e;
}

static enum err count(struct reach *g, const struct round *r)
{
    enum err e = OK;
    for (size_t i = 0; i < r->tally.source_count && !e; i++) {
        const struct tally_source *s = &r->tally.sources[i];
        if (tally_service(s) < SERVICE_ICMP && r->place_of[tally_site(s)] &&
            sample_has(s->hash, g->shift))
            e = note(g, r, s);
    }
    return e;
}

static enum err reach_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_reach && w->kind == &record_contact);
    struct reach *g = (struct reach *)(void *)st;
    if (w->length != g->window || w->start % g->window || w->start < 0 ||
        (g->now && (w->start <= g->start || g->now == INT32_MAX)))
        return ERR_RANGE;
    struct round r = {.window = w, .hour = hour_of(w->start)};
    enum err e = tally_build(&r.tally, w, g->options.leave_out, scratch);
    if (!e)
        e = advance(g, r.hour);
    if (!e)
        e = map_places(g, &r, scratch);
    if (e)
        return e;
    if (!g->now)
        g->origin = w->start;
    g->now++;
    g->start = w->start;
    e = count(g, &r);
    if (!e && window_end(w) % US_HOUR == 0)
        e = reach_judge(g, &r, scratch, out);
    return e;
}

static const struct need needs[] = {
    {.field = NEED_SOURCE,
        .relations = NEED_ACROSS,
        .without = "the site does not count: nobody knows which sources were at others, too"},
    {.field = NEED_DESTINATION_PORT,
        .relations = NEED_VALUE,
        .vital = true,
        .without = "nobody knows which service they carry there"},
    {.field = NEED_TIME,
        .relations = NEED_VALUE,
        .resolution = US_HOUR,
        .vital = true,
        .without = "hours of different sites cannot be laid side by side"},
    {.without = NULL},
};

const struct engine engine_reach = {
    .name = "reach",
    .text = "finds services that more networks than normal carry to nearly all sites",
    .source = "this project's own; how soon a telescope sees a scanner: Moore et al., 2004",
    .items = items,
    .eats = &record_contact,
    .needs = needs,
    .open = reach_open,
    .step = reach_step,
    .save = reach_save,
    .load = reach_load,
    .close = reach_close,
};
