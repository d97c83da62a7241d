#include "beats.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 60,
    ROWS = 1 << 16
};
static const int64_t length = INT64_C(600000000);
static const int64_t world_start = INT64_C(1786924800000000); /* Monday, midnight */

struct beats_options beats_usual(uint64_t seed)
{
    return (struct beats_options){
        .seed = seed, .sites = 4, .ports = 80, .busiest = 120, .stray = 60, .unrest = 0.3};
}

struct beats *beats_new(const struct beats_options *options)
{
    struct beats *b = calloc(1, sizeof *b);
    assert(b && options->sites <= BEATS_SITES && options->ports <= BEATS_PORTS);
    b->options = *options;
    rng_seed(&b->rng, options->seed);
    for (size_t i = 0; i < options->sites; i++) {
        snprintf(b->sites[i].name, sizeof b->sites[i].name, "s%02zu", i);
        b->sites[i].watching = true;
        b->sites[i].kept = 1.0;
    }
    enum err e = block_new(&b->block, &record_contact, ROWS);
    assert(!e);
    b->blocks[0] = b->block;
    b->window = (struct window){.start = world_start - length,
        .length = length,
        .sites = b->sites,
        .site_count = options->sites,
        .kind = &record_contact,
        .blocks = b->blocks,
        .block_count = 1};
    return b;
}

void beats_free(struct beats *b)
{
    if (b)
        block_free(b->block);
    free(b);
}

void beats_event(struct beats *b, struct beats_event e)
{
    assert(b->event_count < BEATS_EVENTS && e.hosts <= BEATS_HOSTS);
    e.every = e.every ? e.every : 1;
    e.slots = e.slots ? e.slots : 1;
    e.visits = e.visits > 0.0 ? e.visits : 0.1;
    for (unsigned i = 0; i < e.hosts; i++) {
        uint32_t ip = (uint32_t)rng_u64(&b->rng);
        b->hosts[b->event_count][i] = e.one_network ? 0x0a0a0000u | (ip & 0xffff) : ip;
    }
    b->events[b->event_count++] = e;
}

struct act {
    size_t site;
    uint32_t src;
    uint8_t proto;
    uint16_t port;
    uint64_t slots, dsts;
};

static uint16_t word(struct block *b, size_t column, const char *text)
{
    uint16_t number = 0;
    enum err e = block_word(b, column, text, &number);
    assert(!e);
    return number;
}

static void add(struct beats *w, const struct act *a)
{
    static const char *const countries[] = {"cn", "us", "kr", "br", "ru", "vn", "in", "jp"};
    struct block *b = w->block;
    size_t i = b->rows++;
    assert(b->rows <= ROWS);
    block_time(b, CONTACT_START)[i] = w->window.start;
    block_name(b, CONTACT_SITE)[i] = word(b, CONTACT_SITE, w->sites[a->site].name);
    block_ip(b, CONTACT_SRC)[i] = ip_from_v4(a->src);
    block_u8(b, CONTACT_PROTO)[i] = a->proto;
    block_u16(b, CONTACT_DPORT)[i] = a->port;
    block_name(b, CONTACT_CLASS)[i] = word(b, CONTACT_CLASS, "scan");
    block_name(b, CONTACT_TOOL)[i] = word(b, CONTACT_TOOL, "");
    block_name(b, CONTACT_COUNTRY)[i] =
        word(b, CONTACT_COUNTRY, countries[hash_u64(a->src >> 16) & 7]);
    block_u32(b, CONTACT_ASN)[i] = 0;
    block_u32(b, CONTACT_PACKETS)[i] = (uint32_t)__builtin_popcountll(a->slots);
    block_u64(b, CONTACT_BYTES)[i] = 40;
    block_u64(b, CONTACT_DSTS)[i] = a->dsts;
    block_u64(b, CONTACT_SLOTS)[i] = a->slots;
    block_u8(b, CONTACT_FLAGS)[i] = 2;
    block_u16(b, CONTACT_WIN)[i] = 0;
    block_time(b, CONTACT_FIRST)[i] = w->window.start;
    block_time(b, CONTACT_LAST)[i] = w->window.start;
}

