#include "anon/cryptopan_int.h"

#include "anon/aes_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOP_BITS = 16, /* their turns are in a table, 128 KiB */
    LOW_BITS = 32 - TOP_BITS,
    BATCH = 32,      /* IPv4 addresses in one call of AES: 8 KiB of blocks */
    CACHE_BITS = 14, /* of addresses seen before, 128 KiB */
    HALF_BITS = 64,
    HALF_CACHE_BITS = 10,
};

/* A half of an IPv6 address and how its bits turn: the first half by itself, the second after
 * its first. */
struct half {
    uint64_t before; /* the first half, if this is the second; else 0 */
    uint64_t bits;
    uint64_t turn;
    uint64_t used; /* 0: empty; 1: a first half; 2: a second */
};

struct cryptopan {
    struct aes *aes;
    uint32_t pad4;
    uint64_t pad6[2];
    uint8_t
        low_in[BATCH * LOW_BITS * AES_BLOCK]; /* bytes 4 to 15 of each block are the pad's */
    uint8_t low_out[BATCH * LOW_BITS * AES_BLOCK];
    uint8_t half_in[HALF_BITS * AES_BLOCK];
    uint8_t half_out[HALF_BITS * AES_BLOCK];
    uint16_t top[1u << TOP_BITS];     /* how the first 16 bits turn */
    uint64_t cache[1u << CACHE_BITS]; /* address << 32 | result; at first that of address 0 */
    struct half half[1u << HALF_CACHE_BITS];
};

static void store_be32(uint8_t *to, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(to, &v, sizeof v);
}

static void store_be64(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static uint64_t load_be64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap64(v);
}

/* The first `bits` of an address, filled up with the pad; bits 0..31. */
static uint32_t filled(uint32_t address, uint32_t pad, unsigned bits)
{
    uint32_t rest = UINT32_MAX >> bits;
    return (address & ~rest) | (pad & rest);
}

/* The table of the first bits, level by level: turns[p] holds those of the `bits`-bit prefix p,
 * and one more bit doubles it. All blocks of a level are made from its prefixes. */
static void top_fill(struct cryptopan *p, const uint8_t pad[AES_BLOCK])
{
    uint8_t block[256 * AES_BLOCK];
    for (size_t i = 0; i < 256; i++)
        memcpy(block + i * AES_BLOCK, pad, AES_BLOCK);
    p->top[0] = 0;
    for (unsigned bits = 0; bits < TOP_BITS; bits++) {
        uint32_t prefixes = 1u << bits;
        /* From the end: prefix n becomes 2n and 2n + 1, which lie behind all that is left. */
        for (uint32_t end = prefixes; end > 0;) {
            uint32_t n = end < 128 ? end : 128;
            uint8_t out[128 * AES_BLOCK];
            for (uint32_t i = 0; i < n; i++) {
                uint32_t prefix = end - n + i;
                uint32_t address = bits ? prefix << (32 - bits) : 0;
                store_be32(block + i * AES_BLOCK, filled(address, p->pad4, bits));
            }
            aes_blocks(p->aes, block, out, n);
            for (uint32_t i = n; i-- > 0;) {
                uint32_t prefix = end - n + i;
                uint16_t turn = (uint16_t)(p->top[prefix] << 1 | out[i * AES_BLOCK] >> 7);
                p->top[2 * prefix] = turn;
                p->top[2 * prefix + 1] = turn;
            }
            end -= n;
        }
    }
}

/* At most BATCH addresses, none looked up. */
static void low_turn(struct cryptopan *p, const uint32_t *from, uint32_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (unsigned bit = 0; bit < LOW_BITS; bit++)
            store_be32(p->low_in + (i * LOW_BITS + bit) * AES_BLOCK,
                filled(from[i], p->pad4, TOP_BITS + bit));
    aes_blocks(p->aes, p->low_in, p->low_out, count * LOW_BITS);
    for (size_t i = 0; i < count; i++) {
        uint32_t turn = 0;
        for (unsigned bit = 0; bit < LOW_BITS; bit++)
            turn = turn << 1 | p->low_out[(i * LOW_BITS + bit) * AES_BLOCK] >> 7;
        to[i] = from[i] ^ ((uint32_t)p->top[from[i] >> LOW_BITS] << LOW_BITS | turn);
    }
}

