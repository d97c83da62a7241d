#include "audit/mapping.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

enum {
    RANKS = 1000
};

/* One distinct address: how it was, how it came out, and how busy it was in each half. */
struct entry {
    struct ip was, is;
    size_t first, second;
};

static int by_address(const void *a, const void *b)
{
    return ip_compare(a, b);
}

static int by_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? 1 : -1;
    return ip_compare(&x->was, &y->was);
}

static int by_second(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->second != y->second)
        return x->second < y->second ? 1 : -1;
    return ip_compare(&x->is, &y->is);
}

static int by_was(const void *a, const void *b)
{
    return ip_compare(&((const struct entry *)a)->was, &((const struct entry *)b)->was);
}

/* Distinct addresses, sorted, with their packets in each half. */
static size_t entries_make(struct entry *entry, const struct ip *addresses, size_t count)
{
    size_t half = count / 2, n = 0;
    for (size_t i = 0; i < count; i++)
        entry[i] = (struct entry){.was = addresses[i], .first = i < half, .second = i >= half};
    qsort(entry, count, sizeof *entry, by_was);
    for (size_t i = 1; i < count; i++) {
        if (ip_same(&entry[n].was, &entry[i].was)) {
            entry[n].first += entry[i].first;
            entry[n].second += entry[i].second;
        } else {
            entry[++n] = entry[i];
        }
    }
    return n + 1;
}

/* Rank by rank: the busiest known address is taken for the busiest anonymised one. */
static void frequency_audit(struct entry *entry, struct entry *other, size_t n, size_t packets,
    struct mapping_result *r)
{
    memcpy(other, entry, n * sizeof *entry);
    qsort(entry, n, sizeof *entry, by_first);
    qsort(other, n, sizeof *other, by_second);
    size_t right_packets = 0;
    for (size_t i = 0; i < n && i < RANKS && entry[i].first && other[i].second; i++) {
        r->frequency_ranks++;
        if (!ip_same(&entry[i].was, &other[i].was))
            continue;
        r->frequency_right++;
        right_packets += other[i].second;
    }
    r->frequency_share = packets ? (double)right_packets / (double)packets : 0;
}

static unsigned width_of(const struct ip *ip)
{
    return ip_is_v4(ip) ? 32 : 128;
}

/* First bits that two addresses of one family share. */
static unsigned common(const struct ip *a, const struct ip *b)
{
    unsigned skip = ip_is_v4(a) ? 96 : 0, bits = skip;
    if (ip_is_v4(a) != ip_is_v4(b))
        return 0;
    while (bits < 128 && !((a->byte[bits / 8] ^ b->byte[bits / 8]) >> (7 - bits % 8) & 1))
        bits++;
    return bits - skip;
}

/* What the known addresses around it tell of one: with prefixes preserved, as many bits as it
 * shares with the nearest, and one more; with first bits left, these; with nothing, nothing. */
static unsigned known_of(
    const struct anon_rule *rule, const struct ip *ip, const struct ip *known, size_t count)
{
    unsigned width = width_of(ip), most = 0;
    if (rule->method == ANON_KEEP)
        return width;
    if (rule->method == ANON_TRUNCATE)
        return width == 32 ? rule->ipv4 : rule->ipv6;
    if (rule->method != ANON_PREFIX)
        return 0;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ip_compare(&known[middle], ip) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low ? low - 1 : 0; i <= low && i < count; i++) {
        unsigned bits = common(ip, &known[i]);
        most = bits > most ? bits : most;
    }
    return most < width ? most + (most > 0) : width;
}

static void injection_audit(const struct anon_rule *rule, struct entry *entry, size_t n,
    size_t injected, struct mapping_result *r)
{
    struct ip *known = malloc((injected + 1) * sizeof *known);
    struct rng rng;
    if (!known)
        return;
    rng_seed(&rng, 1);
    injected = injected < n / 2 ? injected : n / 2;
    for (size_t i = 0; i < injected; i++) { /* the first places of a shuffle */
        size_t other = i + rng_below(&rng, n - i);
        struct entry held = entry[i];
        entry[i] = entry[other];
        entry[other] = held;
        known[i] = entry[i].was;
    }
    qsort(known, injected, sizeof *known, by_address);
    double bits = 0;
    for (size_t i = injected; i < n; i++) {
        unsigned one = known_of(rule, &entry[i].was, known, injected);
        bits += one;
        r->known_24 += one >= (width_of(&entry[i].was) == 32 ? 24u : 48u);
    }
    r->injected = injected;
    r->known_bits = n > injected ? bits / (double)(n - injected) : 0;
    free(known);
}

enum err mapping_audit(struct anon *a, enum anon_field field, const struct ip *addresses,
    size_t count, size_t injected, struct mapping_result *ret_result)
{
    struct mapping_result r = {.packets = count};
    struct fault f;
    if (count < 2)
        return ERR_RANGE;
    struct entry *entry = malloc(count * sizeof *entry);
    struct entry *other = malloc(count * sizeof *other);
    enum err e = entry && other ? OK : ERR_NOMEM;
    size_t n = e ? 0 : entries_make(entry, addresses, count);
    if (!e && n < 2)
        e = ERR_RANGE;
    for (size_t i = 0; i < n && !e; i++) {
        entry[i].is = entry[i].was;
        e = anon_addresses(a, field, 0, &entry[i].is, 1, &f);
    }
    if (!e) {
        r.addresses = n;
        frequency_audit(entry, other, n, count - count / 2, &r);
        if (anon_policy_of(a)->rule[field].method == ANON_KEEP)
            r.frequency_right = r.frequency_ranks;
        injection_audit(&anon_policy_of(a)->rule[field], entry, n, injected, &r);
        *ret_result = r;
    }
    free(entry);
    free(other);
    return e;
}
