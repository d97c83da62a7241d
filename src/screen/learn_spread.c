/* Labels that spread over what sources have in common. */
#include "base/index.h"
#include "num/order.h"
#include "screen/learn_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 20,
    TRAITS_OF_ONE = 4 * PROFILE_THINGS + 16,
    TRAITS_MAX = 1 << 22
};

/* --- traits ------------------------------------------------------------------------------- */

enum trait_kind {
    TRAIT_THING,
    TRAIT_THING_WIN,
    TRAIT_SERVICE,
    TRAIT_TOOL,
    TRAIT_ALL,
    TRAIT_NUMBER,
    TRAIT_NUMBERS
};

static uint64_t trait_hash(enum trait_kind kind, uint64_t a, uint64_t b)
{
    return hash_two(hash_two((uint64_t)kind, a), b);
}

/* Numbers in classes, each twice as wide as the one before. */
static uint64_t size_class(double value)
{
    return (uint64_t)log2(1.0 + value);
}

/* Each thing by itself, with the window, and all of them together. */
static unsigned traits_of(const struct suspect *s, uint64_t *to, float *weight)
{
    unsigned count = 0;
    thing_key all[PROFILE_THINGS];
    memcpy(all, s->thing, s->thing_count * sizeof *all);
    qsort(all, s->thing_count, sizeof *all, compare_u64);
    uint64_t sum = 0;
    for (unsigned i = 0; i < s->thing_count; i++) {
        to[count++] = trait_hash(TRAIT_THING, all[i], 0);
        if (s->profile->win)
            to[count++] = trait_hash(TRAIT_THING_WIN, all[i], s->profile->win);
        to[count++] = trait_hash(TRAIT_SERVICE, thing_service(all[i]), 0);
        if (thing_tool(all[i]))
            to[count++] = trait_hash(TRAIT_TOOL, thing_tool(all[i]), 0);
        sum = hash_two(sum, all[i]);
    }
    if (s->thing_count > 1)
        to[count++] = trait_hash(TRAIT_ALL, sum, s->profile->win);
    unsigned things = count;
    for (unsigned i = 0; i < things; i++)
        weight[i] = 1.0F / (float)s->thing_count;
    static const enum feature numbers[] = {
        FEATURE_SERVICES, FEATURE_NEIGHBOURS, FEATURE_RATE, FEATURE_STEADY};
    enum {
        NUMBERS = sizeof numbers / sizeof *numbers
    };
    for (unsigned i = 0; i < NUMBERS; i++) {
        uint64_t a = size_class(s->feature[numbers[i]]);
        to[count++] = trait_hash(TRAIT_NUMBER, numbers[i], a);
        for (unsigned k = 0; k < i; k++)
            to[count++] = trait_hash(
                TRAIT_NUMBERS, i << 8 | k, a << 8 | size_class(s->feature[numbers[k]]));
    }
    for (unsigned i = things; i < count; i++)
        weight[i] = 1.0F;
    return count;
}

struct numbering {
    struct index index;
    uint64_t *hash; /* by number; owned */
    size_t count;
};

static enum err number_of(struct numbering *n, uint64_t hash, uint32_t *ret_number)
{
    uint32_t number;
    size_t at = index_first(&n->index, hash);
    for (; index_at(&n->index, at, hash, &number); at = index_next(&n->index, at))
        if (number != INDEX_OTHER && n->hash[number] == hash) {
            *ret_number = number;
            return OK;
        }
    enum err e = index_put(&n->index, at, hash, (uint32_t)n->count);
    if (e)
        return e;
    n->hash[n->count] = hash;
    *ret_number = (uint32_t)n->count++;
    return OK;
}

void learn_traits_done(struct learn_traits *t)
{
    free(t->first);
    free(t->trait);
    free(t->weight);
    *t = (struct learn_traits){0};
}

