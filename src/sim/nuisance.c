#include "sim/nuisance.h"

#include "base/hash.h"
#include "decode/packet.h"
#include "sim/answer.h"
#include "sim/family.h"
#include "sim/scanner.h"
#include "sim/service.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RESEARCH_HOSTS = 48, /* of one /24 */
    FASHION_HOSTS = 10,
    SCANNERS = RESEARCH_HOSTS + FASHION_HOSTS,
    WRONG_SETTINGS = 2,
    WRONG_HOSTS = 400
};

/* One loud host at one site. */
struct loud {
    struct host host;
    uint8_t site;
    uint16_t port;
    double pps;
    int64_t from, until;
};

/* Many hosts that talk to one address by mistake. */
struct wrong_setting {
    struct host hosts[WRONG_HOSTS];
    uint8_t site;
    uint32_t dst;
    uint16_t port;
    uint8_t payload;
    double rate; /* probes in a tick */
    int64_t from, until;
};

struct nuisances {
    struct rng rng;
    struct scanner scanners[SCANNERS];
    struct attack attack;
    struct loud loud;
    struct wrong_setting wrong[WRONG_SETTINGS];
    size_t silent_site, strong_site;
    int64_t silent_from, silent_until, strong_from;
    double strength;
};

/* A moment between two shares of the run, on the minute. */
static int64_t between(struct nuisances *n, const struct world *w, double from, double to)
{
    double share = from + (to - from) * rng_unit(&n->rng);
    return time_floor(w->start + (int64_t)((double)(w->end - w->start) * share), US_MINUTE);
}

static int64_t at_most(const struct world *w, int64_t from, int64_t length)
{
    return from + length < w->end ? from + length : w->end;
}

static void plan_research(struct nuisances *n, const struct world *w, struct truth *t)
{
    int64_t from = between(n, w, 0.4, 0.75);
    int64_t until = at_most(w, from, 14 * US_HOUR);
    uint16_t port = service_free_port(PROTO_TCP, &n->rng);
    uint8_t country = places_pick(w->places, &n->rng);
    uint32_t base = places_address(w->places, country, &n->rng) & ~0xffu;
    for (uint32_t i = 0; i < RESEARCH_HOSTS; i++)
        n->scanners[i] = (struct scanner){
            .host = host_make(base + 10 + i, country, STYLE_ZMAP, &n->rng),
            .pps = 20000.0,
            .from = from,
            .until = until,
            .kind = PROBE_SYN,
            .port_count = 1,
            .ports = {port},
        };
    for (uint32_t i = 0; i < RESEARCH_HOSTS; i++)
        n->scanners[i].host.label = LABEL_RESEARCH;
    struct truth_nuisance *said = truth_nuisance_add(t, "research-scan", from, until);
    said->proto = PROTO_TCP;
    said->port = port;
    snprintf(said->text, sizeof said->text,
        "%d sources of one /24, on no list, ask every site for one port", RESEARCH_HOSTS);
}

static void plan_fashion(struct nuisances *n, const struct world *w, struct truth *t)
{
    int64_t from = between(n, w, 0.25, 0.4);
    int64_t last = from;
    uint16_t port = service_free_port(PROTO_TCP, &n->rng);
    for (size_t i = RESEARCH_HOSTS; i < SCANNERS; i++) {
        struct scanner *s = &n->scanners[i];
        int64_t begin = from + (int64_t)rng_below(&n->rng, (uint64_t)((w->end - from) / 2));
        scanner_draw(s, w, begin, &n->rng);
        s->until = at_most(w, begin, s->until - begin + 12 * US_HOUR);
        s->kind = PROBE_SYN;
        s->port_count = 1;
        s->ports[0] = port;
        last = s->until > last ? s->until : last;
    }
    struct truth_nuisance *said = truth_nuisance_add(t, "port-fashion", from, last);
    said->proto = PROTO_TCP;
    said->port = port;
    snprintf(said->text, sizeof said->text,
        "%d single scanners take to one port, one after the other", FASHION_HOSTS);
}

static void plan_loud(struct nuisances *n, const struct world *w, struct truth *t)
{
    struct loud *l = &n->loud;
    uint8_t country = places_pick(w->places, &n->rng);
    l->host =
        host_make(places_address(w->places, country, &n->rng), country, STYLE_BARE, &n->rng);
    n->loud.host.label = LABEL_SCANNER;
    l->site = (uint8_t)rng_below(&n->rng, w->site_count);
    l->port = service_free_port(PROTO_TCP, &n->rng);
    l->pps = 30.0;
    l->from = between(n, w, 0.3, 0.9);
    l->until = at_most(w, l->from, 3 * US_HOUR);
    struct truth_nuisance *said = truth_nuisance_add(t, "noisy-host", l->from, l->until);
    said->proto = PROTO_TCP;
    said->port = l->port;
    said->site = l->site;
    snprintf(said->text, sizeof said->text, "one source, %.0f packets/s, one port", l->pps);
}

