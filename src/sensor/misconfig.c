#include "sensor/misconfig_int.h"

#include "base/clock.h"
#include "sensor/services_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES = MISCONFIG_SETS * MISCONFIG_WAYS,
    FILTER_BITS = 64 * 64,
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

void misconfig_done(struct misconfig *m)
{
    free(m->entry);
    free(m->set);
    free(m->pairs);
    free(m->map);
    *m = (struct misconfig){0};
}

static uint64_t hash_of(const struct ip *dst, uint32_t code)
{
    return hash_two(ip_hash(dst), code);
}

static void set_filter(struct misconfig *m, const struct misconfig_entry *e)
{
    uint64_t bit = hash_of(&e->dst, e->code) % FILTER_BITS;
    m->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

void misconfig_advance(struct misconfig *m, int64_t ts)
{
    int64_t start = time_floor(ts, US_HOUR);
    if (m->hour_start == start)
        return;
    int64_t passed = m->hour_start ? (start - m->hour_start) / US_HOUR : 0;
    m->hour_start = start;
    if (passed <= 0)
        return;
    m->hour += passed < 2 ? (uint32_t)passed : 2;
    memset(m->pairs, 0, SERVICE_CODES * sizeof *m->pairs);
    memset(m->filter, 0, sizeof m->filter);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct misconfig_entry *e = &m->entry[i];
        struct misconfig_set *set = &m->set[i / MISCONFIG_WAYS];
        unsigned way = i % MISCONFIG_WAYS;
        set->weight[way] /= 2;
        e->singles = 0;
        e->map[0] = e->map[1] = 0;
        if (e->marked + 1 < m->hour)
            e->marked = 0;
        set->marked = (uint16_t)((set->marked & ~(1u << way)) | (e->marked ? 1u << way : 0));
        if (e->marked)
            set_filter(m, e);
    }
}

static size_t set_of(uint64_t hash)
{
    return hash / FILTER_BITS % MISCONFIG_SETS;
}

/* Never 0, the tag of an empty entry. */
static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1u;
}

/* The number of an entry, or NOWHERE. */
static size_t find(
    const struct misconfig *m, const struct ip *dst, uint32_t code, uint64_t hash)
{
    size_t first = set_of(hash) * MISCONFIG_WAYS;
    const struct misconfig_set *set = &m->set[set_of(hash)];
    for (size_t way = 0; way < MISCONFIG_WAYS; way++) {
        const struct misconfig_entry *e = &m->entry[first + way];
        if (set->tag[way] == tag_of(hash) && e->code == code && ip_same(&e->dst, dst))
            return first + way;
    }
    return NOWHERE;
}

bool misconfig_marked(const struct misconfig *m, const struct ip *dst, uint32_t code)
{
    uint64_t hash = hash_of(dst, code);
    uint64_t bit = hash % FILTER_BITS;
    if (!(m->filter[bit / 64] >> bit % 64 & 1))
        return false;
    size_t i = find(m, dst, code, hash);
    return i != NOWHERE && m->entry[i].marked;
}

/* The entry, in the place of the least frequent of its set if it is new. Marked ones stay. */
static size_t take(struct misconfig *m, const struct ip *dst, uint32_t code)
{
    uint64_t hash = hash_of(dst, code);
    size_t i = find(m, dst, code, hash);
    if (i != NOWHERE)
        return i;
    struct misconfig_set *set = &m->set[set_of(hash)];
    size_t least = NOWHERE;
    for (size_t way = 0; way < MISCONFIG_WAYS; way++)
        if (!(set->marked >> way & 1) &&
            (least == NOWHERE || set->weight[way] < set->weight[least]))
            least = way;
    if (least == NOWHERE)
        return NOWHERE;
    set->tag[least] = tag_of(hash);
    i = set_of(hash) * MISCONFIG_WAYS + least;
    m->entry[i] = (struct misconfig_entry){.dst = *dst, .code = code};
    return i;
}

/* How many addresses have been reached: linear counting (Whang, Vander-Zanden, Taylor, ACM TODS
 * 15(2), 1990). Updated with every 64th new bit once there are many. */
static void count_address(struct misconfig *m, const struct ip *dst)
{
    uint64_t bit = ip_hash(dst) % MISCONFIG_MAP;
    if (m->given || m->map[bit / 64] >> bit % 64 & 1)
        return;
    m->map[bit / 64] |= UINT64_C(1) << bit % 64;
    m->map_used++;
    if (m->map_used > 64 && m->map_used % 64)
        return;
    double empty = (double)(MISCONFIG_MAP - m->map_used);
    m->addresses = MISCONFIG_MAP * log(MISCONFIG_MAP / (empty > 1 ? empty : 1));
}

static bool is_many(const struct misconfig *m, const struct misconfig_entry *e)
{
    int bits = __builtin_popcountll(e->map[0]) + __builtin_popcountll(e->map[1]);
    if (m->addresses < MISCONFIG_ADDRESSES - 0.5)
        return false;
    /* 10 sources set 9.66 bits of 128 on average. */
    if (bits < MAP_FULL && 128 * log(128.0 / (128 - bits)) < MISCONFIG_SOURCES - 0.5)
        return false;
    double others = m->pairs[e->code] > e->singles ? m->pairs[e->code] - e->singles : 0;
    double expected = others / (m->addresses - 1);
    return e->singles >= MISCONFIG_SOURCES + MISCONFIG_RATIO * expected;
}

void misconfig_note(
    struct misconfig *m, const struct ip *src, const struct ip *dst, uint32_t code, bool alone)
{
    count_address(m, dst);
    m->pairs[code]++;
    if (!alone)
        return;
    size_t i = take(m, dst, code);
    if (i == NOWHERE)
        return;
    struct misconfig_entry *e = &m->entry[i];
    struct misconfig_set *set = &m->set[i / MISCONFIG_WAYS];
    if (set->weight[i % MISCONFIG_WAYS] < UINT16_MAX)
        set->weight[i % MISCONFIG_WAYS]++;
    uint64_t bit = ip_hash(src) & 127;
    e->singles++;
    e->map[bit / 64] |= UINT64_C(1) << bit % 64;
    if (e->singles >= MISCONFIG_SOURCES && is_many(m, e)) {
        e->marked = m->hour;
        set->marked |= (uint16_t)(1u << i % MISCONFIG_WAYS);
        set_filter(m, e);
    }
}
