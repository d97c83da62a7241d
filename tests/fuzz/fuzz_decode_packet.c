/* Input: link type (index), two bytes of length that the capture cut off, frame. */
#include "decode/packet.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t links[] = {LINK_ETHERNET, LINK_RAW, LINK_SLL, LINK_SLL2, LINK_NULL,
    LINK_LOOP, LINK_IPV4, LINK_IPV6, LINK_RAW_BSD, 147};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_over(data, size);
    uint32_t link = links[bytes_u8(&in) % (sizeof links / sizeof *links)];
    uint32_t extra = bytes_be16(&in);
    if (in.cut)
        return 0;
    struct packet p;
    enum decode_result result = decode_packet(link, in, (uint32_t)in.left + extra, &p);
    assert(result < DECODE_RESULTS);
    if (result != DECODE_OK)
        return 0;
    assert(!(p.quirks & QUIRK_SNAPPED) == (extra == 0));
    assert(!p.payload.cut);
    assert(p.payload.at >= in.at);
    assert(p.payload.left <= in.left - (size_t)(p.payload.at - in.at));
    bool transport = p.proto == PROTO_TCP || p.proto == PROTO_UDP || p.proto == PROTO_ICMP ||
                     p.proto == PROTO_ICMPV6;
    assert((transport && !(p.quirks & QUIRK_FRAG_LATER)) || (p.sport == 0 && p.dport == 0));
    assert(p.proto == PROTO_TCP || (p.tcp_seq == 0 && p.tcp_opts == 0 && p.tcp_flags == 0));
    return 0;
}
