#include "engine/portrait.h"

#include "base/hash.h"
#include "engine/countries.h"
#include "geo/country.h"
#include "num/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOOLS_SEEN = 32 /* different names in one group; more are not counted */
};

struct host {
    uint64_t hash;
    uint64_t packets;
    const struct tally_source *source;
};

struct tool_count {
    const char *name;
    uint32_t sources;
};

/* What is counted on the way. */
struct sums {
    struct countries countries;
    struct tool_count tool[TOOLS_SEEN];
    size_t tool_count;
};

static int by_hash(const void *a, const void *b)
{
    const struct host *x = a;
    const struct host *y = b;
    if (x->hash != y->hash)
        return x->hash > y->hash ? 1 : -1;
    return (x->source->key > y->source->key) - (x->source->key < y->source->key);
}

static const struct ip *address(const struct tally *t, const struct host *h)
{
    size_t row;
    const struct block *b = tally_row(t, h->source, &row);
    return &block_ip(b, CONTACT_SRC)[row];
}

static uint64_t network_hash(const struct ip *ip)
{
    struct ip net = {{0}};
    memcpy(&net, ip, ip_is_v4(ip) ? 15 : 6);
    return ip_hash(&net);
}

static void count_tool(struct sums *s, const char *name)
{
    if (!*name)
        return;
    size_t i = 0;
    while (i < s->tool_count && strcmp(s->tool[i].name, name) != 0)
        i++;
    if (i == TOOLS_SEEN)
        return;
    if (i == s->tool_count)
        s->tool[s->tool_count++].name = name;
    s->tool[i].sources++;
}

/* One entry a source; its packets at all sites. Returns how many. */
static size_t unite(struct host *hosts, size_t count)
{
    qsort(hosts, count, sizeof *hosts, by_hash);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && hosts[kept - 1].hash == hosts[i].hash)
            hosts[kept - 1].packets += hosts[i].packets;
        else
            hosts[kept++] = hosts[i];
    }
    return kept;
}

static void rank_countries(struct portrait *p, struct sums *s)
{
    char code[3];
    uint32_t sources;
    while (p->country_count < PORTRAIT_COUNTRIES &&
           (sources = countries_most(&s->countries, code)) > 0) {
        memcpy(p->countries[p->country_count].code, code, sizeof code);
        p->countries[p->country_count++].sources = sources;
    }
}

static void rank_tools(struct portrait *p, const struct sums *s)
{
    for (size_t i = 0; i < s->tool_count; i++) {
        const struct tool_count *c = &s->tool[i];
        if (c->sources < p->tool_sources ||
            (c->sources == p->tool_sources && strcmp(c->name, p->tool) >= 0))
            continue;
        p->tool_sources = c->sources;
        snprintf(p->tool, sizeof p->tool, "%s", c->name);
    }
    if (p->tool_sources * 2 <= p->sources) {
        p->tool[0] = 0;
        p->tool_sources = 0;
    }
}

/* Insert into the short list of the busiest. */
static void rank_host(
    struct portrait *p, uint64_t *packets, const struct host *h, const struct ip *ip)
{
    size_t at = p->host_count;
    while (
        at > 0 && (packets[at - 1] < h->packets ||
                      (packets[at - 1] == h->packets && ip_compare(&p->hosts[at - 1], ip) > 0)))
        at--;
    if (at == FINDING_HOSTS)
        return;
    size_t moved = p->host_count < FINDING_HOSTS ? p->host_count - at : FINDING_HOSTS - 1 - at;
    memmove(&p->hosts[at + 1], &p->hosts[at], moved * sizeof *p->hosts);
    memmove(&packets[at + 1], &packets[at], moved * sizeof *packets);
    p->hosts[at] = *ip;
    packets[at] = h->packets;
    p->host_count += p->host_count < FINDING_HOSTS;
}

static uint32_t count_networks(uint64_t *networks, size_t count)
{
    qsort(networks, count, sizeof *networks, compare_u64);
    uint32_t different = 0;
    for (size_t i = 0; i < count; i++)
        different += i == 0 || networks[i] != networks[i - 1];
    return different;
}

enum err portrait_take(struct portrait *ret_portrait, const struct tally *t, size_t from,
    size_t to, struct arena *scratch)
{
    size_t count = 0;
    for (size_t g = from; g < to; g++)
        count += t->groups[g].count;
    struct host *hosts = arena_take(scratch, count + 1, sizeof *hosts);
    uint64_t *networks = arena_take(scratch, count + 1, sizeof *networks);
    struct sums *sums = arena_take(scratch, 1, sizeof *sums);
    if (!hosts || !networks || !sums)
        return ERR_NOMEM;
    struct portrait p = {0};
    uint64_t targets = 0;
    size_t n = 0;
    for (size_t g = from; g < to; g++)
        for (uint32_t i = 0; i < t->groups[g].count; i++) {
            const struct tally_source *s = &t->sources[t->groups[g].first + i];
            size_t row;
            const struct block *b = tally_row(t, s, &row);
            uint32_t packets = block_u32(b, CONTACT_PACKETS)[row];
            hosts[n++] = (struct host){.hash = s->hash, .packets = packets, .source = s};
            targets |= block_u64(b, CONTACT_DSTS)[row];
            p.packets += packets;
        }
    n = unite(hosts, n);
    p.sources = (uint32_t)n;
    p.targets = (unsigned)__builtin_popcountll(targets);
    uint64_t busiest[FINDING_HOSTS];
    for (size_t i = 0; i < n; i++) {
        size_t row;
        const struct block *b = tally_row(t, hosts[i].source, &row);
        const struct ip *ip = address(t, &hosts[i]);
        networks[i] = network_hash(ip);
        const char *country = block_word_at(b, CONTACT_COUNTRY, row);
        if (strlen(country) == 2)
            countries_add(&sums->countries, country);
        count_tool(sums, block_word_at(b, CONTACT_TOOL, row));
        rank_host(&p, busiest, &hosts[i], ip);
    }
    p.networks = count_networks(networks, n);
    rank_countries(&p, sums);
    rank_tools(&p, sums);
    *ret_portrait = p;
    return OK;
}

void portrait_tell(const struct portrait *p, struct finding *f)
{
    for (size_t i = 0; i < p->country_count; i++)
        finding_country(f, p->countries[i].code);
    for (size_t i = 0; i < p->host_count; i++)
        finding_host(f, &p->hosts[i]);
    snprintf(f->tool, sizeof f->tool, "%s", p->tool);
}

double portrait_top_share(const struct portrait *p)
{
    if (!p->country_count || p->sources < PORTRAIT_LEAST)
        return NAN;
    return (double)p->countries[0].sources / p->sources;
}

void portrait_origin(const struct portrait *p, char *text, size_t room)
{
    char country[COUNTRY_TEXT];
    double share = portrait_top_share(p);
    *text = 0;
    if (!(share >= 0.5))
        return;
    snprintf(text, room, "%s: %u of the %u sources in this window (%.0f %%).",
        country_format(p->countries[0].code, country), p->countries[0].sources, p->sources,
        floor(share * 100.0));
}
