#include "sim/scanner.h"

#include "base/hash.h"
#include "sim/family.h"
#include "sim/service.h"

#include <math.h>
#include <stdlib.h>

enum {
    SCANNERS_MAX = 1 << 18
};

/* Speeds are Pareto between these (packets a second over all of IPv4); lives are exponential
 * with this mean. Assumptions: docs/simulator.md. */
#define PPS_LEAST  3000.0
#define PPS_MOST   400000.0
#define PPS_INDEX  1.1
#define LIFE_MEAN  (10.0 * (double)US_HOUR)
#define LIFE_LEAST (20.0 * (double)US_MINUTE)

/* Tools by parts of a hundred. */
struct tool_part {
    uint8_t style;
    uint8_t part;
};
static const struct tool_part tools[] = {
    {STYLE_MASSCAN_OLD, 30},
    {STYLE_MASSCAN, 14},
    {STYLE_ZMAP_OLD, 22},
    {STYLE_ZMAP, 12},
    {STYLE_NMAP, 4},
    {STYLE_UNICORN, 1},
    {STYLE_ANGRY, 1},
    {STYLE_BARE, 16},
};

static enum style draw_tool(struct rng *r)
{
    uint64_t at = rng_below(r, 100);
    size_t i = 0;
    while (i + 1 < sizeof tools / sizeof *tools && at >= tools[i].part)
        at -= tools[i++].part;
    return (enum style)tools[i].style;
}

static void draw_ports(struct scanner *s, struct rng *r)
{
    const struct service *what = service_pick(r);
    s->kind = what->kind;
    s->payload = what->payload;
    s->ports[0] = what->port;
    s->port_count = 1;
    uint64_t more = rng_below(r, 20);
    if (s->kind != PROBE_SYN || more > 4)
        return;
    if (more == 0) {
        s->port_count = 0;
        return;
    }
    while (s->port_count < 1 + more % SCANNER_PORTS)
        s->ports[s->port_count++] = service_rare_port(s->host.key, r);
}

void scanner_draw(struct scanner *s, const struct world *w, int64_t from, struct rng *r)
{
    uint8_t country = places_pick(w->places, r);
    uint32_t ip = places_address(w->places, country, r);
    *s = (struct scanner){
        .host = host_make(ip, country, draw_tool(r), r),
        .pps = fmin(PPS_LEAST * rng_pareto(r, PPS_INDEX), PPS_MOST),
        .from = from,
        .until = from + (int64_t)(LIFE_LEAST + LIFE_MEAN * rng_exponential(r)),
    };
    s->host.label = LABEL_SCANNER;
    draw_ports(s, r);
    if (s->host.style == STYLE_ANGRY) {
        s->kind = PROBE_ECHO;
        s->ports[0] = 8;
        s->port_count = 1;
    }
}

void scanner_tick(const struct scanner *s, const struct world *w, const struct spread *sites,
    struct rng *r, struct outbox *o)
{
    if (s->from >= w->now + TICK || s->until <= w->now)
        return;
    double mean = s->pps * (TICK / (double)US_SECOND) * sites->sum / SPACE;
    for (uint64_t n = rng_poisson(r, mean); n; n--) {
        struct probe p = {
            .ts = world_moment(w, r),
            .kind = s->kind,
            .payload = s->payload,
            .site = spread_pick(sites, r),
        };
        if (p.ts < s->from || p.ts >= s->until)
            continue;
        p.dst = world_target(w, p.site, r);
        p.dport = s->port_count ? s->ports[rng_below(r, s->port_count)]
                                : (uint16_t)(1 + rng_below(r, 65535));
        probe_stamp(&p, &s->host, r);
        outbox_put(o, &p);
    }
}

struct scanners {
    struct rng rng;
    double arrivals; /* mean in a tick */
    size_t count, room;
    struct scanner *list; /* owned */
};

static enum err scanners_add(struct scanners *s, const struct world *w, int64_t from)
{
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 256;
        struct scanner *list =
            room > SCANNERS_MAX ? NULL : realloc(s->list, room * sizeof *list);
        if (!list)
            return room > SCANNERS_MAX ? ERR_FULL : ERR_NOMEM;
        s->list = list;
        s->room = room;
    }
    scanner_draw(&s->list[s->count++], w, from, &s->rng);
    return OK;
}

/* Mean of the cut Pareto distribution of speeds. */
static double mean_pps(void)
{
    double top = PPS_MOST / PPS_LEAST;
    double below = PPS_INDEX / (PPS_INDEX - 1.0) * (1.0 - pow(top, 1.0 - PPS_INDEX));
    return PPS_LEAST * (below + pow(top, 1.0 - PPS_INDEX));
}

