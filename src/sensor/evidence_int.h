#ifndef SENSOR_EVIDENCE_INT_H
#define SENSOR_EVIDENCE_INT_H

#include "sensor/fingerprint.h"
#include "sensor/sources_int.h"

/* Evidence for the tool that a source uses, kept in its entry. Deterministic: it depends on the
 * source's packets and their order only. */

/* Count a packet of a source and what it matched. Pairwise rules are tried against the source's
 * latest packet that met their condition. The source is named, once and for all, when a rule
 * has EVIDENCE_MATCHES matches and EVIDENCE_BITS of evidence. */
void evidence_add(struct host *h, const struct fingerprints *set, const struct packet *p,
    struct fingerprint_hits *hits);

/* Matches of the rule that has named the source, and the packets that it was tried on. */
uint64_t evidence_matches(const struct host *h);
uint64_t evidence_packets(const struct host *h, const struct signature *s);

/* The rarest of the rules that are rare enough to label a single packet: its number + 1, or 0.
 */
unsigned evidence_of_packet(
    const struct fingerprints *set, const struct fingerprint_hits *hits);

#endif
