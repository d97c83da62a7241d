#include "sim/world_int.h"

#include <stdlib.h>

static void put(
    struct probe **list, size_t *count, size_t *room, const struct probe *p, enum err *err)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 4096;
        struct probe *grown = more > PROBES_MAX ? NULL : realloc(*list, more * sizeof *grown);
        if (!grown) {
            *err = more > PROBES_MAX ? ERR_FULL : ERR_NOMEM;
            return;
        }
        *list = grown;
        *room = more;
    }
    (*list)[(*count)++] = *p;
}

void outbox_put(struct outbox *o, const struct probe *p)
{
    if (p->ts < o->end)
        put(&o->now, &o->now_count, &o->now_room, p, &o->err);
    else
        put(&o->later, &o->later_count, &o->later_room, p, &o->err);
}

void outbox_turn(struct outbox *o, int64_t end)
{
    o->end = end;
    o->now_count = 0;
    size_t waiting = 0;
    for (size_t i = 0; i < o->later_count; i++) {
        if (o->later[i].ts < end)
            put(&o->now, &o->now_count, &o->now_room, &o->later[i], &o->err);
        else
            o->later[waiting++] = o->later[i];
    }
    o->later_count = waiting;
}

void outbox_done(struct outbox *o)
{
    free(o->now);
    free(o->later);
    *o = (struct outbox){0};
}

void spread_make(struct spread *s, const struct world *w, const double *bias)
{
    s->count = w->site_count;
    s->sum = 0.0;
    for (size_t i = 0; i < w->site_count; i++) {
        s->sum += w->sites[i].addresses * w->sites[i].strength * (bias ? bias[i] : 1.0);
        s->until[i] = s->sum;
    }
}

uint8_t spread_pick(const struct spread *s, struct rng *r)
{
    double at = rng_unit(r) * s->sum;
    size_t i = 0;
    while (i + 1 < s->count && s->until[i] <= at)
        i++;
    return (uint8_t)i;
}

uint32_t world_target(const struct world *w, uint8_t site, struct rng *r)
{
    const struct world_site *s = &w->sites[site];
    return s->base + (uint32_t)((uint64_t)rng_u32(r) * s->addresses >> 32);
}

int64_t world_moment(const struct world *w, struct rng *r)
{
    return w->now + (int64_t)((uint64_t)rng_u32(r) * TICK >> 32);
}

void swing_start(struct swing *s, double shape, double memory, struct rng *r)
{
    *s = (struct swing){shape, memory, rng_gamma(r, shape) / shape};
}

void swing_step(struct swing *s, struct rng *r)
{
    double unit = (1.0 - s->memory) / s->shape;
    uint64_t kept = rng_poisson(r, s->memory * s->value / unit);
    s->value = unit * rng_gamma(r, s->shape + (double)kept);
}
