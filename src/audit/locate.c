#include "audit/locate.h"

#include "base/hash.h"
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS = LOCATE_NETWORKS / 64,
    PATIENCE = 24, /* steps */
    PLANES = 14,   /* bits of a counter of rows: LOCATE_ROWS_MAX fits */
};

static_assert(LOCATE_ROWS_MAX < 1 << PLANES, "a counter holds all rows");

/* Counters of all networks at once, a bit plane a word: adding one row costs a few operations
 * for 64 networks. */
struct counters {
    uint64_t plane[PLANES][WORDS];
};

struct trial {
    const struct locate_options *o;
    struct rng rng;
    uint64_t secret;
    uint16_t site[LOCATE_SITES_MAX];
    struct publication_row *rows;
    size_t published;  /* rows of his, so far */
    double share;      /* of the networks that a key goes to */
    unsigned halvings; /* of a half, until it is that share */
    double in_counted,
        in_missing; /* what a network's presence in a set is worth, log-likelihood */
    struct counters *counted, *missing;
    uint64_t *set; /* WORDS */
};

static void counters_add(struct counters *c, const uint64_t *set)
{
    for (size_t w = 0; w < WORDS; w++) {
        uint64_t carry = set[w];
        for (unsigned p = 0; carry && p < PLANES; p++) {
            uint64_t held = c->plane[p][w];
            c->plane[p][w] = held ^ carry;
            carry &= held;
        }
    }
}

static unsigned counters_get(const struct counters *c, size_t network)
{
    unsigned count = 0;
    for (unsigned p = 0; p < PLANES; p++)
        count |= (unsigned)(c->plane[p][network / 64] >> network % 64 & 1) << p;
    return count;
}

static void sites_draw(struct trial *t)
{
    for (unsigned i = 0; i < t->o->sites; i++)
        for (;;) {
            t->site[i] = (uint16_t)rng_below(&t->rng, LOCATE_NETWORKS);
            unsigned same = 0;
            while (same < i && t->site[same] != t->site[i])
                same++;
            if (same == i)
                break;
        }
}

static int64_t step_start(const struct trial *t, unsigned step)
{
    return (int64_t)step * t->o->policy->step;
}

/* Keys of the attacker begin here; those before are real ports. */
enum {
    FIRST_KEY = 1 << 20
};

/* What one step publishes of his keys: hit[k] is how many sites key k reached; ret_seen[k]
 * whether it has a row. With sites apart, a key has a row wherever one site saw enough. */
static void step_publish(
    struct trial *t, unsigned step, const uint8_t *hit, unsigned keys, bool *ret_seen)
{
    const struct locate_options *o = t->o;
    size_t n = 0;
    memset(ret_seen, 0, keys * sizeof *ret_seen);
    for (size_t i = 0; i < o->background_count; i++)
        t->rows[n++] = (struct publication_row){
            .key = (uint32_t)i, .sources = o->background[i], .sites = o->sites};
    for (unsigned k = 0; k < keys; k++)
        if (hit[k])
            t->rows[n++] = (struct publication_row){.key = FIRST_KEY + k,
                .sources = o->sources,
                .sites = o->policy->merge_sites ? hit[k] : 1};
    const struct locate_publisher *p = &o->publisher;
    n = p->publish ? p->publish(p->context, step_start(t, step), t->rows, n)
                   : publication_rows(o->policy, t->secret, step_start(t, step), t->rows, n);
    for (size_t i = 0; i < n; i++)
        if (t->rows[i].key >= FIRST_KEY) {
            ret_seen[t->rows[i].key - FIRST_KEY] = true;
            t->published++;
        }
}

static bool is_site(const struct trial *t, uint32_t network)
{
    for (unsigned i = 0; i < t->o->sites; i++)
        if (t->site[i] == network)
            return true;
    return false;
}

/* Groups: the candidates, `*count` of them, are dealt out to the keys, and those of keys that
 * were counted are left. False: nothing was counted. */
