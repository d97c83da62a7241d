#include "engine/pulse.h"

#include "num/tail.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Activity of the other services is taken as if an even activity of so much had been seen
 * beside it: where there is little, the slots are taken as equal. */
static const double even = 120.0;

/* The first `bits` of eight bytes, in their order. */
static uint64_t first_bits(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : htobe64(~(UINT64_MAX >> bits));
}

uint64_t pulse_network(const struct ip *ip, unsigned prefix)
{
    unsigned bits = ip_is_v4(ip) ? 96 + prefix : 2 * prefix;
    uint64_t halves[2];
    struct ip net;
    memcpy(halves, ip, sizeof halves);
    halves[0] &= first_bits(bits);
    halves[1] &= first_bits(bits > 64 ? bits - 64 : 0);
    memcpy(&net, halves, sizeof net);
    return ip_hash(&net);
}

static size_t largest_service(const struct tally *t)
{
    size_t largest = 0;
    for (size_t g = 0; g < t->group_count;) {
        size_t end = tally_service_end(t, g);
        size_t sources = 0;
        for (; g < end; g++)
            sources += t->groups[g].count;
        largest = sources > largest ? sources : largest;
    }
    return largest;
}

static void count_slots(const struct pulses *all, const struct tally_group *g, double *counts)
{
    for (uint32_t i = 0; i < g->count; i++)
        for (uint64_t left = all->slots[g->first + i]; left; left &= left - 1)
            counts[__builtin_ctzll(left)] += 1.0;
}

/* What the rows of a group say: slots of its sources, and the union of their targets. */
static uint64_t read_rows(const struct pulses *all, const struct tally_group *g)
{
    uint64_t targets = 0;
    for (uint32_t i = g->first; i < g->first + g->count; i++) {
        size_t row;
        const struct block *b = tally_row(all->tally, &all->tally->sources[i], &row);
        all->slots[i] = block_u64(b, CONTACT_SLOTS)[row] & PULSE_ALL;
        targets |= block_u64(b, CONTACT_DSTS)[row];
    }
    return targets;
}

enum err pulses_open(
    struct pulses *ret_pulses, const struct tally *t, unsigned prefix, struct arena *scratch)
{
    struct pulses all = {.tally = t, .prefix = prefix};
    size_t sites = t->window->site_count;
    size_t largest = largest_service(t);
    all.slots = arena_room(scratch, t->source_count + 1, sizeof *all.slots);
    all.active = arena_take(scratch, sites + 1, sizeof *all.active);
    all.hosts = arena_room(scratch, 2 * largest + 1, sizeof *all.hosts);
    all.targets = arena_take(scratch, sites + 1, sizeof *all.targets);
    if (!all.slots || !all.active || !all.hosts || !all.targets)
        return ERR_NOMEM;
    for (size_t g = 0; g < t->group_count; g++) {
        all.targets[t->groups[g].site] |= read_rows(&all, &t->groups[g]);
        count_slots(&all, &t->groups[g], all.active[t->groups[g].site]);
    }
    *ret_pulses = all;
    return OK;
}

/* Adds what one site's other services would lead one to expect. */
static void add_share(
    const struct pulses *all, const struct tally_group *g, const double *own, double *share)
{
    double total = 0.0;
    double others = 0.0;
    for (unsigned k = 0; k < PULSE_SLOTS; k++) {
        total += own[k];
        others += all->active[g->site][k] - own[k];
    }
    for (unsigned k = 0; k < PULSE_SLOTS; k++)
        share[k] +=
            total * (all->active[g->site][k] - own[k] + even / PULSE_SLOTS) / (others + even);
}

/* Returns the service's activity over all its sites. */
static double add_groups(const struct pulses *all, size_t from, size_t to, double *share)
{
    double sum = 0.0;
    memset(share, 0, PULSE_SLOTS * sizeof *share);
    for (size_t g = from; g < to; g++) {
        double own[PULSE_SLOTS] = {0};
        count_slots(all, &all->tally->groups[g], own);
        add_share(all, &all->tally->groups[g], own, share);
        for (unsigned k = 0; k < PULSE_SLOTS; k++)
            sum += own[k];
    }
    return sum;
}

static int by_id(const void *a, const void *b)
{
    const struct pulse_host *x = a;
    const struct pulse_host *y = b;
    if (x->id != y->id)
        return x->id > y->id ? 1 : -1;
    return (x->source > y->source) - (x->source < y->source);
}

static void sort_run(struct pulse_host *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct pulse_host host = list[i];
        size_t at = i;
        for (; at > 0 && by_id(&list[at - 1], &host) > 0; at--)
            list[at] = list[at - 1];
        list[at] = host;
    }
}

/* By id, then source. Ids are hashes: their first bits put nearly all of them in order. */
static void sort_hosts(struct pulse_host *list, struct pulse_host *spare, size_t count)
{
    enum {
        FEW = 32,
        BITS = 10
    };
    uint32_t start[(1 << BITS) + 1] = {0};
    const unsigned shift = 64 - BITS;
    if (count <= FEW) {
        sort_run(list, count);
        return;
    }
    memcpy(spare, list, count * sizeof *list);
    for (size_t i = 0; i < count; i++)
        start[(spare[i].id >> shift) + 1]++;
    for (size_t d = 0; d + 1 < 1 << BITS; d++)
        start[d + 1] += start[d];
    for (size_t i = 0; i < count; i++)
        list[start[spare[i].id >> shift]++] = spare[i];
    for (size_t i = 0; i < count;) {
        size_t end = start[list[i].id >> shift];
        if (end - i > FEW)
            qsort(list + i, end - i, sizeof *list, by_id);
        else
            sort_run(list + i, end - i);
        i = end;
    }
}

