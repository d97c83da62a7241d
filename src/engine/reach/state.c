/* Everything that the next step depends on, little-endian; every number is checked on its way
 * back. */
#include "engine/number.h"
#include "engine/reach/reach_int.h"
#include "engine/saved.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_MAGIC = 0x68727a6b, /* "kzrh" */
    STATE_VERSION = 2
};
static const double number_most = 1e9;

/* --- save --------------------------------------------------------------------------------- */

static int by_service(const void *a, const void *b)
{
    const struct visit *x = *(const struct visit *const *)a;
    const struct visit *y = *(const struct visit *const *)b;
    if (x->service != y->service)
        return x->service > y->service ? 1 : -1;
    return (x->source > y->source) - (x->source < y->source);
}

/* In order, so that one state has one form. A byte says which hours follow, a mask has as many
 * bytes as the places need. */
static enum err save_visits(struct buf *out, const struct reach *g)
{
    const struct visit **order = malloc((g->visits.count + 1) * sizeof *order);
    if (!order)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < g->visits.room; i++)
        if (visit_sites(&g->visits.slots[i]))
            order[n++] = &g->visits.slots[i];
    qsort(order, n, sizeof *order, by_service);
    size_t width = (g->place_count + 7) / 8;
    buf_le32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        unsigned hours = 0;
        for (unsigned k = 0; k < SPAN_HOURS; k++)
            hours |= (unsigned)(order[i]->sites[k] != 0) << k;
        buf_le64(out, order[i]->source);
        buf_le32(out, order[i]->service);
        buf_le32(out, order[i]->network);
        buf_u8(out, (uint8_t)hours);
        for (unsigned k = 0; k < SPAN_HOURS; k++)
            for (size_t byte = 0; hours >> k & 1 && byte < width; byte++)
                buf_u8(out, (uint8_t)(order[i]->sites[k] >> 8 * byte));
    }
    free(order);
    return OK;
}

static void save_course(struct buf *out, const struct course *c)
{
    buf_le32(out, c->service);
    buf_le32(out, c->idle);
    buf_le32(out, c->first);
    buf_le32(out, c->last);
    buf_u8(out, c->history);
    for (unsigned level = 0; level < LEVELS; level++)
        numbers_save(out, c->seen[level], PAST_HOURS);
    for (unsigned level = 0; level < LEVELS; level++) {
        number_save(out, (double)c->spread[level]);
        number_save(out, (double)c->weight[level]);
    }
    for (unsigned i = 0; i < PAST_HOURS; i++)
        buf_u8(out, c->strange[i]);
}

enum err reach_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_reach);
    const struct reach *g = (const struct reach *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, g->window, g->origin,
                             g->now, g->left_out});
    buf_le64(out, (uint64_t)g->start);
    buf_u8(out, (uint8_t)g->shift);
    for (unsigned level = 0; level < LEVELS; level++) {
        number_save(out, g->spread[level]);
        number_save(out, g->weight[level]);
    }
    tail_save(&g->tail, out);
    for (unsigned i = 0; i < PAST_HOURS; i++) {
        buf_u8(out, g->terms[i].live);
        buf_put(out, g->terms[i].need, LEVELS);
    }
    buf_u8(out, (uint8_t)g->place_count);
    for (size_t k = 0; k < g->place_count; k++) {
        saved_name_save(out, g->places[k].name);
        buf_put(out, g->places[k].watched, SPAN_HOURS);
    }
    buf_le32(out, (uint32_t)g->course_count);
    for (size_t i = 0; i < g->course_count; i++)
        save_course(out, &g->courses[i]);
    enum err e = save_visits(out, g);
    return e ? e : out->err;
}

/* --- load --------------------------------------------------------------------------------- */

static bool load_bool(struct bytes *in, bool *ret)
{
    uint8_t byte = bytes_u8(in);
    *ret = byte == 1;
    return !in->cut && byte <= 1;
}

static bool load_place(struct reach *g, struct bytes *in)
{
    struct place *p = &g->places[g->place_count];
    *p = (struct place){{0}, {0}};
    bool named = saved_name_load(in, p->name);
    struct bytes watched = bytes_take(in, SPAN_HOURS);
    if (!named || in->cut)
        return false;
    for (unsigned i = 0; i < SPAN_HOURS; i++) {
        p->watched[i] = watched.at[i];
        if (p->watched[i] > US_HOUR / g->window)
            return false;
    }
    for (size_t k = 0; k < g->place_count; k++)
        if (strcmp(g->places[k].name, p->name) == 0)
            return false;
    g->place_count++;
    return true;
}

static bool load_times(struct reach *g, struct bytes *in)
{
    int64_t far = g->origin + (int64_t)INT32_MAX * US_HOUR;
    g->start = (int64_t)bytes_le64(in);
    g->shift = bytes_u8(in);
    bool good =
        !in->cut && g->shift <= SHIFT_MAX && g->origin >= 0 && g->start % g->window == 0;
    return good && (g->now ? g->start >= g->origin && g->start <= far
                           : g->start == 0 && g->origin == 0);
}

