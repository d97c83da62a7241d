#include "sim/probe.h"

#include "base/checksum.h"
#include "base/hash.h"
#include "base/wire.h"
#include "decode/packet.h"

#include <string.h>

/* TCP options as bytes; four bytes of time stamp at `stamp` are filled in (0: there is none).
 */
struct style_row {
    uint8_t ttl;
    bool dont_fragment;
    uint8_t options_len;
    uint8_t stamp;
    uint8_t options[20];
};

static const struct style_row styles[STYLE_COUNT] = {
    [STYLE_LINUX] = {64, true, 20, 8,
        {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7}},
    [STYLE_WINDOWS] = {128, true, 12, 0, {2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2}},
    [STYLE_BARE] = {64, false, 0, 0, {0}},
    [STYLE_MIRAI] = {64, false, 0, 0, {0}},
    [STYLE_MASSCAN_OLD] = {255, false, 0, 0, {0}},
    [STYLE_MASSCAN] = {255, false, 4, 0, {2, 4, 5, 180}},
    [STYLE_ZMAP_OLD] = {255, false, 0, 0, {0}},
    [STYLE_ZMAP] = {64, false, 12, 0, {2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2}},
    [STYLE_NMAP] = {0, false, 4, 0, {2, 4, 5, 180}}, /* 0: drawn from 37..60 for each host */
    [STYLE_UNICORN] = {64, false, 0, 0, {0}},
    [STYLE_ANGRY] = {128, false, 0, 0, {0}},
};

struct payload_row {
    const char *data;
    size_t len;
};

#define LITERAL(text)                                                                          \
    {                                                                                          \
        text, sizeof text - 1                                                                  \
    }

