/* Everything that the next step depends on, little-endian, with every number checked on its way
 * back: a state may come from a stolen disk or another version. */
#include "engine/nmf/nmf_int.h"
#include "engine/number.h"
#include "engine/saved.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STATE_MAGIC = 0x6e727a6b, /* "kzrn" */
    STATE_VERSION = 1,
    ACT_BYTES = 24
};

enum err nmf_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_nmf);
    const struct nmf_state *s = (const struct nmf_state *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin,
                             s->now, s->left_out});
    tail_save(&s->tail, out);
    for (unsigned w = 0; w < WINDOWS; w++) {
        const struct acts *a = &s->acts[w];
        buf_le32(out, a->window);
        buf_le32(out, (uint32_t)a->count);
        for (size_t i = 0; i < a->count; i++) {
            buf_le64(out, a->list[i].host);
            buf_le64(out, a->list[i].slots);
            buf_le32(out, a->list[i].service);
            buf_le32(out, a->list[i].wide);
        }
    }
    for (unsigned i = 0; i < PASTS; i++) {
        const struct past *p = &s->pasts[i];
        buf_le32(out, p->window);
        buf_le16(out, p->count);
        for (unsigned k = 0; k < p->count; k++)
            buf_le64(out, p->host[k]);
    }
    buf_le32(out, (uint32_t)s->group_count);
    for (size_t i = 0; i < s->group_count; i++) {
        const struct group *g = &s->groups[i];
        buf_le32(out, g->service);
        buf_le32(out, g->fired);
        buf_le32(out, g->last);
        buf_le64(out, (uint64_t)g->start);
        buf_u8(out, g->history);
    }
    return out->err;
}

static bool is_after(const struct act *a, const struct act *before)
{
    return a->host > before->host || (a->host == before->host && a->service > before->service);
}

static enum err load_acts(struct nmf_state *s, struct bytes *in, unsigned place)
{
    struct acts *a = &s->acts[place];
    a->window = bytes_le32(in);
    uint32_t count = bytes_le32(in);
    if (count > s->options.acts_max)
        return ERR_FULL;
    if (in->cut || count > in->left / ACT_BYTES || a->window > s->now ||
        (a->window && a->window % WINDOWS != place) || (!a->window && count))
        return ERR_BAD;
    a->list = calloc(count ? count : 1, sizeof *a->list);
    if (!a->list)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct act *act = &a->list[i];
        act->host = bytes_le64(in);
        act->slots = bytes_le64(in);
        act->service = bytes_le32(in);
        act->wide = bytes_le32(in);
        if (act->service >= SERVICES || act->slots & ~PULSE_ALL ||
            (i && !is_after(act, &a->list[i - 1])))
            return ERR_BAD;
        a->count = i + 1;
    }
    return OK;
}

static bool load_past(
    const struct nmf_state *s, struct bytes *in, unsigned place, struct past *p)
{
    p->window = bytes_le32(in);
    p->count = bytes_le16(in);
    if (in->cut || p->count > PAST_HOSTS || p->window > s->now ||
        (p->window && p->window % PASTS != place) || (!p->window && p->count))
        return false;
    for (unsigned k = 0; k < p->count; k++) {
        p->host[k] = bytes_le64(in);
        if (k && p->host[k] <= p->host[k - 1])
            return false;
    }
    return !in->cut;
}

static bool load_group(const struct nmf_state *s, struct bytes *in, struct group *g)
{
    g->service = bytes_le32(in);
    g->fired = bytes_le32(in);
    g->last = bytes_le32(in);
    g->start = (int64_t)bytes_le64(in);
    g->history = bytes_u8(in);
    return !in->cut && g->service <= SERVICES && g->fired && g->fired <= g->last &&
           g->last <= s->now && g->start <= window_start(s, s->now + 1) &&
           g->start >= s->origin - WINDOWS * s->window;
}

static enum err load_into(struct nmf_state *s, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    s->origin = h.origin;
    s->now = h.now;
    s->left_out = h.left_out;
    if (!tail_load(&s->tail, in))
        return ERR_BAD;
    enum err e = nmf_room(s);
    for (unsigned w = 0; !e && w < WINDOWS; w++)
        e = load_acts(s, in, w);
    for (unsigned i = 0; !e && i < PASTS; i++)
        e = load_past(s, in, i, &s->pasts[i]) ? OK : ERR_BAD;
    uint32_t groups = bytes_le32(in);
    if (!e && groups > GROUPS_MAX)
        e = ERR_FULL;
    for (uint32_t i = 0; !e && i < groups; i++) {
        if (!load_group(s, in, &s->groups[i]))
            e = ERR_BAD;
        s->group_count = i + 1;
    }
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err nmf_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_nmf);
    struct nmf_state *s = (struct nmf_state *)(void *)st;
    struct nmf_state fresh = {.state = s->state, .options = s->options, .window = s->window};
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        nmf_clear(&fresh);
        return saved_fault(f, e, "nmf", whole, saved.left);
    }
    nmf_clear(s);
    *s = fresh;
    return OK;
}