static void plan_wrong(struct nuisances *n, const struct world *w, struct truth *t, size_t i)
{
    struct wrong_setting *s = &n->wrong[i];
    s->site = (uint8_t)rng_below(&n->rng, w->site_count);
    s->dst = world_target(w, s->site, &n->rng);
    s->port = i == 0 ? 6881 : service_free_port(PROTO_UDP, &n->rng);
    s->payload = PAYLOAD_RANDOM;
    s->from = i == 0 ? w->start : between(n, w, 0.4, 0.8);
    s->until = i == 0 ? INT64_MAX : at_most(w, s->from, 20 * US_HOUR);
    s->rate = WRONG_HOSTS * 0.02 * (i == 0 ? 1.0 : 4.0);
    for (size_t h = 0; h < WRONG_HOSTS; h++) {
        uint8_t country = places_pick(w->places, &n->rng);
        uint32_t ip = places_address(w->places, country, &n->rng);
        s->hosts[h] = host_make(ip, country, STYLE_WINDOWS, &n->rng);
        s->hosts[h].label = LABEL_WRONG;
    }
    struct truth_nuisance *said = truth_nuisance_add(
        t, "misconfiguration", s->from, s->until == INT64_MAX ? w->end : s->until);
    said->proto = PROTO_UDP;
    said->port = s->port;
    said->site = s->site;
    snprintf(
        said->text, sizeof said->text, "%d hosts send to one address of the site", WRONG_HOSTS);
}

static void plan_attack(struct nuisances *n, const struct world *w, struct truth *t)
{
    struct attack *a = &n->attack;
    attack_draw(a, w, between(n, w, 0.4, 0.9), &n->rng);
    a->kind = rng_below(&n->rng, 2) ? PROBE_SYN_ACK : PROBE_RST;
    a->pps = 4e6;
    a->until = at_most(w, a->from, 2 * US_HOUR);
    struct truth_nuisance *said = truth_nuisance_add(t, "large-backscatter", a->from, a->until);
    said->proto = PROTO_TCP;
    snprintf(said->text, sizeof said->text,
        "answers of one victim to a spoofed flood, %.0f packets/s over all of IPv4", a->pps);
}

static void plan_sites(struct nuisances *n, const struct world *w, struct truth *t)
{
    n->silent_site = rng_below(&n->rng, w->site_count);
    n->silent_from = between(n, w, 0.3, 0.85);
    n->silent_until =
        at_most(w, n->silent_from, US_HOUR + (int64_t)rng_below(&n->rng, 180) * US_MINUTE);
    struct truth_nuisance *said =
        truth_nuisance_add(t, "outage", n->silent_from, n->silent_until);
    said->site = (int32_t)n->silent_site;
    snprintf(said->text, sizeof said->text, "the site captures nothing");
    n->strong_site = rng_below(&n->rng, w->site_count);
    n->strong_from = between(n, w, 0.45, 0.85);
    n->strength = 1.3;
    said = truth_nuisance_add(t, "volume-step", n->strong_from, w->end);
    said->site = (int32_t)n->strong_site;
    snprintf(said->text, sizeof said->text, "%.0f %% more of all background reaches the site",
        100.0 * (n->strength - 1.0));
}

enum err nuisances_open(
    struct nuisances **ret_nuisances, const struct world *w, uint64_t seed, struct truth *truth)
{
    struct nuisances *n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NOMEM;
    rng_seed(&n->rng, hash_two(seed, 6000));
    plan_research(n, w, truth);
    plan_fashion(n, w, truth);
    plan_loud(n, w, truth);
    for (size_t i = 0; i < WRONG_SETTINGS; i++)
        plan_wrong(n, w, truth, i);
    plan_attack(n, w, truth);
    plan_sites(n, w, truth);
    *ret_nuisances = n;
    return OK;
}

void nuisances_close(struct nuisances *n)
{
    free(n);
}

static void loud_tick(struct nuisances *n, const struct world *w, struct outbox *o)
{
    const struct loud *l = &n->loud;
    if (l->from >= w->now + TICK || l->until <= w->now)
        return;
    double mean = l->pps * (TICK / (double)US_SECOND);
    for (uint64_t k = rng_poisson(&n->rng, mean); k; k--) {
        struct probe p = {.ts = world_moment(w, &n->rng),
            .kind = PROBE_SYN,
            .site = l->site,
            .dport = l->port};
        p.dst = world_target(w, p.site, &n->rng);
        probe_stamp(&p, &l->host, &n->rng);
        if (p.ts >= l->from && p.ts < l->until)
            outbox_put(o, &p);
    }
}

static void wrong_tick(
    struct nuisances *n, const struct wrong_setting *s, const struct world *w, struct outbox *o)
{
    if (s->from >= w->now + TICK || s->until <= w->now)
        return;
    for (uint64_t k = rng_poisson(&n->rng, s->rate); k; k--) {
        struct probe p = {.ts = world_moment(w, &n->rng),
            .kind = PROBE_UDP,
            .payload = s->payload,
            .site = s->site,
            .dst = s->dst,
            .dport = s->port};
        probe_stamp(&p, &s->hosts[rng_below(&n->rng, WRONG_HOSTS)], &n->rng);
        if (p.ts >= s->from && p.ts < s->until)
            outbox_put(o, &p);
    }
}

void nuisances_tick(void *nuisances, const struct world *w, struct outbox *o)
{
    struct nuisances *n = nuisances;
    struct spread sites;
    spread_make(&sites, w, NULL);
    for (size_t i = 0; i < SCANNERS; i++)
        scanner_tick(&n->scanners[i], w, &sites, &n->rng, o);
    attack_tick(&n->attack, w, &sites, &n->rng, o);
    loud_tick(n, w, o);
    for (size_t i = 0; i < WRONG_SETTINGS; i++)
        wrong_tick(n, &n->wrong[i], w, o);
}

double nuisances_strength(const struct nuisances *n, size_t site, int64_t now)
{
    return n && site == n->strong_site && now >= n->strong_from ? n->strength : 1.0;
}

bool nuisances_silent(const struct nuisances *n, size_t site, int64_t ts)
{
    return n && site == n->silent_site && ts >= n->silent_from && ts < n->silent_until;
}