enum err cryptopan_new(struct cryptopan **ret_pan, const uint8_t key[CRYPTOPAN_KEY])
{
    struct cryptopan *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    enum err e = aes_new(&p->aes, key);
    if (e) {
        free(p);
        return e;
    }
    uint8_t pad[AES_BLOCK];
    aes_blocks(p->aes, key + AES_KEY, pad, 1);
    p->pad6[0] = load_be64(pad);
    p->pad6[1] = load_be64(pad + 8);
    p->pad4 = (uint32_t)(p->pad6[0] >> 32);
    for (size_t i = 0; i < BATCH * LOW_BITS; i++)
        memcpy(p->low_in + i * AES_BLOCK, pad, AES_BLOCK);
    top_fill(p, pad);
    uint32_t zero = 0;
    low_turn(p, &zero, &zero, 1);
    for (size_t i = 0; i < sizeof p->cache / sizeof *p->cache; i++)
        p->cache[i] = zero;
    *ret_pan = p;
    return OK;
}

void cryptopan_free(struct cryptopan *p)
{
    if (!p)
        return;
    aes_free(p->aes);
    explicit_bzero(p, sizeof *p);
    free(p);
}

/* Results for addresses that wait, at `place[]` of the array. */
static void waiting_turn(struct cryptopan *p, uint32_t *addresses, const size_t *place,
    const uint32_t *waiting, size_t count)
{
    uint32_t result[BATCH];
    low_turn(p, waiting, result, count);
    for (size_t i = 0; i < count; i++) {
        size_t slot = hash_u64(waiting[i]) >> (64 - CACHE_BITS);
        p->cache[slot] = (uint64_t)waiting[i] << 32 | result[i];
        addresses[place[i]] = result[i];
    }
}

void cryptopan_map4(struct cryptopan *p, uint32_t *addresses, size_t count, bool fresh)
{
    size_t place[BATCH];
    uint32_t waiting[BATCH] = {0};
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t slot = hash_u64(addresses[i]) >> (64 - CACHE_BITS);
        if (!fresh && p->cache[slot] >> 32 == addresses[i]) {
            addresses[i] = (uint32_t)p->cache[slot];
            continue;
        }
        place[n] = i;
        waiting[n++] = addresses[i];
        if (n == BATCH) {
            waiting_turn(p, addresses, place, waiting, n);
            n = 0;
        }
    }
    waiting_turn(p, addresses, place, waiting, n);
}

/* How the 64 bits of one half turn: all their blocks in one call. */
static uint64_t half_turn(struct cryptopan *p, const uint64_t first, const uint64_t *second)
{
    for (unsigned bit = 0; bit < HALF_BITS; bit++) {
        uint64_t rest = UINT64_MAX >> bit;
        uint8_t *block = p->half_in + bit * AES_BLOCK;
        uint64_t high = second ? first : (first & ~rest) | (p->pad6[0] & rest);
        uint64_t low = second ? (*second & ~rest) | (p->pad6[1] & rest) : p->pad6[1];
        store_be64(block, high);
        store_be64(block + 8, low);
    }
    aes_blocks(p->aes, p->half_in, p->half_out, HALF_BITS);
    uint64_t turn = 0;
    for (unsigned bit = 0; bit < HALF_BITS; bit++)
        turn = turn << 1 | p->half_out[bit * AES_BLOCK] >> 7;
    return turn;
}

static uint64_t half_find(struct cryptopan *p, uint64_t first, const uint64_t *second)
{
    struct half want = {
        .before = second ? first : 0, .bits = second ? *second : first, .used = second ? 2 : 1};
    struct half *h =
        &p->half[hash_two(want.before + want.used, want.bits) >> (64 - HALF_CACHE_BITS)];
    if (h->used != want.used || h->before != want.before || h->bits != want.bits) {
        want.turn = half_turn(p, first, second);
        *h = want;
    }
    return h->turn;
}

static void map6(struct cryptopan *p, struct ip *ip)
{
    uint64_t first = load_be64(ip->byte), second = load_be64(ip->byte + 8);
    store_be64(ip->byte, first ^ half_find(p, first, NULL));
    store_be64(ip->byte + 8, second ^ half_find(p, first, &second));
}

void cryptopan_map(struct cryptopan *p, struct ip *addresses, size_t count)
{
    enum {
        RUN = 512
    };
    uint32_t four[RUN] = {0};
    for (size_t at = 0; at < count; at += RUN) {
        size_t end = count - at < RUN ? count : at + RUN;
        size_t n = 0;
        for (size_t i = at; i < end; i++)
            if (ip_is_v4(&addresses[i]))
                four[n++] = ip_v4(&addresses[i]);
        cryptopan_map4(p, four, n, false);
        n = 0;
        for (size_t i = at; i < end; i++) {
            if (ip_is_v4(&addresses[i]))
                store_be32(addresses[i].byte + 12, four[n++]);
            else
                map6(p, &addresses[i]);
        }
    }
}
