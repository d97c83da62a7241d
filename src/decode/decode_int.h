#ifndef DECODE_DECODE_INT_H
#define DECODE_DECODE_INT_H

#include "decode/packet.h"

/* What is left of a frame: the bytes that were captured, and how many bytes there were on the
 * wire, which is never less. Both shrink when an IP header says where its packet ends. */
struct rest {
    struct bytes in;
    size_t wire;
};

/* What a link header says comes next. */
enum network {
    NETWORK_OTHER,
    NETWORK_IP4,
    NETWORK_IP6,
    NETWORK_IP, /* one of the two: the version field tells */
};

/* A reader of the rest that leaves it where it is. Field by field: a copy of the whole struct
 * is one wide load of what narrow stores have just written, which the processor must wait for.
 */
static inline struct bytes rest_bytes(const struct rest *r)
{
    return bytes_over(r->in.at, r->in.left);
}

/* Fields of a header that bytes_take() has given whole: one check for all of them. */
static inline uint16_t be16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Step over `len` bytes that were read through a reader of their own. */
static inline void rest_skip(struct rest *r, size_t len)
{
    bytes_skip(&r->in, len);
    r->wire -= r->wire < len ? r->wire : len;
}

/* Nothing after the next `len` bytes belongs to the packet. */
static inline void rest_limit(struct rest *r, size_t len)
{
    if (r->wire > len)
        r->wire = len;
    if (r->in.left > len)
        r->in.left = len;
}

/* Step over the link header; `link` is a known one. VLAN tags set their quirk. */
enum decode_result link_decode(
    uint32_t link, struct rest *r, struct packet *p, enum network *ret_network);

/* Step over IP header and options or extension headers; addresses, protocol and fragment quirks
 * are set, and the rest ends where the packet does. */
enum decode_result ip_decode(enum network network, struct rest *r, struct packet *p);

/* Read the header of p->proto and leave the payload in p->payload. Never fails: quirks tell. */
void transport_decode(struct rest *r, struct packet *p);

#endif
