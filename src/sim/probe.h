#ifndef SIM_PROBE_H
#define SIM_PROBE_H

#include "base/rng.h"

#include <stddef.h>
#include <stdint.h>

/* One packet as the simulator thinks of it, small enough to sort by the million, and how it
 * becomes bytes. */

/* Who wrote the header. The relations are those of the programs named (docs/simulator.md has
 * the source of each). */
enum style {
    STYLE_LINUX,       /* a Linux host's own stack */
    STYLE_WINDOWS,     /* a Windows host's own stack */
    STYLE_BARE,        /* malware with raw sockets: no options, all else random */
    STYLE_MIRAI,       /* sequence number = destination address */
    STYLE_MASSCAN_OLD, /* IP-ID = dst ^ dport ^ seq; window 1024, no options */
    STYLE_MASSCAN,     /* the same since 2023-11-07: window 1025, MSS */
    STYLE_ZMAP_OLD,    /* IP-ID 54321, window 65535, no options */
    STYLE_ZMAP,        /* since 2024-04: random IP-ID, Windows-like options, TTL 64 */
    STYLE_NMAP,        /* window 1024..4096, MSS; halves of seq are related between packets */
    STYLE_UNICORN,     /* seq = key ^ dst ^ (sport << 16 | dport) */
    STYLE_ANGRY,       /* Angry IP Scanner's ping: 32 zero bytes */
    STYLE_COUNT
};

enum probe_kind {
    PROBE_SYN,
    PROBE_UDP,
    PROBE_ECHO,    /* ICMP echo request */
    PROBE_SYN_ACK, /* answers of a victim to packets that were sent in our name */
    PROBE_RST,
    PROBE_UNREACHABLE, /* ICMP type 3 with the head of the packet it answers */
    PROBE_DNS_ANSWER,
};

/* What a UDP or ICMP probe carries. */
enum payload {
    PAYLOAD_NONE,
    PAYLOAD_RANDOM, /* eight bytes */
    PAYLOAD_DNS,
    PAYLOAD_NTP,
    PAYLOAD_SNMP,
    PAYLOAD_SSDP,
    PAYLOAD_SIP,
    PAYLOAD_MEMCACHED,
    PAYLOAD_NETBIOS,
    PAYLOAD_TRACEROUTE,
    PAYLOAD_NETIS,
    PAYLOAD_ZEROS,   /* 32 */
    PAYLOAD_LETTERS, /* 32, as Windows' ping sends */
    PAYLOAD_COUNT
};

/* A sender. */
struct host {
    uint32_t ip;
    uint32_t key;   /* what its program drew when it started */
    uint16_t sport; /* of programs that keep one */
    uint8_t country;
    uint8_t hops; /* between it and the telescope */
    uint8_t style;
    uint8_t label; /* enum label */
    uint16_t win;  /* TCP window of its probes; 0: the style's */
};

struct probe {
    int64_t ts;
    uint32_t src, dst;
    uint32_t seq, ack;
    uint16_t sport, dport;
    uint16_t win, ip_id;
    uint8_t site;
    uint8_t event; /* 0: background; otherwise place of the event + 1 */
    uint8_t kind;
    uint8_t style;
    uint8_t ttl;
    uint8_t payload;
    uint8_t label;
    uint8_t unused;
};

enum {
    PROBE_FRAME_MAX = 256 /* no frame is longer */
};

/* A new sender at an address. */
struct host host_make(uint32_t ip, uint8_t country, enum style style, struct rng *r);

/* Fill in what the sender's program decides (ttl, ids, ports, sequence, window); ts, site, dst,
 * dport, kind and payload are set already. */
void probe_stamp(struct probe *p, const struct host *h, struct rng *r);

/* The frame for link type LINK_RAW or LINK_ETHERNET, checksums right. Returns its length. */
size_t probe_frame(const struct probe *p, uint32_t link, uint8_t frame[PROBE_FRAME_MAX]);

/* The IP protocol of a kind. */
uint8_t probe_proto(enum probe_kind kind);

#endif
