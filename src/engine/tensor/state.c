/* Everything that the next step depends on, little-endian, with every number checked on its way
 * back: a state may come from a stolen disk or another version. */
#include "engine/number.h"
#include "engine/saved.h"
#include "engine/tensor/tensor_int.h"

#include <assert.h>

enum {
    STATE_MAGIC = 0x74727a6b, /* "kzrt" */
    STATE_VERSION = 1
};
static const double evidence_most = 1e4;
static const double count_most = 1e9;

static void save_watch(struct buf *out, const struct watch *w)
{
    buf_le32(out, w->service);
    for (unsigned i = 0; i < MEMORY; i++) {
        number_save(out, (double)w->evidence[i]);
        buf_le16(out, w->hosts[i]);
        number_save(out, (double)w->expected[i]);
    }
    buf_le32(out, w->last);
    buf_le32(out, w->fired);
    buf_le64(out, (uint64_t)w->start);
    buf_u8(out, w->history);
}

static void save_fibre(struct buf *out, const struct fibre *f)
{
    buf_le32(out, f->service);
    buf_le32(out, f->window);
    buf_u8(out, f->slot);
    buf_u8(out, f->span);
    buf_le32(out, f->hosts);
    number_save(out, (double)f->expected);
    buf_le16(out, f->kept);
    for (unsigned i = 0; i < f->kept; i++)
        buf_le64(out, f->id[i]);
}

enum err tensor_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_tensor);
    const struct tensor *s = (const struct tensor *)(const void *)st;
    saved_head_save(out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin,
                             s->now, s->left_out});
    number_save(out, s->services);
    tail_save(&s->tail, out);
    buf_le32(out, (uint32_t)s->watch_count);
    for (size_t i = 0; i < s->watch_count; i++)
        save_watch(out, &s->watches[i]);
    buf_le32(out, (uint32_t)s->fibre_count);
    for (size_t i = 0; i < s->fibre_count; i++)
        save_fibre(out, &s->fibres[i]);
    return out->err;
}

/* Watches come in rising order of service. */
static bool load_watch(const struct tensor *s, struct bytes *in, struct watch *w)
{
    w->service = bytes_le32(in);
    bool good = w->service < SERVICES;
    for (unsigned i = 0; good && i < MEMORY; i++) {
        good = number_load_float(in, 0.0, evidence_most, false, &w->evidence[i]);
        w->hosts[i] = bytes_le16(in);
        good = good && number_load_float(in, 0.0, count_most, false, &w->expected[i]);
    }
    w->last = bytes_le32(in);
    w->fired = bytes_le32(in);
    w->start = (int64_t)bytes_le64(in);
    w->history = bytes_u8(in);
    return good && !in->cut && w->last && w->last <= s->now && s->now - w->last < MEMORY &&
           w->fired <= s->now && w->start <= window_start(s, s->now + 1) &&
           (!w->fired || w->start >= s->origin);
}

/* Fibres come by window, then service, their hosts in rising order. */
static bool load_fibre(const struct tensor *s, struct bytes *in, struct fibre *f)
{
    f->service = bytes_le32(in);
    f->window = bytes_le32(in);
    f->slot = bytes_u8(in);
    f->span = bytes_u8(in);
    f->hosts = bytes_le32(in);
    bool good = number_load_float(in, 0.0, count_most, false, &f->expected);
    f->kept = bytes_le16(in);
    good = good && !in->cut && f->service < SERVICES && f->window && f->window <= s->now &&
           s->now - f->window < MEMORY && f->span >= 1 && f->span <= PULSE_SPANS &&
           f->slot + f->span <= PULSE_SLOTS && f->kept <= FIBRE_HOSTS;
    for (unsigned i = 0; good && i < f->kept; i++) {
        f->id[i] = bytes_le64(in);
        good = i == 0 || f->id[i] > f->id[i - 1];
    }
    return good && !in->cut;
}

static bool is_after(const struct fibre *f, const struct fibre *before)
{
    return f->window > before->window ||
           (f->window == before->window && f->service > before->service);
}

static enum err load_lists(struct tensor *s, struct bytes *in)
{
    uint32_t watches = bytes_le32(in);
    if (watches > s->options.services_max)
        return ERR_FULL;
    enum err e = tensor_room(s);
    for (uint32_t i = 0; !e && i < watches; i++) {
        if (!load_watch(s, in, &s->watches[i]) ||
            (i && s->watches[i].service <= s->watches[i - 1].service))
            e = ERR_BAD;
        s->watch_count = i + 1;
    }
    uint32_t fibres = bytes_le32(in);
    if (!e && fibres > s->options.fibres_max)
        e = ERR_FULL;
    for (uint32_t i = 0; !e && i < fibres; i++) {
        if (!load_fibre(s, in, &s->fibres[i]) ||
            (i && !is_after(&s->fibres[i], &s->fibres[i - 1])))
            e = ERR_BAD;
        s->fibre_count = i + 1;
    }
    return e;
}

static enum err load_into(struct tensor *s, struct bytes *in)
{
    struct saved_head h = {.magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &h))
        return ERR_BAD;
    s->origin = h.origin;
    s->now = h.now;
    s->left_out = h.left_out;
    if (!number_load(in, 0.0, SERVICES, &s->services) || !tail_load(&s->tail, in))
        return ERR_BAD;
    enum err e = load_lists(s, in);
    if (!e && (in->cut || in->left))
        e = ERR_BAD;
    return e;
}

enum err tensor_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_tensor);
    struct tensor *s = (struct tensor *)(void *)st;
    struct tensor fresh = {.state = s->state, .options = s->options, .window = s->window};
    size_t whole = saved.left;
    enum err e = load_into(&fresh, &saved);
    if (e) {
        tensor_clear(&fresh);
        return saved_fault(f, e, "tensor", whole, saved.left);
    }
    tensor_clear(s);
    *s = fresh;
    return OK;
}