static bool load_terms(struct bytes *in, struct terms *ret)
{
    ret->live = bytes_u8(in);
    bool good = ret->live <= SITES_CAP;
    for (unsigned level = 0; level < LEVELS; level++) {
        ret->need[level] = bytes_u8(in);
        good = good && ret->need[level] <= SITES_CAP && !ret->need[level] == !ret->live;
    }
    return good && !in->cut;
}

static bool load_sums(struct reach *g, struct bytes *in)
{
    bool good = true;
    for (unsigned level = 0; good && level < LEVELS; level++)
        good = number_load(in, -number_most, number_most, &g->spread[level]) &&
               number_load(in, 0.0, number_most, &g->weight[level]);
    good = good && tail_load(&g->tail, in);
    for (unsigned i = 0; good && i < PAST_HOURS; i++)
        good = load_terms(in, &g->terms[i]);
    return good;
}

static enum err load_course(struct reach *g, struct bytes *in)
{
    struct course read = {.service = bytes_le32(in)};
    read.idle = bytes_le32(in);
    read.first = bytes_le32(in);
    read.last = bytes_le32(in);
    read.history = bytes_u8(in);
    int64_t hour = hour_of(g->start);
    bool good = !in->cut && read.service < SERVICE_ICMP && !reach_course(g, read.service) &&
                read.first <= read.last && read.last <= hour && !read.first == !read.last;
    for (unsigned level = 0; good && level < LEVELS; level++)
        for (unsigned i = 0; good && i < PAST_HOURS; i++)
            good = number_load_float(in, 0.0, number_most, true, &read.seen[level][i]);
    for (unsigned level = 0; good && level < LEVELS; level++)
        good = number_load_float(in, -number_most, number_most, false, &read.spread[level]) &&
               number_load_float(in, 0.0, number_most, false, &read.weight[level]);
    for (unsigned i = 0; good && i < PAST_HOURS; i++)
        good = load_bool(in, &read.strange[i]);
    if (!good)
        return ERR_BAD;
    struct course *c;
    enum err e = reach_course_add(g, read.service, &c);
    if (!e)
        *c = read;
    return e;
}

static enum err load_courses(struct reach *g, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    enum err e = count <= g->options.courses_max ? OK : ERR_FULL;
    for (uint32_t i = 0; i < count && !e; i++)
        e = load_course(g, in);
    return e;
}

static bool load_visit(const struct reach *g, struct bytes *in, struct visit *ret)
{
    size_t width = (g->place_count + 7) / 8;
    *ret = (struct visit){.source = bytes_le64(in)};
    ret->service = bytes_le32(in);
    ret->network = bytes_le32(in);
    uint8_t hours = bytes_u8(in);
    bool good = hours && hours < 1 << SPAN_HOURS && ret->service < SERVICE_ICMP &&
                sample_has(ret->source, g->shift);
    for (unsigned k = 0; good && k < SPAN_HOURS; k++) {
        if (!(hours >> k & 1))
            continue;
        for (size_t byte = 0; byte < width; byte++)
            ret->sites[k] |= (uint64_t)bytes_u8(in) << 8 * byte;
        good = ret->sites[k] &&
               (g->place_count == SITES_CAP || !(ret->sites[k] >> g->place_count));
    }
    return good && !in->cut;
}

static enum err load_visits(struct reach *g, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    enum err e = count <= g->options.visits_max ? OK : ERR_FULL;
    struct visit last = {0};
    for (uint32_t i = 0; i < count && !e; i++) {
        struct visit v;
        const struct visit *two[2] = {&last, &v};
        if (!load_visit(g, in, &v) || (i && by_service(&two[0], &two[1]) >= 0))
            return ERR_BAD;
        for (unsigned k = 0; k < SPAN_HOURS && !e; k++)
            for (size_t place = 0; place < g->place_count && !e; place++)
                if (v.sites[k] >> place & 1)
                    e = visits_note(&g->visits, &v, k, place);
        last = v;
    }
    return e;
}

static enum err load_into(struct reach *g, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = g->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    g->origin = h.origin;
    g->now = h.now;
    g->left_out = h.left_out;
    if (!load_times(g, in) || !load_sums(g, in))
        return ERR_BAD;
    uint8_t places = bytes_u8(in);
    if (places > g->options.sites_max)
        return ERR_FULL;
    for (uint8_t i = 0; i < places; i++)
        if (!load_place(g, in))
            return ERR_BAD;
    enum err e = load_courses(g, in);
    if (!e)
        e = load_visits(g, in);
    return !e && (in->cut || in->left) ? ERR_BAD : e;
}

enum err reach_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_reach);
    struct reach *g = (struct reach *)(void *)st;
    struct reach fresh = {.state = g->state,
        .options = g->options,
        .window = g->window,
        .visits = {.most = g->options.visits_max}};
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        reach_clear(&fresh);
        return saved_fault(f, e, "reach", whole, saved.left);
    }
    reach_clear(g);
    *g = fresh;
    return OK;
}