static const struct payload_row payloads[PAYLOAD_COUNT] = {
    [PAYLOAD_DNS] = LITERAL("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                            "\x07"
                            "example\x03"
                            "com\x00\x00\xff\x00\x01"),
    [PAYLOAD_NTP] = LITERAL("\x17\x00\x03\x2a\x00\x00\x00\x00"),
    [PAYLOAD_SNMP] =
        LITERAL("\x30\x26\x02\x01\x00\x04\x06public\xa0\x19\x02\x04\x11\x22\x33\x44"
                "\x02\x01\x00\x02\x01\x00\x30\x0b\x30\x09\x06\x05\x2b\x06\x01\x02"
                "\x01\x05\x00"),
    [PAYLOAD_SSDP] = LITERAL("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                             "MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"),
    [PAYLOAD_SIP] = LITERAL("OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nFrom: <sip:100@192.0.2.1>\r\n"
                            "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
    [PAYLOAD_MEMCACHED] = LITERAL("\x00\x01\x00\x00\x00\x01\x00\x00stats\r\n"),
    [PAYLOAD_NETBIOS] = LITERAL("\x80\xf0\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20"
                                "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01"),
    [PAYLOAD_TRACEROUTE] = LITERAL("@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"),
    [PAYLOAD_NETIS] = LITERAL("AAAAAAAAnetcore\x00"),
    [PAYLOAD_ZEROS] =
        LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    [PAYLOAD_LETTERS] = LITERAL("abcdefghijklmnopqrstuvwabcdefghi"),
};

struct host host_make(uint32_t ip, uint8_t country, enum style style, struct rng *r)
{
    uint64_t drawn = rng_u64(r);
    return (struct host){
        .ip = ip,
        .key = (uint32_t)drawn,
        .sport = (uint16_t)(1024 + (drawn >> 32) % 64512),
        .country = country,
        .hops = (uint8_t)(8 + (drawn >> 56) % 17),
        .style = (uint8_t)style,
    };
}

static uint8_t arriving_ttl(const struct host *h)
{
    uint8_t ttl = styles[h->style].ttl;
    if (ttl == 0)
        ttl = (uint8_t)(37 + h->key % 24);
    return (uint8_t)(ttl - h->hops);
}

static void stamp_syn(struct probe *p, const struct host *h, uint64_t drawn)
{
    static const uint16_t linux_windows[4] = {5840, 14600, 29200, 64240};
    static const uint16_t windows_windows[4] = {8192, 65535, 64240, 8192};
    switch ((enum style)h->style) {
    case STYLE_LINUX:
        p->win = linux_windows[h->key & 3];
        break;
    case STYLE_WINDOWS:
        p->win = windows_windows[h->key & 3];
        break;
    case STYLE_MIRAI:
        p->seq = p->dst;
        p->sport = h->sport;
        break;
    case STYLE_MASSCAN_OLD:
    case STYLE_MASSCAN:
        p->win = h->style == STYLE_MASSCAN ? 1025 : 1024;
        p->ip_id = (uint16_t)(p->dst ^ p->dport ^ p->seq);
        break;
    case STYLE_ZMAP_OLD:
        p->win = 65535;
        p->ip_id = 54321;
        break;
    case STYLE_ZMAP:
        p->win = 65535;
        break;
    case STYLE_NMAP: {
        uint32_t half = (uint32_t)(drawn >> 20) & 0xffff;
        p->win = (uint16_t)(1024 * (1 + (drawn >> 40) % 4));
        p->seq = h->key ^ (half << 16 | half);
        break;
    }
    case STYLE_UNICORN:
        p->win = 4096;
        p->seq = h->key ^ p->dst ^ ((uint32_t)p->sport << 16 | p->dport);
        break;
    case STYLE_BARE:
    case STYLE_ANGRY:
    case STYLE_COUNT:
        break;
    }
}

void probe_stamp(struct probe *p, const struct host *h, struct rng *r)
{
    uint64_t drawn = rng_u64(r);
    uint64_t more = hash_u64(drawn);
    p->src = h->ip;
    p->style = h->style;
    p->label = h->label;
    p->ttl = arriving_ttl(h);
    p->ip_id = (uint16_t)drawn;
    p->win = (uint16_t)((drawn >> 16) | 1);
    p->sport = (uint16_t)(1024 + (drawn >> 32) % 64512);
    p->seq = (uint32_t)more;
    p->ack = 0;
    switch ((enum probe_kind)p->kind) {
    case PROBE_SYN:
        stamp_syn(p, h, more);
        if (h->win)
            p->win = h->win;
        break;
    case PROBE_ECHO:
        if (h->style == STYLE_ANGRY)
            p->payload = PAYLOAD_ZEROS;
        if (h->style == STYLE_ZMAP_OLD)
            p->ip_id = 54321;
        break;
    case PROBE_UDP:
        if (h->style == STYLE_ZMAP_OLD)
            p->ip_id = 54321;
        break;
    case PROBE_SYN_ACK:
    case PROBE_RST:
    case PROBE_UNREACHABLE:
    case PROBE_DNS_ANSWER:
        break; /* the caller sets ports and acknowledgement */
    }
}

uint8_t probe_proto(enum probe_kind kind)
{
    switch (kind) {
    case PROBE_SYN:
    case PROBE_SYN_ACK:
    case PROBE_RST:
        return PROTO_TCP;
    case PROBE_UDP:
    case PROBE_DNS_ANSWER:
        return PROTO_UDP;
    case PROBE_ECHO:
    case PROBE_UNREACHABLE:
        return PROTO_ICMP;
    }
    return 0;
}

static void ip_header(uint8_t *at, const struct probe *p, size_t total)
{
    bool dont_fragment = p->kind == PROBE_SYN && styles[p->style].dont_fragment;
    at[0] = 0x45;
    at[1] = 0;
    wire_put16(at + 2, (uint16_t)total);
    wire_put16(at + 4, p->ip_id);
    wire_put16(at + 6, dont_fragment ? 0x4000 : 0);
    at[8] = p->ttl;
    at[9] = probe_proto((enum probe_kind)p->kind);
    wire_put16(at + 10, 0);
    wire_put32(at + 12, p->src);
    wire_put32(at + 16, p->dst);
    wire_put16(at + 10, checksum_seal(0, at, 20));
}

static uint32_t pseudo_sum(const struct probe *p, uint8_t proto, size_t len)
{
    return (p->src >> 16) + (p->src & 0xffff) + (p->dst >> 16) + (p->dst & 0xffff) + proto +
           (uint32_t)len;
}

static size_t put_tcp(uint8_t *at, const struct probe *p)
{
    const struct style_row *style = &styles[p->style];
    size_t options = p->kind == PROBE_SYN ? style->options_len : 0;
    uint8_t flags = TCP_SYN;
    if (p->kind == PROBE_SYN_ACK) {
        options = 4;
        style = &styles[STYLE_MASSCAN]; /* MSS alone */
        flags = TCP_SYN | TCP_ACK;
    }
    if (p->kind == PROBE_RST)
        flags = p->ack ? TCP_RST | TCP_ACK : TCP_RST;
    size_t len = 20 + options;
    wire_put16(at, p->sport);
    wire_put16(at + 2, p->dport);
    wire_put32(at + 4, p->seq);
    wire_put32(at + 8, p->ack);
    at[12] = (uint8_t)(len / 4 << 4);
    at[13] = flags;
    wire_put16(at + 14, p->win);
    wire_put32(at + 16, 0);
    memcpy(at + 20, style->options, options);
    if (options && style->stamp)
        wire_put32(at + 20 + style->stamp, (uint32_t)(p->ts / 1000) + p->src);
    wire_put16(at + 16, checksum_seal(pseudo_sum(p, PROTO_TCP, len), at, len));
    return len;
}

static size_t put_payload(uint8_t *at, const struct probe *p)
{
    if (p->payload == PAYLOAD_RANDOM) {
        wire_put32(at, (uint32_t)hash_u64(p->seq));
        wire_put32(at + 4, (uint32_t)hash_u64(p->seq + 1ull));
        return 8;
    }
    const struct payload_row *row = &payloads[p->payload];
    if (row->len)
        memcpy(at, row->data, row->len);
    return row->len;
}

/* An answer with one address: the question that PAYLOAD_DNS asks, and 192.0.2.1. */
static size_t put_dns_answer(uint8_t *at, const struct probe *p)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1};
    const struct payload_row *question = &payloads[PAYLOAD_DNS];
    memcpy(at, question->data, question->len);
    wire_put16(at, (uint16_t)p->seq);
    wire_put16(at + 2, 0x8180);
    at[7] = 1;
    memcpy(at + question->len, record, sizeof record);
    return question->len + sizeof record;
}

