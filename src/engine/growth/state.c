/* Everything that the next step depends on, little-endian; every number is checked on its way
 * back. */
#include "engine/growth/growth_int.h"
#include "engine/number.h"
#include "engine/saved.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_MAGIC = 0x67727a6b, /* "kzrg" */
    STATE_VERSION = 3
};
static const double rate_most = 1e9;

/* --- save -----------------------------------------------------------------------------------
 */

static void save_place(struct buf *out, const struct place *p)
{
    saved_name_save(out, p->name);
    buf_le32(out, p->windows);
    buf_le64(out, p->targets);
    for (unsigned i = 0; i < SPANS; i++) {
        number_save(out, p->spread[i]);
        number_save(out, p->weight[i]);
    }
    quiet_save(p->quiet, out);
}

static void save_cell(struct buf *out, const struct cell *c)
{
    buf_le32(out, c->service);
    buf_le16(out, c->site);
    buf_le16(out, c->idle_hours);
    numbers_save(out, c->recent, RECENT);
    numbers_save(out, c->past, PAST_HOURS);
    numbers_save(out, c->day, DAY_HOURS);
}

static void save_rising(struct buf *out, const struct rising *r)
{
    buf_le32(out, r->service);
    buf_le32(out, r->first);
    buf_le32(out, r->last);
    buf_le32(out, r->fired);
    buf_u8(out, r->history);
    number_save(out, (double)r->most);
    for (size_t k = 0; k < SITES_CAP; k++) {
        const struct rise_site *s = &r->sites[k];
        buf_le32(out, s->first);
        buf_le32(out, s->last);
        number_save(out, (double)s->seen);
        number_save(out, (double)s->expected);
        number_save(out, (double)s->log_p);
    }
    for (size_t i = 0; i < NETWORKS; i++) {
        buf_le64(out, r->networks[i].hash);
        buf_le64(out, r->networks[i].sites);
        buf_le64(out, r->networks[i].dsts);
    }
    buf_put(out, r->hosts.rank, sizeof r->hosts.rank);
}

enum err growth_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_growth);
    const struct growth *g = (const struct growth *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, g->window, g->origin,
                             g->now, g->left_out});
    tail_save(&g->tail, out);
    buf_le32(out, (uint32_t)g->place_count);
    for (size_t i = 0; i < g->place_count; i++)
        save_place(out, &g->places[i]);
    buf_le32(out, (uint32_t)g->cell_count);
    for (size_t i = 0; i < g->cell_count; i++)
        save_cell(out, &g->cells[i]);
    buf_le32(out, (uint32_t)g->rise_count);
    for (size_t i = 0; i < g->rise_count; i++)
        save_rising(out, &g->rises[i]);
    return out->err;
}

/* --- load -----------------------------------------------------------------------------------
 */

static enum err load_place(struct growth *g, struct bytes *in)
{
    char name[RECORD_NAME_MAX + 1];
    if (!saved_name_load(in, name))
        return ERR_BAD;
    for (size_t i = 0; i < g->place_count; i++)
        if (strcmp(g->places[i].name, name) == 0)
            return ERR_BAD;
    size_t number;
    enum err e = growth_place_add(g, name, &number);
    if (e)
        return e;
    struct place *p = &g->places[number];
    p->windows = bytes_le32(in);
    p->targets = bytes_le64(in);
    bool good = p->windows <= g->now;
    for (unsigned i = 0; good && i < SPANS; i++)
        good = number_load(in, -rate_most, rate_most, &p->spread[i]) &&
               number_load(in, 0.0, rate_most, &p->weight[i]);
    return good && quiet_load(p->quiet, g->now, in) ? OK : ERR_BAD;
}

static bool load_rates(struct bytes *in, float *values, size_t count, bool none_allowed)
{
    for (size_t i = 0; i < count; i++)
        if (!number_load_float(in, 0.0, rate_most, none_allowed, &values[i]))
            return false;
    return true;
}

