/* Sets of rules: making them, and matching packets. */
#include "sensor/fingerprint.h"

#include "base/clock.h"
#include "sensor/signature_int.h"
#include "sensor/sources_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_MAX = 1 << 20
};

_Static_assert(SCOPES == (int)SCOPE_COUNT, "one list of rules for each scope");

static const struct {
    size_t size;
    uint32_t most;
} part_kinds[PART_KINDS] = {
    [PART_CLAUSE] = {sizeof(struct clause), UINT16_MAX},
    [PART_TEST] = {sizeof(struct test), UINT16_MAX},
    [PART_RELATION] = {sizeof(struct relation), UINT16_MAX},
    [PART_PROGRAM] = {sizeof(struct program), UINT16_MAX},
    [PART_CODE] = {sizeof(struct code), CODE_MAX},
};

void *set_append(struct fingerprints *set, struct rules_reader *r, enum part_kind kind)
{
    struct parts *p = &set->part[kind];
    size_t size = part_kinds[kind].size;
    if (p->count == p->room) {
        uint32_t room = p->room ? p->room * 2 : 64;
        room = room > part_kinds[kind].most ? part_kinds[kind].most : room;
        void *at = room == p->count ? NULL : realloc(p->at, room * size);
        if (!at) {
            rules_fail(r, r->token.place, "the rules are too large together");
            return NULL;
        }
        p->at = at;
        p->room = room;
    }
    return (char *)p->at + p->count++ * size;
}

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

