#include "sensor/misconfig_int.h"

#include "base/clock.h"
#include "sensor/services_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES = MISCONFIG_SETS * MISCONFIG_WAYS,
    MAP_FULL = 100 /* bits of an entry's 128: from here on the map says "very many" */
};

static const uint32_t no_code = UINT32_MAX;

#define NOWHERE SIZE_MAX

static void clear_entries(struct misconfig *m)
{
    for (size_t i = 0; i < ENTRIES; i++)
        m->entry[i] = (struct misconfig_entry){.code = no_code};
    memset(m->set, 0, MISCONFIG_SETS * sizeof *m->set);
}

enum err misconfig_init(struct misconfig *m, uint64_t addresses)
{
    *m = (struct misconfig){
        .entry = malloc(ENTRIES * sizeof *m->entry),
        .set = aligned_alloc(64, MISCONFIG_SETS * sizeof *m->set),
        .pairs = calloc(SERVICE_CODES, sizeof *m->pairs),
        .map = calloc(MISCONFIG_MAP / 64, sizeof *m->map),
        .addresses = (double)addresses,
        .given = addresses > 0,
        .hour = 1,
    };
    if (!m->entry || !m->set || !m->pairs || !m->map) {
        misconfig_done(m);
        return ERR_NOMEM;
    }
    clear_entries(m);
    return OK;
}

void misconfig_addresses(struct misconfig *m, uint64_t addresses)
{
    m->given = addresses > 0;
    if (m->given)
        m->addresses = (double)addresses;
}

void misconfig_done(struct misconfig *m)
{
    free(m->entry);
    free(m->set);
    free(m->pairs);
    free(m->map);
    *m = (struct misconfig){0};
}

static void set_filter(struct misconfig *m, const struct misconfig_entry *e)
{
    uint64_t bit = misconfig_target(&e->dst, ip_hash(&e->dst), e->code).hash % MISCONFIG_FILTER;
    m->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Sources that came to it alone, less ten times what comes to an address beside it. */
static double beyond_others(const struct misconfig *m, const struct misconfig_entry *e)
{
    double others = m->pairs[e->code] > e->singles ? m->pairs[e->code] - e->singles : 0;
    return e->singles - MISCONFIG_RATIO * others / (m->addresses - 1);
}

void misconfig_advance(struct misconfig *m, int64_t ts)
{
    int64_t start = time_floor(ts, US_HOUR);
    if (m->hour_start == start)
        return;
    bool passed = m->hour_start && start > m->hour_start;
    m->hour_start = start;
    if (!passed || !m->came)
        return;
    memset(m->filter, 0, sizeof m->filter);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct misconfig_entry *e = &m->entry[i];
        struct misconfig_set *set = &m->set[i / MISCONFIG_WAYS];
        unsigned way = i % MISCONFIG_WAYS;
        set->weight[way] /= 2;
        if (e->marked && beyond_others(m, e) >= MISCONFIG_STAYS)
            e->marked = m->hour;
        else if (e->marked < m->hour)
            e->marked = 0;
        e->singles = 0;
        e->map[0] = e->map[1] = 0;
        set->marked = (uint16_t)((set->marked & ~(1u << way)) | (e->marked ? 1u << way : 0));
        if (e->marked)
            set_filter(m, e);
    }
    m->hour++;
    m->came = false;
    memset(m->pairs, 0, SERVICE_CODES * sizeof *m->pairs);
}

/* Never 0, the tag of an empty entry. */
static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1u;
}

/* The ways of a target's set that may be its entry, as a bit mask. */
static inline unsigned ways_of(
    const struct misconfig *m, const struct misconfig_target *target, size_t *ret_first)
{
    size_t number = misconfig_set_of(target);
    const struct misconfig_set *set = &m->set[number];
    uint32_t tag = tag_of(target->hash);
    unsigned ways = 0;
    for (unsigned way = 0; way < MISCONFIG_WAYS; way++)
        ways |= (unsigned)(set->tag[way] == tag) << way;
    *ret_first = number * MISCONFIG_WAYS;
    return ways;
}