static enum err load_cells(struct growth *g, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    enum err e = count <= g->options.cells_max ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < count; i++) {
        struct cell read;
        read.service = bytes_le32(in);
        read.site = bytes_le16(in);
        read.idle_hours = bytes_le16(in);
        bool good = load_rates(in, read.recent, RECENT, true) &&
                    load_rates(in, read.past, PAST_HOURS, true) &&
                    load_rates(in, read.day, DAY_HOURS, true);
        if (!good || in->cut || read.service >= SERVICES || read.site >= g->place_count ||
            growth_cell(g, read.service, read.site))
            return ERR_BAD;
        struct cell *c;
        e = growth_cell_add(g, read.service, read.site, 0.0, &c);
        if (e)
            return e;
        read.next = c->next;
        *c = read;
        memset(c->before_at, 0, sizeof c->before_at);
        c->day_at = 0;
        c->peak = 0.0F;
        for (size_t k = 0; k < PAST_HOURS; k++)
            c->peak = c->past[k] > c->peak ? c->past[k] : c->peak;
    }
    return e;
}

static bool load_networks(struct bytes *in, struct rising *r)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        r->networks[i].hash = bytes_le64(in);
        r->networks[i].sites = bytes_le64(in);
        r->networks[i].dsts = bytes_le64(in);
        r->network_count += r->networks[i].sites != 0;
    }
    for (size_t i = 0; i < sizeof r->hosts.rank; i++) {
        r->hosts.rank[i] = bytes_u8(in);
        if (r->hosts.rank[i] > DISTINCT_RANK_MAX)
            return false;
    }
    return r->network_count <= NETWORKS * 3 / 4;
}

static bool load_rising(const struct growth *g, struct bytes *in, struct rising *r)
{
    r->service = bytes_le32(in);
    r->first = bytes_le32(in);
    r->last = bytes_le32(in);
    r->fired = bytes_le32(in);
    r->history = bytes_u8(in);
    bool good = load_rates(in, &r->most, 1, false) && r->service < SERVICES && r->first &&
                r->first <= r->last && r->last <= g->now && r->fired <= g->now &&
                (!r->fired || r->fired >= r->first);
    for (size_t k = 0; good && k < SITES_CAP; k++) {
        struct rise_site *s = &r->sites[k];
        s->first = bytes_le32(in);
        s->last = bytes_le32(in);
        good = load_rates(in, &s->seen, 1, false) && load_rates(in, &s->expected, 1, false) &&
               load_rates(in, &s->log_p, 1, false) && s->first <= s->last &&
               s->last <= g->now && (s->first != 0) == (s->last != 0);
    }
    return good && load_networks(in, r) && !in->cut;
}

static enum err load_rises(struct growth *g, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    enum err e = count <= g->options.rises_max ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < count; i++) {
        struct rising *r;
        e = rising_add(g, SERVICES, &r); /* a service that is never asked for while it loads */
        if (e)
            return e;
        if (!load_rising(g, in, r) || rising_of(g, r->service))
            return ERR_BAD;
        g->rise_of[r->service] = (uint16_t)g->rise_count;
    }
    return e;
}

static enum err load_into(struct growth *g, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = g->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    g->origin = h.origin;
    g->now = h.now;
    g->left_out = h.left_out;
    if (!tail_load(&g->tail, in))
        return ERR_BAD;
    growth_turn(g);
    uint32_t places = bytes_le32(in);
    enum err e = places <= g->options.sites_max ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < places; i++)
        e = load_place(g, in);
    if (!e)
        e = load_cells(g, in);
    if (!e)
        e = load_rises(g, in);
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err growth_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_growth);
    struct growth *g = (struct growth *)(void *)st;
    struct growth fresh = {.state = g->state, .options = g->options, .window = g->window};
    memcpy(fresh.span, g->span, sizeof fresh.span);
    memcpy(fresh.powers, g->powers, sizeof fresh.powers);
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        growth_clear(&fresh);
        return saved_fault(f, e, "growth", whole, saved.left);
    }
    growth_clear(g);
    *g = fresh;
    return OK;
}
