#include "engine/screen/screen_int.h"

#include <assert.h>
#include <stdlib.h>

/* Which rule fits each active source. */
static enum err rules_ask(struct screen *s, struct screen_step *step)
{
    struct neighbours n;
    enum err e = neighbours_count(&s->profiles, s->now, s->now, step->scratch, &n);
    step->rule = arena_take(step->scratch, s->profiles.count + 1, sizeof *step->rule);
    if (e || !step->rule)
        return e ? e : ERR_NOMEM;
    for (size_t i = 0; i < step->rows.count; i++) {
        uint32_t profile = step->rows.list[i].profile;
        profile_rows_prefetch(&s->profiles, &step->rows, i);
        if (i && profile == step->rows.list[i - 1].profile)
            continue;
        struct suspect suspect;
        suspect_make(&s->profiles, &n, profile, s->now, &suspect);
        size_t rule = rules_first(&s->rules, &suspect);
        if (rule == s->rules.count)
            continue;
        step->rule[profile] = (uint16_t)(rule + 1);
    }
    return OK;
}

enum err screen_step(
    struct engine_state *st, const struct window *w, struct arena *scratch, struct sink *out)
{
    assert(st->of == &engine_screen && w->kind == &record_contact);
    struct screen *s = (struct screen *)(void *)st;
    if (w->length != s->window || w->start % s->window ||
        (s->now && (w->start <= screen_window_start(s, s->now) ||
                       (w->start - s->origin) / s->window > INT32_MAX)))
        return ERR_RANGE;
    if (!s->now)
        s->origin = w->start - s->window;
    uint32_t before = s->now;
    s->now = (uint32_t)((w->start - s->origin) / s->window);
    struct screen_step step = {.before = before, .window = w, .scratch = scratch, .out = out};
    enum err e = profiles_take(&s->profiles, w, s->now, scratch, &step.rows);
    if (!e)
        e = rules_ask(s, &step);
    if (!e)
        e = patterns_take(&s->book, &s->profiles, &step.rows, s->now, scratch, &step.strings);
    if (!e)
        e = screen_tag_rows(s, &step);
    if (!e)
        e = screen_report(s, &step);
    return e ? e : screen_groups(s, &step);
}