enum err scanners_open(struct scanners **ret_scanners, const struct world *w, uint64_t seed)
{
    struct scanners *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    rng_seed(&s->rng, hash_two(seed, 2000));
    double day = BACKGROUND_DAY * SHARE_SCANNERS * w->scale;
    double active = day * SPACE / 86400.0 / mean_pps();
    s->arrivals = active * TICK / (LIFE_LEAST + LIFE_MEAN);
    /* Those that arrived within the last six mean lives and are still there. */
    for (int64_t back = (int64_t)(6.0 * LIFE_MEAN); back > 0; back -= TICK)
        for (uint64_t n = rng_poisson(&s->rng, s->arrivals); n; n--) {
            enum err e = scanners_add(s, w, w->start - back);
            if (e) {
                scanners_close(s);
                return e;
            }
            if (s->list[s->count - 1].until <= w->start)
                s->count--;
        }
    *ret_scanners = s;
    return OK;
}

void scanners_close(struct scanners *s)
{
    if (!s)
        return;
    free(s->list);
    free(s);
}

void scanners_tick(void *scanners, const struct world *w, struct outbox *o)
{
    struct scanners *s = scanners;
    for (uint64_t n = rng_poisson(&s->rng, s->arrivals); n && !o->err; n--)
        o->err = scanners_add(s, w, world_moment(w, &s->rng));
    struct spread sites;
    spread_make(&sites, w, NULL);
    size_t left = 0;
    for (size_t i = 0; i < s->count; i++) {
        scanner_tick(&s->list[i], w, &sites, &s->rng, o);
        if (s->list[i].until > w->now + TICK)
            s->list[left++] = s->list[i];
    }
    s->count = left;
}

struct survey {
    uint32_t base; /* of its /26 */
    uint32_t hosts;
    uint32_t ports; /* how many it asks for */
    uint8_t country;
    double rate; /* probes to one address in a tick */
    uint64_t key;
    struct host host[64];
};

struct surveys {
    struct rng rng;
    struct survey list[SURVEYS];
};

static void survey_draw(struct survey *v, const struct world *w, uint64_t i, struct rng *r)
{
    static const uint8_t program[] = {
        STYLE_ZMAP_OLD, STYLE_MASSCAN_OLD, STYLE_ZMAP, STYLE_BARE};
    size_t us = places_by_code(w->places, i % 3 == 0 ? "de" : i % 3 == 1 ? "us" : "nl");
    v->country = us < places_count(w->places) ? (uint8_t)us : 0;
    v->base = places_address(w->places, v->country, r) & ~63u;
    v->hosts = 4 + (uint32_t)rng_below(r, 44);
    v->ports = 40 + (uint32_t)(2000.0 * rng_unit(r) * rng_unit(r));
    v->key = rng_u64(r);
    v->rate = BACKGROUND_DAY * SHARE_SURVEYS * w->scale / SURVEYS * TICK / (double)US_DAY;
    for (uint32_t h = 0; h < v->hosts; h++) {
        v->host[h] =
            host_make(v->base + 4 + h, v->country, (enum style)program[i % sizeof program], r);
        v->host[h].label = LABEL_SURVEY;
    }
}

enum err surveys_open(struct surveys **ret_surveys, const struct world *w, uint64_t seed)
{
    struct surveys *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    rng_seed(&s->rng, hash_two(seed, 3000));
    for (size_t i = 0; i < SURVEYS; i++)
        survey_draw(&s->list[i], w, i, &s->rng);
    *ret_surveys = s;
    return OK;
}

void surveys_close(struct surveys *s)
{
    free(s);
}

uint32_t surveys_prefix(const struct surveys *s, size_t i)
{
    return s->list[i].base;
}

static void survey_probe(struct survey *v, const struct world *w, const struct spread *sites,
    struct rng *r, struct outbox *o)
{
    struct probe p = {
        .ts = world_moment(w, r),
        .kind = PROBE_SYN,
        .site = spread_pick(sites, r),
        .dport = (uint16_t)(1 + hash_two(v->key, rng_below(r, v->ports)) % 65535),
    };
    if (rng_below(r, 8) == 0) {
        const struct service *what = service_pick(r);
        p.kind = what->kind;
        p.payload = what->payload;
        p.dport = what->port;
    }
    p.dst = world_target(w, p.site, r);
    probe_stamp(&p, &v->host[rng_below(r, v->hosts)], r);
    outbox_put(o, &p);
}

void surveys_tick(void *surveys, const struct world *w, struct outbox *o)
{
    struct surveys *s = surveys;
    struct spread sites;
    spread_make(&sites, w, NULL);
    for (size_t i = 0; i < SURVEYS; i++)
        for (uint64_t n = rng_poisson(&s->rng, s->list[i].rate * sites.sum); n; n--)
            survey_probe(&s->list[i], w, &sites, &s->rng, o);
}