/* The number of an entry, or NOWHERE. */
static size_t find(const struct misconfig *m, const struct misconfig_target *target)
{
    size_t first;
    for (unsigned ways = ways_of(m, target, &first); ways; ways &= ways - 1) {
        size_t i = first + (unsigned)__builtin_ctz(ways);
        if (m->entry[i].code == target->code && ip_same(&m->entry[i].dst, target->dst))
            return i;
    }
    return NOWHERE;
}

bool misconfig_marked(const struct misconfig *m, const struct misconfig_target *target)
{
    uint64_t bit = target->hash % MISCONFIG_FILTER;
    if (!(m->filter[bit / 64] >> bit % 64 & 1))
        return false;
    size_t i = find(m, target);
    return i != NOWHERE && m->entry[i].marked;
}

/* The entry, in the place of the least frequent of its set if it is new. Marked ones stay. */
static size_t take(struct misconfig *m, const struct misconfig_target *target)
{
    size_t i = find(m, target);
    if (i != NOWHERE)
        return i;
    size_t number = misconfig_set_of(target);
    struct misconfig_set *set = &m->set[number];
    uint32_t least = UINT32_MAX; /* weight and way */
    for (uint32_t way = 0; way < MISCONFIG_WAYS; way++) {
        uint32_t one = (uint32_t)set->weight[way] << 8 | way;
        one |= set->marked >> way & 1 ? UINT32_MAX : 0;
        least = one < least ? one : least;
    }
    if (least == UINT32_MAX)
        return NOWHERE;
    set->tag[least & 0xff] = tag_of(target->hash);
    i = number * MISCONFIG_WAYS + (least & 0xff);
    m->entry[i] = (struct misconfig_entry){.dst = *target->dst, .code = target->code};
    return i;
}

/* How many addresses have been reached: linear counting (Whang, Vander-Zanden, Taylor, ACM TODS
 * 15(2), 1990). Updated with every 64th new bit once there are many. */
static void count_address(struct misconfig *m, uint64_t dst_hash)
{
    uint64_t bit = dst_hash % MISCONFIG_MAP;
    if (m->given || m->map[bit / 64] >> bit % 64 & 1)
        return;
    m->map[bit / 64] |= UINT64_C(1) << bit % 64;
    m->map_used++;
    if (m->map_used > 64 && m->map_used % 64)
        return;
    double empty = (double)(MISCONFIG_MAP - m->map_used);
    m->addresses = MISCONFIG_MAP * log(MISCONFIG_MAP / (empty > 1 ? empty : 1));
}

/* The ratio first: it nearly always tells, and needs no logarithm. */
static bool is_many(const struct misconfig *m, const struct misconfig_entry *e)
{
    if (m->addresses < MISCONFIG_ADDRESSES - 0.5)
        return false;
    if (beyond_others(m, e) < MISCONFIG_SOURCES)
        return false;
    /* 10 sources set 9.66 bits of 128 on average. */
    int bits = __builtin_popcountll(e->map[0]) + __builtin_popcountll(e->map[1]);
    return bits >= MAP_FULL || 128 * log(128.0 / (128 - bits)) >= MISCONFIG_SOURCES - 0.5;
}

void misconfig_note(
    struct misconfig *m, uint64_t src, const struct misconfig_target *target, bool alone)
{
    count_address(m, target->dst_hash);
    m->came = true;
    m->pairs[target->code]++;
    if (!alone)
        return;
    size_t i = take(m, target);
    if (i == NOWHERE)
        return;
    struct misconfig_entry *e = &m->entry[i];
    struct misconfig_set *set = &m->set[i / MISCONFIG_WAYS];
    if (set->weight[i % MISCONFIG_WAYS] < UINT16_MAX)
        set->weight[i % MISCONFIG_WAYS]++;
    e->singles++;
    e->map[src / 64 & 1] |= UINT64_C(1) << src % 64;
    if (e->singles >= MISCONFIG_SOURCES && e->marked != m->hour && is_many(m, e)) {
        e->marked = m->hour;
        set->marked |= (uint16_t)(1u << i % MISCONFIG_WAYS);
        set_filter(m, e);
    }
}
