/* The engine's memory as bytes: little-endian, numbers as they are. */
#include "engine/glasso/glasso_int.h"

#include "engine/number.h"
#include "engine/saved.h"

#include <assert.h>
#include <string.h>

enum {
    STATE_MAGIC = 0x4f53414c, /* "LASO" */
    STATE_VERSION = 2
};

static void save_density(const struct density *d, struct buf *out)
{
    numbers_save(out, d->ring, HISTORY);
    for (size_t i = 0; i < sizeof d->held / sizeof *d->held; i++)
        buf_le64(out, d->held[i]);
    tail_save(&d->tail, out);
    buf_u8(out, d->history);
    buf_le32(out, d->first);
    buf_le32(out, d->last);
}

static void save_view(const struct sync *s, const struct view *v, struct buf *out)
{
    buf_u8(out, (uint8_t)strlen(v->name));
    buf_put(out, v->name, strlen(v->name));
    buf_le32(out, v->windows);
    number_save(out, v->graphs);
    tail_save(&v->tail, out);
    for (size_t k = 0; k < s->options.penalty_count; k++)
        save_density(&v->densities[k], out);
    quiet_save(v->usual, out);
}

enum err sync_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_glasso);
    const struct sync *s = (const struct sync *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin,
                             s->now, s->left_out});
    buf_u8(out, (uint8_t)s->options.penalty_count);
    for (size_t k = 0; k < s->options.penalty_count; k++)
        number_save(out, s->options.penalties[k]);
    buf_le32(out, (uint32_t)s->view_count);
    for (size_t i = 0; i < s->view_count; i++)
        save_view(s, &s->views[i], out);
    buf_le32(out, (uint32_t)s->episode_count);
    for (size_t i = 0; i < s->episode_count; i++) {
        const struct episode *e = &s->episodes[i];
        buf_le32(out, e->service);
        buf_le16(out, e->view);
        buf_le64(out, e->history);
        buf_le32(out, e->first);
        buf_le32(out, e->last);
        buf_le64(out, (uint64_t)e->start);
    }
    return out->err;
}

/* --- back --------------------------------------------------------------------------------- */

static bool load_density(const struct sync *s, struct density *d, struct bytes *in)
{
    for (size_t i = 0; i < HISTORY; i++)
        if (!number_load_float(in, -40.0, 0.0, true, &d->ring[i]))
            return false;
    for (size_t i = 0; i < sizeof d->held / sizeof *d->held; i++)
        d->held[i] = bytes_le64(in);
    if (!tail_load(&d->tail, in))
        return false;
    d->history = bytes_u8(in);
    d->first = bytes_le32(in);
    d->last = bytes_le32(in);
    return !in->cut && d->first <= d->last && d->last <= s->now;
}

/* The first view, and only it, is of all sites. */
static enum err load_view(struct sync *s, struct bytes *in)
{
    char name[RECORD_NAME_MAX + 1] = "";
    uint8_t len = bytes_u8(in);
    struct bytes text = bytes_take(in, len);
    if (text.cut || len > RECORD_NAME_MAX || memchr(text.at, 0, len) ||
        (len == 0) != (s->view_count == 0))
        return ERR_BAD;
    memcpy(name, text.at, len);
    for (size_t i = 0; i < s->view_count; i++)
        if (strcmp(s->views[i].name, name) == 0)
            return ERR_BAD;
    struct view *v;
    enum err e = sync_view_add(s, name, &v);
    if (e)
        return e;
    v->windows = bytes_le32(in);
    bool good = v->windows <= s->now && number_load(in, 0.0, 1e9, &v->graphs) &&
                tail_load(&v->tail, in);
    for (size_t k = 0; good && k < s->options.penalty_count; k++)
        good = load_density(s, &v->densities[k], in);
    return good && quiet_load(v->usual, s->now, in) ? OK : ERR_BAD;
}

static bool load_episode(struct sync *s, struct bytes *in)
{
    struct episode e;
    e.service = bytes_le32(in);
    e.view = bytes_le16(in);
    e.history = bytes_le64(in);
    e.first = bytes_le32(in);
    e.last = bytes_le32(in);
    e.start = (int64_t)bytes_le64(in);
    for (size_t i = 0; i < s->episode_count; i++)
        if (s->episodes[i].view == e.view && s->episodes[i].service == e.service)
            return false;
    s->episodes[s->episode_count++] = e;
    return !in->cut && e.service <= SERVICES && e.view < s->view_count && e.first &&
           e.first <= e.last && e.last <= s->now && e.start == sync_window_start(s, e.first);
}

static enum err load_episodes(struct sync *s, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    if (count > s->options.suspects_max)
        return ERR_FULL;
    enum err e = count ? sync_episode_room(s) : OK;
    for (uint32_t i = 0; !e && i < count; i++)
        e = load_episode(s, in) ? OK : ERR_BAD;
    return e;
}

static bool load_head(struct sync *s, struct bytes *in)
{
    assert(s->window > 0);
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &h) || bytes_u8(in) != s->options.penalty_count)
        return false;
    for (size_t k = 0; k < s->options.penalty_count; k++) {
        double penalty = s->options.penalties[k];
        if (!number_load(in, penalty, penalty, &penalty))
            return false;
    }
    s->origin = h.origin;
    s->now = h.now;
    s->left_out = h.left_out;
    return true;
}

static enum err load_into(struct sync *s, struct bytes *in)
{
    if (!load_head(s, in))
        return ERR_BAD;
    uint32_t views = bytes_le32(in);
    enum err e = views <= s->options.sites_max + 1 ? OK : ERR_FULL;
    for (uint32_t i = 0; !e && i < views; i++)
        e = load_view(s, in);
    if (!e)
        e = load_episodes(s, in);
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err sync_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_glasso);
    struct sync *s = (struct sync *)(void *)st;
    struct sync fresh = {.state = s->state, .options = s->options, .window = s->window};
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        sync_clear(&fresh);
        return fault_set(f, e, "glasso state: offset %zu: %s", whole - saved.left,
            e == ERR_BAD ? "not a state of this version, window length and penalties"
                         : err_text(e));
    }
    sync_clear(s);
    *s = fresh;
    return OK;
}