static size_t put_udp(uint8_t *at, const struct probe *p)
{
    size_t len =
        8 + (p->kind == PROBE_DNS_ANSWER ? put_dns_answer(at + 8, p) : put_payload(at + 8, p));
    wire_put16(at, p->sport);
    wire_put16(at + 2, p->dport);
    wire_put16(at + 4, (uint16_t)len);
    wire_put16(at + 6, 0);
    uint16_t sum = checksum_seal(pseudo_sum(p, PROTO_UDP, len), at, len);
    wire_put16(at + 6, sum ? sum : 0xffff);
    return len;
}

/* Port unreachable (RFC 792): the IP header and eight bytes of the packet that is answered,
 * which came from the telescope's address by its own account. */
static size_t put_unreachable(uint8_t *at, const struct probe *p)
{
    struct probe cause = *p;
    cause.src = p->dst;
    cause.dst = p->src;
    cause.kind = PROBE_UDP;
    cause.ttl = 50;
    at[0] = 3;
    at[1] = 3;
    wire_put16(at + 2, 0);
    wire_put32(at + 4, 0);
    ip_header(at + 8, &cause, 36);
    wire_put16(at + 28, p->dport);
    wire_put16(at + 30, p->sport);
    wire_put16(at + 32, 16);
    wire_put16(at + 34, 0);
    wire_put16(at + 2, checksum_seal(0, at, 36));
    return 36;
}

static size_t put_echo(uint8_t *at, const struct probe *p)
{
    size_t len = 8 + put_payload(at + 8, p);
    at[0] = 8;
    at[1] = 0;
    wire_put16(at + 2, 0);
    wire_put16(at + 4, p->sport);
    wire_put16(at + 6, (uint16_t)p->seq);
    wire_put16(at + 2, checksum_seal(0, at, len));
    return len;
}

size_t probe_frame(const struct probe *p, uint32_t link, uint8_t frame[PROBE_FRAME_MAX])
{
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    size_t head = link == LINK_ETHERNET ? sizeof ethernet : 0;
    memcpy(frame, ethernet, head);
    uint8_t *ip = frame + head;
    size_t len = 0;
    switch ((enum probe_kind)p->kind) {
    case PROBE_SYN:
    case PROBE_SYN_ACK:
    case PROBE_RST:
        len = put_tcp(ip + 20, p);
        break;
    case PROBE_UDP:
    case PROBE_DNS_ANSWER:
        len = put_udp(ip + 20, p);
        break;
    case PROBE_ECHO:
        len = put_echo(ip + 20, p);
        break;
    case PROBE_UNREACHABLE:
        len = put_unreachable(ip + 20, p);
        break;
    }
    ip_header(ip, p, 20 + len);
    return head + 20 + len;
}
