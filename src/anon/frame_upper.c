#include "anon/dns_int.h"
#include "anon/frame_int.h"
#include "base/checksum.h"
#include "record/proto.h"

#include <string.h>

/* TCP, UDP, ICMP and ICMPv6 headers, and what they carry. The checksum is mended by what has
 * changed under it, so it needs nothing that was not captured; where bytes are left out that
 * nobody has seen, it becomes 0, for it would tell about them. */

enum {
    TCP_HEADER = 20,
    TCP_SEQ = 4,
    TCP_ACK_AT = 8,
    TCP_SUM = 16,
    UDP_HEADER = 8,
    UDP_LENGTH = 4,
    UDP_SUM = 6,
    ICMP_HEADER = 8,
    ICMP_SUM = 2,
    ICMP_REDIRECT = 5,
    PORT_DNS = 53,
    PORT_MDNS = 5353,
    PORT_LLMNR = 5355,
    PAYLOAD_HASH = 8,
    NO_SUM = 65535,
};

/* What the header says of the payload behind it. */
struct header {
    size_t len;
    size_t sum; /* where the checksum stands, or NO_SUM */
    bool dns;   /* UDP to or from a port of DNS */
    bool dns_stream;
    bool error; /* ICMP: what follows is the packet that it is about */
};

static bool has(const struct upper *u, size_t offset, size_t len)
{
    return u->part.cap - u->part.at >= offset + len;
}

static bool is_dns_port(uint16_t port)
{
    return port == PORT_DNS || port == PORT_MDNS || port == PORT_LLMNR;
}

/* Ports of TCP and UDP; those of a quoted packet have each other's rule. */
static void ports_change(struct job *j, const struct upper *u, struct header *h)
{
    if (!has(u, 0, 4))
        return;
    size_t at = u->part.at;
    uint16_t sport = job_be16(j, at), dport = job_be16(j, at + 2);
    bool dns = is_dns_port(sport) || is_dns_port(dport);
    h->dns = dns && u->proto == PROTO_UDP;
    h->dns_stream = dns && u->proto == PROTO_TCP;
    enum anon_field first = j->quoted ? ANON_DESTINATION_PORT : ANON_SOURCE_PORT;
    enum anon_field second = j->quoted ? ANON_SOURCE_PORT : ANON_DESTINATION_PORT;
    job_put16(j, at, anon_port(j->a, first, u->proto, sport));
    job_put16(j, at + 2, anon_port(j->a, second, u->proto, dport));
}

/* A sequence number that names the destination names the new one. */
static void sequence_change(struct job *j, const struct upper *u)
{
    enum anon_method method = job_method(j, ANON_NUMBERS);
    if (method == ANON_KEEP || !has(u, TCP_SEQ, 4))
        return;
    uint8_t *seq = j->data + u->part.at + TCP_SEQ;
    bool names = method == ANON_RELATION && !j->quoted && ip_is_v4(&u->dst) &&
                 memcmp(seq, u->dst.byte + 12, 4) == 0;
    if (names)
        memcpy(seq, u->mapped_dst.byte + 12, 4);
    else
        memset(seq, 0, 4);
    if (has(u, TCP_ACK_AT, 4))
        memset(j->data + u->part.at + TCP_ACK_AT, 0, 4);
}

static struct header tcp_change(struct job *j, const struct upper *u)
{
    struct header h = {.len = TCP_HEADER, .sum = TCP_SUM};
    ports_change(j, u, &h);
    sequence_change(j, u);
    if (has(u, 12, 1) && (j->data[u->part.at + 12] >> 4) * 4u > TCP_HEADER)
        h.len = (j->data[u->part.at + 12] >> 4) * 4u;
    return h;
}

static struct header udp_change(struct job *j, const struct upper *u)
{
    struct header h = {.len = UDP_HEADER, .sum = UDP_SUM};
    ports_change(j, u, &h);
    return h;
}

