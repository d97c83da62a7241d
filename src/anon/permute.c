#include "anon/permute_int.h"

#include "anon/aes_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 10,
    BATCH = 64,
};

struct permute {
    struct aes *aes4, *aes6;
    uint8_t block[BATCH * AES_BLOCK];
};

enum err permute_new(struct permute **ret_permute, const uint8_t key[PERMUTE_KEY])
{
    struct permute *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    enum err e = aes_new(&p->aes4, key);
    if (!e)
        e = aes_new(&p->aes6, key + AES_KEY);
    if (e) {
        permute_free(p);
        return e;
    }
    *ret_permute = p;
    return OK;
}

void permute_free(struct permute *p)
{
    if (!p)
        return;
    aes_free(p->aes4);
    aes_free(p->aes6);
    free(p);
}

static void four_map(struct permute *p, uint16_t half[][2], size_t count)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        memset(p->block, 0, count * AES_BLOCK);
        for (size_t i = 0; i < count; i++) {
            uint8_t *b = p->block + i * AES_BLOCK;
            b[0] = (uint8_t)round;
            b[1] = (uint8_t)(half[i][1] >> 8);
            b[2] = (uint8_t)half[i][1];
        }
        aes_blocks(p->aes4, p->block, p->block, count);
        for (size_t i = 0; i < count; i++) {
            const uint8_t *b = p->block + i * AES_BLOCK;
            uint16_t left = half[i][0];
            half[i][0] = half[i][1];
            half[i][1] = (uint16_t)(left ^ (b[0] << 8 | b[1]));
        }
    }
}

static void batch_map(struct permute *p, struct ip *addresses, size_t count)
{
    uint16_t half[BATCH][2];
    size_t four = 0, six = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *b = addresses[i].byte;
        if (!ip_is_v4(&addresses[i])) {
            memcpy(p->block + six++ * AES_BLOCK, b, AES_BLOCK);
            continue;
        }
        half[four][0] = (uint16_t)(b[12] << 8 | b[13]);
        half[four++][1] = (uint16_t)(b[14] << 8 | b[15]);
    }
    aes_blocks(p->aes6, p->block, p->block, six);
    six = 0;
    bool is_four[BATCH];
    for (size_t i = 0; i < count; i++) {
        is_four[i] = ip_is_v4(&addresses[i]);
        if (!is_four[i])
            memcpy(addresses[i].byte, p->block + six++ * AES_BLOCK, AES_BLOCK);
    }
    four_map(p, half, four);
    four = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_four[i])
            continue;
        uint8_t *b = addresses[i].byte;
        b[12] = (uint8_t)(half[four][0] >> 8);
        b[13] = (uint8_t)half[four][0];
        b[14] = (uint8_t)(half[four][1] >> 8);
        b[15] = (uint8_t)half[four++][1];
    }
}

void permute_map(struct permute *p, struct ip *addresses, size_t count)
{
    for (size_t at = 0; at < count; at += BATCH)
        batch_map(p, addresses + at, count - at < BATCH ? count - at : BATCH);
}
