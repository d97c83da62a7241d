#ifndef AUDIT_MAPPING_H
#define AUDIT_MAPPING_H

#include "anon/anon.h"

/* What a mapping of addresses gives away (where addresses are kept: everything, and no attack
 * is needed): attacks on the addresses of a trace as a policy lets them out, by somebody who
 * has the anonymised trace and knows how it was made. */

struct mapping_result {
    size_t addresses; /* distinct */
    size_t packets;

    /* Frequency: he knows how busy each address was in the first half of the trace (his own
     * data), and pairs it, rank by rank, with the anonymised second half. */
    size_t frequency_ranks; /* that he pairs: addresses in both halves, at most 1,000 */
    size_t frequency_right; /* pairs that are true */
    double frequency_share; /* of the second half's packets that these have */

    /* Injection: he has had packets sent with addresses that he knows (drawn from those of the
     * trace), finds these again, and learns of every other address what they tell. */
    size_t injected;
    double known_bits; /* of the 32 (128) of an address that is not his own, mean */
    size_t known_24;   /* addresses of which he knows at least the first 24 (48) bits */
};

/**
 * @param field     ANON_SOURCE or ANON_DESTINATION.
 * @param addresses of the packets in their order; `count` of them.
 * @param injected  how many distinct addresses he knows.
 * @return OK; ERR_NOMEM; ERR_RANGE: fewer than two distinct addresses.
 *
 * Cost: sorting, O(count log count).
 */
enum err mapping_audit(struct anon *a, enum anon_field field, const struct ip *addresses,
    size_t count, size_t injected, struct mapping_result *ret_result) MUST_CHECK;

#endif
