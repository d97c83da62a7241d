/* Everything that the next step depends on, little-endian, with every number checked on its way
 * back: a state may come from a stolen disk or another version. */
#include "engine/number.h"
#include "engine/saved.h"
#include "engine/surge/surge_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_MAGIC = 0x73727a6b, /* "kzrs" */
    STATE_VERSION = 3
};
static const double rate_most = 1e9;

/* --- save -----------------------------------------------------------------------------------
 */

static void save_site(struct buf *out, const struct site *site)
{
    saved_name_save(out, site->name);
    buf_le32(out, site->windows);
    for (unsigned i = 0; i < POOLS; i++)
        number_save(out, site->pool_rate[i]);
    for (unsigned h = 0; h < HORIZONS; h++) {
        number_save(out, site->spread[h]);
        number_save(out, site->weight[h]);
        tail_save(&site->tails[h], out);
    }
    buf_le64(out, site->targets);
    quiet_save(site->quiet, out);
}

static void save_series(struct buf *out, const struct series *p)
{
    buf_le32(out, p->service);
    buf_le16(out, p->site);
    buf_le16(out, p->idle_days);
    numbers_save(out, p->ring, RING);
    for (size_t i = 0; i < sizeof p->held / sizeof *p->held; i++)
        buf_le64(out, p->held[i]);
    numbers_save(out, p->hour, HOURS);
    buf_put(out, p->hour_days, HOURS);
    numbers_save(out, p->week, DAYS);
    buf_put(out, p->week_weeks, DAYS);
    number_save(out, (double)p->mean);
    number_save(out, (double)p->known);
    numbers_save(out, p->spread, HORIZONS);
    numbers_save(out, p->weight, HORIZONS);
    numbers_save(out, p->beat, PLACES_MOST);
}

static void save_episode(struct buf *out, const struct episode *e)
{
    buf_le32(out, e->series);
    buf_le32(out, e->first);
    buf_le32(out, e->last);
    buf_le32(out, e->fired);
    buf_u8(out, e->history);
    buf_le64(out, (uint64_t)e->start);
    buf_le32(out, e->peak);
    buf_le64(out, e->targets);
    buf_le64(out, e->wanted);
    buf_put(out, e->hosts.rank, sizeof e->hosts.rank);
    buf_put(out, e->networks.rank, sizeof e->networks.rank);
}

enum err surge_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_surge);
    const struct surge *s = (const struct surge *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin,
                             s->now, s->left_out});
    buf_le32(out, (uint32_t)s->site_count);
    for (size_t i = 0; i < s->site_count; i++)
        save_site(out, &s->sites[i]);
    buf_le32(out, (uint32_t)s->series_count);
    for (size_t i = 0; i < s->series_count; i++)
        save_series(out, &s->series[i]);
    buf_le32(out, (uint32_t)s->episode_count);
    for (size_t i = 0; i < s->episode_count; i++)
        save_episode(out, &s->episodes[i]);
    return out->err;
}

/* --- load -----------------------------------------------------------------------------------
 */

static bool load_floats(
    struct bytes *in, float *values, size_t count, double least, bool none_allowed)
{
    for (size_t i = 0; i < count; i++)
        if (!number_load_float(in, least, rate_most, none_allowed, &values[i]))
            return false;
    return true;
}

static void load_bytes(struct bytes *in, uint8_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = bytes_u8(in);
}

static enum err load_site(struct surge *s, struct bytes *in)
{
    char name[RECORD_NAME_MAX + 1];
    if (!saved_name_load(in, name))
        return ERR_BAD;
    for (size_t i = 0; i < s->site_count; i++)
        if (strcmp(s->sites[i].name, name) == 0)
            return ERR_BAD;
    struct site *site;
    enum err e = surge_site_add(s, name, &site);
    if (e)
        return e;
    site->windows = bytes_le32(in);
    bool good = site->windows <= s->now;
    for (unsigned i = 0; good && i < POOLS; i++)
        good = number_load(in, 0.0, rate_most, &site->pool_rate[i]);
    for (unsigned h = 0; good && h < HORIZONS; h++)
        good = number_load(in, -rate_most, rate_most, &site->spread[h]) &&
               number_load(in, 0.0, rate_most, &site->weight[h]) &&
               tail_load(&site->tails[h], in);
    site->targets = bytes_le64(in);
    return good && quiet_load(site->quiet, s->now, in) ? OK : ERR_BAD;
}

