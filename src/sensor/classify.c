/* The stateless part of classification. A telescope asks for nothing, so whatever looks like an
 * answer was asked for by somebody else in its name. */
#include "sensor/classify.h"

/* Skip one BER tag and its length; false if the tag is another or bytes are missing. */
static bool ber_enter(struct bytes *b, uint8_t tag)
{
    if (bytes_u8(b) != tag)
        return false;
    uint8_t len = bytes_u8(b);
    if (len & 0x80)
        bytes_skip(b, len & 0x7f);
    return !b->cut;
}

/* Skip one BER value of the tag. */
static bool ber_skip(struct bytes *b, uint8_t tag)
{
    if (bytes_u8(b) != tag)
        return false;
    uint8_t len = bytes_u8(b);
    if (len & 0x80)
        return false;
    bytes_skip(b, len);
    return !b->cut;
}

/* SNMP (RFC 3416): SEQUENCE, version, community, then the PDU: 0xa2 Response, 0xa8 Report. Of
 * version 3, whose PDU may be encrypted, any message from the service's port counts. */
static bool snmp_answer(struct bytes b)
{
    if (!ber_enter(&b, 0x30))
        return false;
    struct bytes version = b;
    bytes_skip(&version, 2);
    if (bytes_u8(&version) == 3)
        return true;
    if (!ber_skip(&b, 0x02) || !ber_skip(&b, 0x04))
        return false;
    uint8_t pdu = bytes_u8(&b);
    return pdu == 0xa2 || pdu == 0xa8;
}

/* LDAP (RFC 4511): SEQUENCE, message id, then 0x64 entry, 0x65 done, 0x73 reference. */
static bool cldap_answer(struct bytes b)
{
    if (!ber_enter(&b, 0x30) || !ber_skip(&b, 0x02))
        return false;
    uint8_t op = bytes_u8(&b);
    return op == 0x64 || op == 0x65 || op == 0x73;
}

/* BACnet/IP (ASHRAE 135 annex J): 4 bytes BVLC, 2 of NPDU at least, then the APDU, whose high
 * half is the type: 2 and above are answers. Destination and source specifiers in the NPDU are
 * not expected of an answer to a scan. */
static bool bacnet_answer(struct bytes b)
{
    if (bytes_u8(&b) != 0x81)
        return false;
    bytes_skip(&b, 4);
    uint8_t control = bytes_u8(&b);
    uint8_t type = bytes_u8(&b) >> 4;
    return !b.cut && (control & 0x28) == 0 && type >= 2 && type <= 7;
}

/* NTP (RFC 5905): mode 4 is a server's answer; in mode 6 the response bit is the highest of
 * byte 1, in mode 7 the highest of byte 0. */
static bool ntp_answer(struct bytes b)
{
    uint8_t first = bytes_u8(&b);
    uint8_t second = bytes_u8(&b);
    if (b.cut)
        return false;
    if ((first & 7) == 4)
        return true;
    return ((first & 7) == 6 && second & 0x80) || ((first & 7) == 7 && first & 0x80);
}

/* How an answer of a UDP service is told from a request: by a function, or else by the byte at
 * `at`, which under `mask` is `value`; mask 0 takes any payload of that length, for services
 * whose requests are shorter. */
struct udp_answer {
    uint16_t port;
    uint16_t least; /* bytes of payload that an answer has at least */
    uint8_t at, mask, value;
    bool (*looks)(struct bytes payload);
};

static const struct udp_answer udp_answers[] = {
    {17, 2, 0, 0, 0, NULL},             /* quote of the day: a request is empty */
    {19, 2, 0, 0, 0, NULL},             /* character generator: the same */
    {53, 12, 2, 0x80, 0x80, NULL},      /* DNS: QR bit */
    {111, 12, 7, 0xff, 0x01, NULL},     /* portmapper: RPC message type 1, reply */
    {123, 12, 0, 0, 0, ntp_answer},     /* NTP */
    {137, 12, 2, 0x80, 0x80, NULL},     /* NetBIOS name service: response bit */
    {161, 8, 0, 0, 0, snmp_answer},     /* SNMP */
    {389, 8, 0, 0, 0, cldap_answer},    /* CLDAP */
    {443, 7, 0, 0xc0, 0xc0, NULL},      /* QUIC: long header; clients use high ports */
    {500, 28, 19, 0x20, 0x20, NULL},    /* IKE version 2: response flag */
    {520, 4, 0, 0xff, 2, NULL},         /* RIP: command 2, response */
    {1900, 12, 0, 0xff, 'H', NULL},     /* SSDP: "HTTP/1.1 200 OK", not "M-SEARCH" */
    {3702, 300, 0, 0xff, '<', NULL},    /* WS-Discovery: XML, longer than a probe */
    {5060, 8, 3, 0xff, '/', NULL},      /* SIP: "SIP/2.0 ", not a method */
    {5353, 12, 2, 0x80, 0x80, NULL},    /* mDNS: QR bit */
    {11211, 16, 8, 0xe0, 0x40, NULL},   /* memcached: frame header, then VALUE, STAT, END */
    {37810, 300, 4, 0xff, 'D', NULL},   /* video recorders: DHIP, longer than a search */
    {47808, 7, 0, 0, 0, bacnet_answer}, /* BACnet/IP */
};

