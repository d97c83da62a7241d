#ifndef ANON_CRYPTOPAN_INT_H
#define ANON_CRYPTOPAN_INT_H

#include "base/err.h"
#include "base/ip.h"

#include <stddef.h>

/* Crypto-PAn: one to one, and two addresses share exactly as many first bits afterwards as
 * before (Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002). Bit i
 * of the result is bit i of the address, turned by the first bit of AES(the i bits before it,
 * filled up with a secret pad). Results are those of the authors' program and of nfdump's for
 * IPv4, and of the programs that carry it to 128 bits for IPv6.
 *
 * What differs is the order of work: the turns of the first 16 bits come from a table, those of
 * the rest from one call of AES for many addresses, and addresses seen before from a cache. */
struct cryptopan;

enum {
    CRYPTOPAN_KEY = 32 /* AES key, then what is encrypted to become the pad */
};

enum err cryptopan_new(struct cryptopan **ret_pan, const uint8_t key[CRYPTOPAN_KEY]) MUST_CHECK;
void cryptopan_free(struct cryptopan *p);

/* In place; IPv4 stays IPv4. Cost: docs/performance.md. */
void cryptopan_map(struct cryptopan *p, struct ip *addresses, size_t count);

/* The same for IPv4 as numbers in host order; `fresh` looks nothing up in the cache, for
 * measurements. */
void cryptopan_map4(struct cryptopan *p, uint32_t *addresses, size_t count, bool fresh);

#endif