static size_t take_hosts(struct pulses *all, size_t from, size_t to)
{
    const struct tally *t = all->tally;
    size_t count = 0;
    for (size_t g = from; g < to; g++)
        for (uint32_t i = 0; i < t->groups[g].count; i++) {
            uint32_t number = t->groups[g].first + i;
            const struct tally_source *s = &t->sources[number];
            size_t row;
            const struct block *b = tally_row(t, s, &row);
            all->hosts[count++] = (struct pulse_host){
                .id = pulse_network(&block_ip(b, CONTACT_SRC)[row], all->prefix),
                .slots = all->slots[number],
                .source = number,
                .sources = 1};
        }
    sort_hosts(all->hosts, all->hosts + count, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && all->hosts[kept - 1].id == all->hosts[i].id) {
            all->hosts[kept - 1].slots |= all->hosts[i].slots;
            all->hosts[kept - 1].sources++;
        } else {
            all->hosts[kept++] = all->hosts[i];
        }
    }
    return kept;
}

void pulse_take(struct pulse *ret_pulse, struct pulses *all, size_t from)
{
    size_t to = tally_service_end(all->tally, from);
    struct pulse p = {.service = all->tally->groups[from].service, .from = from, .to = to};
    double sum = add_groups(all, from, to, p.share);
    p.host_count = take_hosts(all, from, to);
    p.hosts = all->hosts;
    for (size_t i = 0; i < p.host_count; i++)
        for (uint64_t left = p.hosts[i].slots; left; left &= left - 1)
            p.seen[__builtin_ctzll(left)]++;
    for (unsigned k = 0; k < PULSE_SLOTS; k++) {
        p.total += p.seen[k];
        p.share[k] /= sum > 0.0 ? sum : 1.0;
    }
    *ret_pulse = p;
}

bool pulse_is_crowded(const struct pulses *all, size_t from, uint32_t least)
{
    size_t to = tally_service_end(all->tally, from);
    double share[PULSE_SLOTS];
    double own[PULSE_SLOTS] = {0};
    size_t sources = 0;
    for (size_t g = from; g < to; g++)
        sources += all->tally->groups[g].count;
    if (sources < least)
        return false;
    double sum = add_groups(all, from, to, share);
    for (size_t g = from; g < to; g++)
        count_slots(all, &all->tally->groups[g], own);
    for (unsigned k = 0; k < PULSE_SLOTS; k++) {
        double two = k ? own[k] + own[k - 1] : 0.0;
        double two_share = k ? share[k] + share[k - 1] : 0.0;
        if ((own[k] >= least && own[k] > share[k] + 1.5 * sqrt(share[k])) ||
            (two >= least && two > two_share + 1.5 * sqrt(two_share)))
            return sum > 0.0;
    }
    return false;
}

static uint32_t hosts_within(const struct pulse *p, uint64_t bits)
{
    uint32_t count = 0;
    for (size_t i = 0; i < p->host_count; i++)
        count += (p->hosts[i].slots & bits) != 0;
    return count;
}

static void look_at(const struct pulse *p, unsigned slot, unsigned span, double dispersion,
    struct pulse_peak *best)
{
    double inside = 0.0;
    double share = 0.0;
    for (unsigned k = slot; k < slot + span; k++) {
        inside += p->seen[k];
        share += p->share[k];
    }
    double outside = (double)p->total - inside + 0.5;
    double expected = outside * share / fmax(1.0 - share, 1e-3);
    if (inside < expected + 1.5 * sqrt(expected) || inside < 2.0)
        return;
    struct pulse_peak peak = {.slot = slot, .span = span, .expected = expected};
    peak.hosts = span == 1 ? p->seen[slot] : hosts_within(p, pulse_peak_bits(&peak));
    if (peak.hosts <= expected)
        return;
    peak.log10_p = -log_tail_negbin(peak.hosts, expected, 1.0 / outside + dispersion) / M_LN10;
    if (peak.log10_p > best->log10_p)
        *best = peak;
}

void pulse_strongest(const struct pulse *p, double dispersion, struct pulse_peak *ret_peak)
{
    struct pulse_peak best = {.span = 1};
    for (unsigned span = 1; span <= PULSE_SPANS; span++)
        for (unsigned k = 0; k + span <= PULSE_SLOTS; k++)
            look_at(p, k, span, dispersion, &best);
    *ret_peak = best;
}

double pulse_aimed(const uint32_t places[64], size_t sources)
{
    uint32_t most = 0;
    uint32_t second = 0;
    for (unsigned i = 0; i < 64; i++) {
        if (places[i] > most) {
            second = most;
            most = places[i];
        } else if (places[i] > second) {
            second = places[i];
        }
    }
    return sources ? (double)(most + second) / (double)sources : 0.0;
}
