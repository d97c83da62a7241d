#include "decode/decode_int.h"

#include <string.h>

/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */

enum {
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    IP_LENGTH_MAX = 65535, /* what 16 bits can say */
    EXTENSIONS_MAX = 8,    /* the limit that RFC 8504 5.3 proposes */
};

enum extension {
    EXT_HOP_BY_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_AUTHENTICATION = 51,
    EXT_DESTINATION = 60,
    EXT_MOBILITY = 135,
    EXT_HIP = 139,
    EXT_SHIM6 = 140,
};

/* The fragment field of either version. */
static void fragment_decode(unsigned offset, bool more, struct packet *p)
{
    if (offset)
        p->quirks |= QUIRK_FRAG_LATER;
    else if (more)
        p->quirks |= QUIRK_FRAG_FIRST;
}

/* An address in IPv6 form; *ret_ip is zero before. */
static void ip4_address(struct ip *ret_ip, const uint8_t *address)
{
    ret_ip->byte[10] = ret_ip->byte[11] = 0xff;
    memcpy(ret_ip->byte + 12, address, 4);
}

/* End the rest where the header says that the packet ends; `len` counts from here. A packet
 * longer than its frame contradicts the link layer. */
static void packet_limit(struct rest *r, size_t len, struct packet *p)
{
    if (len > r->wire)
        p->quirks |= QUIRK_BAD_LENGTH;
    rest_limit(r, len);
}

/*  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------+-------+---------------+-------------------------------+
 * |version| words | service       | total length                  |
 * +-------+-------+---------------+-----+-------------------------+
 * | identification                |0 D M| offset in 8 bytes       |
 * +---------------+---------------+-----+-------------------------+
 * | time to live  | protocol      | checksum                      |
 * +---------------+---------------+-------------------------------+
 * | source, destination, options                                  |
 */
static enum decode_result ip4_decode(struct rest *r, struct packet *p)
{
    struct bytes in = rest_bytes(r);
    struct bytes fixed = bytes_take(&in, IP4_HEADER);
    if (fixed.cut)
        return DECODE_IP_SHORT;
    const uint8_t *h = fixed.at;
    size_t header = (h[0] & 15u) * 4;
    if (h[0] >> 4 != 4 || header < IP4_HEADER)
        return DECODE_IP_BAD;
    uint16_t total = be16_at(h + 2);
    uint16_t fragment = be16_at(h + 6);
    p->ip_len = total;
    p->ip_id = be16_at(h + 4);
    p->ttl = h[8];
    p->proto = h[9];
    ip4_address(&p->src, h + 12);
    ip4_address(&p->dst, h + 16);
    if (header > IP4_HEADER) {
        p->quirks |= QUIRK_IP_OPTIONS;
        bytes_skip(&in, header - IP4_HEADER);
        if (in.cut)
            return DECODE_IP_SHORT;
    }
    if (total >= header)
        packet_limit(r, total, p);
    else if (total == 0 && r->wire > IP_LENGTH_MAX)
        p->ip_len = IP_LENGTH_MAX; /* BIG TCP: too long for the field, which is then 0 */
    else
        p->quirks |= QUIRK_BAD_LENGTH;
    rest_skip(r, header);
    if (fragment & 0x3fff)
        fragment_decode(fragment & 0x1fffu, fragment & 0x2000, p);
    return DECODE_OK;
}

/* Step over one extension header of type *next; false when it is cut. */
static bool extension_skip(struct rest *r, uint8_t *next, struct packet *p)
{
    struct bytes in = rest_bytes(r);
    uint8_t type = *next;
    uint8_t follows = bytes_u8(&in);
    uint8_t length = bytes_u8(&in);
    uint16_t fragment = bytes_be16(&in);
    size_t header = type == EXT_FRAGMENT         ? 8
                    : type == EXT_AUTHENTICATION ? (length + 2u) * 4
                                                 : (length + 1u) * 8;
    if (in.cut || header > r->in.left)
        return false;
    rest_skip(r, header);
    *next = follows;
    if (type == EXT_FRAGMENT)
        fragment_decode(fragment & 0xfff8u, fragment & 1, p);
    return true;
}

static bool is_extension(uint8_t type)
{
    switch (type) {
    case EXT_HOP_BY_HOP:
    case EXT_ROUTING:
    case EXT_FRAGMENT:
    case EXT_AUTHENTICATION:
    case EXT_DESTINATION:
    case EXT_MOBILITY:
    case EXT_HIP:
    case EXT_SHIM6:
        return true;
    default:
        return false;
    }
}

static enum decode_result extensions_decode(uint8_t next, struct rest *r, struct packet *p)
{
    for (int count = 0; is_extension(next); count++) {
        p->quirks |= QUIRK_IP_OPTIONS;
        if (count == EXTENSIONS_MAX || !extension_skip(r, &next, p))
            return DECODE_EXT_BAD;
        if (p->quirks & QUIRK_FRAG_LATER)
            break;
    }
    p->proto = next;
    return DECODE_OK;
}

/* +-------+---------------+---------------------------------------+
 * |version| traffic class | flow label                            |
 * +-------+---------------+-------+---------------+---------------+
 * | payload length                | next header   | hop limit     |
 * +-------------------------------+---------------+---------------+
 * | source (16 bytes), destination (16 bytes)                     |
 */
static enum decode_result ip6_decode(struct rest *r, struct packet *p)
{
    struct bytes in = rest_bytes(r);
    uint8_t version = bytes_u8(&in) >> 4;
    bytes_skip(&in, 3);
    uint16_t length = bytes_be16(&in);
    uint8_t next = bytes_u8(&in);
    p->ttl = bytes_u8(&in);
    struct bytes addresses = bytes_take(&in, 32);
    if (in.cut)
        return DECODE_IP_SHORT;
    if (version != 6)
        return DECODE_IP_BAD;
    memcpy(&p->src, addresses.at, 16);
    memcpy(&p->dst, addresses.at + 16, 16);
    size_t total = length + (size_t)IP6_HEADER;
    if (length == 0 && r->wire > IP_LENGTH_MAX)
        total = r->wire; /* jumbogram (RFC 2675): too long for the field, which is then 0 */
    p->ip_len = (uint16_t)(total < IP_LENGTH_MAX ? total : IP_LENGTH_MAX);
    packet_limit(r, total, p);
    rest_skip(r, IP6_HEADER);
    return extensions_decode(next, r, p);
}

enum decode_result ip_decode(enum network network, struct rest *r, struct packet *p)
{
    if (network == NETWORK_IP) {
        struct bytes in = rest_bytes(r);
        uint8_t version = bytes_u8(&in) >> 4;
        if (in.cut)
            return DECODE_IP_SHORT;
        network = version == 6 ? NETWORK_IP6 : NETWORK_IP4;
    }
    return network == NETWORK_IP6 ? ip6_decode(r, p) : ip4_decode(r, p);
}
