#ifndef DECODE_PACKET_H
#define DECODE_PACKET_H

#include "base/bytes.h"
#include "base/ip.h"
#include "record/proto.h"
#include "record/record.h"

#include <stdbool.h>

/* One packet's headers, decoded. Pure: bytes in, struct out; no allocation, no state. */
struct packet {
    int64_t ts; /* us */
    struct ip src, dst;
    uint8_t proto; /* of the transport, after IPv6 extension headers */
    uint8_t ttl;
    uint16_t ip_id;
    uint16_t ip_len;
    uint16_t sport, dport; /* ICMP: code, type */
    uint8_t tcp_flags;
    uint8_t tcp_offset; /* data offset in 32-bit words */
    uint16_t tcp_win;
    uint16_t tcp_mss; /* 0 if there is no such option */
    uint32_t tcp_seq, tcp_ack;
    uint32_t tcp_opts;          /* digest of kinds and order (decode/tcp_options.h); 0: none */
    uint16_t icmp_id, icmp_seq; /* echo only */
    uint16_t quirks;            /* enum packet_quirk */
    struct bytes payload;       /* what was captured of it; borrowed from the frame */
};

enum tcp_flag {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128,
};

/* Link types, by their numbers in capture files. */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,
};

bool link_known(uint32_t link);

/* Why a frame gave no packet; counted by cause and shown. */
#define DECODE_LIST(X)                                                                         \
    X(DECODE_OK, "ok", "decoded")                                                              \
    X(DECODE_NON_IP, "non_ip", "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                       \
    X(DECODE_LINK_SHORT, "link_short", "link header cut")                                      \
    X(DECODE_LINK_BAD, "link_bad", "link header breaks its format")                            \
    X(DECODE_IP_SHORT, "ip_short", "IP header cut")                                            \
    X(DECODE_IP_BAD, "ip_bad", "IP version or header length impossible")                       \
    X(DECODE_EXT_BAD, "ext_bad", "IPv6 extension headers too many or cut")                     \
    X(DECODE_LINK_UNKNOWN, "link_unknown", "link type that is not read")

enum decode_result {
#define X(id, name, text) id,
    DECODE_LIST(X)
#undef X
    DECODE_RESULTS
};
const char *decode_name(enum decode_result r);

/* Step over the link header: DECODE_OK, and `frame` begins with an IP header; anything else,
 * and it is where it was. */
enum decode_result decode_link(uint32_t link, struct bytes *frame);

/* decode_packet() with the reader's fields as arguments: a struct of three words would go
 * through memory, and be waited for. */
enum decode_result decode_bytes(uint32_t link, const uint8_t *data, size_t len,
    uint32_t wire_len, struct packet *ret_packet);

/**
 * Decode one captured frame.
 *
 * @param link     the capture's link type.
 * @param frame    the captured bytes.
 * @param wire_len length on the wire; more than the frame has sets QUIRK_SNAPPED.
 * @param ret_packet all fields set (zero where absent) if the result is DECODE_OK; ts is left
 * to the caller. A cut or contradictory transport header is still a packet: its quirks say so.
 * Cost: 14 ns for a SYN over Ethernet without options, 21 with those of Linux.
 */
static inline enum decode_result decode_packet(
    uint32_t link, struct bytes frame, uint32_t wire_len, struct packet *ret_packet)
{
    return decode_bytes(link, frame.at, frame.left, wire_len, ret_packet);
}

#endif
