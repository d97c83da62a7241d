/* Sets of rules: matching packets, and pairs of packets. */
#include "sensor/signature_int.h"
#include "sensor/sources_int.h"

#include <string.h>

_Static_assert(SCOPES == (int)SCOPE_COUNT, "one list of rules for each scope");

/* The trials that a packet does not fail at once, as a bit mask. */
static inline uint64_t sieve_trials(const struct sieve *sieve, const uint32_t *v)
{
    uint64_t left = UINT64_MAX;
    for (unsigned k = 0; k < SIEVE_FIELDS; k++)
        left &= sieve->holds[k][v[sieve->field[k]] & 0xff];
    return left;
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

static void fill_fields(uint32_t *v, const struct packet *p, unsigned scope)
{
    /* In two parts, each of which is a few moves; the whole would be a slow string instruction.
     */
    const size_t part = FIELD_COUNT / 2 * sizeof *v;
    memset(v, 0, part);
    memset((uint8_t *)v + part, 0, FIELD_COUNT * sizeof *v - part);
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
    uint32_t fields[FIELD_COUNT];
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
