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
    POOL_MAX = 1 << 20,
    TERMS_MAX = 1 << 14,
};

_Static_assert(SCOPES == (int)SCOPE_COUNT, "one list of rules for each scope");

struct term *set_new_term(struct fingerprints *set, struct rules_reader *r)
{
    if (set->term_count == set->term_room) {
        size_t room = set->term_room ? set->term_room * 2 : 64;
        struct term *term = room > TERMS_MAX ? NULL : realloc(set->term, room * sizeof *term);
        if (!term) {
            rules_fail(r, r->token.place, "rules too large for memory or their cap");
            return NULL;
        }
        set->term = term;
        set->term_room = room;
    }
    return &set->term[set->term_count++];
}

struct code *set_new_code(struct fingerprints *set, struct rules_reader *r)
{
    if (set->code_count == set->code_room) {
        size_t room = set->code_room ? set->code_room * 2 : 64;
        struct code *code = room > CODE_MAX ? NULL : realloc(set->code, room * sizeof *code);
        if (!code) {
            rules_fail(r, r->token.place, "rules too large for memory or their cap");
            return NULL;
        }
        set->code = code;
        set->code_room = room;
    }
    return &set->code[set->code_count++];
}

/* Lay out which rules are tried on which packets. */
static void list_scopes(struct fingerprints *set)
{
    for (unsigned s = 0; s < SCOPES; s++) {
        struct scope_list *list = &set->scope[s];
        list->count = 0;
        for (size_t i = 0; i < set->rule_count; i++)
            if (set->rule[i].shown.scopes & 1u << s)
                list->rule[list->count++] = (uint8_t)i;
    }
}

enum err fingerprints_add(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f)
{
    struct fingerprints before = *set;
    enum err e = signatures_read(set, name, text, f);
    if (e) {
        set->rule_count = before.rule_count;
        set->pair_count = before.pair_count;
        set->term_count = before.term_count;
        set->code_count = before.code_count;
        set->pool_count = before.pool_count;
        return e;
    }
    list_scopes(set);
    return OK;
}

enum err fingerprints_new(struct fingerprints **ret_set, struct fault *f)
{
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
        e = fingerprints_add(set, "built-in signatures",
            bytes_over(signature_builtin[i], strlen(signature_builtin[i])), f);
    if (e) {
        fingerprints_free(set);
        return e;
    }
    *ret_set = set;
    return OK;
}

void fingerprints_free(struct fingerprints *set)
{
    if (!set)
        return;
    free(set->term);
    free(set->code);
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

static void fill_tcp(struct field_values *v, const struct packet *p)
{
    v->v[FIELD_SEQ] = p->tcp_seq;
    v->v[FIELD_ACK] = p->tcp_ack;
    v->v[FIELD_WIN] = p->tcp_win;
    v->v[FIELD_FLAGS] = p->tcp_flags;
    v->v[FIELD_OFF] = p->tcp_offset;
    v->v[FIELD_MSS] = p->tcp_mss;
    v->v[FIELD_OPTS] = p->tcp_opts;
    v->v[FIELD_ICMP_TYPE] = 0;
    v->v[FIELD_ICMP_CODE] = 0;
    v->v[FIELD_ICMP_ID] = 0;
    v->v[FIELD_ICMP_SEQ] = 0;
}

static void fill_other(struct field_values *v, const struct packet *p, bool icmp)
{
    for (unsigned i = FIELD_SEQ; i <= FIELD_OPTS; i++)
        v->v[i] = 0;
    v->v[FIELD_ICMP_TYPE] = icmp ? p->dport : 0;
    v->v[FIELD_ICMP_CODE] = icmp ? p->sport : 0;
    v->v[FIELD_ICMP_ID] = p->icmp_id;
    v->v[FIELD_ICMP_SEQ] = p->icmp_seq;
}

static void fill_fields(struct field_values *v, const struct packet *p, unsigned scope)
{
    bool ports = scope != SCOPE_ICMP;
    v->v[FIELD_ID] = p->ip_id;
    v->v[FIELD_TTL] = p->ttl;
    v->v[FIELD_TTL0] = initial_ttl(p->ttl);
    v->v[FIELD_LEN] = p->ip_len;
    v->v[FIELD_VERSION] = ip_is_v4(&p->src) ? 4 : 6;
    v->v[FIELD_PROTO] = p->proto;
    v->v[FIELD_SRC] = ip_v4(&p->src);
    v->v[FIELD_DST] = ip_v4(&p->dst);
    v->v[FIELD_SPORT] = ports ? p->sport : 0;
    v->v[FIELD_DPORT] = ports ? p->dport : 0;
    if (p->proto == PROTO_TCP)
        fill_tcp(v, p);
    else
        fill_other(v, p, !ports);
    v->v[FIELD_PLEN] = (uint32_t)p->payload.left;
    v->payload = p->payload;
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
    struct field_values v;
    fill_fields(&v, p, scope);
    for (size_t i = 0; i < list->count; i++) {
        const struct rule *rule = &set->rule[list->rule[i]];
        if (!conjunction_holds(set, &rule->match, &v))
            continue;
        if (rule->v4_only && v.v[FIELD_VERSION] != 4)
            continue;
        if (rule->shown.from && p->ts < rule->shown.from)
            continue;
        if (rule->shown.level == SIGNATURE_SOURCE)
            ret_hits->each |= 1u << rule->pair_number;
        else if (ret_hits->count < SIGNATURE_HITS)
            ret_hits->rule[ret_hits->count++] = list->rule[i];
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
    v[FIELD_SEQ] = p->seq;
    v[FIELD_ACK] = p->ack;
    v[FIELD_DST] = p->dst;
    v[FIELD_SPORT] = p->sport;
    v[FIELD_DPORT] = p->dport;
    v[FIELD_ID] = p->id;
    v[FIELD_WIN] = p->win;
}

void fingerprints_match_pair(const struct fingerprints *set, const struct fingerprint_packet *a,
    const struct fingerprint_packet *b, uint32_t both, struct fingerprint_hits *hits)
{
    struct field_values v = {0};
    fill_pair(v.v, a);
    fill_pair(v.v + FIELD_COUNT, b);
    for (size_t k = 0; both && k < set->pair_count; k++) {
        if (!(both & 1u << k))
            continue;
        const struct rule *rule = &set->rule[set->pair_rule[k]];
        if (conjunction_holds(set, &rule->pair, &v) && hits->count < SIGNATURE_HITS)
            hits->rule[hits->count++] = set->pair_rule[k];
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
        "%llu of %llu %s%s satisfy %s; by chance 2^-%.0f (signature %s)",
        (unsigned long long)matches, (unsigned long long)packets,
        s->level == SIGNATURE_SOURCE ? "consecutive " : "", noun, s->match,
        fingerprint_evidence(s, matches, packets), s->id);
    return text;
}
