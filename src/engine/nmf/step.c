#include "engine/nmf/nmf_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double worth_a_look = 0.5; /* -log10 p of the strongest pair, of all pairs */

/* --- what was found before ---------------------------------------------------------------- */

static void forget(struct nmf_state *s, uint32_t gone)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->group_count; i++) {
        struct group g = s->groups[i];
        g.history = gone < 8 ? (uint8_t)(g.history << gone) : 0;
        if ((int64_t)(s->now - g.last) * s->window <= 6 * US_HOUR)
            s->groups[kept++] = g;
    }
    s->group_count = kept;
}

static struct group *group_of(struct nmf_state *s, const struct part *p, uint32_t service)
{
    size_t i = 0;
    while (i < s->group_count && s->groups[i].service != service)
        i++;
    if (i == GROUPS_MAX) {
        s->left_out++;
        return NULL;
    }
    struct group *g = &s->groups[i];
    if (i == s->group_count) {
        s->group_count++;
        *g = (struct group){.service = service,
            .fired = s->now,
            .start = window_start(s, s->now) - (WINDOWS - 1) * s->window +
                     p->moment[0].slot * s->window / PULSE_SLOTS};
    }
    g->last = s->now;
    g->history |= 1;
    return g;
}

/* --- one window --------------------------------------------------------------------------- */

/* A part shows again and again while its moments are within the half hour; it is told when this
 * window has added to it. */
static bool is_new(const struct part *p)
{
    const struct beat *last = &p->moment[p->moments - 1];
    return last->slot + last->span > (WINDOWS - 1) * PULSE_SLOTS;
}

static double strongest(const struct pairs *p)
{
    return p->best_count ? fmax(p->best[0].log10_p - nmf_sets_log10(2), 0.0) : 0.0;
}

static bool is_known(const struct claim *c, uint32_t service)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->service[i] == service)
            return true;
    return false;
}

/* Parts that share a service with a stronger one are the same group seen twice. */
static bool is_repeat(const struct claim *claims, size_t count, const struct claim *c)
{
    for (size_t i = 0; i < count; i++) {
        if (!claims[i].count && !c->count)
            return true;
        for (size_t k = 0; k < c->count; k++)
            if (is_known(&claims[i], c->service[k]))
                return true;
    }
    return false;
}

static void sort_parts(struct part *parts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct part p = parts[i];
        size_t at = i;
        for (; at > 0 && parts[at - 1].score < p.score; at--)
            parts[at] = parts[at - 1];
        parts[at] = p;
    }
}

static enum err tell(struct nmf_state *s, const struct scene *scene, const struct part *parts,
    size_t count, struct arena *scratch, struct sink *out)
{
    struct claim claims[SEEDS];
    size_t told = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < count; i++) {
        struct verdict v = {.part = &parts[i]};
        if (v.part->score < 0.0 || v.part->wide - v.part->expected < s->options.min_hosts ||
            !is_new(v.part))
            continue;
        nmf_claim(s, v.part, &v.claim);
        if (is_repeat(claims, told, &v.claim))
            continue;
        claims[told++] = v.claim;
        v.group = group_of(s, v.part, v.claim.count ? v.claim.service[0] : SERVICES);
        if (v.group)
            e = nmf_report(s, scene, &v, scratch, out);
    }
    return e;
}

/* The strongest pair as it is, unless something goes on, and with hosts shifted, teach the tail
 * what chance gives. */
static void learn(struct nmf_state *s, const struct pairs *real, const struct pairs *shifted)
{
    tail_add(&s->tail, strongest(shifted));
    if (!s->group_count)
        tail_add(&s->tail, strongest(real));
}

static enum err look(
    struct nmf_state *s, const struct tally *t, struct arena *scratch, struct sink *out)
{
    struct scene scene = {.tally = t};
    const struct lines *l = &scene.lines;
    enum err e = nmf_lines(s, scratch, &scene.lines);
    if (e || l->count < 2)
        return e;
    struct pairs *pairs = arena_take(scratch, 2, sizeof *pairs);
    struct part *parts = arena_take(scratch, SEEDS, sizeof *parts);
    if (!pairs || !parts)
        return ERR_NOMEM;
    nmf_pairs(l, 0, &pairs[0]);
    nmf_pairs(l, (uint64_t)window_start(s, s->now) | 1, &pairs[1]);
    learn(s, &pairs[0], &pairs[1]);
    if (strongest(&pairs[0]) < worth_a_look)
        return OK;
    size_t count = 0;
    e = nmf_parts(s, l, &pairs[0], scratch, parts, &count);
    if (e || !count)
        return e;
    sort_parts(parts, count);
    nmf_keep(s, &parts[0]);
    return tell(s, &scene, parts, count, scratch, out);
}

enum err nmf_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_nmf && w->kind == &record_contact);
    struct nmf_state *s = (struct nmf_state *)(void *)st;
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    struct tally t;
    enum err e = nmf_room(s);
    if (!e)
        e = tally_build(&t, w, s->options.leave_out, scratch);
    if (e)
        return e;
    uint32_t before = s->now;
    if (!before)
        s->origin = w->start - s->window;
    s->now = (uint32_t)((w->start - s->origin) / s->window);
    if (before && time_floor(window_start(s, before), US_DAY) != time_floor(w->start, US_DAY))
        tail_decay(&s->tail);
    forget(s, s->now - before);
    e = nmf_remember(s, &t, scratch);
    return e ? e : look(s, &t, scratch, out);
}
