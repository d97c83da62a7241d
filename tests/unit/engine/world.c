#include "world.h"

#include "base/clock.h"
#include "base/hash.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t world_start = INT64_C(1786924800000000); /* 2026-08-17, a Monday */
static const int64_t window_length = 10 * US_MINUTE;

struct world_options world_usual(uint64_t seed)
{
    return (struct world_options){.seed = seed,
        .sites = 8,
        .size_spread = 0.5,
        .ports = 300,
        .busiest = 120.0,
        .zipf = 1.0,
        .stray = 60.0,
        .amplitude = 0.4,
        .noise = 0.03,
        .wander = 0.15,
        .day_to_day = 0.15,
        .common = 0.1,
        .nuisances = 4.0};
}

static double sample(struct world *w, double mean)
{
    double noise = w->options.noise;
    double rate = noise > 0.0 ? mean * noise * rng_gamma(&w->rng, 1.0 / noise) : mean;
    return (double)rng_poisson(&w->rng, rate);
}

struct world *world_new(const struct world_options *options)
{
    struct world *w = calloc(1, sizeof *w);
    assert(w && options->sites <= WORLD_SITES && options->ports <= WORLD_PORTS);
    w->options = *options;
    rng_seed(&w->rng, options->seed);
    for (size_t k = 0; k < options->sites; k++) {
        snprintf(w->sites[k].name, sizeof w->sites[k].name, "s%02zu", k);
        w->sites[k].watching = true;
        w->sites[k].kept = 1.0;
        w->sites[k].addresses = 1024;
        w->size[k] = exp(options->size_spread * rng_normal(&w->rng));
    }
    for (size_t i = 0; i < options->ports; i++) {
        struct world_port *p = &w->ports[i];
        p->port = (uint16_t)(1 + rng_below(&w->rng, 65535));
        p->proto = rng_unit(&w->rng) < 0.7 ? 6 : 17;
        p->rate = options->busiest / pow((double)(i + 1), options->zipf);
        p->phase = rng_unit(&w->rng) * 24.0;
        p->amplitude = options->amplitude * rng_unit(&w->rng);
        if (options->in_phase) {
            p->phase = 6.0;
            p->amplitude = options->amplitude;
        }
    }
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->block_count; i++)
        block_free(w->blocks[i]);
    free(w);
}

void world_event(struct world *w, struct world_event e)
{
    assert(w->event_count < WORLD_EVENTS);
    w->events[w->event_count++] = e;
}

struct contact {
    size_t site;
    struct ip src;
    uint8_t proto;
    uint16_t port;
    const char *class;
    const char *country;
    uint64_t dsts;
};

static uint16_t word(struct block *b, size_t column, const char *text)
{
    uint16_t number = 0;
    enum err e = block_word(b, column, text, &number);
    assert(!e);
    return number;
}

/* The block that is being filled; a full one is followed by the next. */
static struct block *open_block(struct world *w, size_t *at)
{
    if (*at < w->block_count && w->blocks[*at]->rows == w->blocks[*at]->cap)
        ++*at;
    if (*at == w->block_count) {
        assert(w->block_count < WORLD_BLOCKS);
        enum err e = block_new(&w->blocks[w->block_count++], &record_contact, 1 << 16);
        assert(!e);
    }
    return w->blocks[*at];
}

static void add(struct world *w, size_t *at, const struct contact *c)
{
    struct block *b = open_block(w, at);
    size_t i = b->rows;
    int64_t start = w->window.start;
    block_time(b, CONTACT_START)[i] = start;
    block_name(b, CONTACT_SITE)[i] = word(b, CONTACT_SITE, w->sites[c->site].name);
    block_ip(b, CONTACT_SRC)[i] = c->src;
    block_u8(b, CONTACT_PROTO)[i] = c->proto;
    block_u16(b, CONTACT_DPORT)[i] = c->port;
    block_name(b, CONTACT_CLASS)[i] = word(b, CONTACT_CLASS, c->class);
    block_name(b, CONTACT_TOOL)[i] = word(b, CONTACT_TOOL, "");
    block_name(b, CONTACT_COUNTRY)[i] = word(b, CONTACT_COUNTRY, c->country);
    block_u32(b, CONTACT_ASN)[i] = 0;
    block_u32(b, CONTACT_PACKETS)[i] = 1 + (uint32_t)(ip_hash(&c->src) & 3);
    block_u64(b, CONTACT_BYTES)[i] = 40;
    block_u64(b, CONTACT_DSTS)[i] = c->dsts;
    block_u64(b, CONTACT_SLOTS)[i] = 1;
    block_u8(b, CONTACT_FLAGS)[i] = 2;
    block_u16(b, CONTACT_WIN)[i] = 0;
    block_time(b, CONTACT_FIRST)[i] = start;
    block_time(b, CONTACT_LAST)[i] = start;
    b->rows++;
}

static const char *country_of(uint32_t address)
{
    static const char *const some[] = {"cn", "us", "kr", "br", "ru", "vn", "in", "jp"};
    return some[hash_u64(address >> 16) & 7];
}

static uint64_t some_target(struct world *w)
{
    return (uint64_t)1 << rng_below(&w->rng, 64);
}

