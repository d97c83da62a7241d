#include "decode/decode_int.h"
#include "decode/tcp_options.h"

/* TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443) headers. */

enum {
    TCP_HEADER = 20,
    TCP_OFFSET_MIN = 5, /* 32-bit words */
    TCP_OPTION_MSS = 2,
    UDP_HEADER = 8,
    ICMP_HEADER = 8,
    ICMP_ECHO_REPLY = 0,
    ICMP_ECHO = 8,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
};

/* Read kinds, order and MSS. False when a length is impossible or passes the end. */
static bool tcp_options_decode(struct bytes in, struct packet *p)
{
    uint32_t digest = 0;
    while (in.left) {
        uint8_t kind = bytes_u8(&in);
        digest = tcp_options_add(digest, kind);
        if (kind == TCP_OPTION_END)
            break;
        if (kind == TCP_OPTION_NOP)
            continue;
        uint8_t length = bytes_u8(&in);
        struct bytes value = length >= 2 ? bytes_take(&in, length - 2u) : in;
        if (length < 2 || value.cut) {
            in.cut = true;
            break;
        }
        if (kind == TCP_OPTION_MSS && length == 4)
            p->tcp_mss = bytes_be16(&value);
    }
    p->tcp_opts = digest;
    return !in.cut;
}

/* A header of less than 20 bytes: the fields that are there. */
static void tcp_cut_decode(struct bytes in, struct packet *p)
{
    p->sport = bytes_be16(&in);
    p->dport = bytes_be16(&in);
    p->tcp_seq = bytes_be32(&in);
    p->tcp_ack = bytes_be32(&in);
    p->tcp_offset = bytes_u8(&in) >> 4;
    p->tcp_flags = bytes_u8(&in);
    p->tcp_win = bytes_be16(&in);
    p->quirks |= QUIRK_SHORT_HEADER;
}

/*  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | source port                   | destination port              |
 * +-------------------------------+-------------------------------+
 * | sequence number                                               |
 * +---------------------------------------------------------------+
 * | acknowledgement number                                        |
 * +-------+-------+---------------+-------------------------------+
 * | words | -     | flags         | window                        |
 * +-------+-------+---------------+-------------------------------+
 * | checksum                      | urgent pointer                |
 * +-------------------------------+-------------------------------+
 * | options, payload                                              |
 */
static void tcp_decode(struct rest *r, struct packet *p)
{
    struct bytes in = rest_bytes(r);
    struct bytes fixed = bytes_take(&in, TCP_HEADER);
    if (fixed.cut) {
        tcp_cut_decode(rest_bytes(r), p);
        return;
    }
    const uint8_t *h = fixed.at;
    p->sport = be16_at(h);
    p->dport = be16_at(h + 2);
    p->tcp_seq = be32_at(h + 4);
    p->tcp_ack = be32_at(h + 8);
    p->tcp_offset = h[12] >> 4;
    p->tcp_flags = h[13];
    p->tcp_win = be16_at(h + 14);
    size_t header = p->tcp_offset * 4u;
    if (header < TCP_HEADER || header > r->wire)
        p->quirks |= QUIRK_BAD_LENGTH;
    if (header > TCP_HEADER) {
        size_t wanted = header - TCP_HEADER;
        bool whole = wanted <= in.left;
        if (!whole && header <= r->wire)
            p->quirks |= QUIRK_SHORT_HEADER;
        if (!tcp_options_decode(bytes_take(&in, whole ? wanted : in.left), p) && whole)
            p->quirks |= QUIRK_BAD_LENGTH;
    }
    p->payload = in;
}

static void udp_decode(struct rest *r, struct packet *p)
{
    struct bytes in = rest_bytes(r);
    p->sport = bytes_be16(&in);
    p->dport = bytes_be16(&in);
    uint16_t length = bytes_be16(&in);
    bytes_skip(&in, 2);
    if (in.cut) {
        p->quirks |= QUIRK_SHORT_HEADER;
        return;
    }
    /* The length of a first fragment is that of the whole datagram; that of a jumbogram is 0.
     */
    bool fits = length == r->wire || (length > r->wire && p->quirks & QUIRK_FRAG_FIRST) ||
                (length == 0 && r->wire > UINT16_MAX);
    if (!fits)
        p->quirks |= QUIRK_BAD_LENGTH;
    if (length >= UDP_HEADER && in.left > length - (size_t)UDP_HEADER)
        in.left = length - (size_t)UDP_HEADER;
    p->payload = in;
}

static void icmp_decode(struct rest *r, struct packet *p, uint8_t echo, uint8_t echo_reply)
{
    struct bytes in = rest_bytes(r);
    uint8_t type = bytes_u8(&in);
    p->dport = type;
    p->sport = bytes_u8(&in);
    bytes_skip(&in, 2);
    uint16_t id = bytes_be16(&in);
    uint16_t sequence = bytes_be16(&in);
    if (type == echo || type == echo_reply) {
        p->icmp_id = id;
        p->icmp_seq = sequence;
    }
    if (in.cut)
        p->quirks |= QUIRK_SHORT_HEADER;
    else
        p->payload = in;
}

void transport_decode(struct rest *r, struct packet *p)
{
    p->payload = bytes_over(r->in.at, 0);
    if (p->quirks & QUIRK_FRAG_LATER) {
        p->payload = r->in;
        return;
    }
    switch (p->proto) {
    case PROTO_TCP:
        tcp_decode(r, p);
        break;
    case PROTO_UDP:
        udp_decode(r, p);
        break;
    case PROTO_ICMP:
        icmp_decode(r, p, ICMP_ECHO, ICMP_ECHO_REPLY);
        break;
    case PROTO_ICMPV6:
        icmp_decode(r, p, ICMP6_ECHO, ICMP6_ECHO_REPLY);
        break;
    default:
        p->payload = r->in;
    }
}
