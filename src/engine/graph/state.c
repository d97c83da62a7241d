/* Everything that the next step depends on, little-endian, with every number checked on its way
 * back: a state may come from a stolen disk or another version. */
#include "engine/graph/graph_int.h"
#include "engine/number.h"
#include "engine/saved.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_MAGIC = 0x70727a6b, /* "kzrp" */
    STATE_VERSION = 2
};
static const double most = 1e15;

/* --- save -----------------------------------------------------------------------------------
 */

static void save_doubles(struct buf *out, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        number_save(out, values[i]);
}

static void save_model(struct buf *out, const struct sdar *s)
{
    buf_u8(out, (uint8_t)s->filled);
    number_save(out, s->mean);
    number_save(out, s->variance);
    save_doubles(out, s->covariance, s->order + 1);
    save_doubles(out, s->past, s->order);
}

static void save_feature(struct buf *out, const struct feature *f)
{
    save_model(out, &f->model);
    number_save(out, f->variance);
    buf_le32(out, f->age);
    number_save(out, f->z);
    number_save(out, f->guess);
    save_model(out, &f->finder.model);
    save_model(out, &f->finder.above);
    save_doubles(out, f->finder.losses, f->finder.first);
    save_doubles(out, f->finder.changes, f->finder.second);
    buf_le32(out, f->finder.count);
    numbers_save(out, f->ring, RING);
    numbers_save(out, f->expected, RING);
}

/* Only what is not zero, by rising number. */
static void save_sparse(struct buf *out, const float *values)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SERVICES; i++)
        count += values[i] > 0.0F;
    buf_le32(out, count);
    for (uint32_t i = 0; i < SERVICES; i++)
        if (values[i] > 0.0F) {
            buf_le32(out, i);
            number_save(out, (double)values[i]);
        }
}

static void save_alarm(struct buf *out, const struct alarm *a)
{
    buf_le32(out, a->first);
    buf_le32(out, a->last);
    buf_le64(out, (uint64_t)a->start);
    number_save(out, a->score);
    buf_u8(out, a->history);
    buf_u8(out, (uint8_t)a->count);
    for (uint32_t i = 0; i < a->count; i++)
        buf_le32(out, a->services[i]);
}

static void save_crowds(struct buf *out, const struct crowds *c)
{
    buf_u8(out, (uint8_t)c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        buf_le32(out, c->rows[i].service);
        number_save(out, (double)c->rows[i].more);
    }
}

static void save_site(struct buf *out, const struct site *site)
{
    saved_name_save(out, site->name);
    buf_le32(out, site->windows);
    number_save(out, site->evidence);
    buf_le32(out, site->since);
    save_alarm(out, &site->alarm);
    buf_le64(out, site->targets);
    number_save(out, site->spread);
    number_save(out, site->weight);
    for (size_t i = 0; i < FEATURES; i++)
        save_feature(out, &site->features[i]);
    for (size_t i = 0; i < CROWD_WINDOWS; i++)
        save_crowds(out, &site->crowds[i]);
    save_sparse(out, site->usual);
    save_sparse(out, site->direction);
}

enum err graph_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_graph);
    const struct graph *s = (const struct graph *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin,
                             s->now, s->left_out});
    for (size_t i = 0; i < FEATURES; i++)
        tail_save(&s->tails[i], out);
    buf_le32(out, (uint32_t)s->site_count);
    for (size_t i = 0; i < s->site_count; i++)
        save_site(out, &s->sites[i]);
    return out->err;
}

/* --- load -----------------------------------------------------------------------------------
 */

static bool load_doubles(struct bytes *in, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!number_load(in, -most, most, &values[i]))
            return false;
    return true;
}

static bool load_floats(struct bytes *in, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!number_load_float(in, -most, most, true, &values[i]))
            return false;
    return true;
}

static bool load_model(struct bytes *in, struct sdar *s)
{
    s->filled = bytes_u8(in);
    bool good = s->filled <= s->order && number_load(in, -most, most, &s->mean) &&
                number_load(in, 0.0, most, &s->variance) &&
                load_doubles(in, s->covariance, s->order + 1) &&
                load_doubles(in, s->past, s->order);
    if (good)
        sdar_refresh(s);
    return good;
}

