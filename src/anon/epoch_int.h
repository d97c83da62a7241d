#ifndef ANON_EPOCH_INT_H
#define ANON_EPOCH_INT_H

#include "anon/cryptopan_int.h"
#include "anon/keys.h"
#include "anon/permute_int.h"
#include "anon/policy.h"

#include <sodium.h>

/* What the keys of one epoch make of a policy. */

enum {
    EPOCH_KEY = crypto_generichash_KEYBYTES, /* 32 */
    DSTS_BITS = 64
};

/* How addresses of one field change. */
struct address_map {
    struct anon_rule rule;
    struct cryptopan *pan;   /* ANON_PREFIX */
    struct permute *permute; /* ANON_HASH */
};

struct epoch {
    int64_t start;
    struct address_map address[2]; /* ANON_SOURCE, ANON_DESTINATION */
    uint8_t key[ANON_FIELDS][EPOCH_KEY];
    uint8_t dsts[DSTS_BITS]; /* where bit i of a contact's map of destinations goes */
};

/* Derive all keys from the epoch's secret. On failure nothing is held. */
enum err epoch_open(struct epoch *ret_epoch, const struct anon_policy *policy, int64_t start,
    const uint8_t secret[ANON_SECRET]) MUST_CHECK;
void epoch_close(struct epoch *e);

/* In place. */
void address_map(const struct address_map *m, struct ip *addresses, size_t count);

/* A keyed hash of some bytes: BLAKE2b, 128 bits. */
enum {
    EPOCH_DIGEST = 16
};
void epoch_digest(const struct epoch *e, enum anon_field field, const void *data, size_t len,
    uint8_t ret_digest[EPOCH_DIGEST]);

/* The first 64 bits of it, never 0. */
uint64_t epoch_number(
    const struct epoch *e, enum anon_field field, const void *data, size_t len);

#endif