enum err learn_traits_make(
    const struct learn_sample *samples, size_t count, struct learn_traits *ret_traits)
{
    struct learn_traits t = {0};
    struct numbering n = {0};
    size_t room = count * TRAITS_OF_ONE < TRAITS_MAX ? count * TRAITS_OF_ONE : TRAITS_MAX;
    t.first = malloc((count + 1) * sizeof *t.first);
    t.trait = malloc((count * TRAITS_OF_ONE + 1) * sizeof *t.trait);
    t.weight = malloc((count * TRAITS_OF_ONE + 1) * sizeof *t.weight);
    n.hash = malloc((room + 1) * sizeof *n.hash);
    enum err e = t.first && t.trait && t.weight && n.hash ? OK : ERR_NOMEM;
    if (!e)
        e = index_init(&n.index, room + 1);
    for (size_t i = 0; !e && i < count; i++) {
        uint64_t hashes[TRAITS_OF_ONE];
        unsigned of_one = traits_of(&samples[i].suspect, hashes, &t.weight[t.edge_count]);
        t.first[i] = (uint32_t)t.edge_count;
        for (unsigned k = 0; !e && k < of_one; k++)
            e = number_of(&n, hashes[k], &t.trait[t.edge_count++]);
    }
    if (!e) {
        t.first[count] = (uint32_t)t.edge_count;
        t.trait_count = n.count;
        *ret_traits = t;
    } else {
        learn_traits_done(&t);
    }
    index_done(&n.index);
    free(n.hash);
    return e;
}

/* --- spreading ---------------------------------------------------------------------------- */

struct spread {
    const struct learn_sample *samples;
    size_t count, labels;
    struct learn_traits traits;
    float *belief;                 /* sample by label */
    float *of;                     /* trait by label: sums of beliefs */
    double mass[LEARN_LABELS_MAX]; /* all beliefs in a label */
};

/* What a belief passes on: nothing unless it is the likelier half, or the doubts about a
 * frequent label would drown the rare ones. */
static double passed_on(float belief)
{
    return belief > 0.5F ? 2.0 * (double)belief - 1.0 : 0.0;
}

static void traits_sum(struct spread *s)
{
    memset(s->of, 0, s->traits.trait_count * s->labels * sizeof *s->of);
    for (size_t c = 0; c < s->labels; c++) {
        s->mass[c] = 1.0;
        for (size_t i = 0; i < s->count; i++)
            s->mass[c] += passed_on(s->belief[i * s->labels + c]);
    }
    for (size_t i = 0; i < s->count; i++)
        for (uint32_t k = s->traits.first[i]; k < s->traits.first[i + 1]; k++) {
            float *to = &s->of[s->traits.trait[k] * s->labels];
            for (size_t c = 0; c < s->labels; c++)
                to[c] += s->traits.weight[k] * (float)passed_on(s->belief[i * s->labels + c]);
        }
}

/* How much a trait tells, given what is said of the others that have it: its purity, times how
 * much is said at all. Labels count by the share of their own that has the trait, so that a
 * frequent one does not make its own what all have; half a belief without a label is in each
 * trait, so that nothing is sure. */
static double share_of(const struct spread *s, uint32_t edge, const float *own, double *shares)
{
    const double doubt = 0.5;
    const float *of = &s->of[s->traits.trait[edge] * s->labels];
    const double vote = (double)s->traits.weight[edge];
    double sum = 0.0;
    double raw = 0.0;
    double most = 0.0;
    double second = 0.0;
    for (size_t c = 0; c < s->labels; c++) {
        double here = fmax((double)of[c] - vote * passed_on(own[c]), 0.0);
        raw += here;
        shares[c] = here / s->mass[c];
        sum += shares[c];
        if (shares[c] > most) {
            second = most;
            most = shares[c];
        } else if (shares[c] > second) {
            second = shares[c];
        }
    }
    double said = raw / (raw + doubt);
    for (size_t c = 0; c < s->labels; c++)
        shares[c] *= sum > 0.0 ? said / sum : 0.0;
    double purity = sum > 0.0 ? (most - second) / sum : 0.0;
    return vote * purity * purity * purity * said;
}

