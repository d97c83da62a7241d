#include "sim/pool.h"

#include "base/hash.h"
#include "sim/family.h"

#include <math.h>
#include <stdlib.h>

enum {
    POOL_HOSTS_MIN = 64,
    POOL_HOSTS_MAX = 1 << 20,
    SWING_TICKS = 10 /* minutes between steps of the volume */
};

/* Walker's alias table: host i is drawn with `keep`, else its alias. */
struct alias {
    float keep;
    uint32_t other;
};

struct pool {
    const struct service *what;
    struct host *hosts;   /* owned */
    uint16_t *favourites; /* rare ports: each host's own; owned, NULL otherwise */
    struct alias *alias;  /* owned; an activity belongs to a place, hosts come and go */
    uint32_t count;
    double rate; /* probes to one address in a tick, at full strength */
    struct rng rng;
    struct swing swing;
    double bias[TELESCOPE_SITES_MAX]; /* what it prefers */
    uint64_t rare_key;
    uint32_t ticks;
};

struct pools {
    size_t count;
    struct pool list[];
};

/* Vose's way of filling it, in order of places, so that it is the same everywhere. */
static enum err alias_fill(struct alias *table, double *weight, uint32_t count)
{
    uint32_t *small = malloc(count * sizeof *small);
    uint32_t *large = malloc(count * sizeof *large);
    if (!small || !large) {
        free(small);
        free(large);
        return ERR_NOMEM;
    }
    double sum = 0.0;
    uint32_t smalls = 0, larges = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += weight[i];
    for (uint32_t i = 0; i < count; i++) {
        weight[i] *= count / sum;
        table[i] = (struct alias){1.0f, i};
        if (weight[i] < 1.0)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls && larges) {
        uint32_t s = small[--smalls], l = large[larges - 1];
        table[s] = (struct alias){(float)weight[s], l};
        weight[l] -= 1.0 - weight[s];
        if (weight[l] < 1.0) {
            larges--;
            small[smalls++] = l;
        }
    }
    free(small);
    free(large);
    return OK;
}

static void host_replace(struct pool *p, const struct world *w, uint32_t i)
{
    uint8_t country = places_pick(w->places, &p->rng);
    uint32_t ip = places_address(w->places, country, &p->rng);
    enum style style = service_style((enum mix)p->what->mix, &p->rng);
    p->hosts[i] = host_make(ip, country, style, &p->rng);
    bool mirai = style == STYLE_MIRAI && p->what->port == 23;
    p->hosts[i].label = mirai ? LABEL_MIRAI : LABEL_NOISE;
    if (p->favourites)
        p->favourites[i] = service_rare_port(p->rare_key, &p->rng);
}

/* Activities are Pareto with index 1.3, cut at 200 times the least: few hosts do most. */
static enum err pool_fill(struct pool *p, const struct world *w)
{
    double *weight = malloc(p->count * sizeof *weight);
    p->hosts = malloc(p->count * sizeof *p->hosts);
    p->alias = malloc(p->count * sizeof *p->alias);
    if (!p->what->port)
        p->favourites = malloc(p->count * sizeof *p->favourites);
    bool short_of = !weight || !p->hosts || !p->alias || (!p->what->port && !p->favourites);
    if (!short_of)
        for (uint32_t i = 0; i < p->count; i++) {
            weight[i] = fmin(rng_pareto(&p->rng, 1.3), 200.0);
            host_replace(p, w, i);
        }
    enum err e = short_of ? ERR_NOMEM : alias_fill(p->alias, weight, p->count);
    free(weight);
    return e;
}

static enum err pool_open(struct pool *p, const struct service *what, double shares,
    const struct world *w, uint64_t seed)
{
    double day = BACKGROUND_DAY * SHARE_POOLS * w->scale * what->share / shares;
    double hosts = day * SPACE / (86400.0 * what->pps);
    *p = (struct pool){
        .what = what,
        .count = (uint32_t)fmin(fmax(hosts, POOL_HOSTS_MIN), POOL_HOSTS_MAX),
        .rate = day * TICK / (double)US_DAY,
    };
    rng_seed(&p->rng, seed);
    p->rare_key = rng_u64(&p->rng);
    p->ticks = (uint32_t)rng_below(&p->rng, SWING_TICKS);
    swing_start(&p->swing, what->shape, 0.95, &p->rng);
    for (size_t i = 0; i < TELESCOPE_SITES_MAX; i++)
        p->bias[i] = exp(0.15 * rng_normal(&p->rng));
    return pool_fill(p, w);
}

enum err pools_open(struct pools **ret_pools, const struct world *w, uint64_t seed)
{
    struct pools *all = calloc(1, sizeof *all + service_count * sizeof *all->list);
    if (!all)
        return ERR_NOMEM;
    double shares = 0.0;
    for (size_t i = 0; i < service_count; i++)
        shares += services[i].share;
    for (size_t i = 0; i < service_count; i++) {
        all->count = i + 1;
        enum err e =
            pool_open(&all->list[i], &services[i], shares, w, hash_two(seed, 1000 + i));
        if (e) {
            pools_close(all);
            return e;
        }
    }
    *ret_pools = all;
    return OK;
}

