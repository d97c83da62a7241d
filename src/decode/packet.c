#include "decode/packet.h"

#include "decode/decode_int.h"

#include <string.h>

const char *decode_name(enum decode_result r)
{
    static const char *const names[DECODE_RESULTS] = {
#define X(id, name, text) name,
        DECODE_LIST(X)
#undef X
    };
    return r < DECODE_RESULTS ? names[r] : "unknown";
}

/* In two pieces, because gcc makes one long clear a `rep stos`, which is slow to start. */
static void packet_clear(struct packet *p)
{
    const size_t first = offsetof(struct packet, tcp_opts);
    memset(p, 0, first);
    memset((uint8_t *)p + first, 0, sizeof *p - first);
}

enum decode_result decode_bytes(uint32_t link, const uint8_t *data, size_t len,
    uint32_t wire_len, struct packet *ret_packet)
{
    struct packet *p = ret_packet;
    packet_clear(p);
    struct rest rest = {.in = bytes_over(data, len), .wire = len};
    if (wire_len > len) {
        rest.wire = wire_len;
        p->quirks |= QUIRK_SNAPPED;
    }
    enum network network;
    enum decode_result result = link_decode(link, &rest, p, &network);
    if (result != DECODE_OK)
        return result;
    result = ip_decode(network, &rest, p);
    if (result != DECODE_OK)
        return result;
    transport_decode(&rest, p);
    return DECODE_OK;
}