static bool load_feature(struct bytes *in, struct feature *f)
{
    if (!load_model(in, &f->model) || !number_load(in, 0.0, most, &f->variance))
        return false;
    f->age = bytes_le32(in);
    if (f->age > INT32_MAX || !number_load(in, -most, most, &f->z) ||
        !number_load(in, -most, most, &f->guess) || !load_model(in, &f->finder.model) ||
        !load_model(in, &f->finder.above) ||
        !load_doubles(in, f->finder.losses, f->finder.first) ||
        !load_doubles(in, f->finder.changes, f->finder.second))
        return false;
    f->finder.count = bytes_le32(in);
    return f->finder.count < 1u << 30 && load_floats(in, f->ring, RING) &&
           load_floats(in, f->expected, RING);
}

static bool load_sparse(struct bytes *in, float *values)
{
    uint32_t count = bytes_le32(in);
    for (uint32_t i = 0, next = 0; i < count; i++) {
        uint32_t number = bytes_le32(in);
        float value;
        if (in->cut || number < next || number >= SERVICES ||
            !number_load_float(in, 0.0, 1e9, false, &value) || !(value > 0.0F))
            return false;
        values[number] = value;
        next = number + 1;
    }
    return true;
}

static bool load_alarm(const struct graph *s, struct bytes *in, struct alarm *a)
{
    a->first = bytes_le32(in);
    a->last = bytes_le32(in);
    a->start = (int64_t)bytes_le64(in);
    bool good = number_load(in, 0.0, most, &a->score);
    a->history = bytes_u8(in);
    a->count = bytes_u8(in);
    for (uint32_t i = 0; i < a->count && i < CAUSES; i++) {
        a->services[i] = bytes_le32(in);
        good = good && a->services[i] < SERVICES;
    }
    const int64_t far = INT64_C(1) << 61;
    return good && a->count <= CAUSES && a->first <= a->last && a->last <= s->now &&
           a->start < far && a->start > -far;
}

static bool load_crowds(struct bytes *in, struct crowds *c)
{
    c->count = bytes_u8(in);
    if (c->count > CROWDS)
        return false;
    for (uint32_t i = 0; i < c->count; i++) {
        c->rows[i].service = bytes_le32(in);
        if (c->rows[i].service >= SERVICES ||
            !number_load_float(in, 0.0, 1e9, false, &c->rows[i].more))
            return false;
    }
    return true;
}

static enum err load_site(struct graph *s, struct bytes *in)
{
    char name[RECORD_NAME_MAX + 1];
    if (!saved_name_load(in, name))
        return ERR_BAD;
    for (size_t i = 0; i < s->site_count; i++)
        if (strcmp(s->sites[i].name, name) == 0)
            return ERR_BAD;
    struct site *site;
    enum err e = graph_site_add(s, name, &site);
    if (e)
        return e;
    site->windows = bytes_le32(in);
    bool good = number_load(in, 0.0, most, &site->evidence);
    site->since = bytes_le32(in);
    good = good && load_alarm(s, in, &site->alarm);
    site->targets = bytes_le64(in);
    good = good && site->windows <= s->now && site->since <= s->now &&
           number_load(in, -most, most, &site->spread) &&
           number_load(in, 0.0, most, &site->weight);
    for (size_t i = 0; good && i < FEATURES; i++)
        good = load_feature(in, &site->features[i]);
    for (size_t i = 0; good && i < CROWD_WINDOWS; i++)
        good = load_crowds(in, &site->crowds[i]);
    good = good && load_sparse(in, site->usual) && load_sparse(in, site->direction);
    return good ? OK : ERR_BAD;
}

static enum err load_into(struct graph *s, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    s->origin = h.origin;
    s->now = h.now;
    s->left_out = h.left_out;
    for (size_t i = 0; i < FEATURES; i++)
        if (!tail_load(&s->tails[i], in))
            return ERR_BAD;
    uint32_t sites = bytes_le32(in);
    enum err e = sites <= s->options.sites_max ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < sites; i++)
        e = load_site(s, in);
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err graph_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_graph);
    struct graph *s = (struct graph *)(void *)st;
    struct graph fresh = {.state = s->state, .options = s->options, .window = s->window};
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        graph_clear(&fresh);
        return saved_fault(f, e, "graph", whole, saved.left);
    }
    graph_clear(s);
    *s = fresh;
    return OK;
}
