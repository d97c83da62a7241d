/* Rules from labelled sources, one after the other. Conditions are sets of sources as bits, so
 * that trying one costs a few hundred words. */
#include "num/order.h"
#include "screen/learn_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATOMS_MAX = 4096,
    THINGS_MAX = 1200, /* different things that may stand in a condition, the most frequent */
    CUTS = 5,          /* values tried of a number, for each label */
    LABEL_MAX = 1000,  /* sources of one label that rules are grown from */
    CLASSES_MAX = LEARN_LABELS_MAX + 1, /* labels, and those whose label stays unknown */
    RULES_GROWN = 400                   /* that one run may give */
};

struct atom {
    struct condition condition;
    uint64_t *who; /* bit `place`: the sample; part of the pool */
};

/* Sources whose label stays unknown are a label of their own, for which no rule is grown: a
 * rule that fits many of them says more than is known.
 *
 * Samples stand by label, each label from a word of its own on, so that one pass over the words
 * of a condition weighs all labels: as many of each are taken to be there, since labels say
 * nothing of how frequent what they name is. */
struct grower {
    const struct learn_task *task;
    const struct learn_sample *samples;
    size_t count;     /* of samples that take part */
    uint32_t *member; /* they: number of the sample, by label; owned */
    uint32_t *place;  /* of each of them: its bit; owned */
    size_t words;
    size_t classes;
    size_t from[CLASSES_MAX + 1]; /* first word of each label */
    size_t of[CLASSES_MAX];       /* samples of each label */
    struct atom *atoms;           /* owned */
    size_t atom_count;
    uint64_t *pool;      /* bits of all atoms; owned */
    uint64_t *left;      /* samples that no rule fits yet; owned */
    uint64_t *fits;      /* the rule that grows; owned */
    uint64_t *best_fits; /* owned */
};

/* What a rule fits of those that are left. */
struct fit {
    size_t right, wrong;
    double right_share, wrong_share; /* of the labels' samples, summed over labels */
    double least_known; /* of labels that it fits none of: what one more source would be */
};

static struct fit fit_of(
    const struct grower *g, size_t label, const uint64_t *a, const uint64_t *b)
{
    struct fit f = {0};
    for (size_t c = 0; c < g->classes; c++) {
        size_t sum = 0;
        for (size_t i = g->from[c]; i < g->from[c + 1]; i++)
            sum += (size_t)__builtin_popcountll(a[i] & b[i] & g->left[i]);
        double share = sum ? (double)sum / (double)g->of[c] : 0.0;
        if (c == label) {
            f.right = sum;
            f.right_share = share;
        } else {
            f.wrong += sum;
            f.wrong_share += share;
            if (g->of[c] && c + 1 < g->classes)
                f.least_known = fmax(f.least_known, 1.0 / ((double)g->of[c] + 1.0));
        }
    }
    return f;
}

/* --- what may stand in a rule ------------------------------------------------------------- */

/* The condition as an atom, unless it holds of too few or of all. */
static void atom_add(struct grower *g, const struct condition *c)
{
    if (g->atom_count == ATOMS_MAX)
        return;
    struct atom *a = &g->atoms[g->atom_count];
    a->condition = *c;
    a->who = g->pool + g->atom_count * g->words;
    memset(a->who, 0, g->words * sizeof *a->who);
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++)
        if (condition_holds(c, &g->samples[g->member[i]].suspect)) {
            a->who[g->place[i] / 64] |= UINT64_C(1) << g->place[i] % 64;
            count++;
        }
    if (count >= g->task->options.support)
        g->atom_count++;
}

static size_t label_of(const struct grower *g, size_t member)
{
    size_t word = g->place[member] / 64;
    size_t c = 0;
    while (g->from[c + 1] <= word)
        c++;
    return c;
}

struct tallied {
    thing_key key;
    uint32_t sources;
};

