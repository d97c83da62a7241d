#include "sim/event.h"

#include "base/hash.h"
#include "decode/packet.h"
#include "sim/event_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_COUNTRIES = 20
};

struct events {
    const struct pools *pools;
    struct truth *truth;
    size_t count;
    struct campaign list[TRUTH_EVENTS];
};

enum err events_open(struct events **ret_events, const struct telescope_options *o,
    const struct world *w, const struct pools *pools, struct truth *truth, struct fault *f)
{
    struct event_wish wishes[TRUTH_EVENTS];
    struct events *all = calloc(1, sizeof *all);
    if (!all)
        return fault_set(f, ERR_NOMEM, "out of memory");
    all->pools = pools;
    all->truth = truth;
    size_t count;
    enum err e = event_list_parse(o->events, wishes, &count, f);
    for (size_t i = 0; !e && i < count; i++) {
        struct campaign *c = &all->list[i];
        c->number = (uint8_t)(i + 1);
        rng_seed(&c->rng, hash_two(o->seed, 5000 + 100 * i + wishes[i].kind));
        e = campaign_plan(c, &wishes[i], o, w, f);
        if (e)
            break;
        c->hosts = calloc(c->host_count, sizeof *c->hosts);
        all->count = i + 1;
        if (!c->hosts)
            e = fault_set(f, ERR_NOMEM, "out of memory");
        campaign_tell(c, w, &truth->events[i]);
        truth->event_count = (uint32_t)(i + 1);
    }
    if (e) {
        event_list_close(all);
        return e;
    }
    *ret_events = all;
    return OK;
}

void event_list_close(struct events *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++)
        free(e->list[i].hosts);
    free(e);
}

/* Country of the i-th host of a campaign. */
static uint8_t host_country(struct campaign *c, const struct world *w, uint32_t i, uint8_t one)
{
    if (c->kind == EVENT_COUNTRY_BOTNET)
        return one;
    if (c->kind == EVENT_IN_STEP) {
        size_t countries = places_count(w->places);
        size_t step = countries > STEP_COUNTRIES ? countries / STEP_COUNTRIES : 1;
        return (uint8_t)(i % STEP_COUNTRIES * step % countries);
    }
    return places_pick(w->places, &c->rng);
}

static void hosts_draw(struct campaign *c, const struct world *w, const struct pools *pools)
{
    c->hosts_ready = true;
    if (c->kind == EVENT_BOTNET_TURN) {
        size_t got = pools_hosts(pools, PROTO_TCP, 23, c->hosts, c->host_count);
        c->host_count = (uint32_t)got;
        for (size_t i = 0; i < got; i++)
            c->hosts[i].style = c->row->style;
        return;
    }
    uint8_t one = (uint8_t)places_by_code(w->places, "kr");
    if (one >= places_count(w->places) || c->ports[1] != c->row->ports[1])
        one = places_pick(w->places, &c->rng); /* ports by seed: the country as well */
    for (uint32_t i = 0; i < c->host_count; i++) {
        uint8_t country = host_country(c, w, i, one);
        uint32_t ip = places_address(w->places, country, &c->rng);
        c->hosts[i] = host_make(ip, country, (enum style)c->row->style, &c->rng);
    }
}

/* The countries of the hosts, most hosts first. */
static void countries_tell(
    const struct campaign *c, const struct world *w, struct truth_event *e)
{
    uint32_t hosts[PLACES] = {0};
    for (uint32_t i = 0; i < c->host_count; i++)
        hosts[c->hosts[i].country]++;
    for (e->country_count = 0; e->country_count < TRUTH_COUNTRIES; e->country_count++) {
        size_t best = 0;
        for (size_t p = 1; p < places_count(w->places); p++)
            if (hosts[p] > hosts[best])
                best = p;
        if (hosts[best] == 0)
            return;
        memcpy(e->countries[e->country_count], places_code(w->places, best), 3);
        hosts[best] = 0;
    }
}

static void probe_send(struct campaign *c, const struct world *w, size_t site, uint32_t host,
    int64_t ts, struct outbox *o)
{
    struct probe p = {
        .ts = ts,
        .kind = c->row->kind,
        .payload = c->row->payload,
        .site = (uint8_t)site,
        .event = c->number,
        .dport = c->ports[rng_below(&c->rng, c->port_count)],
    };
    p.dst = world_target(w, p.site, &c->rng);
    probe_stamp(&p, &c->hosts[host], &c->rng);
    outbox_put(o, &p);
}

/* Who is active at a site. In spreading, each site has a part of the hosts to itself: the
 * crowd moves on. */
static uint32_t pick_host(struct campaign *c, size_t site, uint32_t active)
{
    uint32_t host = (uint32_t)rng_below(&c->rng, active);
    if (c->kind == EVENT_SPREADING)
        host = (host + (uint32_t)site * (c->host_count / 4 + 1)) % c->host_count;
    return host;
}

static void crowd_tick(struct campaign *c, const struct world *w, struct outbox *o)
{
    double density = c->row->pps / c->row->share / SPACE * (TICK / (double)US_SECOND);
    for (size_t s = 0; s < w->site_count; s++) {
        if (c->onset[s] >= w->now + TICK || c->end <= w->now)
            continue;
        uint32_t active = campaign_active(c, s, w->now + TICK / 2);
        double fade = fmin(1.0, (double)(c->end - w->now) / (double)US_HOUR);
        double mean = active * density * w->sites[s].addresses * fade;
        for (uint64_t n = rng_poisson(&c->rng, mean); n; n--) {
            int64_t ts = world_moment(w, &c->rng);
            uint32_t host = pick_host(c, s, active);
            if (ts >= c->onset[s] && ts < c->end)
                probe_send(c, w, s, host, ts, o);
        }
    }
}

static void step_tick(struct campaign *c, const struct world *w, struct outbox *o)
{
    while (c->slot_next < w->now + TICK && c->slot_next < c->end) {
        for (uint32_t h = 0; h < c->host_count; h++)
            for (size_t s = 0; s < w->site_count; s++) {
                if (rng_unit(&c->rng) >= c->visits[s])
                    continue;
                int64_t late = (int64_t)rng_below(&c->rng, (uint64_t)c->slot_width);
                probe_send(c, w, s, h, c->slot_next + late, o);
            }
        c->slot_next += c->slot + (int64_t)rng_below(&c->rng, 10) * US_SECOND;
    }
}

void events_tick(void *events, const struct world *w, struct outbox *o)
{
    struct events *all = events;
    for (size_t i = 0; i < all->count; i++) {
        struct campaign *c = &all->list[i];
        struct truth_event *e = &all->truth->events[i];
        if (e->start >= w->now + TICK || c->end <= w->now)
            continue;
        if (!c->hosts_ready) {
            hosts_draw(c, w, all->pools);
            countries_tell(c, w, e);
        }
        if (c->host_count == 0)
            continue;
        if (c->kind == EVENT_IN_STEP)
            step_tick(c, w, o);
        else
            crowd_tick(c, w, o);
    }
}