static bool groups_step(struct trial *t, unsigned step, uint32_t *candidate, size_t *count,
    uint8_t *hit, bool *seen)
{
    unsigned keys = t->o->keys;
    memset(hit, 0, keys);
    for (size_t i = 0; i < *count; i++)
        if (is_site(t, candidate[i]) && hit[i % keys] < UINT8_MAX)
            hit[i % keys]++;
    step_publish(t, step, hit, keys, seen);
    size_t left = 0;
    for (size_t i = 0; i < *count; i++)
        if (seen[i % keys])
            candidate[left++] = candidate[i];
    if (!left)
        return false;
    *count = left;
    return true;
}

/* At most one step out of four, for the least number of sites may leave nothing to see. */
static bool groups_attack(
    struct trial *t, uint32_t *candidate, uint8_t *hit, bool *seen, uint32_t *ret_guess)
{
    size_t count = LOCATE_NETWORKS;
    bool any = false;
    for (size_t i = 0; i < count; i++)
        candidate[i] = (uint32_t)i;
    unsigned steps = t->o->steps > 16 ? 16 : t->o->steps;
    for (unsigned step = 0; step < steps && count > 1; step++) {
        /* Shuffled, so that a second try divides them otherwise. */
        for (size_t i = count - 1; i > 0; i--) {
            size_t other = rng_below(&t->rng, i + 1);
            uint32_t held = candidate[i];
            candidate[i] = candidate[other];
            candidate[other] = held;
        }
        any |= groups_step(t, step, candidate, &count, hit, seen);
    }
    *ret_guess = candidate[0];
    return any && count <= t->o->sites;
}

/* P(at least `least` of n, each with probability p). */
static double at_least(unsigned n, unsigned least, double p)
{
    double term = pow(1 - p, n), below = 0;
    for (unsigned k = 0; k < least && k <= n; k++) {
        below += term;
        term *= (double)(n - k) / (k + 1) * p / (1 - p);
    }
    return below < 1 ? 1 - below : 0;
}

/* The share of networks that makes counted and missing about equally likely, and what it then
 * tells that a network was in a set. */
static void halves_plan(struct trial *t)
{
    static const double shares[] = {0.0625, 0.125, 0.25, 0.5, 0.75};
    unsigned n = t->o->sites, least = t->o->policy->least_sites;
    double best = 2;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double p = at_least(n, least, shares[i]);
        if (fabs(p - 0.5) < best) {
            best = fabs(p - 0.5);
            t->share = shares[i];
            t->halvings = i < 3 ? (unsigned)(3 - i) : 0;
        }
    }
    double in = at_least(n - 1, least ? least - 1 : 0, t->share);
    double out = at_least(n - 1, least, t->share);
    in = fmin(fmax(in, 0.01), 0.99);
    out = fmin(fmax(out, 0.01), 0.99);
    t->in_counted = log(in / out);
    t->in_missing = log((1 - in) / (1 - out));
}

static void set_draw(struct trial *t)
{
    for (size_t w = 0; w < WORDS; w++) {
        uint64_t x = rng_u64(&t->rng);
        if (t->share > 0.5)
            x |= rng_u64(&t->rng);
        for (unsigned n = t->halvings; n > 0; n--)
            x &= rng_u64(&t->rng);
        t->set[w] = x;
    }
}

static unsigned set_hits(const struct trial *t)
{
    unsigned hits = 0;
    for (unsigned i = 0; i < t->o->sites; i++)
        hits += t->set[t->site[i] / 64] >> t->site[i] % 64 & 1;
    return hits;
}

/* A key that had no row tells something only if it could have had one: he counts a step's
 * missing keys when he saw any of his in it. */
static void halves_step(struct trial *t, unsigned step, unsigned keys, uint8_t *hit, bool *seen)
{
    struct rng again = t->rng;
    for (unsigned k = 0; k < keys; k++) {
        set_draw(t);
        hit[k] = (uint8_t)set_hits(t);
    }
    size_t before = t->published;
    step_publish(t, step, hit, keys, seen);
    if (t->published == before)
        return;
    struct rng after = t->rng;
    t->rng = again;
    for (unsigned k = 0; k < keys; k++) {
        set_draw(t);
        counters_add(seen[k] ? t->counted : t->missing, t->set);
    }
    t->rng = after;
}