static bool udp_is_answer(const struct packet *p)
{
    for (size_t i = 0; i < sizeof udp_answers / sizeof udp_answers[0]; i++) {
        const struct udp_answer *a = &udp_answers[i];
        if (a->port != p->sport || p->payload.left < a->least)
            continue;
        return a->looks ? a->looks(p->payload) : (p->payload.at[a->at] & a->mask) == a->value;
    }
    return false;
}

static enum packet_class classify_tcp(const struct packet *p)
{
    uint8_t flags = p->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
    if (flags == TCP_SYN)
        return CLASS_SCAN;
    if (flags == (TCP_SYN | TCP_ACK) || flags == TCP_RST || flags == (TCP_RST | TCP_ACK))
        return CLASS_BACKSCATTER;
    /* FIN, NULL and Xmas scans: no stack sends these without a connection. */
    if ((flags == TCP_FIN || flags == 0) && p->payload.left == 0)
        return CLASS_SCAN;
    return CLASS_OTHER;
}

/* RFC 792, 950, 1393, and the registry of ICMP types. */
static enum packet_class classify_icmp(uint16_t type)
{
    switch (type) {
    case 0:  /* echo reply */
    case 3:  /* destination unreachable */
    case 4:  /* source quench */
    case 5:  /* redirect */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
    case 14: /* timestamp reply */
    case 16: /* information reply */
    case 18: /* address mask reply */
        return CLASS_BACKSCATTER;
    case 8:  /* echo request */
    case 13: /* timestamp request */
    case 15: /* information request */
    case 17: /* address mask request */
        return CLASS_SCAN;
    default:
        return CLASS_OTHER;
    }
}

/* RFC 4443, 4620. */
static enum packet_class classify_icmp6(uint16_t type)
{
    switch (type) {
    case 1:   /* destination unreachable */
    case 2:   /* packet too big */
    case 3:   /* time exceeded */
    case 4:   /* parameter problem */
    case 129: /* echo reply */
    case 140: /* node information reply */
        return CLASS_BACKSCATTER;
    case 128: /* echo request */
    case 139: /* node information query */
        return CLASS_SCAN;
    default:
        return CLASS_OTHER;
    }
}

enum packet_class classify_packet(const struct packet *p)
{
    if (p->quirks & (QUIRK_FRAG_LATER | QUIRK_SHORT_HEADER))
        return CLASS_OTHER;
    switch (p->proto) {
    case PROTO_TCP:
        return classify_tcp(p);
    case PROTO_UDP:
        return udp_is_answer(p) ? CLASS_BACKSCATTER : CLASS_SCAN;
    case PROTO_ICMP:
        return classify_icmp(p->dport);
    case PROTO_ICMPV6:
        return classify_icmp6(p->dport);
    default:
        return CLASS_OTHER;
    }
}

static bool icmp_is_error(const struct packet *p)
{
    if (p->proto == PROTO_ICMP)
        return p->dport == 3 || p->dport == 4 || p->dport == 11 || p->dport == 12;
    return p->proto == PROTO_ICMPV6 && p->dport >= 1 && p->dport <= 4;
}

/* The quoted packet must have come from the address that the error went to; otherwise the quote
 * is not about that address's traffic and is not believed. */
static bool quoted_destination(const struct packet *p, struct ip *ret_ip)
{
    struct bytes b = p->payload;
    struct ip from, to;
    if (p->proto == PROTO_ICMP) {
        if (bytes_u8(&b) >> 4 != 4)
            return false;
        bytes_skip(&b, 11);
        from = ip_from_v4(bytes_be32(&b));
        to = ip_from_v4(bytes_be32(&b));
    } else {
        if (bytes_u8(&b) >> 4 != 6)
            return false;
        bytes_skip(&b, 7);
        struct bytes pair = bytes_take(&b, 32);
        if (pair.cut)
            return false;
        memcpy(&from, pair.at, 16);
        memcpy(&to, pair.at + 16, 16);
    }
    if (b.cut || !ip_same(&from, &p->dst))
        return false;
    *ret_ip = to;
    return true;
}

struct ip classify_victim(const struct packet *p)
{
    struct ip victim;
    if (icmp_is_error(p) && quoted_destination(p, &victim))
        return victim;
    return p->src;
}
