#include "decode/frame.h"

#include "base/checksum.h"
#include "base/wire.h"

#include <stdbool.h>
#include <string.h>

enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    IPV6_FRAGMENT = 8,
    PROTO_FRAGMENT = 44,
    LATER = 1, /* offset of a later fragment: nobody kept which, but for that it is not 0 */
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    ICMP_HEADER = 8,
    LENGTH_MAX = 65535
};

static uint32_t at_most(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

static bool is_later(const struct packet *p)
{
    return p->quirks & QUIRK_FRAG_LATER;
}

static bool is_fragment(const struct packet *p)
{
    return p->quirks & (QUIRK_FRAG_FIRST | QUIRK_FRAG_LATER);
}

/* The transport header without its checksum; its length. */
static uint32_t put_transport(const struct packet *p, uint32_t payload_len, uint8_t *at)
{
    if (is_later(p))
        return 0;
    switch (p->proto) {
    case PROTO_TCP:
        wire_put16(at, p->sport);
        wire_put16(at + 2, p->dport);
        wire_put32(at + 4, p->tcp_seq);
        wire_put32(at + 8, p->tcp_ack);
        at[12] = TCP_HEADER / 4 << 4;
        at[13] = p->tcp_flags;
        wire_put16(at + 14, p->tcp_win);
        return TCP_HEADER;
    case PROTO_UDP:
        wire_put16(at, p->sport);
        wire_put16(at + 2, p->dport);
        wire_put16(at + 4, at_most(UDP_HEADER + payload_len, LENGTH_MAX));
        return UDP_HEADER;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        at[0] = (uint8_t)p->dport;
        at[1] = (uint8_t)p->sport;
        return ICMP_HEADER;
    default:
        return 0;
    }
}

/* Where its checksum stands in the transport header; NULL: it has none. */
static uint8_t *checksum_of(const struct packet *p, uint8_t *transport)
{
    if (is_later(p))
        return NULL;
    switch (p->proto) {
    case PROTO_TCP:
        return transport + 16;
    case PROTO_UDP:
        return transport + 6;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        return transport + 2;
    default:
        return NULL;
    }
}

static void put_ipv4(const struct packet *p, uint32_t length, uint8_t *at)
{
    at[0] = 0x45;
    wire_put16(at + 2, at_most(length, LENGTH_MAX));
    wire_put16(at + 4, p->ip_id);
    wire_put16(at + 6, is_later(p) ? LATER : is_fragment(p) ? 0x2000 : 0);
    at[8] = p->ttl;
    at[9] = p->proto;
    wire_put32(at + 12, ip_v4(&p->src));
    wire_put32(at + 16, ip_v4(&p->dst));
    wire_put16(at + 10, checksum_seal(0, at, IPV4_HEADER));
}

static void put_ipv6(const struct packet *p, uint32_t length, uint8_t *at)
{
    at[0] = 0x60;
    wire_put16(at + 4, at_most(length - IPV6_HEADER, LENGTH_MAX));
    at[6] = is_fragment(p) ? PROTO_FRAGMENT : p->proto;
    at[7] = p->ttl;
    memcpy(at + 8, p->src.byte, 16);
    memcpy(at + 24, p->dst.byte, 16);
    if (!is_fragment(p))
        return;
    at[IPV6_HEADER] = p->proto;
    wire_put16(at + IPV6_HEADER + 2, is_later(p) ? LATER << 3 : 1);
}

/* Over addresses, length and protocol: not for ICMP of IPv4. */
static uint64_t pseudo_header(
    const struct packet *p, bool v4, const uint8_t *ip, uint32_t length)
{
    if (v4 && p->proto == PROTO_ICMP)
        return 0;
    uint64_t sum = v4 ? checksum_add(0, ip + 12, 8) : checksum_add(0, ip + 8, 32);
    return sum + p->proto + (length >> 16) + (length & 0xffff);
}

size_t frame_write(
    const struct packet *p, uint32_t payload_len, uint8_t frame[FRAME_ROOM], uint32_t *ret_wire)
{
    bool v4 = ip_is_v4(&p->src) && ip_is_v4(&p->dst);
    uint32_t ip = v4 ? IPV4_HEADER : IPV6_HEADER + (is_fragment(p) ? IPV6_FRAGMENT : 0);
    uint32_t kept = at_most((uint32_t)p->payload.left, FRAME_PAYLOAD_MAX);
    payload_len = payload_len > kept ? payload_len : kept;
    memset(frame, 0, ip + TCP_HEADER);
    uint32_t header = put_transport(p, payload_len, frame + ip);
    if (kept)
        memcpy(frame + ip + header, p->payload.at, kept);
    *ret_wire = ip + header + payload_len;
    if (v4)
        put_ipv4(p, *ret_wire, frame);
    else
        put_ipv6(p, *ret_wire, frame);
    uint8_t *sum = checksum_of(p, frame + ip);
    if (sum && kept == payload_len && !is_fragment(p)) {
        uint64_t over = pseudo_header(p, v4, frame, header + kept);
        uint16_t value = checksum_seal(over, frame + ip, header + kept);
        wire_put16(sum, value == 0 && p->proto == PROTO_UDP ? 0xffff : value);
    }
    return ip + header + kept;
}
