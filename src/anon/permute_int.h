#ifndef ANON_PERMUTE_INT_H
#define ANON_PERMUTE_INT_H

#include "base/err.h"
#include "base/ip.h"

#include <stddef.h>

/* A keyed hash of addresses that is one to one, so that no two become one and none changes its
 * family: for IPv4 a Feistel network of ten rounds over 16 and 16 bits with AES as the round's
 * function (as FF1 of NIST SP 800-38G builds small permutations), for IPv6 AES itself. */
struct permute;

enum {
    PERMUTE_KEY = 32 /* one half for each family */
};

enum err permute_new(struct permute **ret_permute, const uint8_t key[PERMUTE_KEY]) MUST_CHECK;
void permute_free(struct permute *p);

/* In place. Cost: ten blocks of AES for IPv4, one for IPv6. */
void permute_map(struct permute *p, struct ip *addresses, size_t count);

#endif
