/* Sets of rules: what is tried on the packets of each scope, in the order in which it tells. */
#include "sensor/signature_int.h"

#include <stdlib.h>
#include <string.h>

/* --- trials and their sieves -------------------------------------------------------------- */

static struct trial trial_of(const struct fingerprints *set, uint16_t clause, uint8_t rule)
{
    const struct clause *c = (const struct clause *)set->part[PART_CLAUSE].at + clause;
    const struct test *test = set->part[PART_TEST].at;
    const struct relation *relation = set->part[PART_RELATION].at;
    struct trial t = {.test = {.range = UINT32_MAX}, .clause = clause, .rule = rule};
    unsigned parts = (unsigned)(c->test_end - c->test) +
                     (unsigned)(c->relation_end - c->relation) +
                     (unsigned)(c->program_end - c->program);
    if (c->test < c->test_end) {
        t.test = test[c->test];
        parts--;
    }
    if (c->relation < c->relation_end && relation[c->relation].plain) {
        const struct relation *r = &relation[c->relation];
        memcpy(t.field, r->field, sizeof t.field);
        t.mask = r->mask;
        t.value = r->value;
        parts--;
    }
    t.more = parts > 0;
    return t;
}

/* Take from `holds` the trials that a test of the field refuses. */
static void refuse(uint64_t holds[256], const struct test *test, unsigned number)
{
    if (test->range)
        return;
    for (unsigned byte = 0; byte < 256; byte++)
        if ((byte ^ test->low) & test->mask & 0xff)
            holds[byte] &= ~(UINT64_C(1) << number);
}

/* What the lowest byte of a field tells of some trials; the number of cases in which one of
 * them cannot hold. */
static unsigned sift(const struct fingerprints *set, const struct trial *trial, size_t count,
    unsigned field, uint64_t ret_holds[256])
{
    const struct test *test = set->part[PART_TEST].at;
    const struct clause *clause = set->part[PART_CLAUSE].at;
    uint64_t all = UINT64_MAX >> (SIEVE_TRIALS - count);
    unsigned refused = 0;
    for (unsigned byte = 0; byte < 256; byte++)
        ret_holds[byte] = all;
    for (unsigned i = 0; i < count; i++) {
        const struct clause *c = &clause[trial[i].clause];
        for (unsigned k = c->test; k < c->test_end; k++)
            if (test[k].field == field)
                refuse(ret_holds, &test[k], i);
    }
    for (unsigned byte = 0; byte < 256; byte++)
        refused += (unsigned)__builtin_popcountll(all ^ ret_holds[byte]);
    return refused;
}

/* The fields that tell most, each in the place of the one that tells least so far. */
static void make_sieve(const struct fingerprints *set, const struct trial *trial, size_t count,
    struct sieve *ret_sieve)
{
    unsigned refused[SIEVE_FIELDS] = {0};
    uint64_t holds[256];
    for (unsigned k = 0; k < SIEVE_FIELDS; k++)
        (void)sift(set, trial, count, FIELD_ZERO, ret_sieve->holds[k]);
    for (unsigned field = FIELD_ZERO + 1; field < FIELD_COUNT; field++) {
        unsigned tells = sift(set, trial, count, field, holds), least = 0;
        for (unsigned k = 1; k < SIEVE_FIELDS; k++)
            least = refused[k] < refused[least] ? k : least;
        if (tells <= refused[least])
            continue;
        refused[least] = tells;
        ret_sieve->field[least] = (uint8_t)field;
        memcpy(ret_sieve->holds[least], holds, sizeof holds);
    }
}

static enum err make_sieves(const struct fingerprints *set, struct scope_list *list)
{
    size_t sieves = (list->count + SIEVE_TRIALS - 1) / SIEVE_TRIALS;
    list->sieve = calloc(sieves + 1, sizeof *list->sieve);
    if (!list->sieve)
        return ERR_NOMEM;
    for (size_t i = 0; i < sieves; i++) {
        size_t first = i * SIEVE_TRIALS, rest = list->count - first;
        make_sieve(set, list->trial + first, rest < SIEVE_TRIALS ? rest : SIEVE_TRIALS,
            &list->sieve[i]);
    }
    return OK;
}

/* Lay out what is tried on the packets of one scope. */
static enum err list_scope(struct fingerprints *set, unsigned scope)
{
    struct scope_list *list = &set->scope[scope];
    struct trial *trial =
        realloc(list->trial, ((size_t)set->part[PART_CLAUSE].count + 1) * sizeof *trial);
    if (!trial)
        return ERR_NOMEM;
    list->trial = trial;
    list->count = 0;
    free(list->sieve);
    list->sieve = NULL;
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rule[i];
        for (uint16_t c = rule->match.first; c < rule->match.end; c++)
            if (rule->shown.scopes & 1u << scope)
                list->trial[list->count++] = trial_of(set, c, (uint8_t)i);
    }
    return make_sieves(set, list);
}

/* --- pairs -------------------------------------------------------------------------------- */

static uint8_t pair_field(unsigned field)
{
    static const uint8_t fields[] = {
#define X(id, member) [id] = PAIR_##id,
        PAIR_LIST(X)
#undef X
    };
    return fields[field];
}

/* The first relation of a clause, if it is all about the difference of the packets. */
static struct pair_need need_of_clause(const struct fingerprints *set, uint16_t number)
{
    struct pair_need none = {0};
    const struct clause *c = (const struct clause *)set->part[PART_CLAUSE].at + number;
    if (c->relation == c->relation_end)
        return none;
    const struct relation *r =
        (const struct relation *)set->part[PART_RELATION].at + c->relation;
    struct pair_need need = {.mask = r->mask, .value = r->value, .count = r->count};
    for (unsigned i = 0; i < r->count; i++) {
        if (r->item[i].field < FIELD_BOTH)
            return none;
        need.item[i] = r->item[i];
        need.item[i].field = pair_field(r->item[i].field - FIELD_BOTH);
    }
    return need;
}

static bool same_need(const struct pair_need *a, const struct pair_need *b)
{
    bool same = a->mask == b->mask && a->value == b->value && a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++)
        same = a->item[i].field == b->item[i].field && a->item[i].shift == b->item[i].shift &&
               a->item[i].right == b->item[i].right && a->item[i].swap == b->item[i].swap;
    return same;
}

/* What a pairwise rule cannot do without: what all its clauses have in common. */
static struct pair_need need_of(const struct fingerprints *set, const struct rule *rule)
{
    struct pair_need need = need_of_clause(set, rule->pair.first);
    for (uint16_t c = rule->pair.first; c < rule->pair.end; c++) {
        struct pair_need other = need_of_clause(set, c);
        if (!same_need(&need, &other))
            return (struct pair_need){0};
    }
    return need;
}

/* --- both --------------------------------------------------------------------------------- */

enum err trials_lay_out(struct fingerprints *set)
{
    for (size_t i = 0; i < set->pair_count; i++) {
        struct rule *rule = &set->rule[set->pair_rule[i]];
        rule->need = need_of(set, rule);
    }
    for (unsigned scope = 0; scope < SCOPES; scope++) {
        enum err e = list_scope(set, scope);
        if (e)
            return e;
    }
    return OK;
}

void trials_done(struct fingerprints *set)
{
    for (unsigned scope = 0; scope < SCOPES; scope++) {
        free(set->scope[scope].trial);
        free(set->scope[scope].sieve);
    }
}