/* What its traits say of a sample, without what it says itself. */
static void judge(const struct spread *s, size_t sample, double *ret_belief)
{
    double shares[LEARN_LABELS_MAX];
    double all = 1e-9;
    const float *own = &s->belief[sample * s->labels];
    memset(ret_belief, 0, s->labels * sizeof *ret_belief);
    for (uint32_t k = s->traits.first[sample]; k < s->traits.first[sample + 1]; k++) {
        double w = share_of(s, k, own, shares);
        for (size_t c = 0; c < s->labels; c++)
            ret_belief[c] += w * shares[c];
        all += w;
    }
    for (size_t c = 0; c < s->labels; c++)
        ret_belief[c] /= all;
}

static void round_of(struct spread *s)
{
    double belief[LEARN_LABELS_MAX];
    traits_sum(s);
    for (size_t i = 0; i < s->count; i++) {
        if (s->samples[i].label != LEARN_UNKNOWN)
            continue;
        judge(s, i, belief);
        for (size_t c = 0; c < s->labels; c++)
            s->belief[i * s->labels + c] = (float)belief[c];
    }
}

static size_t best_of(const double *belief, size_t labels)
{
    size_t best = 0;
    for (size_t c = 1; c < labels; c++)
        if (belief[c] > belief[best])
            best = c;
    return best;
}

struct trial {
    double belief;
    bool right;
};

static int by_belief(const void *a, const void *b)
{
    const struct trial *x = a;
    const struct trial *y = b;
    if (x->belief > y->belief || x->belief < y->belief)
        return x->belief > y->belief ? -1 : 1;
    return (int)y->right - (int)x->right;
}

/* The least belief of which, among labelled samples judged by the others, the wanted share is
 * right; at least a half. */
static enum err sure_from(const struct spread *s, double confidence, double *ret_sure)
{
    struct trial *trials = malloc((s->count + 1) * sizeof *trials);
    double belief[LEARN_LABELS_MAX];
    size_t count = 0;
    if (!trials)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->count; i++) {
        if (s->samples[i].label == LEARN_UNKNOWN)
            continue;
        judge(s, i, belief);
        size_t best = best_of(belief, s->labels);
        trials[count++] = (struct trial){belief[best], best == s->samples[i].label};
    }
    qsort(trials, count, sizeof *trials, by_belief);
    double sure = 1.0;
    size_t right = 0;
    for (size_t i = 0; i < count; i++) {
        right += trials[i].right;
        if ((double)right >= confidence * (double)(i + 1))
            sure = trials[i].belief;
    }
    free(trials);
    *ret_sure = fmax(sure, 0.5);
    return OK;
}

static enum err spread_run(
    struct spread *s, double confidence, uint16_t *ret_label, double *ret_sure)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->samples[i].label != LEARN_UNKNOWN)
            s->belief[i * s->labels + s->samples[i].label] = 1.0F;
    for (unsigned n = 0; n < ROUNDS; n++)
        round_of(s);
    traits_sum(s);
    enum err e = sure_from(s, confidence, ret_sure);
    for (size_t i = 0; !e && i < s->count; i++) {
        double belief[LEARN_LABELS_MAX];
        ret_label[i] = s->samples[i].label;
        if (ret_label[i] != LEARN_UNKNOWN)
            continue;
        judge(s, i, belief);
        size_t best = best_of(belief, s->labels);
        if (belief[best] >= *ret_sure)
            ret_label[i] = (uint16_t)best;
    }
    return e;
}

enum err learn_spread(const struct learn_sample *samples, size_t count, size_t labels,
    double confidence, uint16_t *ret_label, double *ret_sure)
{
    struct spread s = {.samples = samples, .count = count, .labels = labels};
    enum err e = learn_traits_make(samples, count, &s.traits);
    if (e)
        return e;
    s.belief = calloc(count * labels + 1, sizeof *s.belief);
    s.of = calloc(s.traits.trait_count * labels + 1, sizeof *s.of);
    e = s.belief && s.of ? spread_run(&s, confidence, ret_label, ret_sure) : ERR_NOMEM;
    free(s.belief);
    free(s.of);
    learn_traits_done(&s.traits);
    return e;
}