static inline bool trial_holds(
    const struct fingerprints *set, const struct trial *t, const struct field_values *v)
{
    const uint32_t *f = v->v;
    if ((f[t->test.field] & t->test.mask) - t->test.low > t->test.range)
        return false;
    uint32_t x = f[t->field[0]] ^ f[t->field[1]] ^ f[t->field[2]] ^ f[t->field[3]];
    if ((x & t->mask) != t->value)
        return false;
    return !t->more || clause_holds(set, t->clause, v);
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

/* The trials that a packet does not fail at once, as a bit mask. */
static inline uint64_t sieve_trials(const struct sieve *sieve, const uint32_t *v)
{
    uint64_t left = UINT64_MAX;
    for (unsigned k = 0; k < SIEVE_FIELDS; k++)
        left &= sieve->holds[k][v[sieve->field[k]] & 0xff];
    return left;
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

/* Rules from text; all or nothing. Not yet in the lists of what is tried. */
static enum err add_rules(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    size_t rules = set->rule_count, pairs = set->pair_count, pool = set->pool_count;
    struct parts before[PART_KINDS];
    memcpy(before, set->part, sizeof before);
    enum err e = signatures_read(set, name, text, f);
    if (e) {
        set->rule_count = rules;
        set->pair_count = pairs;
        set->pool_count = pool;
        for (int k = 0; k < PART_KINDS; k++)
            set->part[k].count = before[k].count;
    }
    return e;
}

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

static enum err list_scopes(struct fingerprints *set, const char *name, struct fault *f)
{
    for (size_t i = 0; i < set->pair_count; i++) {
        struct rule *rule = &set->rule[set->pair_rule[i]];
        rule->need = need_of(set, rule);
    }
    for (unsigned scope = 0; scope < SCOPES; scope++) {
        enum err e = list_scope(set, scope);
        if (e)
            return fault_set(f, e, "%s: no memory for its rules", name);
    }
    return OK;
}

enum err fingerprints_add(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    enum err e = add_rules(set, name, text, f);
    return e ? e : list_scopes(set, name, f);
}

enum err fingerprints_new(struct fingerprints **ret_set, struct fault *f)
{
    static const char name[] = "built-in signatures";
    struct fingerprints *set = calloc(1, sizeof *set);
    char *pool = malloc(POOL_MAX);
    if (!set || !pool) {
        free(set);
        free(pool);
        return fault_set(f, ERR_NOMEM, "no memory for the built-in signatures");
    }
    set->pool = pool;
    set->pool_room = POOL_MAX;
    enum err e = OK;
    for (size_t i = 0; !e && signature_builtin[i]; i++)
        e = add_rules(
            set, name, bytes_over(signature_builtin[i], strlen(signature_builtin[i])), f);
    if (!e)
        e = list_scopes(set, name, f);
    if (e) {
        fingerprints_free(set);
        return e;
    }
    *ret_set = set;
    return OK;
}

static void free_scope(struct scope_list *list)
{
    free(list->trial);
    free(list->sieve);
}

void fingerprints_free(struct fingerprints *set)
{
    if (!set)
        return;
    for (int k = 0; k < PART_KINDS; k++)
        free(set->part[k].at);
    for (int k = 0; k < SCOPES; k++)
        free_scope(&set->scope[k]);
    free(set->pool);
    free(set);
}

enum err fingerprints_add_file(struct fingerprints *set, const char *path, struct fault *f)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return fault_set(f, ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    char *text = malloc(SIGNATURE_FILE_MAX + 1);
    enum err e = OK;
    size_t len = 0;
    if (!text)
        e = fault_set(f, ERR_NOMEM, "%s: no memory to read it", path);
    if (!e) {
        len = fread(text, 1, SIGNATURE_FILE_MAX + 1, file);
        if (ferror(file))
            e = fault_set(f, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        else if (len > SIGNATURE_FILE_MAX)
            e = fault_set(f, ERR_FULL, "%s: longer than %d bytes", path, SIGNATURE_FILE_MAX);
    }
    if (!e)
        e = fingerprints_add(set, path, bytes_over(text, len), f);
    free(text);
    fclose(file);
    return e;
}

size_t fingerprints_count(const struct fingerprints *set)
{
    return set->rule_count;
}

const struct signature *fingerprints_at(const struct fingerprints *set, size_t rule)
{
    return &set->rule[rule].shown;
}

unsigned fingerprint_scope(const struct packet *p)
{
    switch (p->proto) {
    case PROTO_TCP:
        return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN ? SCOPE_SYN
                                                                                   : SCOPE_TCP;
    case PROTO_UDP:
        return SCOPE_UDP;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        return SCOPE_ICMP;
    default:
        return SCOPE_OTHER;
    }
}

/* The time to live that it started with, if it is one of the usual ones. */
static uint32_t initial_ttl(uint8_t ttl)
{
    return ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

static void fill_tcp(uint32_t *v, const struct packet *p)
{
    v[FIELD_SEQ] = p->tcp_seq;
    v[FIELD_ACK] = p->tcp_ack;
    v[FIELD_WIN] = p->tcp_win;
    v[FIELD_FLAGS] = p->tcp_flags;
    v[FIELD_OFF] = p->tcp_offset;
    v[FIELD_MSS] = p->tcp_mss;
    v[FIELD_OPTS] = p->tcp_opts;
}

/* `v` is zero before. */
static void fill_fields(uint32_t *v, const struct packet *p, unsigned scope)
{
    v[FIELD_ID] = p->ip_id;
    v[FIELD_TTL] = p->ttl;
    v[FIELD_TTL0] = initial_ttl(p->ttl);
    v[FIELD_LEN] = p->ip_len;
    v[FIELD_VERSION] = ip_is_v4(&p->src) ? 4 : 6;
    v[FIELD_PROTO] = p->proto;
    v[FIELD_SRC] = ip_v4(&p->src);
    v[FIELD_DST] = ip_v4(&p->dst);
    v[FIELD_PLEN] = (uint32_t)p->payload.left;
    if (scope == SCOPE_ICMP) {
        v[FIELD_ICMP_TYPE] = p->dport;
        v[FIELD_ICMP_CODE] = p->sport;
        v[FIELD_ICMP_ID] = p->icmp_id;
        v[FIELD_ICMP_SEQ] = p->icmp_seq;
    } else {
        v[FIELD_SPORT] = p->sport;
        v[FIELD_DPORT] = p->dport;
        if (p->proto == PROTO_TCP)
            fill_tcp(v, p);
    }
}

/* A clause of a rule holds; others of the same rule may have held before. */
static void note_hit(const struct fingerprints *set, uint8_t number, const struct packet *p,
    struct fingerprint_hits *hits)
{
    const struct rule *rule = &set->rule[number];
    if ((rule->v4_only && !ip_is_v4(&p->src)) || (rule->shown.from && p->ts < rule->shown.from))
        return;
    if (rule->shown.level == SIGNATURE_SOURCE)
        hits->each |= 1u << rule->pair_number;
    else if (hits->count < SIGNATURE_HITS &&
             !(hits->count && hits->rule[hits->count - 1] == number))
        hits->rule[hits->count++] = number;
}

void fingerprints_match(
    const struct fingerprints *set, const struct packet *p, struct fingerprint_hits *ret_hits)
{
    ret_hits->each = 0;
    ret_hits->count = 0;
    if (p->quirks & (QUIRK_FRAG_LATER | QUIRK_SHORT_HEADER))
        return;
    unsigned scope = fingerprint_scope(p);
    const struct scope_list *list = &set->scope[scope];
    if (!list->count)
        return;
    uint32_t fields[FIELD_COUNT] = {0};
    const struct field_values v = {.v = fields, .payload = p->payload};
    fill_fields(fields, p, scope);
    const struct trial *trial = list->trial;
    for (size_t i = 0; i * SIEVE_TRIALS < list->count; i++, trial += SIEVE_TRIALS)
        for (uint64_t left = sieve_trials(&list->sieve[i], fields); left; left &= left - 1) {
            const struct trial *t = &trial[__builtin_ctzll(left)];
            if (trial_holds(set, t, &v))
                note_hit(set, t->rule, p, ret_hits);
        }
}

struct fingerprint_packet fingerprint_packet_of(const struct packet *p)
{
    bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6;
    return (struct fingerprint_packet){
        .seq = p->tcp_seq,
        .ack = p->tcp_ack,
        .dst = ip_v4(&p->dst),
        .sport = icmp ? 0 : p->sport,
        .dport = icmp ? 0 : p->dport,
        .id = p->ip_id,
        .win = p->tcp_win,
    };
}

static void fill_pair(uint32_t *v, const struct fingerprint_packet *p)
{
#define X(id, member) v[id] = p->member;
    PAIR_LIST(X)
#undef X
}

static bool need_holds(const struct pair_need *need, const uint32_t differ[PAIR_FIELDS])
{
    uint32_t x = 0;
    for (unsigned i = 0; i < need->count; i++) {
        uint32_t value = differ[need->item[i].field];
        value = need->item[i].swap ? __builtin_bswap32(value) : value;
        x ^= value << need->item[i].shift >> need->item[i].right;
    }
    return (x & need->mask) == need->value;
}

/* Whether two packets satisfy a pairwise rule, in full. */
static bool pair_holds(const struct fingerprints *set, const struct rule *rule,
    const struct fingerprint_packet *a, const struct fingerprint_packet *b)
{
    /* The compiler of rules lets no other fields through than those that are set here. */
    uint32_t fields[FIELD_VALUES];
    fields[FIELD_ZERO] = 0;
    fill_pair(fields, a);
    fill_pair(fields + FIELD_LATER, b);
#define X(id, member) fields[FIELD_BOTH + id] = (uint32_t)(a->member ^ b->member);
    PAIR_LIST(X)
#undef X
    const struct field_values v = {.v = fields};
    return clauses_hold(set, &rule->pair, &v);
}

void fingerprints_match_pair(const struct fingerprints *set, const struct fingerprint_packet *a,
    const struct fingerprint_packet *b, uint32_t both, struct fingerprint_hits *hits)
{
    const uint32_t differ[PAIR_FIELDS] = {
#define X(id, member) (uint32_t)(a->member ^ b->member),
        PAIR_LIST(X)
#undef X
    };
    for (; both; both &= both - 1) {
        uint8_t number = set->pair_rule[__builtin_ctz(both)];
        const struct rule *rule = &set->rule[number];
        if (need_holds(&rule->need, differ) && pair_holds(set, rule, a, b) &&
            hits->count < SIGNATURE_HITS)
            hits->rule[hits->count++] = number;
    }
}

double fingerprint_evidence(const struct signature *s, uint64_t matches, uint64_t packets)
{
    if (packets < matches)
        packets = matches;
    double n = (double)packets, k = (double)matches;
    if (k <= n * exp2(-s->chance_bits))
        return 0;
    int sign;
    double choose =
        lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
    double bits = k * s->chance_bits - choose / log(2);
    return bits > 0 ? bits : 0;
}

const char *fingerprint_evidence_text(
    const struct signature *s, uint64_t matches, uint64_t packets, char text[EVIDENCE_TEXT])
{
    static const char *const nouns[][2] = {{"syn", "SYN"}, {"tcp", "TCP packets"},
        {"udp", "UDP packets"}, {"icmp", "ICMP packets"}};
    const char *noun = "packets";
    for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++)
        if (strcmp(s->scope, nouns[i][0]) == 0)
            noun = nouns[i][1];
    snprintf(text, EVIDENCE_TEXT,
        "%llu of %llu %s%s satisfy %s; chance 2^-%.0f if they were unrelated (signature %s)",
        (unsigned long long)matches, (unsigned long long)packets,
        s->level == SIGNATURE_SOURCE ? "consecutive " : "", noun, s->match,
        fingerprint_evidence(s, matches, packets), s->id);
    return text;
}