static bool load_series(struct surge *s, struct bytes *in, struct series *p)
{
    p->service = bytes_le32(in);
    p->site = bytes_le16(in);
    p->idle_days = bytes_le16(in);
    bool good = load_floats(in, p->ring, RING, 0.0, true);
    for (uint32_t i = 0; i < RING; i++)
        set_seen(p, i, p->ring[i]);
    for (size_t i = 0; i < sizeof p->held / sizeof *p->held; i++)
        p->held[i] = bytes_le64(in);
    good = good && load_floats(in, p->hour, HOURS, 0.0, false);
    load_bytes(in, p->hour_days, HOURS);
    good = good && load_floats(in, p->week, DAYS, 0.0, false);
    load_bytes(in, p->week_weeks, DAYS);
    good = good && load_floats(in, &p->mean, 1, 0.0, false) &&
           load_floats(in, &p->known, 1, 0.0, false) &&
           load_floats(in, p->spread, HORIZONS, -rate_most, false) &&
           load_floats(in, p->weight, HORIZONS, 0.0, false) &&
           load_floats(in, p->beat, PLACES_MOST, 0.0, false);
    return good && !in->cut && p->service < SERVICES && p->site < s->site_count &&
           !s->sites[p->site].series_of[p->service];
}

static enum err load_all_series(struct surge *s, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    if (count > s->options.series_max)
        return ERR_FULL;
    for (uint32_t i = 0; i < count; i++) {
        enum err e = surge_series_room(s);
        if (e)
            return e;
        struct series *p = &s->series[i];
        *p = (struct series){0};
        if (!load_series(s, in, p))
            return ERR_BAD;
        s->sites[p->site].series_of[p->service] = (uint32_t)++s->series_count;
        model_refresh(s, p);
    }
    return OK;
}

static bool load_sketch(struct bytes *in, struct distinct *d)
{
    load_bytes(in, d->rank, sizeof d->rank);
    for (size_t i = 0; i < sizeof d->rank; i++)
        if (d->rank[i] > DISTINCT_RANK_MAX)
            return false;
    return true;
}

static bool load_episode(const struct surge *s, struct bytes *in, struct episode *e)
{
    e->series = bytes_le32(in);
    e->first = bytes_le32(in);
    e->last = bytes_le32(in);
    e->fired = bytes_le32(in);
    e->history = bytes_u8(in);
    e->start = (int64_t)bytes_le64(in);
    e->peak = bytes_le32(in);
    e->targets = bytes_le64(in);
    e->wanted = bytes_le64(in);
    bool good = load_sketch(in, &e->hosts) && load_sketch(in, &e->networks);
    return good && !in->cut && e->series < s->series_count && e->first && e->first <= e->last &&
           e->last <= s->now && (!e->fired || e->fired >= e->first) && e->fired <= s->now &&
           e->start <= window_start(s, s->now) && e->start >= s->origin - US_DAY;
}

static enum err load_all_episodes(struct surge *s, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    if (count > s->options.suspects_max)
        return ERR_FULL;
    if (count)
        s->episodes = calloc(s->options.suspects_max, sizeof *s->episodes);
    if (count && !s->episodes)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct episode *e = &s->episodes[i];
        if (!load_episode(s, in, e) || s->series[e->series].suspect)
            return ERR_BAD;
        s->series[e->series].suspect = (uint16_t)(i + 1);
        s->episode_count++;
    }
    return OK;
}

static enum err load_into(struct surge *s, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    s->origin = h.origin;
    s->now = h.now;
    s->left_out = h.left_out;
    for (uint32_t k = 0; k < RING && k < s->now; k++)
        model_slot(s, s->now - k);
    uint32_t sites = bytes_le32(in);
    enum err e = sites <= s->options.sites_max ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < sites; i++)
        e = load_site(s, in);
    if (!e)
        e = load_all_series(s, in);
    if (!e)
        e = load_all_episodes(s, in);
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err surge_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_surge);
    struct surge *s = (struct surge *)(void *)st;
    struct surge fresh = {.state = s->state, .options = s->options, .window = s->window};
    memcpy(fresh.span, s->span, sizeof fresh.span);
    memcpy(fresh.powers, s->powers, sizeof fresh.powers);
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        surge_clear(&fresh);
        return saved_fault(f, e, "surge", whole, saved.left);
    }
    surge_clear(s);
    *s = fresh;
    return OK;
}
