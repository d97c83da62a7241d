/* Everything that the next step depends on, but the rules: those are the file's. */
#include "engine/saved.h"
#include "engine/screen/screen_int.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STATE_MAGIC = 0x63737a6b, /* "kzsc" */
    STATE_VERSION = 5
};

enum err screen_save(const struct engine_state *st, struct buf *out)
{
    assert(st->of == &engine_screen);
    const struct screen *s = (const struct screen *)(const void *)st;
    saved_head_save(
        out, &(struct saved_head){STATE_MAGIC, STATE_VERSION, s->window, s->origin, s->now, 0});
    profiles_save(&s->profiles, out);
    patterns_save(&s->book, out);
    buf_le32(out, (uint32_t)s->use_count);
    for (size_t i = 0; i < s->use_count; i++) {
        buf_le32(out, s->use[i].service);
        amount_save(&s->use[i].amount, s->book.day, out);
    }
    buf_le32(out, s->first_look);
    buf_le32(out, s->moving_next);
    buf_le32(out, (uint32_t)s->moving_count);
    for (size_t i = 0; i < s->moving_count; i++) {
        buf_le32(out, s->moving[i].id);
        buf_le32(out, s->moving[i].first);
        buf_le32(out, s->moving[i].last);
        buf_le32(out, s->moving[i].fired);
        buf_le32(out, s->moving[i].chance);
        buf_u8(out, s->moving[i].history);
    }
    return out->err;
}

static bool moving_load(struct screen *s, struct bytes *in)
{
    s->first_look = bytes_le32(in);
    s->moving_next = bytes_le32(in);
    uint32_t count = bytes_le32(in);
    if (in->cut || count > SCREEN_MOVING_MAX || s->first_look > s->now ||
        (count && !s->first_look))
        return false;
    for (s->moving_count = 0; s->moving_count < count; s->moving_count++) {
        struct moving *m = &s->moving[s->moving_count];
        *m = (struct moving){.id = bytes_le32(in)};
        m->first = bytes_le32(in);
        m->last = bytes_le32(in);
        m->fired = bytes_le32(in);
        m->chance = bytes_le32(in);
        m->history = bytes_u8(in);
        if (in->cut || !m->id || m->id > s->moving_next || m->first > m->last ||
            m->first < s->first_look || m->last > s->now || m->fired > m->last)
            return false;
        for (size_t k = 0; k < s->moving_count; k++)
            if (s->moving[k].id == m->id)
                return false;
    }
    return true;
}

static enum err use_load(struct screen *s, struct bytes *in)
{
    uint32_t count = bytes_le32(in);
    if (in->cut || count > SCREEN_USES_MAX)
        return ERR_BAD;
    for (uint32_t i = 0; i < count; i++) {
        struct screen_use *use = &s->use[i];
        use->service = bytes_le32(in);
        if (!amount_load(&use->amount, s->book.day, s->now, in) || use->service >= SERVICES ||
            (i && use->service <= s->use[i - 1].service))
            return ERR_BAD;
    }
    s->use_count = count;
    return OK;
}

static enum err load_into(struct screen *s, struct bytes *in)
{
    struct saved_head head = {
        .magic = STATE_MAGIC, .version = STATE_VERSION, .window = s->window};
    if (!saved_head_load(in, &head) || head.left_out)
        return ERR_BAD;
    s->origin = head.origin;
    s->now = head.now;
    enum err e = profiles_load(&s->profiles, in, s->now);
    if (!e)
        e = patterns_load(&s->book, &s->profiles.words, in, s->now);
    if (!e)
        e = use_load(s, in);
    if (!e && !moving_load(s, in))
        e = ERR_BAD;
    return e ? e : in->cut || in->left ? ERR_BAD : OK;
}

enum err screen_load(struct engine_state *st, struct bytes saved, struct fault *f)
{
    assert(st->of == &engine_screen);
    struct screen *s = (struct screen *)(void *)st;
    struct screen fresh = *s;
    size_t whole = saved.left;
    fresh.profiles = (struct profiles){0};
    fresh.book = (struct pattern_book){0};
    fresh.use = calloc(SCREEN_USES_MAX, sizeof *fresh.use);
    fresh.use_count = 0;
    enum err e = fresh.use ? screen_begin(&fresh) : ERR_NOMEM;
    if (!e)
        e = load_into(&fresh, &saved);
    struct screen *drop = e ? &fresh : s;
    screen_end(drop);
    free(drop->use);
    if (e)
        return saved_fault(f, e, "screen", whole, saved.left);
    *s = fresh;
    return OK;
}
