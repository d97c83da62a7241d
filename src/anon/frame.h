#ifndef ANON_FRAME_H
#define ANON_FRAME_H

#include "anon/anon.h"
#include "decode/packet.h"

/* Captured frames, rewritten: what comes out is an IP packet by itself (LINK_RAW). The link
 * header stays behind, with the site's hardware addresses and VLAN tags, and so does padding
 * after the packet. Addresses also change in what an ICMP error quotes, where source and
 * destination have changed places. Checksums are mended: one that was right is right again, one
 * that was wrong is still wrong by as much. */

enum {
    FRAME_BYTES_MAX = 262144,
    ANON_FRAME_ROOM = FRAME_BYTES_MAX + 1024 /* bytes that `data` must have */
};

/* A frame as it was captured. */
struct anon_captured {
    int64_t ts;
    uint32_t link; /* decode/packet.h */
    uint32_t wire_len;
    struct bytes bytes; /* at most FRAME_BYTES_MAX */
};

/* An IP packet as it may leave. */
struct anon_frame {
    int64_t ts;
    uint32_t len;
    uint32_t wire_len;    /* more than `len` where payload is cut */
    uint8_t *data;        /* the caller's, ANON_FRAME_ROOM bytes */
    struct ip src, dst;   /* before */
    struct ip mapped_src; /* after */
};

/* Why a frame was left out; counted by cause and shown. */
#define ANON_FRAME_LIST(X)                                                                     \
    X(ANON_FRAME_WRITTEN, "written", "rewritten")                                              \
    X(ANON_FRAME_NON_IP, "non_ip", "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                   \
    X(ANON_FRAME_BROKEN, "broken", "a header is cut or contradicts itself")                    \
    X(ANON_FRAME_LOCAL, "local", "ICMPv6 of a link's own: neighbours, routers, groups")        \
    X(ANON_FRAME_ROUTED, "routed", "IPv6 routing header with addresses still to come")

enum anon_frame_result {
#define X(id, name, text) id,
    ANON_FRAME_LIST(X)
#undef X
    ANON_FRAME_RESULTS
};
const char *anon_frame_result_name(enum anon_frame_result r);
const char *anon_frame_result_text(enum anon_frame_result r);

/**
 * Rewrite one frame.
 *
 * @param ret_frame `data` is set by the caller; the rest is written if the result is
 * ANON_FRAME_WRITTEN.
 * @return OK, with *ret_result; ERR_IO, ERR_NOMEM: no key for its time.
 * Cost: docs/performance.md.
 */
enum err anon_frame(struct anon *a, const struct anon_captured *frame,
    struct anon_frame *ret_frame, enum anon_frame_result *ret_result,
    struct fault *f) MUST_CHECK;

#endif
