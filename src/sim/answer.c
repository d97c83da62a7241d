#include "sim/answer.h"

#include "sim/family.h"

#include "base/hash.h"
#include "sim/service.h"

#include <math.h>
#include <stdlib.h>

enum {
    ATTACKS_MAX = 1 << 16
};

/* Sizes are Pareto between these (answers a second over all of IPv4), lengths log-normal with
 * this median. Assumptions: docs/simulator.md. */
#define PPS_LEAST     4000.0
#define PPS_MOST      2000000.0
#define PPS_INDEX     1.05
#define LENGTH_MEDIAN (12.0 * (double)US_MINUTE)
#define LENGTH_SPREAD 1.2

void attack_draw(struct attack *a, const struct world *w, int64_t from, struct rng *r)
{
    static const uint16_t ports[] = {80, 443, 443, 53, 22, 25565, 3074, 8080, 30120, 6667};
    uint8_t country = places_pick(w->places, r);
    uint32_t ip = places_address(w->places, country, r);
    double length = LENGTH_MEDIAN * exp(LENGTH_SPREAD * rng_normal(r));
    uint64_t sort = rng_below(r, 100);
    *a = (struct attack){
        .victim = host_make(ip, country, STYLE_LINUX, r),
        .from = from,
        .until = from + (int64_t)fmin(length, (double)US_DAY),
        .pps = fmin(PPS_LEAST * rng_pareto(r, PPS_INDEX), PPS_MOST),
        .port = ports[rng_below(r, sizeof ports / sizeof *ports)],
        .acknowledges = rng_below(r, 2),
        .kind = sort < 60   ? PROBE_SYN_ACK
                : sort < 83 ? PROBE_RST
                : sort < 94 ? PROBE_UNREACHABLE
                            : PROBE_DNS_ANSWER,
    };
    a->victim.label = LABEL_VICTIM;
    if (a->kind == PROBE_DNS_ANSWER)
        a->port = 53;
}

void attack_tick(const struct attack *a, const struct world *w, const struct spread *sites,
    struct rng *r, struct outbox *o)
{
    if (a->from >= w->now + TICK || a->until <= w->now)
        return;
    double mean = a->pps * (TICK / (double)US_SECOND) * sites->sum / SPACE;
    for (uint64_t n = rng_poisson(r, mean); n; n--) {
        struct probe p = {
            .ts = world_moment(w, r),
            .kind = a->kind,
            .site = spread_pick(sites, r),
        };
        if (p.ts < a->from || p.ts >= a->until)
            continue;
        p.dst = world_target(w, p.site, r);
        probe_stamp(&p, &a->victim, r);
        p.dport = p.sport; /* what the forged packet came from */
        p.sport = a->port;
        bool acks = a->kind == PROBE_SYN_ACK || (a->kind == PROBE_RST && a->acknowledges);
        p.ack = acks ? rng_u32(r) | 1 : 0;
        outbox_put(o, &p);
    }
}

struct answers {
    struct rng rng;
    double arrivals; /* mean attacks in a tick */
    size_t count, room;
    struct attack *list; /* owned */
};

static double mean_attack(void)
{
    double top = PPS_MOST / PPS_LEAST;
    double below = PPS_INDEX / (PPS_INDEX - 1.0) * (1.0 - pow(top, 1.0 - PPS_INDEX));
    double pps = PPS_LEAST * (below + pow(top, 1.0 - PPS_INDEX));
    double length = LENGTH_MEDIAN * exp(LENGTH_SPREAD * LENGTH_SPREAD / 2.0);
    return pps * length / (double)US_SECOND; /* answers */
}

enum err answers_open(struct answers **ret_answers, const struct world *w, uint64_t seed)
{
    struct answers *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    rng_seed(&a->rng, hash_two(seed, 4000));
    double day = BACKGROUND_DAY * SHARE_ANSWERS * w->scale * SPACE;
    a->arrivals = day / mean_attack() * TICK / (double)US_DAY;
    *ret_answers = a;
    return OK;
}

void answers_close(struct answers *a)
{
    if (!a)
        return;
    free(a->list);
    free(a);
}

static enum err answers_add(struct answers *a, const struct world *w)
{
    if (a->count == a->room) {
        size_t room = a->room ? a->room * 2 : 64;
        struct attack *list = room > ATTACKS_MAX ? NULL : realloc(a->list, room * sizeof *list);
        if (!list)
            return room > ATTACKS_MAX ? ERR_FULL : ERR_NOMEM;
        a->list = list;
        a->room = room;
    }
    attack_draw(&a->list[a->count++], w, world_moment(w, &a->rng), &a->rng);
    return OK;
}

void answers_tick(void *answers, const struct world *w, struct outbox *o)
{
    struct answers *a = answers;
    for (uint64_t n = rng_poisson(&a->rng, a->arrivals); n && !o->err; n--)
        o->err = answers_add(a, w);
    struct spread sites;
    spread_make(&sites, w, NULL);
    size_t left = 0;
    for (size_t i = 0; i < a->count; i++) {
        attack_tick(&a->list[i], w, &sites, &a->rng, o);
        if (a->list[i].until > w->now + TICK)
            a->list[left++] = a->list[i];
    }
    a->count = left;
}
