#include "store/store_int.h"

#include <stdlib.h>
#include <string.h>

enum err view_take(struct store *s, struct view *ret_view)
{
    enum err e = OK;
    pthread_rwlock_rdlock(&s->viewing);
    *ret_view = s->view;
    for (size_t i = 0; i < ret_view->united_count; i++) {
        struct united *u = &ret_view->unites[i];
        size_t bytes = u->open_count * sizeof *u->open;
        const int64_t *from = u->open;
        u->open = malloc(bytes ? bytes : 1);
        if (u->open)
            memcpy(u->open, from, bytes);
        else
            e = ERR_NOMEM;
    }
    pthread_rwlock_unlock(&s->viewing);
    if (e)
        view_done(ret_view);
    return e;
}

void view_done(struct view *v)
{
    for (size_t i = 0; i < v->united_count; i++)
        free(v->unites[i].open);
    v->united_count = 0;
}

void view_widen(struct store *s, int64_t first, int64_t last, uint64_t contact_last)
{
    struct view *v = &s->view;
    pthread_rwlock_wrlock(&s->viewing);
    v->first_start = first < v->first_start ? first : v->first_start;
    v->last_start = last > v->last_start ? last : v->last_start;
    v->contact_last = contact_last > v->contact_last ? contact_last : v->contact_last;
    pthread_rwlock_unlock(&s->viewing);
}

void view_screened(struct store *s, int64_t last)
{
    pthread_rwlock_wrlock(&s->viewing);
    if (last > s->view.screened_last)
        s->view.screened_last = last;
    pthread_rwlock_unlock(&s->viewing);
}

void view_rolled(struct store *s, struct roll *r, uint64_t upto)
{
    pthread_rwlock_wrlock(&s->viewing);
    r->upto = upto;
    pthread_rwlock_unlock(&s->viewing);
}

const struct roll *view_roll(const struct view *v, enum roll_how how)
{
    for (size_t i = 0; i < v->roll_count; i++)
        if (v->rolls[i].how == how)
            return &v->rolls[i];
    return NULL;
}

const struct united *view_united(const struct view *v, enum united_how how)
{
    for (size_t i = 0; i < v->united_count; i++)
        if (v->unites[i].how == how)
            return &v->unites[i];
    return NULL;
}

/* Where `unit` is among the open ones of `u`, or would be. */
static size_t place_of(const struct united *u, int64_t unit)
{
    size_t at = u->open_count;
    while (at > 0 && u->open[at - 1] >= unit)
        at--;
    return at;
}

bool view_is_open(const struct united *u, int64_t unit)
{
    size_t at = place_of(u, unit);
    return at < u->open_count && u->open[at] == unit;
}

/* Room was made by store_find_open_units(). */
void view_open_unit(struct store *s, struct united *u, int64_t unit)
{
    size_t at = place_of(u, unit);
    pthread_rwlock_wrlock(&s->viewing);
    memmove(&u->open[at + 1], &u->open[at], (u->open_count - at) * sizeof *u->open);
    u->open[at] = unit;
    u->open_count++;
    pthread_rwlock_unlock(&s->viewing);
}

void view_close_unit(struct store *s, struct united *u, int64_t unit)
{
    size_t at = place_of(u, unit);
    pthread_rwlock_wrlock(&s->viewing);
    u->open_count--;
    memmove(&u->open[at], &u->open[at + 1], (u->open_count - at) * sizeof *u->open);
    pthread_rwlock_unlock(&s->viewing);
}
