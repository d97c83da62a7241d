#include "anon/aes_int.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct aes {
    EVP_CIPHER_CTX *context;
};

enum err aes_new(struct aes **ret_aes, const uint8_t key[AES_KEY])
{
    struct aes *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->context = EVP_CIPHER_CTX_new();
    if (!a->context ||
        EVP_EncryptInit_ex(a->context, EVP_aes_128_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(a->context, 0) != 1) {
        aes_free(a);
        return ERR_NOMEM;
    }
    *ret_aes = a;
    return OK;
}

void aes_free(struct aes *a)
{
    if (!a)
        return;
    EVP_CIPHER_CTX_free(a->context);
    free(a);
}

void aes_blocks(struct aes *a, const uint8_t *in, uint8_t *out, size_t blocks)
{
    assert(blocks <= 1u << 20);
    int written = 0;
    int done = EVP_EncryptUpdate(a->context, out, &written, in, (int)(blocks * AES_BLOCK));
    assert(done == 1 && (size_t)written == blocks * AES_BLOCK);
}
