#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An address in IPv6 form, network order; IPv4 as ::ffff:a.b.c.d. */
struct ip {
    uint8_t byte[16];
};

enum {
    IP_TEXT = 46
}; /* longest text of an address, with its NUL */

static inline struct ip ip_from_v4(uint32_t host_order)
{
    struct ip ip = {.byte = {[10] = 0xff, [11] = 0xff}};
    ip.byte[12] = (uint8_t)(host_order >> 24);
    ip.byte[13] = (uint8_t)(host_order >> 16);
    ip.byte[14] = (uint8_t)(host_order >> 8);
    ip.byte[15] = (uint8_t)host_order;
    return ip;
}

static inline bool ip_is_v4(const struct ip *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip->byte, mapped, 12) == 0;
}

/* The last 32 bits, host order: the IPv4 address if ip_is_v4(). */
static inline uint32_t ip_v4(const struct ip *ip)
{
    return (uint32_t)ip->byte[12] << 24 | (uint32_t)ip->byte[13] << 16 |
           (uint32_t)ip->byte[14] << 8 | ip->byte[15];
}

/* 127.0.0.0/8 or ::1. */
static inline bool ip_is_loopback(const struct ip *ip)
{
    static const uint8_t one[16] = {[15] = 1};
    return ip_is_v4(ip) ? ip->byte[12] == 127 : memcmp(ip->byte, one, 16) == 0;
}

/* Does a host that a person wrote stay on this machine: localhost, or a loopback address? Other
 * names are not asked for: what answers today may answer otherwise tomorrow. */
bool ip_host_is_loopback(const char *host, size_t len);

static inline bool ip_same(const struct ip *a, const struct ip *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline int ip_compare(const struct ip *a, const struct ip *b)
{
    return memcmp(a, b, sizeof *a);
}

static inline uint64_t ip_hash(const struct ip *ip)
{
    uint64_t half[2];
    memcpy(half, ip, sizeof half);
    return hash_two(half[0], half[1]);
}

/* Text form: dotted quad for IPv4, RFC 5952 for IPv6. Returns `text`. */
const char *ip_format(const struct ip *ip, char text[IP_TEXT]);

/* Either form; nothing before or after it is allowed. ERR_BAD otherwise. */
enum err ip_parse(const char *text, struct ip *ret_ip) MUST_CHECK;

/* Addresses that share their first `bits` bits; bits counts in the IPv6 form (IPv4 /24 is 120).
 */
struct prefix {
    struct ip ip; /* the bits after the first `bits` are zero */
    uint8_t bits; /* 0..128 */
};

/* "192.0.2.0/24", "2001:db8::/32" or a single address. Bits set beyond the length are ERR_BAD
 * unless `lenient`, which clears them: published lists carry such lines. */
enum err prefix_parse(const char *text, bool lenient, struct prefix *ret_prefix) MUST_CHECK;
bool prefix_holds(const struct prefix *p, const struct ip *ip);

/* First and last address of a prefix. */
struct ip prefix_last(const struct prefix *p);

#endif
