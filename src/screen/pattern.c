#include "screen/pattern.h"

#include "base/clock.h"
#include "num/tail.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rates of the same string differ from window to window by more than chance: dispersion. */
static const double restless = 0.1;

enum err patterns_init(struct pattern_book *b, int64_t window, int64_t learn)
{
    assert(window >= 10 * US_MINUTE && US_HOUR % window == 0);
    *b = (struct pattern_book){.next_id = 1,
        .hour = (uint32_t)(US_HOUR / window),
        .day = (uint32_t)(US_DAY / window),
        .learn = (uint32_t)(learn / window)};
    b->list = calloc(PATTERNS_MAX, sizeof *b->list);
    b->seen = calloc(SEEN_SLOTS, sizeof *b->seen);
    if (b->list && b->seen)
        return OK;
    patterns_done(b);
    return ERR_NOMEM;
}

void patterns_done(struct pattern_book *b)
{
    free(b->list);
    free(b->seen);
    *b = (struct pattern_book){0};
}

/* --- amounts -------------------------------------------------------------------------------
 */

double amount_usual(const struct amount *a)
{
    const double factor = 1.5;
    const double beside = 10.0;
    return factor * a->most + beside;
}

bool amount_take(struct amount *a, uint32_t now, uint32_t day, uint32_t count)
{
    uint32_t half = day / 2;
    a->most = 0;
    for (uint32_t back = half; back < day + half; back++) {
        uint32_t then = back <= now ? amount_at(a, now, back, day) : 0;
        a->most = then > a->most ? then : a->most;
    }
    bool surges = a->seen >= day && count > amount_usual(a);
    a->past[now % (day + half)] = count;
    a->seen += a->seen < UINT32_MAX;
    return surges;
}

/* --- strings -------------------------------------------------------------------------------
 */

static int by_string(const void *a, const void *b)
{
    const struct pattern_string *x = a;
    const struct pattern_string *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->network != y->network)
        return x->network < y->network ? -1 : 1;
    return (x->profile > y->profile) - (x->profile < y->profile);
}

static enum err strings_make(const struct profiles *t, const struct profile_rows *rows,
    uint32_t now, struct arena *scratch, struct pattern_strings *ret)
{
    struct pattern_strings s = {.list = arena_take(scratch, rows->count + 1, sizeof *s.list)};
    if (!s.list)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows->count; i++) {
        thing_key keys[PROFILE_THINGS];
        profile_rows_prefetch(t, rows, i);
        if (i && rows->list[i].profile == rows->list[i - 1].profile)
            continue;
        const struct profile *p = &t->list[rows->list[i].profile];
        unsigned count = profile_string(t, p, now, keys);
        if (!count || count > PATTERN_KEYS)
            continue;
        struct pattern_string *to = &s.list[s.count++];
        *to = (struct pattern_string){.network = profile_network(p),
            .hash = hash_bytes(keys, count * sizeof *keys, 0),
            .profile = rows->list[i].profile,
            .pattern = PATTERN_NONE,
            .key_count = (uint8_t)count};
        memcpy(to->key, keys, count * sizeof *keys);
    }
    qsort(s.list, s.count, sizeof *s.list, by_string);
    *ret = s;
    return OK;
}

/* --- finding the pattern of a string -------------------------------------------------------
 */

struct link {
    thing_key key;
    uint32_t pattern;
};

/* The patterns by what they hold; those that are born in this step come after the sorted ones.
 */
struct links {
    struct link *list;
    size_t sorted, count;
};

