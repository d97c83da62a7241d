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

enum decode_result decode_packet(
    uint32_t link, struct bytes frame, uint32_t wire_len, struct packet *ret_packet)
{
    struct packet *p = ret_packet;
    memset(p, 0, sizeof *p);
    struct rest rest = {.in = frame, .wire = frame.left};
    if (wire_len > frame.left) {
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
