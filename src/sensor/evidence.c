#include "sensor/evidence_int.h"

/* A packet that differs from another one in none of these says nothing new: it is a repetition,
 * by the sender or on the way. Never 0. */
static uint32_t digest_packet(const struct packet *p, uint64_t dst_hash)
{
    uint64_t ports = (uint64_t)p->sport << 16 | p->dport;
    uint64_t h = hash_two(dst_hash ^ p->icmp_seq, (uint64_t)p->tcp_seq << 32 | ports);
    return (uint32_t)(h >> 32) | 1u;
}

/* The place of a rule in a source's evidence: its own, a free one, or one whose single match is
 * likely to be chance. HOST_EVIDENCE if there is none. */
static unsigned find_place(struct host_lines l, uint8_t rule)
{
    struct host *h = l.host;
    unsigned place = HOST_EVIDENCE;
    for (unsigned i = 0; i < h->rule_count; i++) {
        if (l.rest->rule[i] == rule)
            return i;
        if (l.rest->evidence[i].matches == 1 && place == HOST_EVIDENCE)
            place = i;
    }
    if (h->rule_count < HOST_EVIDENCE)
        place = h->rule_count++;
    if (place < HOST_EVIDENCE) {
        l.rest->rule[place] = rule;
        l.rest->evidence[place] = (struct host_evidence){0};
        h->proven &= (uint8_t) ~(1u << place);
    }
    return place;
}

uint64_t evidence_packets(struct host_lines l, const struct signature *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        if (s->scopes & 1u << i)
            sum += *host_packets(l, i);
    return sum;
}

static void add_match(struct host_lines l, const struct fingerprints *set, uint8_t rule,
    uint32_t digest, struct rule_use *use)
{
    struct host *h = l.host;
    unsigned i = find_place(l, rule);
    if (i == HOST_EVIDENCE || l.rest->evidence[i].last == digest)
        return;
    struct host_evidence *e = &l.rest->evidence[i];
    e->last = digest;
    if (e->matches < UINT32_MAX)
        e->matches++;
    use->met += e->matches == 1;
    if (h->proven >> i & 1 || e->matches < EVIDENCE_MATCHES)
        return;
    const struct signature *s = fingerprints_at(set, rule);
    if (fingerprint_evidence(s, e->matches, evidence_packets(l, s)) < EVIDENCE_BITS)
        return;
    h->proven |= (uint8_t)(1u << i);
    use->proven++;
    if (!h->named)
        h->named = (uint8_t)(rule + 1);
}

void evidence_add_pair(
    struct host *h, const struct fingerprints *set, const struct evidence_packet *p)
{
    struct fingerprint_packet now = fingerprint_packet_of(p->packet);
    uint32_t each = p->hits->each, both = each & h->last_each;
    if (both)
        fingerprints_match_pair(set, &h->last, &now, both, p->hits);
    h->last = now;
    h->last_each = each;
}

void evidence_add_hits(struct host_lines l, const struct fingerprints *set,
    const struct evidence_packet *p, struct rule_use *use)
{
    uint32_t digest = digest_packet(p->packet, p->dst_hash);
    for (unsigned i = 0; i < p->hits->count; i++)
        add_match(l, set, p->hits->rule[i], digest, &use[p->hits->rule[i]]);
}

uint64_t evidence_matches(struct host_lines l)
{
    for (unsigned i = 0; i < l.host->rule_count; i++)
        if (l.host->named == l.rest->rule[i] + 1)
            return l.rest->evidence[i].matches;
    return 0;
}

unsigned evidence_of_match(struct host_lines l, const struct fingerprint_hits *hits)
{
    for (unsigned k = 0; l.host->proven && k < hits->count; k++)
        for (unsigned i = 0; i < l.host->rule_count; i++)
            if (l.rest->rule[i] == hits->rule[k] && l.host->proven >> i & 1)
                return l.rest->rule[i] + 1u;
    return 0;
}

unsigned evidence_of_source(
    const struct host *h, const struct fingerprints *set, unsigned scope)
{
    return h->named && fingerprints_at(set, h->named - 1u)->scopes & scope ? h->named : 0;
}

unsigned evidence_of_packet(const struct fingerprints *set, const struct fingerprint_hits *hits)
{
    unsigned best = 0;
    double bits = EVIDENCE_PACKET_BITS;
    for (unsigned i = 0; i < hits->count; i++) {
        const struct signature *s = fingerprints_at(set, hits->rule[i]);
        if (s->level == SIGNATURE_PACKET && s->chance_bits >= bits) {
            best = hits->rule[i] + 1u;
            bits = s->chance_bits;
        }
    }
    return best;
}