static int by_key(const void *a, const void *b)
{
    const struct link *x = a;
    const struct link *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

static void link_put(struct links *l, thing_key key, uint32_t pattern)
{
    l->list[l->count++] = (struct link){key, pattern};
}

static enum err links_make(
    const struct pattern_book *b, struct arena *scratch, struct links *ret)
{
    struct links l = {
        .list = arena_take(scratch, 2 * PATTERNS_MAX * PATTERN_KEYS, sizeof *l.list)};
    if (!l.list)
        return ERR_NOMEM;
    for (size_t i = 0; i < b->count; i++)
        for (unsigned k = 0; k < b->list[i].key_count; k++)
            link_put(&l, b->list[i].key[k], (uint32_t)i);
    qsort(l.list, l.count, sizeof *l.list, by_key);
    l.sorted = l.count;
    *ret = l;
    return OK;
}

/* The next link with this key from place `at` on; count if there is none. */
static size_t link_next(const struct links *l, thing_key key, size_t at)
{
    if (at < l->sorted && l->list[at].key == key)
        return at;
    if (at < l->sorted)
        at = l->sorted;
    while (at < l->count && l->list[at].key != key)
        at++;
    return at;
}

static size_t link_first(const struct links *l, thing_key key)
{
    size_t low = 0;
    size_t high = l->sorted;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->list[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return link_next(l, key, low);
}

static bool holds(const struct pattern *p, const struct pattern_string *s)
{
    unsigned k = 0;
    for (unsigned i = 0; i < s->key_count; i++) {
        while (k < p->key_count && p->key[k] < s->key[i])
            k++;
        if (k == p->key_count || p->key[k] != s->key[i])
            return false;
    }
    return true;
}

/* The smallest pattern that holds the string; of equal ones the oldest. */
static uint32_t pattern_of(
    const struct pattern_book *b, const struct links *l, const struct pattern_string *s)
{
    uint32_t best = PATTERN_NONE;
    for (size_t at = link_first(l, s->key[0]); at < l->count;
         at = link_next(l, s->key[0], at + 1)) {
        uint32_t number = l->list[at].pattern;
        const struct pattern *p = &b->list[number];
        if (!holds(p, s))
            continue;
        const struct pattern *q = best == PATTERN_NONE ? NULL : &b->list[best];
        if (!q || p->key_count < q->key_count ||
            (p->key_count == q->key_count && p->id < q->id))
            best = number;
    }
    return best;
}

/* A novel pattern that shares with the string a thing which no established pattern has; then
 * they are two views of one thing. */
static uint32_t novel_kin(
    const struct pattern_book *b, const struct links *l, const struct pattern_string *s)
{
    for (unsigned i = 0; i < s->key_count; i++) {
        uint32_t kin = PATTERN_NONE;
        bool established = false;
        for (size_t at = link_first(l, s->key[i]); at < l->count;
             at = link_next(l, s->key[i], at + 1)) {
            const struct pattern *p = &b->list[l->list[at].pattern];
            established |= !p->novel;
            if (p->novel && (kin == PATTERN_NONE || p->id < b->list[kin].id))
                kin = l->list[at].pattern;
        }
        if (!established && kin != PATTERN_NONE)
            return kin;
    }
    return PATTERN_NONE;
}

/* --- counting ------------------------------------------------------------------------------
 */

/* What one window says of one string. */
struct group {
    const struct pattern_string *first;
    size_t count;
    uint32_t networks;
    double rate, hits; /* what was known of it before */
};

static struct quiet *seen_of(const struct pattern_book *b, uint64_t hash)
{
    return &b->seen[hash & (SEEN_SLOTS - 1)];
}

static double minus_log10_p(double count, double mean, double hits)
{
    double dispersion = 1.0 / (hits + 0.5) + restless;
    return count > mean ? -log_tail_negbin(count, mean, dispersion) / log(10.0) : 0.0;
}

static void group_take(struct pattern_book *b, struct group *g, uint32_t now)
{
    struct quiet *seen = seen_of(b, g->first->hash);
    g->networks = 1;
    for (size_t i = 1; i < g->count; i++)
        g->networks += g->first[i].network != g->first[i - 1].network;
    g->hits = quiet_hits(seen, now);
    g->rate = quiet_rate(g->hits, now);
    seen->hits = (float)(g->hits + g->networks);
    seen->window = now;
}

static void add_keys(
    struct pattern *p, uint32_t number, const struct pattern_string *s, struct links *l)
{
    for (unsigned i = 0; i < s->key_count && p->key_count < PATTERN_KEYS; i++) {
        unsigned at = 0;
        while (at < p->key_count && p->key[at] < s->key[i])
            at++;
        if (at < p->key_count && p->key[at] == s->key[i])
            continue;
        memmove(&p->key[at + 1], &p->key[at], (p->key_count - at) * sizeof *p->key);
        p->key[at] = s->key[i];
        p->key_count++;
        link_put(l, s->key[i], number);
    }
}

/* A place for a new pattern; of a full book the one that was silent longest goes. */
static uint32_t place(struct pattern_book *b, struct links *l, uint32_t now)
{
    if (b->count < PATTERNS_MAX)
        return (uint32_t)b->count++;
    uint32_t oldest = PATTERN_NONE;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct pattern *p = &b->list[i];
        if (p->novel || p->last == now || p->born == now)
            continue;
        if (oldest == PATTERN_NONE || p->last < b->list[oldest].last)
            oldest = i;
    }
    if (oldest == PATTERN_NONE)
        return PATTERN_NONE;
    size_t left = 0;
    size_t sorted = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (l->list[i].pattern == oldest)
            continue;
        sorted += i < l->sorted;
        l->list[left++] = l->list[i];
    }
    l->sorted = sorted;
    l->count = left;
    b->left_out++;
    return oldest;
}