static uint32_t halves_attack(struct trial *t, uint8_t *hit, bool *seen)
{
    halves_plan(t);
    memset(t->counted, 0, sizeof *t->counted);
    memset(t->missing, 0, sizeof *t->missing);
    /* No more keys a step than can have rows: else most are missing for lack of room, which
     * says nothing. */
    const struct publication_policy *p = t->o->policy;
    unsigned keys = t->o->keys < 512 ? t->o->keys : 512;
    if (p->most_rows && keys > 2 * p->most_rows)
        keys = 2 * p->most_rows;
    unsigned steps =
        LOCATE_ROWS_MAX / keys < t->o->steps ? LOCATE_ROWS_MAX / keys : t->o->steps;
    /* Who sees none of his keys for so long sees none later: what hides them does not change.
     */
    for (unsigned step = 0; step < steps && (t->published || step < PATIENCE); step++)
        halves_step(t, step, keys, hit, seen);
    uint32_t best = (uint32_t)rng_below(&t->rng, LOCATE_NETWORKS);
    if (!t->published)
        return best;
    double most = -INFINITY;
    for (uint32_t network = 0; network < LOCATE_NETWORKS; network++) {
        double score = counters_get(t->counted, network) * t->in_counted +
                       counters_get(t->missing, network) * t->in_missing;
        if (score > most) {
            most = score;
            best = network;
        }
    }
    return best;
}

static bool trial_run(
    struct trial *t, unsigned number, uint32_t *candidate, uint8_t *hit, bool *seen)
{
    uint32_t guess;
    rng_seed(&t->rng, hash_two(t->o->seed, number));
    t->secret = rng_u64(&t->rng);
    sites_draw(t);
    if (!groups_attack(t, candidate, hit, seen, &guess))
        guess = halves_attack(t, hit, seen);
    return is_site(t, guess);
}

/* Clopper and Pearson's upper end: the share under which so few would come once in forty. */
static double share_upper(unsigned hits, unsigned trials)
{
    double low = (double)hits / trials, high = 1;
    for (int i = 0; i < 60 && hits < trials; i++) {
        double p = (low + high) / 2;
        if (1 - at_least(trials, hits + 1, p) > 0.025)
            low = p;
        else
            high = p;
    }
    return high;
}

enum err locate_run(const struct locate_options *o, struct locate_result *ret_result)
{
    assert(o->sites && o->sites <= LOCATE_SITES_MAX && o->keys >= 2 && o->trials);
    struct trial t = {.o = o};
    size_t rows = o->background_count + o->keys;
    uint32_t *candidate = malloc(LOCATE_NETWORKS * sizeof *candidate);
    uint8_t *hit = malloc(o->keys);
    bool *seen = malloc(o->keys * sizeof *seen);
    t.rows = malloc(rows * sizeof *t.rows);
    t.counted = malloc(sizeof *t.counted);
    t.missing = malloc(sizeof *t.missing);
    t.set = malloc(WORDS * sizeof *t.set);
    struct locate_result r = {.trials = o->trials};
    bool good = candidate && hit && seen && t.rows && t.counted && t.missing && t.set;
    size_t published = 0;
    for (unsigned i = 0; i < o->trials && good; i++) {
        t.published = 0;
        r.located += trial_run(&t, i, candidate, hit, seen);
        published += t.published;
    }
    r.share = (double)r.located / o->trials;
    r.upper = share_upper(r.located, o->trials);
    r.rows = (double)published / o->trials;
    free(candidate);
    free(hit);
    free(seen);
    free(t.rows);
    free(t.counted);
    free(t.missing);
    free(t.set);
    if (!good)
        return ERR_NOMEM;
    *ret_result = r;
    return OK;
}

const uint32_t locate_background[64] = {7048, 2381, 1049, 957, 862, 759, 677, 604, 556, 510,
    481, 457, 431, 405, 379, 353, 329, 308, 286, 268, 249, 233, 218, 206, 194, 184, 174, 165,
    156, 148, 141, 132, 126, 120, 114, 110, 106, 102, 99, 95, 91, 87, 83, 80, 77, 73, 70, 66,
    63, 59, 55, 52, 47, 42, 38, 34, 31, 28, 25, 23, 21, 19, 18, 17};