/* A slot as likely as the site is active in it. */
static unsigned slot_at(struct beats *b, size_t site)
{
    bool dark = b->options.outage && site == 0;
    for (;;) {
        unsigned slot = (unsigned)rng_below(&b->rng, SLOTS);
        double phase = 6.2831853 * ((double)slot / SLOTS + 0.13 * (double)site);
        double active = 1.0 + b->options.unrest * sin(phase);
        if (dark && slot < SLOTS / 2)
            continue;
        if (rng_unit(&b->rng) * (1.0 + b->options.unrest) < active)
            return slot;
    }
}

static void background_source(struct beats *b, size_t site, uint8_t proto, uint16_t port)
{
    struct act a = {.site = site,
        .src = (uint32_t)rng_u64(&b->rng),
        .proto = proto,
        .port = port,
        .dsts = (uint64_t)1 << rng_below(&b->rng, 64)};
    uint64_t sort = rng_below(&b->rng, 50);
    unsigned times = sort == 0 ? 40 : sort < 5 ? 2 : 1;
    if (sort == 0)
        a.src = 0x01000000u + (uint32_t)(site << 16) + port; /* the same in every window */
    unsigned slot = slot_at(b, site);
    for (unsigned i = 0; i < times; i++)
        a.slots |= (uint64_t)1 << (sort == 0 ? slot_at(b, site) : (slot + i) % SLOTS);
    add(b, &a);
}

static void background(struct beats *b)
{
    for (size_t site = 0; site < b->options.sites; site++) {
        for (size_t k = 0; k < b->options.ports; k++) {
            double mean = b->options.busiest / pow((double)(k + 1), 0.9);
            for (uint64_t n = rng_poisson(&b->rng, mean); n; n--)
                background_source(b, site, k % 4 ? 6 : 17, (uint16_t)(100 + 7 * k));
        }
        for (uint64_t n = rng_poisson(&b->rng, b->options.stray); n; n--)
            background_source(b, site, 6, (uint16_t)(2048 + rng_below(&b->rng, 60000)));
    }
}

/* In which of the shared slots, or as many of its own, a host comes to a site. */
static uint64_t slots_of(struct beats *b, const struct beats_event *e, const unsigned *shared)
{
    uint64_t slots = 0;
    for (unsigned i = 0; i < e->slots; i++) {
        if (rng_unit(&b->rng) >= e->visits)
            continue;
        slots |= (uint64_t)1 << (e->shuffled ? rng_below(&b->rng, SLOTS) : shared[i]);
    }
    return slots;
}

static void play(struct beats *b, size_t number)
{
    const struct beats_event *e = &b->events[number];
    if (b->number < e->first || (e->last && b->number > e->last) ||
        (b->number - e->first) % e->every)
        return;
    unsigned shared[SLOTS];
    for (unsigned i = 0; i < e->slots; i++)
        shared[i] = (unsigned)rng_below(&b->rng, SLOTS);
    for (unsigned h = 0; h < e->hosts; h++) {
        if (e->crowded && rng_below(&b->rng, 8))
            continue;
        for (size_t site = 0; site < b->options.sites; site++) {
            struct act a = {.site = site,
                .src = b->hosts[number][h],
                .proto = e->proto,
                .dsts = e->one_target ? 1 : (uint64_t)1 << rng_below(&b->rng, 64),
                .slots = slots_of(b, e, shared)};
            for (unsigned p = 0; a.slots && p < (e->any_port ? 1 : e->port_count); p++) {
                a.port = e->any_port ? (uint16_t)(2048 + hash_u64(a.src) % 60000) : e->ports[p];
                add(b, &a);
            }
        }
    }
}

const struct window *beats_next(struct beats *b)
{
    block_clear(b->block);
    b->window.start += length;
    background(b);
    for (size_t i = 0; i < b->event_count; i++)
        play(b, i);
    b->number++;
    return &b->window;
}