/* The string of this group is nobody's: is it to be a pattern? */
static uint32_t birth(
    struct pattern_book *b, struct links *l, const struct group *g, uint32_t now)
{
    const double expected_most = 2.0; /* networks in two hours of what is still news */
    bool learned = now > b->learn;
    if (g->networks < PATTERN_NETWORKS)
        return PATTERN_NONE;
    uint32_t number = place(b, l, now);
    if (number == PATTERN_NONE)
        return number;
    struct pattern *p = &b->list[number];
    *p = (struct pattern){.id = b->next_id++,
        .born = now,
        .last = now,
        .novel = learned && g->rate * 2.0 * b->hour < expected_most,
        .rate = g->rate,
        .hits = g->hits};
    add_keys(p, number, g->first, l);
    return number;
}

static void nets_add(struct pattern *p, const struct group *g)
{
    for (size_t i = 0; i < g->count; i++)
        p->nets[0][g->first[i].network >> 6 & 1] |= UINT64_C(1) << (g->first[i].network & 63);
}

static void group_assign(struct pattern_book *b, struct links *l, const struct group *g,
    struct pattern_string *strings, uint32_t now)
{
    uint32_t number = pattern_of(b, l, g->first);
    if (number == PATTERN_NONE && now > b->learn) {
        number = novel_kin(b, l, g->first);
        if (number != PATTERN_NONE) {
            b->list[number].rate += g->rate;
            add_keys(&b->list[number], number, g->first, l);
        }
    }
    if (number == PATTERN_NONE)
        number = birth(b, l, g, now);
    if (number == PATTERN_NONE || !b->list[number].novel)
        tail_add(&b->tail, minus_log10_p(g->networks, g->rate, g->hits));
    if (number == PATTERN_NONE)
        return;
    struct pattern *p = &b->list[number];
    p->last = now;
    p->sources += (uint32_t)g->count;
    p->networks += g->networks;
    nets_add(p, g);
    for (size_t i = 0; i < g->count; i++)
        strings[i].pattern = number;
}

/* Before a window: a new hour begins another map, and what is a day old is no news. */
static void pattern_begin(const struct pattern_book *b, struct pattern *p, uint32_t now)
{
    p->sources = p->networks = 0;
    p->history = (uint8_t)(p->history << 1);
    if (now - p->born > b->day)
        p->novel = false;
    if (now % b->hour)
        return;
    memcpy(p->nets[1], p->nets[0], sizeof p->nets[0]);
    memset(p->nets[0], 0, sizeof p->nets[0]);
}

enum err patterns_take(struct pattern_book *b, const struct profiles *t,
    const struct profile_rows *rows, uint32_t now, struct arena *scratch,
    struct pattern_strings *ret_strings)
{
    struct pattern_strings s;
    struct links l;
    enum err e = strings_make(t, rows, now, scratch, &s);
    if (!e)
        e = links_make(b, scratch, &l);
    if (e)
        return e;
    for (size_t i = 0; i < b->count; i++)
        pattern_begin(b, &b->list[i], now);
    if (now % b->day == 0)
        tail_decay(&b->tail);
    for (size_t from = 0, to; from < s.count; from = to) {
        for (to = from; to < s.count && s.list[to].hash == s.list[from].hash;)
            to++;
        struct group g = {.first = &s.list[from], .count = to - from};
        group_take(b, &g, now);
        group_assign(b, &l, &g, &s.list[from], now);
        s.groups++;
    }
    for (size_t i = 0; i < b->count; i++)
        amount_take(&b->list[i].amount, now, b->day, b->list[i].networks);
    *ret_strings = s;
    return OK;
}

void pattern_novelty(
    const struct pattern_book *b, const struct pattern *p, uint32_t now, struct novelty *ret)
{
    uint32_t windows = b->hour + now % b->hour + 1;
    windows = windows < now - p->born + 1 ? windows : now - p->born + 1;
    ret->networks = maps_count(p->nets[0], p->nets[1]);
    ret->expected = p->rate * windows;
    ret->log10_p = tail_correct(&b->tail, minus_log10_p(ret->networks, ret->expected, p->hits));
}