static int by_sources(const void *a, const void *b)
{
    const struct tallied *x = a;
    const struct tallied *y = b;
    if (x->sources != y->sources)
        return x->sources > y->sources ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

/* The things of the samples of one label (LEARN_UNKNOWN: of all), most frequent first. */
static enum err things_tally(
    const struct grower *g, uint16_t label, struct tallied **ret_list, size_t *ret_count)
{
    thing_key *keys = malloc((g->count * PROFILE_THINGS + 1) * sizeof *keys);
    struct tallied *list = malloc((g->count * PROFILE_THINGS + 1) * sizeof *list);
    size_t count = 0;
    size_t different = 0;
    if (!keys || !list) {
        free(keys);
        free(list);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < g->count; i++) {
        const struct suspect *s = &g->samples[g->member[i]].suspect;
        bool wanted = label == LEARN_UNKNOWN || label_of(g, i) == label;
        for (unsigned k = 0; wanted && k < s->thing_count; k++)
            keys[count++] = s->thing[k];
    }
    qsort(keys, count, sizeof *keys, compare_u64);
    for (size_t i = 0; i < count; i++) {
        if (!i || keys[i] != keys[i - 1])
            list[different++] = (struct tallied){keys[i], 0};
        list[different - 1].sources++;
    }
    free(keys);
    qsort(list, different, sizeof *list, by_sources);
    *ret_list = list;
    *ret_count = different;
    return OK;
}

static struct thing_match exactly(const struct grower *g, thing_key key)
{
    struct thing_match m = thing_match_of(key, &g->task->profiles->words);
    m.any_tool = !g->task->options.tools;
    return m;
}

static void thing_atoms(struct grower *g, thing_key key)
{
    struct condition c = {.kind = CONDITION_SENDS, .feature = FEATURE_COUNT, .thing_count = 1};
    c.thing[0] = exactly(g, key);
    atom_add(g, &c);
    c.thing[0] =
        (struct thing_match){.service = thing_service(key), .flags = -1, .any_tool = true};
    for (size_t i = 0; i < g->atom_count; i++) { /* another size of the service was here */
        const struct condition *other = &g->atoms[i].condition;
        if (other->kind == CONDITION_SENDS && other->thing[0].any_tool &&
            other->thing[0].service == c.thing[0].service)
            return;
    }
    atom_add(g, &c);
}

/* "Only what this family sends": its most frequent things, and its services whatever their
 * size.
 */
static enum err family_atoms(struct grower *g, uint16_t label)
{
    struct tallied *list;
    size_t count;
    enum err e = things_tally(g, label, &list, &count);
    if (e)
        return e;
    for (int open = 0; open < 2; open++) {
        struct condition c = {.kind = CONDITION_ONLY, .feature = FEATURE_COUNT};
        for (size_t i = 0; i < count && c.thing_count < RULE_THINGS; i++) {
            if (list[i].sources < g->task->options.support)
                break;
            struct thing_match m = exactly(g, list[i].key);
            if (open)
                m = (struct thing_match){.service = m.service, .flags = -1, .any_tool = true};
            bool there = false;
            for (unsigned k = 0; open && k < c.thing_count; k++)
                there |= c.thing[k].service == m.service;
            if (there)
                continue;
            c.thing[c.thing_count++] = m;
            if (c.thing_count == 1 || c.thing_count == 2 || c.thing_count == 4 ||
                c.thing_count == 8)
                atom_add(g, &c);
        }
        if (c.thing_count)
            atom_add(g, &c);
    }
    free(list);
    return OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A number's quantiles among the samples of each label, from both sides. */
static enum err number_atoms(struct grower *g, enum feature f)
{
    double *values = malloc((g->count + 1) * sizeof *values);
    double cuts[LEARN_LABELS_MAX * CUTS];
    size_t cut_count = 0;
    if (!values)
        return ERR_NOMEM;
    for (size_t c = 0, at = 0; c < g->task->label_count; at += g->of[c++]) {
        for (size_t i = 0; i < g->of[c]; i++)
            values[i] = g->samples[g->member[at + i]].suspect.feature[f];
        qsort(values, g->of[c], sizeof *values, by_value);
        for (size_t k = 0; k < CUTS && g->of[c]; k++)
            cuts[cut_count++] = fmin(ceil(values[k * (g->of[c] - 1) / (CUTS - 1)]), 1e9);
    }
    qsort(cuts, cut_count, sizeof *cuts, by_value);
    double last = -1.0;
    for (size_t k = 0; k < cut_count; k++) {
        if (cuts[k] <= last)
            continue;
        last = cuts[k];
        struct condition c = {.kind = CONDITION_AT_LEAST, .feature = f, .value = last};
        atom_add(g, &c);
        c.kind = CONDITION_AT_MOST;
        atom_add(g, &c);
    }
    free(values);
    return OK;
}

/* Windows that many sources keep to: a program's constant. */
static enum err window_atoms(struct grower *g)
{
    uint32_t *sources = calloc(65536, sizeof *sources);
    if (!sources)
        return ERR_NOMEM;
    for (size_t i = 0; i < g->count; i++)
        sources[g->samples[g->member[i]].suspect.profile->win]++;
    for (uint32_t win = 0; win < 65536; win++) {
        if (sources[win] < 3 * g->task->options.support)
            continue;
        struct condition c = {.kind = CONDITION_AT_LEAST, .feature = FEATURE_WIN, .value = win};
        if (win)
            atom_add(g, &c);
        c.kind = CONDITION_AT_MOST;
        atom_add(g, &c);
    }
    free(sources);
    return OK;
}

static void tool_atoms(struct grower *g)
{
    const struct words *words = &g->task->profiles->words;
    for (unsigned i = 1; i < words->count; i++) {
        struct condition c = {.kind = CONDITION_TOOL, .feature = FEATURE_COUNT};
        memcpy(c.word, words->word[i], sizeof c.word);
        atom_add(g, &c);
    }
    struct condition worm = {.kind = CONDITION_CLASS, .feature = FEATURE_COUNT, .word = "worm"};
    atom_add(g, &worm);
}

static enum err atoms_make(struct grower *g)
{
    struct tallied *list;
    size_t count;
    if (g->task->options.tools)
        tool_atoms(g);
    enum err e = window_atoms(g);
    for (unsigned f = 0; !e && f < FEATURE_COUNT; f++)
        if (f != FEATURE_WIN)
            e = number_atoms(g, (enum feature)f);
    for (size_t c = 0; !e && c < g->task->label_count; c++)
        e = family_atoms(g, (uint16_t)c);
    if (!e)
        e = things_tally(g, LEARN_UNKNOWN, &list, &count);
    if (e)
        return e;
    for (size_t i = 0; i < count && i < THINGS_MAX; i++)
        if (list[i].sources >= g->task->options.support)
            thing_atoms(g, list[i].key);
    free(list);
    return OK;
}

/* --- growing ------------------------------------------------------------------------------ */

struct growing {
    const struct atom *atoms[RULE_CONDITIONS];
    unsigned count;
    struct fit fit;
};

/* Share of what it fits that is right, if there were as many of each label; the doubt of few
 * sources is that of one more that is wrong. */
static double precision(const struct grower *g, size_t label, const struct fit *f)
{
    double doubt = 1.0 / ((double)g->of[label] + 1.0);
    return f->right_share / (f->right_share + f->wrong_share + doubt);
}

/* Is the rule precise enough to be kept? One without things fits by numbers that others may
 * have as well, though none of those few that are labelled does: it has to be surer. */
static bool is_precise(const struct grower *g, const struct growing *r)
{
    bool things = false;
    for (unsigned i = 0; i < r->count; i++)
        things |= r->atoms[i]->condition.kind == CONDITION_ONLY ||
                  r->atoms[i]->condition.kind == CONDITION_SENDS ||
                  r->atoms[i]->condition.kind == CONDITION_TOOL;
    const struct fit *f = &r->fit;
    double doubt = things ? 0.0 : f->least_known;
    return f->right >= g->task->options.support &&
           f->right_share >=
               g->task->options.confidence * (f->right_share + f->wrong_share + doubt);
}

/* The condition that gains most: right sources kept, times how much surer it makes. */
static const struct atom *gain_best(const struct grower *g, size_t label, bool only,
    const struct growing *now, struct growing *ret)
{
    const struct atom *best = NULL;
    double most = 0.0;
    double before = log2(precision(g, label, &now->fit) + 1e-9);
    for (size_t i = 0; i < g->atom_count; i++) {
        const struct atom *a = &g->atoms[i];
        if (only && a->condition.kind != CONDITION_ONLY)
            continue;
        struct fit fit = fit_of(g, label, g->fits, a->who);
        if (fit.right < g->task->options.support)
            continue;
        double gain = fit.right_share * (log2(precision(g, label, &fit)) - before);
        if (gain <= most + 1e-12)
            continue;
        most = gain;
        best = a;
        ret->fit = fit;
    }
    return best;
}

/* A rule that begins with all that a source sends says most of what it is, and covers all of
 * it; others are tried where there is none. */
static struct growing grow_one(struct grower *g, size_t label, bool only_first)
{
    const double pure = 0.002; /* of other labels' sources: nothing is left to gain */
    memset(g->fits, 0xff, g->words * sizeof *g->fits);
    struct growing now = {.fit = fit_of(g, label, g->fits, g->fits)};
    while (now.count < g->task->options.conditions &&
           now.fit.right >= g->task->options.support && now.fit.wrong_share > pure) {
        struct growing next = now;
        const struct atom *a = gain_best(g, label, only_first && !now.count, &now, &next);
        if (!a)
            break;
        next.atoms[next.count++] = a;
        for (size_t k = 0; k < g->words; k++)
            g->fits[k] &= a->who[k];
        now = next;
    }
    return now;
}

/* The label whose next rule is best: by what it explains, among those that are precise enough.
 */
static bool grow_best(struct grower *g, size_t *ret_label, struct growing *ret)
{
    double most = 0.0;
    for (size_t c = 0; c < g->task->label_count; c++) {
        struct growing r = grow_one(g, c, true);
        if (!r.count || !is_precise(g, &r))
            r = grow_one(g, c, false);
        if (!r.count || !is_precise(g, &r))
            continue;
        double sure = precision(g, c, &r.fit);
        double worth = sure * sure * sqrt(r.fit.right_share);
        if (worth <= most)
            continue;
        most = worth;
        *ret_label = c;
        *ret = r;
        memcpy(g->best_fits, g->fits, g->words * sizeof *g->fits);
    }
    return most > 0.0;
}

static enum err rule_keep(
    struct grower *g, size_t label, const struct growing *grown, struct rules *ret_rules)
{
    struct rule r = {
        .tag = TAG_COUNT, .support = (uint32_t)(grown->fit.right + grown->fit.wrong)};
    snprintf(r.label, sizeof r.label, "%s", g->task->labels[label]);
    for (unsigned n = 1;; n++) {
        snprintf(r.name, sizeof r.name, "%.56s-%u", r.label, n);
        if (!rules_find(ret_rules, r.name))
            break;
    }
    for (unsigned i = 0; i < grown->count; i++)
        r.condition[r.condition_count++] = grown->atoms[i]->condition;
    for (size_t k = 0; k < g->words; k++)
        g->left[k] &= ~g->best_fits[k];
    return rules_add(ret_rules, &r);
}

/* --- who takes part ----------------------------------------------------------------------- */

struct candidate {
    uint32_t sample;
    uint16_t label;
    bool given; /* not taken over */
    uint64_t hash;
};

static int by_label(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->given != y->given)
        return x->given ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Of each label those to whom it was given, then others by the hash of their address. */
static enum err members_choose(struct grower *g, size_t samples, const uint16_t *label)
{
    struct candidate *list = malloc((samples + 1) * sizeof *list);
    g->member = malloc((samples + 1) * sizeof *g->member);
    g->place = malloc((samples + 1) * sizeof *g->place);
    size_t count = 0;
    if (!list || !g->member || !g->place) {
        free(list);
        return ERR_NOMEM;
    }
    g->classes = g->task->label_count + 1;
    for (size_t i = 0; i < samples; i++) {
        bool known = label[i] != LEARN_UNKNOWN;
        list[count++] =
            (struct candidate){(uint32_t)i, known ? label[i] : (uint16_t)(g->classes - 1),
                g->samples[i].label != LEARN_UNKNOWN, g->samples[i].suspect.profile->hash};
    }
    qsort(list, count, sizeof *list, by_label);
    size_t bit = 0;
    for (size_t c = 0, at = 0; c < g->classes; c++) {
        g->from[c] = bit / 64;
        for (; at < count && list[at].label == c; at++) {
            if (g->of[c] == LABEL_MAX)
                continue;
            g->of[c]++;
            g->member[g->count] = list[at].sample;
            g->place[g->count++] = (uint32_t)bit++;
        }
        bit = (bit + 63) / 64 * 64;
    }
    g->words = bit / 64;
    for (size_t c = g->classes; c <= CLASSES_MAX; c++)
        g->from[c] = g->words;
    free(list);
    return OK;
}

static enum err room_make(struct grower *g)
{
    g->atoms = calloc(ATOMS_MAX, sizeof *g->atoms);
    g->pool = malloc(ATOMS_MAX * g->words * sizeof *g->pool);
    g->left = calloc(g->words, sizeof *g->left);
    g->fits = calloc(g->words, sizeof *g->fits);
    g->best_fits = calloc(g->words, sizeof *g->best_fits);
    if (!g->atoms || !g->pool || !g->left || !g->fits || !g->best_fits)
        return ERR_NOMEM;
    for (size_t i = 0; i < g->count; i++)
        g->left[g->place[i] / 64] |= UINT64_C(1) << g->place[i] % 64;
    return OK;
}

enum err learn_grow(const struct learn_task *task, const struct learn_sample *samples,
    size_t count, const uint16_t *label, struct rules *ret_rules)
{
    struct grower g = {.task = task, .samples = samples};
    enum err e = members_choose(&g, count, label);
    if (!e && g.count)
        e = room_make(&g);
    if (!e && g.count)
        e = atoms_make(&g);
    for (size_t n = 0; !e && g.count && n < RULES_GROWN; n++) {
        size_t best = 0;
        struct growing grown = {.count = 0};
        if (!grow_best(&g, &best, &grown))
            break;
        e = rule_keep(&g, best, &grown, ret_rules);
    }
    free(g.member);
    free(g.place);
    free(g.atoms);
    free(g.pool);
    free(g.left);
    free(g.fits);
    free(g.best_fits);
    return e;
}
