#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

const char *ip_format(const struct ip *ip, char text[IP_TEXT])
{
    const char *done = ip_is_v4(ip) ? inet_ntop(AF_INET, ip->byte + 12, text, IP_TEXT)
                                    : inet_ntop(AF_INET6, ip->byte, text, IP_TEXT);
    return done ? done : "";
}

enum err ip_parse(const char *text, struct ip *ret_ip)
{
    struct ip ip = {0};
    if (inet_pton(AF_INET, text, ip.byte + 12) == 1) {
        ip.byte[10] = ip.byte[11] = 0xff;
        *ret_ip = ip;
        return OK;
    }
    if (inet_pton(AF_INET6, text, ip.byte) != 1)
        return ERR_BAD;
    *ret_ip = ip;
    return OK;
}

static uint8_t prefix_byte_mask(unsigned bits, unsigned at)
{
    if (bits >= (at + 1) * 8)
        return 0xff;
    return bits <= at * 8 ? 0 : (uint8_t)(0xff00u >> (bits - at * 8));
}

static enum err prefix_bits(const char *slash, unsigned most, unsigned *ret_bits)
{
    char *end;
    unsigned long value = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end || value > most)
        return ERR_BAD;
    *ret_bits = (unsigned)value;
    return OK;
}

enum err prefix_parse(const char *text, bool lenient, struct prefix *ret_prefix)
{
    char address[IP_TEXT];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof address)
        return ERR_BAD;
    memcpy(address, text, len);
    address[len] = 0;

    struct prefix p = {0};
    if (ip_parse(address, &p.ip) != OK)
        return ERR_BAD;
    bool v4 = strchr(address, ':') == NULL;
    unsigned bits = v4 ? 32 : 128;
    if (slash && prefix_bits(slash, bits, &bits) != OK)
        return ERR_BAD;
    p.bits = (uint8_t)(v4 ? bits + 96 : bits);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t kept = p.ip.byte[i] & prefix_byte_mask(p.bits, i);
        if (kept != p.ip.byte[i] && !lenient)
            return ERR_BAD;
        p.ip.byte[i] = kept;
    }
    *ret_prefix = p;
    return OK;
}

bool prefix_holds(const struct prefix *p, const struct ip *ip)
{
    for (unsigned i = 0; i < 16; i++)
        if ((ip->byte[i] & prefix_byte_mask(p->bits, i)) != p->ip.byte[i])
            return false;
    return true;
}

struct ip prefix_last(const struct prefix *p)
{
    struct ip last = p->ip;
    for (unsigned i = 0; i < 16; i++)
        last.byte[i] |= (uint8_t)~prefix_byte_mask(p->bits, i);
    return last;
}

bool ip_host_is_loopback(const char *host, size_t len)
{
    char text[IP_TEXT];
    struct ip ip;
    if (len >= sizeof text)
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    return strcasecmp(text, "localhost") == 0 || (!ip_parse(text, &ip) && ip_is_loopback(&ip));
}
