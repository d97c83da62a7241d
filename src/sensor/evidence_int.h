#ifndef SENSOR_EVIDENCE_INT_H
#define SENSOR_EVIDENCE_INT_H

#include "sensor/fingerprint.h"
#include "sensor/sources_int.h"

/* Evidence for the tool that a source uses, kept in its entry. Deterministic: it depends on the
 * source's packets and their order only. */

/* What has been seen of one rule since the start. */
struct rule_use {
    uint64_t sources; /* whose contacts carry its tool, by it first */
    uint64_t packets; /* of those contacts */
    uint64_t met;     /* sources of which a packet matched */
    uint64_t proven;  /* those of them with enough evidence */
    uint32_t matches; /* the evidence of the source that had most matches, with `tried` */
    uint32_t tried;
    uint32_t
        host; /* that source, if it had its latest match in the open window; or HOST_NONE */
    uint8_t first; /* of the rules of its tool */
};

/* A packet with the ip_hash() of its destination, its scope, and the rules that it matched. */
struct evidence_packet {
    const struct packet *packet;
    uint64_t dst_hash;
    unsigned scope;
    struct fingerprint_hits *hits;
};

void evidence_add_pair(
    struct host *h, const struct fingerprints *set, const struct evidence_packet *p);
void evidence_add_hits(struct host_lines l, const struct fingerprints *set,
    const struct evidence_packet *p, struct rule_use *use);

/* Count a packet of a source and what it matched. Pairwise rules are tried against the source's
 * latest packet that met their condition. A rule is proven when it has EVIDENCE_MATCHES matches
 * and EVIDENCE_BITS of evidence; the first to be proven names the source, once and for all.
 * `use`: by rule. */
static inline void evidence_add(struct host_lines l, const struct fingerprints *set,
    const struct evidence_packet *p, struct rule_use *use)
{
    uint32_t *packets = host_packets(l, p->scope);
    *packets += *packets < UINT32_MAX;
    if (p->hits->each)
        evidence_add_pair(l.host, set, p);
    if (p->hits->count)
        evidence_add_hits(l, set, p, use);
}

/* Matches of the rule that has named the source, and the packets that it was tried on. */
uint64_t evidence_matches(struct host_lines l);
uint64_t evidence_packets(struct host_lines l, const struct signature *s);

/* The rule, + 1, that names the tool behind a packet of a source: one that the packet matches
 * and for which there is enough evidence; else, for a probe, the one that has named the source,
 * if it is about such packets (`scope`: a bit mask of enum host_scope). 0: none. */
unsigned evidence_of_match(struct host_lines l, const struct fingerprint_hits *hits);
unsigned evidence_of_source(
    const struct host *h, const struct fingerprints *set, unsigned scope);

/* The rarest of the rules that are rare enough to label a single packet: its number + 1, or 0.
 */
unsigned evidence_of_packet(
    const struct fingerprints *set, const struct fingerprint_hits *hits);

#endif
