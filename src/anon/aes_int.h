#ifndef ANON_AES_INT_H
#define ANON_AES_INT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* AES-128, block by block, many blocks in one call: as a function that nobody without the key
 * can tell from a random permutation. OpenSSL's, which uses the processor's instructions. */
struct aes;

enum {
    AES_BLOCK = 16,
    AES_KEY = 16
};

enum err aes_new(struct aes **ret_aes, const uint8_t key[AES_KEY]) MUST_CHECK;
void aes_free(struct aes *a);

/* `in` and `out` may be the same. Blocks: at most 2^20. */
void aes_blocks(struct aes *a, const uint8_t *in, uint8_t *out, size_t blocks);

#endif
