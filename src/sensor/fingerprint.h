#ifndef SENSOR_FINGERPRINT_H
#define SENSOR_FINGERPRINT_H

#include "base/bytes.h"
#include "base/err.h"
#include "decode/packet.h"
#include "record/record.h"

#include <stdbool.h>

/* Which tool made a packet, told by relations and constants in its headers. Rules are text in a
 * small language (docs/formats/signatures.md), compiled once; the built-in ones and those of
 * the operator are the same to everything here. */

enum {
    SIGNATURES_MAX = 250,         /* rules in all */
    SIGNATURE_PAIRS_MAX = 32,     /* of them pairwise */
    SIGNATURE_FILE_MAX = 1 << 20, /* bytes of a rule file */
    SIGNATURE_HITS = 8,           /* rules that one packet may match; more are left out */
};

enum signature_level {
    SIGNATURE_PACKET, /* the rule looks at one packet */
    SIGNATURE_SOURCE, /* the rule compares consecutive packets of one source */
};

enum signature_kind {
    SIGNATURE_TOOL,
    SIGNATURE_WORM, /* malware that spreads by itself: its scans are CLASS_WORM */
};

/* One rule as people see it; strings live as long as the set. */
struct signature {
    char id[RECORD_NAME_MAX + 1];   /* "masscan-2023" */
    char tool[RECORD_NAME_MAX + 1]; /* what it names: "masscan" */
    enum signature_level level;
    enum signature_kind kind;
    int64_t from, to;   /* us; when the tool made such packets; 0 if not known */
    double chance_bits; /* -log2 of the chance that a packet of something else matches */
    unsigned scopes;    /* bit mask of enum host_scope: packets that it is tried on */
    const char *scope;  /* the word for them */
    const char *source; /* where the rule comes from */
    const char *limits; /* what it cannot tell */
    const char *match;  /* its expression as written */
};

struct fingerprints;

/* The built-in rules. */
enum err fingerprints_new(struct fingerprints **ret_set, struct fault *f) MUST_CHECK;
void fingerprints_free(struct fingerprints *set);

/* Add rules from text; all or nothing. The fault begins "name:line:column: ". */
enum err fingerprints_add(
    struct fingerprints *set, const char *name, struct bytes text, struct fault *f) MUST_CHECK;
enum err fingerprints_add_file(
    struct fingerprints *set, const char *path, struct fault *f) MUST_CHECK;

size_t fingerprints_count(const struct fingerprints *set);
const struct signature *fingerprints_at(const struct fingerprints *set, size_t rule);

/* The rules that a packet matches, and the pairwise rules whose condition for each packet it
 * meets. */
struct fingerprint_hits {
    uint32_t each; /* bit k: the k-th pairwise rule */
    uint8_t count;
    uint8_t rule[SIGNATURE_HITS];
};

/* Match one packet against the rules for single packets. About 25 ns with the built-in rules.
 */
void fingerprints_match(
    const struct fingerprints *set, const struct packet *p, struct fingerprint_hits *ret_hits);

/* What a pairwise rule sees of a packet. */
struct fingerprint_packet {
    uint32_t seq, ack, dst;
    uint16_t sport, dport, id, win;
};

struct fingerprint_packet fingerprint_packet_of(const struct packet *p);

/* Add to the hits the pairwise rules in `both` that two packets of one source satisfy; `a` came
 * before `b`. */
void fingerprints_match_pair(const struct fingerprints *set, const struct fingerprint_packet *a,
    const struct fingerprint_packet *b, uint32_t both, struct fingerprint_hits *hits);

/**
 * How much a number of matches says: -log2 of a bound on the chance that `matches` of `packets`
 * unrelated packets match, C(packets, matches) * chance^matches; 0 if it says nothing. A source
 * is named from EVIDENCE_BITS on and with at least EVIDENCE_MATCHES matches.
 */
double fingerprint_evidence(const struct signature *s, uint64_t matches, uint64_t packets);

enum {
    EVIDENCE_BITS = 30, /* 1 in 1.07e9 */
    EVIDENCE_MATCHES = 2,
    EVIDENCE_PACKET_BITS = 31, /* a rule that rare labels a single packet */
    EVIDENCE_TEXT = 512
};

/* "12 of 12 SYN satisfy seq == dst; chance 2^-384 if they were unrelated (signature mirai)".
 * Returns `text`. */
const char *fingerprint_evidence_text(
    const struct signature *s, uint64_t matches, uint64_t packets, char text[EVIDENCE_TEXT]);

/* Which scope of the rules a packet is in (enum host_scope). */
unsigned fingerprint_scope(const struct packet *p);

#endif
