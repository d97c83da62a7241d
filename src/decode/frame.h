#ifndef DECODE_FRAME_H
#define DECODE_FRAME_H

#include "decode/packet.h"

/* The way back from a packet's fields to bytes: for programs that read captures. What no record
 * keeps cannot come back: options of IP and TCP, extension headers, the identifier and number
 * of an echo, and the lengths that these had. */

enum {
    FRAME_PAYLOAD_MAX = 1024,
    FRAME_ROOM = 40 + 8 + 20 + FRAME_PAYLOAD_MAX
};

/**
 * An IP packet, for LINK_RAW, of the headers that `p` tells and the payload that it has, with
 * right checksums where the whole payload is there
 * and the packet is no fragment.
 *
 * @param p           of its fields, tcp_offset, tcp_mss, tcp_opts, icmp_id, icmp_seq and ip_len
 *                    are not looked at. A packet with a mixture of IPv4 and IPv6 addresses is
 *                    IPv6. A later fragment has no transport header, and an offset that is not
 * its own.
 * @param payload_len its whole length, at least what is there.
 * @param ret_wire    length of the whole packet.
 * @return  length of the frame: `ret_wire`, or less if the payload was cut; more of it than
 *          FRAME_PAYLOAD_MAX is cut too.
 */
size_t frame_write(const struct packet *p, uint32_t payload_len, uint8_t frame[FRAME_ROOM],
    uint32_t *ret_wire);

#endif
