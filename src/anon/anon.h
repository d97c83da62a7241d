#ifndef ANON_ANON_H
#define ANON_ANON_H

#include "anon/keys.h"
#include "anon/policy.h"
#include "base/ip.h"
#include "record/block.h"

/* The only maker of what may leave a site: a policy, compiled once, applied to blocks in place.
 * One thread at a time. Country and network must be in the rows already: sensor_take() looks
 * them up before, and nobody can afterwards. */
struct anon;

struct anon_counts {
    uint64_t rows;
    uint64_t epochs; /* times that keys were made or loaded */
};

/* Compile. `keys` is borrowed and must outlive the anonymiser; no key is drawn before the first
 * row. `window` is the length of the windows that contacts are of, us; 0: ten minutes. */
enum err anon_new(struct anon **ret_anon, const struct anon_policy *policy,
    struct anon_keys *keys, int64_t window) MUST_CHECK;
void anon_free(struct anon *a);

const struct anon_policy *anon_policy_of(const struct anon *a);

/**
 * Apply the policy to all rows of a block of kind packet, contact or dos, in place. An epoch's
 * first row draws its keys; rows of several epochs may be mixed.
 *
 * @return OK; ERR_RANGE: a block of another kind, which has no rule and may not leave; ERR_IO:
 * keys cannot be written; ERR_NOMEM. After a failure the block is unusable and must not leave.
 * Cost: see docs/performance.md.
 */
enum err anon_block(struct anon *a, struct block *b, struct fault *f) MUST_CHECK;

/* Where a time comes to lie: for the watermark that travels beside the blocks. */
int64_t anon_time(const struct anon *a, int64_t ts);

/**
 * Addresses by themselves, in place.
 *
 * @param field ANON_SOURCE or ANON_DESTINATION.
 * @param ts    the time that chooses the epoch.
 */
enum err anon_addresses(struct anon *a, enum anon_field field, int64_t ts, struct ip *addresses,
    size_t count, struct fault *f) MUST_CHECK;

void anon_counts(const struct anon *a, struct anon_counts *ret_counts);

#endif