void pools_close(struct pools *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].hosts);
        free(p->list[i].favourites);
        free(p->list[i].alias);
    }
    free(p);
}

static uint16_t port_of(struct pool *p, uint32_t host)
{
    if (p->favourites)
        return rng_below(&p->rng, 8) ? p->favourites[host]
                                     : service_rare_port(p->rare_key, &p->rng);
    if (p->what->port == 23 && p->hosts[host].style == STYLE_MIRAI &&
        rng_below(&p->rng, 10) == 0)
        return 2323; /* Mirai asks there one time in ten */
    return p->what->port;
}

/* A host's own stack asks again after one and three seconds. */
static void ask_again(struct pool *p, struct probe *probe, struct outbox *o)
{
    uint64_t times = rng_below(&p->rng, 4);
    for (uint64_t i = 0; i < times && i < 2; i++) {
        probe->ts += i == 0 ? US_SECOND : 2 * US_SECOND;
        probe->ip_id++;
        outbox_put(o, probe);
    }
}

/* One visit; returns the packets that it is made of on average, so that rates stay right. */
static void visit(struct pool *p, const struct world *w, const struct spread *sites,
    uint32_t host, struct outbox *o)
{
    struct probe probe = {
        .ts = world_moment(w, &p->rng),
        .kind = p->what->kind,
        .payload = p->what->payload,
        .site = spread_pick(sites, &p->rng),
        .dport = port_of(p, host),
    };
    probe.dst = world_target(w, probe.site, &p->rng);
    const struct host *h = &p->hosts[host];
    probe_stamp(&probe, h, &p->rng);
    outbox_put(o, &probe);
    if (probe.kind == PROBE_SYN && (h->style == STYLE_LINUX || h->style == STYLE_WINDOWS))
        ask_again(p, &probe, o);
}

/* Packets of a visit, by the parts of the mix that ask again 0, 1, 2, 2 times. */
static double packets_a_visit(const struct service *what)
{
    static const double again[] = {
        [MIX_MIRAI] = 0.0, [MIX_WINDOWS] = 0.95, [MIX_LINUX] = 0.6, [MIX_ANY] = 0.7};
    return what->kind == PROBE_SYN ? 1.0 + 1.25 * again[what->mix] : 1.0;
}

static void churn(struct pool *p, const struct world *w)
{
    double gone = p->count * (TICK / (double)US_HOUR) / p->what->life_h;
    for (uint64_t n = rng_poisson(&p->rng, gone); n; n--)
        host_replace(p, w, (uint32_t)rng_below(&p->rng, p->count));
}

static void pool_tick(struct pool *p, const struct world *w, struct outbox *o)
{
    if (++p->ticks % SWING_TICKS == 0)
        swing_step(&p->swing, &p->rng);
    churn(p, w);
    struct spread sites;
    spread_make(&sites, w, p->bias);
    double rhythm = w->weekend ? p->what->rhythm * 0.8 : p->what->rhythm;
    double most = 1.0 + rhythm; /* draws are thinned from the top of the day */
    double volume = w->weekend ? 1.0 - 0.15 * rhythm : 1.0;
    double mean = p->rate * sites.sum * p->swing.value * volume / packets_a_visit(p->what);
    for (uint64_t n = rng_poisson(&p->rng, mean * most); n; n--) {
        uint64_t drawn = rng_u64(&p->rng);
        uint32_t place = (uint32_t)((drawn >> 32) * p->count >> 32);
        const struct alias *a = &p->alias[place];
        uint32_t host = (float)(drawn & 0xffffff) < a->keep * 0x1p24f ? place : a->other;
        double now = 1.0 + rhythm * w->day[p->hosts[host].country];
        if (rng_unit(&p->rng) * most < now)
            visit(p, w, &sites, host, o);
    }
}

void pools_tick(void *pools, const struct world *w, struct outbox *o)
{
    struct pools *all = pools;
    for (size_t i = 0; i < all->count; i++)
        pool_tick(&all->list[i], w, o);
}

size_t pools_hosts(
    const struct pools *p, uint8_t proto, uint16_t port, struct host *ret_hosts, size_t count)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct pool *pool = &p->list[i];
        if (pool->what->port != port || probe_proto((enum probe_kind)pool->what->kind) != proto)
            continue;
        size_t step = pool->count / (count ? count : 1);
        size_t given = 0;
        for (size_t h = 0; step && given < count; h += step)
            ret_hosts[given++] = pool->hosts[h];
        for (size_t h = 0; !step && h < pool->count; h++)
            ret_hosts[given++] = pool->hosts[h];
        return given;
    }
    return 0;
}