/* `count` sources out of a population that a port keeps: bots come back. */
static void add_population(
    struct world *w, size_t *at, size_t site, const struct world_port *p, double count)
{
    uint64_t population = (uint64_t)(p->rate * 40.0) + 20;
    for (double i = 0; i < count; i++) {
        uint64_t host = w->options.uneven > 0.0
                            ? (uint64_t)((double)population *
                                         pow(rng_unit(&w->rng), 1.0 + w->options.uneven))
                            : rng_below(&w->rng, population) + w->number / 36;
        uint32_t who = (uint32_t)hash_two((uint64_t)p->port << 8 | p->proto, host);
        add(w, at,
            &(struct contact){.site = site,
                .src = ip_from_v4(who),
                .proto = p->proto,
                .port = p->port,
                .class = "scan",
                .country = country_of(who),
                .dsts = some_target(w)});
    }
}

static void background(struct world *w, size_t *at, size_t site)
{
    const struct world_options *o = &w->options;
    double hours = w->number / 6.0;
    bool new_day = w->number % 144 == 0;
    if (new_day)
        w->common[site] = exp(o->common * rng_normal(&w->rng));
    for (size_t i = 0; i < o->ports; i++) {
        struct world_port *p = &w->ports[i];
        if (new_day)
            p->day[site] = exp(o->day_to_day * rng_normal(&w->rng));
        const double memory = 0.95; /* half of it is gone in two hours */
        p->wander[site] = memory * p->wander[site] +
                          sqrt(1.0 - memory * memory) * o->wander * rng_normal(&w->rng);
        double rhythm = 1.0 + p->amplitude * sin((hours - p->phase) * 6.283185307179586 / 24.0);
        double mean = p->rate * w->size[site] * rhythm * p->day[site] * w->common[site] *
                      exp(p->wander[site]);
        add_population(w, at, site, p, sample(w, mean));
    }
    double stray = sample(w, o->stray * w->size[site] * w->common[site]);
    for (double i = 0; i < stray; i++) {
        uint32_t who = rng_u32(&w->rng);
        add(w, at,
            &(struct contact){.site = site,
                .src = ip_from_v4(who),
                .proto = rng_unit(&w->rng) < 0.6 ? 6 : 17,
                .port = (uint16_t)rng_u32(&w->rng),
                .class = "scan",
                .country = country_of(who),
                .dsts = some_target(w)});
    }
}

/* One burst: many sources on one port, of a sort that must not alarm anybody. */
static void nuisance(struct world *w, size_t *at, size_t site)
{
    double kind = rng_unit(&w->rng);
    uint16_t port = (uint16_t)rng_u32(&w->rng);
    uint32_t net = rng_u32(&w->rng) & 0xffffff00;
    uint32_t count = 20 + (uint32_t)rng_below(&w->rng, 200);
    uint64_t target = some_target(w);
    for (uint32_t i = 0; i < count; i++) {
        bool survey = kind < 0.3;
        bool unlisted = kind >= 0.3 && kind < 0.5;
        bool backscatter = kind >= 0.5 && kind < 0.75;
        uint32_t who = survey || unlisted ? net | (i & 0xff) : rng_u32(&w->rng);
        add(w, at,
            &(struct contact){.site = site,
                .src = ip_from_v4(who),
                .proto = kind < 0.7 ? 6 : 17,
                .port = port,
                .class = survey        ? "survey"
                         : backscatter ? "backscatter"
                                       : "scan",
                .country = country_of(who),
                .dsts = kind >= 0.75 ? target : some_target(w)});
    }
}

static void event(struct world *w, size_t *at, size_t number, size_t site)
{
    const struct world_event *e = &w->events[number];
    if (!(e->sites >> site & 1) || (e->every && w->number % e->every))
        return;
    double before = (double)__builtin_popcount(e->sites & ((1u << site) - 1));
    double age = w->number / 6.0 - e->hours - e->lag * before;
    if (age < 0.0 || (e->last > 0.0 && age > e->last))
        return;
    double mean = e->doubling > 0.0 ? e->first * exp2(age / e->doubling) : e->most;
    mean = fmin(mean, e->most);
    double count = sample(w, mean * w->size[site]);
    /* New ones join as it grows. */
    double pool = e->hosts > 0.0 ? e->hosts : 3.0;
    uint64_t hosts = (uint64_t)(mean * pool * (e->everywhere ? 1.0 : w->size[site])) + 1;
    for (double i = 0; i < count; i++) {
        uint64_t host = rng_below(&w->rng, hosts);
        uint32_t who = (uint32_t)hash_two(number + 77, host * 16 + (e->everywhere ? 0 : site));
        if (e->network)
            who = (uint32_t)hash_two(number, host % e->network) << 8 | (uint32_t)(host & 0xff);
        add(w, at,
            &(struct contact){.site = site,
                .src = ip_from_v4(who),
                .proto = e->proto,
                .port = e->port,
                .class = e->class ? e->class : "scan",
                .country = e->country ? e->country : country_of(who),
                .dsts = e->one_target ? 1 : some_target(w)});
    }
}

const struct window *world_next(struct world *w)
{
    w->window = (struct window){.start = world_start + w->number * window_length,
        .length = window_length,
        .sites = w->sites,
        .site_count = w->options.sites,
        .kind = &record_contact,
        .blocks = (const struct block *const *)w->blocks};
    for (size_t i = 0; i < w->block_count; i++)
        block_clear(w->blocks[i]);
    size_t at = 0;
    for (size_t site = 0; site < w->options.sites; site++) {
        background(w, &at, site);
        if (rng_unit(&w->rng) < w->options.nuisances / 144.0)
            nuisance(w, &at, site);
        for (size_t i = 0; i < w->event_count; i++)
            event(w, &at, i, site);
    }
    w->window.block_count = w->block_count;
    w->number++;
    return &w->window;
}
