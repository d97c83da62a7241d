#include "anon/epoch_int.h"

#include <string.h>

static const char context[crypto_kdf_CONTEXTBYTES] = {'k', 'z', 'a', 'n', 'o', 'n', ' ', '1'};

/* Subkeys 0.. are those of the fields. */
enum {
    SUBKEY_DSTS = 64
};

static enum err map_open(
    struct address_map *m, const struct anon_rule *rule, const uint8_t key[EPOCH_KEY])
{
    m->rule = *rule;
    if (rule->method == ANON_PREFIX)
        return cryptopan_new(&m->pan, key);
    if (rule->method == ANON_HASH)
        return permute_new(&m->permute, key);
    return OK;
}

/* A shuffle of the bits (Fisher, Yates) by bytes that only the key tells. */
static void dsts_shuffle(struct epoch *e, const uint8_t secret[ANON_SECRET])
{
    uint8_t key[EPOCH_KEY];
    uint32_t draw[DSTS_BITS];
    crypto_kdf_derive_from_key(key, sizeof key, SUBKEY_DSTS, context, secret);
    randombytes_buf_deterministic(draw, sizeof draw, key);
    for (unsigned i = 0; i < DSTS_BITS; i++)
        e->dsts[i] = (uint8_t)i;
    for (unsigned i = DSTS_BITS - 1; i > 0; i--) {
        unsigned other = draw[i] % (i + 1);
        uint8_t held = e->dsts[i];
        e->dsts[i] = e->dsts[other];
        e->dsts[other] = held;
    }
    sodium_memzero(key, sizeof key);
    sodium_memzero(draw, sizeof draw);
}

enum err epoch_open(struct epoch *ret_epoch, const struct anon_policy *policy, int64_t start,
    const uint8_t secret[ANON_SECRET])
{
    struct epoch e = {.start = start};
    for (unsigned i = 0; i < ANON_FIELDS; i++)
        crypto_kdf_derive_from_key(e.key[i], EPOCH_KEY, i, context, secret);
    if (policy->one_key)
        memcpy(e.key[ANON_DESTINATION], e.key[ANON_SOURCE], EPOCH_KEY);
    dsts_shuffle(&e, secret);
    enum err err = OK;
    for (unsigned i = ANON_SOURCE; i <= ANON_DESTINATION && !err; i++)
        err = map_open(&e.address[i], &policy->rule[i], e.key[i]);
    if (err)
        epoch_close(&e);
    else
        *ret_epoch = e;
    sodium_memzero(e.key, sizeof e.key);
    return err;
}

void epoch_close(struct epoch *e)
{
    for (unsigned i = ANON_SOURCE; i <= ANON_DESTINATION; i++) {
        cryptopan_free(e->address[i].pan);
        permute_free(e->address[i].permute);
    }
    sodium_memzero(e, sizeof *e);
}

/* Keep the first bits; IPv4 keeps its mark. */
static void truncate(const struct anon_rule *rule, struct ip *ip)
{
    unsigned bits = ip_is_v4(ip) ? 96u + rule->ipv4 : rule->ipv6;
    for (unsigned i = 0; i < sizeof ip->byte; i++, bits -= bits < 8 ? bits : 8)
        if (bits < 8)
            ip->byte[i] &= (uint8_t)(0xff00 >> bits);
}

void address_map(const struct address_map *m, struct ip *addresses, size_t count)
{
    if (m->pan) {
        cryptopan_map(m->pan, addresses, count);
    } else if (m->permute) {
        permute_map(m->permute, addresses, count);
    } else if (m->rule.method != ANON_KEEP) {
        /* ANON_DROP has no bits to keep: 0.0.0.0 and :: stay. */
        for (size_t i = 0; i < count; i++)
            truncate(&m->rule, &addresses[i]);
    }
}

void epoch_digest(const struct epoch *e, enum anon_field field, const void *data, size_t len,
    uint8_t ret_digest[EPOCH_DIGEST])
{
    crypto_generichash(ret_digest, EPOCH_DIGEST, data, len, e->key[field], EPOCH_KEY);
}

uint64_t epoch_number(
    const struct epoch *e, enum anon_field field, const void *data, size_t len)
{
    uint8_t digest[EPOCH_DIGEST];
    uint64_t number;
    epoch_digest(e, field, data, len, digest);
    memcpy(&number, digest, sizeof number);
    return number ? number : 1;
}