static bool icmp_is_error(uint8_t proto, uint8_t type)
{
    if (proto == PROTO_ICMPV6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == ICMP_REDIRECT || type == 11 || type == 12;
}

/* Neighbours, routers and groups of a link: all address, and not for the world. */
static bool icmp6_is_local(uint8_t type)
{
    return (type >= 130 && type <= 137) || (type >= 141 && type <= 143) ||
           (type >= 148 && type <= 153);
}

static enum anon_frame_result icmp_change(
    struct job *j, const struct upper *u, struct header *ret_header)
{
    struct header h = {.len = ICMP_HEADER, .sum = ICMP_SUM};
    uint8_t type = has(u, 0, 1) ? j->data[u->part.at] : 0;
    if (u->proto == PROTO_ICMPV6 && icmp6_is_local(type))
        return ANON_FRAME_LOCAL;
    h.error = icmp_is_error(u->proto, type);
    /* Identification and sequence of an echo are the sender's own numbers; a redirect has an
     * address there. */
    bool numbers = !h.error && job_method(j, ANON_NUMBERS) != ANON_KEEP;
    bool address = type == ICMP_REDIRECT && u->proto == PROTO_ICMP;
    if ((numbers || address) && has(u, 4, 4))
        memset(j->data + u->part.at + 4, 0, 4);
    *ret_header = h;
    return ANON_FRAME_WRITTEN;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Cut the part to `len` captured bytes from `from` on; `told`: the wire ends there, too. */
static void cut(struct upper *u, size_t from, size_t len, bool told)
{
    u->part.cap = least(u->part.cap, from + len);
    if (told)
        u->part.wire = u->part.cap;
}

static void dns_payload(struct job *j, struct upper *u, size_t from)
{
    size_t have = u->part.cap - from;
    size_t len = u->first || u->later ? 0 : dns_change(j->a, j->e, j->data + from, have);
    u->part.cap = u->part.wire = from + len;
}

/* Payload as the policy has it. What cannot be understood, and may hold addresses, goes. */
static void payload_change(struct job *j, struct upper *u, const struct header *h, bool known)
{
    size_t from = least(u->part.at + h->len, u->part.cap);
    size_t have = u->part.cap - from;
    struct anon_rule rule = j->a->policy.rule[ANON_PAYLOAD];
    bool hidden =
        job_method(j, ANON_DESTINATION) != ANON_KEEP || job_method(j, ANON_SOURCE) != ANON_KEEP;
    bool names = job_method(j, ANON_DNS) != ANON_KEEP;
    bool bytes = rule.method == ANON_KEEP || rule.method == ANON_FIRST;
    if (bytes && ((!known && hidden) || (names && (h->dns_stream || u->later))))
        rule.method = ANON_LENGTH;
    if (j->quoted && (rule.method == ANON_HASH || rule.method == ANON_DROP))
        rule.method = ANON_LENGTH;
    if (bytes && names && h->dns && have) {
        dns_payload(j, u, from);
        have = u->part.cap - from;
    }
    if (rule.method == ANON_FIRST)
        cut(u, from, rule.bytes, false);
    else if (rule.method == ANON_LENGTH)
        cut(u, from, 0, false);
    else if (rule.method == ANON_DROP)
        cut(u, from, 0, true);
    if (rule.method == ANON_HASH && have) {
        uint64_t digest = epoch_number(j->e, ANON_PAYLOAD, j->data + from, have);
        memcpy(j->data + from, &digest, PAYLOAD_HASH);
        u->part.cap = u->part.wire = from + PAYLOAD_HASH;
    }
    if (bytes && u->part.cap > from)
        payload_hide(
            j->a, j->data + from, u->part.cap - from, (const struct ip *[]){&u->src, &u->dst});
}

/* The packet that an ICMP error is about went the other way. */
static void quote_change(struct job *j, struct upper *u)
{
    struct job inner = *j;
    struct part part = {u->part.at + ICMP_HEADER, u->part.cap, u->part.wire};
    inner.quoted = true;
    bool good = !j->quoted && part.cap > part.at &&
                packet_change(&inner, &part, NULL) == ANON_FRAME_WRITTEN;
    cut(u, part.at, good ? part.cap - part.at : 0,
        job_method(j, ANON_PAYLOAD) == ANON_DROP || job_method(j, ANON_PAYLOAD) == ANON_HASH);
}

static enum anon_frame_result header_change(
    struct job *j, const struct upper *u, struct header *ret_header, bool *ret_known)
{
    *ret_header = (struct header){.sum = NO_SUM};
    *ret_known = !u->later;
    if (u->later)
        return ANON_FRAME_WRITTEN;
    switch (u->proto) {
    case PROTO_TCP:
        *ret_header = tcp_change(j, u);
        return ANON_FRAME_WRITTEN;
    case PROTO_UDP:
        *ret_header = udp_change(j, u);
        return ANON_FRAME_WRITTEN;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        return icmp_change(j, u, ret_header);
    default:
        *ret_known = false;
        return ANON_FRAME_WRITTEN;
    }
}

/* The transport's length in its pseudo header, and in UDP's own. */
static uint64_t length_sum(const struct upper *u, const struct part *part)
{
    size_t len = part->wire - part->at;
    return u->proto == PROTO_ICMP ? 0 : (len & 0xffff) + (len >> 16);
}

/* What was there before a change, as far as the checksum needs it. */
struct old {
    struct part part;
    uint16_t checksum;
    uint64_t sum;
};

/* The checksum's place is read and cleared, so that sums leave it out; then all is added. */
static struct old old_take(struct job *j, const struct upper *u, size_t sum_at)
{
    struct old o = {.part = u->part};
    if (sum_at == NO_SUM || !has(u, sum_at, 2))
        return o;
    o.checksum = job_be16(j, u->part.at + sum_at);
    job_put16(j, u->part.at + sum_at, 0);
    o.sum = checksum_add(u->proto == PROTO_ICMP ? 0 : u->pseudo_before, j->data + u->part.at,
        u->part.cap - u->part.at);
    o.sum += length_sum(u, &u->part);
    return o;
}

static void checksum_put(
    struct job *j, const struct upper *u, const struct old *o, size_t sum_at)
{
    if (sum_at == NO_SUM || !has(u, sum_at, 2))
        return;
    bool none = u->proto == PROTO_UDP && !o->checksum;
    bool unseen = o->part.cap < o->part.wire || u->first;
    bool changed = u->part.cap != o->part.cap || u->part.wire != o->part.wire;
    if (none || (unseen && changed))
        return; /* 0, as it was cleared */
    uint64_t sum = u->proto == PROTO_ICMP ? 0 : u->pseudo_after;
    sum = checksum_add(sum, j->data + u->part.at, u->part.cap - u->part.at);
    uint16_t mended = checksum_mend(o->checksum, o->sum, sum + length_sum(u, &u->part));
    if (u->proto == PROTO_UDP && !mended)
        mended = 0xffff;
    job_put16(j, u->part.at + sum_at, mended);
}

static size_t sum_place(const struct upper *u)
{
    if (u->later)
        return NO_SUM;
    switch (u->proto) {
    case PROTO_TCP:
        return TCP_SUM;
    case PROTO_UDP:
        return UDP_SUM;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        return ICMP_SUM;
    default:
        return NO_SUM;
    }
}

enum anon_frame_result upper_change(struct job *j, struct upper *u)
{
    struct header h;
    bool known;
    struct old old = old_take(j, u, sum_place(u));
    enum anon_frame_result r = header_change(j, u, &h, &known);
    if (r != ANON_FRAME_WRITTEN)
        return r;
    if (h.error)
        quote_change(j, u);
    else
        payload_change(j, u, &h, known || u->later);
    bool shorter = u->part.wire != old.part.wire;
    if (u->proto == PROTO_UDP && shorter && !u->later && has(u, UDP_LENGTH, 2))
        job_put16(j, u->part.at + UDP_LENGTH, (uint16_t)(u->part.wire - u->part.at));
    checksum_put(j, u, &old, sum_place(u));
    return r;
}
