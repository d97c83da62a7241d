#include "decode/decode_int.h"

/* Link headers, as the registry of link types for capture files describes them. */

enum {
    ETHERNET_ADDRESSES = 12,
    VLAN_TAGS_MAX = 8,
    LENGTH_NOT_TYPE = 1536, /* IEEE 802.3: a smaller value is a length */
    SLL_ETHERNET = 0x0060,
    SLL_BEFORE_TYPE = 14,
    SLL2_AFTER_TYPE = 18,
};

enum ether_type {
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    TYPE_VLAN = 0x8100,     /* IEEE 802.1Q */
    TYPE_VLAN_S = 0x88a8,   /* IEEE 802.1ad, outer tag */
    TYPE_VLAN_OLD = 0x9100, /* outer tag of older QinQ switches */
};

static bool is_vlan_tag(uint16_t type)
{
    return type == TYPE_VLAN || type == TYPE_VLAN_S || type == TYPE_VLAN_OLD;
}

/* A type inside LLC: the SNAP header AA AA 03, organisation 0, type. 0 for all others. */
static uint16_t snap_type(struct bytes *in)
{
    struct bytes llc = *in;
    uint32_t first = bytes_be32(&llc);
    uint16_t organisation_low = bytes_be16(&llc);
    uint16_t type = bytes_be16(&llc);
    if (llc.cut || first != 0xaaaa0300 || organisation_low != 0)
        return 0;
    *in = llc;
    return type;
}

static enum decode_result tags_decode(struct bytes *in, struct packet *p, uint16_t *type)
{
    for (int tag = 0; is_vlan_tag(*type); tag++) {
        if (tag == VLAN_TAGS_MAX)
            return DECODE_LINK_BAD;
        p->quirks |= QUIRK_VLAN;
        bytes_skip(in, 2);
        *type = bytes_be16(in);
        if (in->cut)
            return DECODE_LINK_SHORT;
    }
    return DECODE_OK;
}

static enum decode_result type_decode(
    uint16_t type, struct bytes *in, struct packet *p, enum network *ret_network)
{
    if (is_vlan_tag(type)) {
        enum decode_result result = tags_decode(in, p, &type);
        if (result != DECODE_OK)
            return result;
    }
    if (type < LENGTH_NOT_TYPE)
        type = snap_type(in);
    *ret_network = type == TYPE_IP4   ? NETWORK_IP4
                   : type == TYPE_IP6 ? NETWORK_IP6
                                      : NETWORK_OTHER;
    return DECODE_OK;
}

static enum decode_result ethernet_decode(
    struct bytes *in, struct packet *p, enum network *ret_network)
{
    bytes_skip(in, ETHERNET_ADDRESSES);
    uint16_t type = bytes_be16(in);
    if (in->cut)
        return DECODE_LINK_SHORT;
    return type_decode(type, in, p, ret_network);
}

/* Types below 1536 are Linux's own: LLC is met, and a whole Ethernet frame behind the type of
 * loopback frames, which is how some converters put Ethernet into cooked captures. */
static enum decode_result cooked_decode(
    uint16_t type, struct bytes *in, struct packet *p, enum network *ret_network)
{
    return type == SLL_ETHERNET ? ethernet_decode(in, p, ret_network)
                                : type_decode(type, in, p, ret_network);
}

static enum decode_result sll_decode(
    struct bytes *in, struct packet *p, enum network *ret_network)
{
    bytes_skip(in, SLL_BEFORE_TYPE);
    uint16_t type = bytes_be16(in);
    if (in->cut)
        return DECODE_LINK_SHORT;
    return cooked_decode(type, in, p, ret_network);
}

static enum decode_result sll2_decode(
    struct bytes *in, struct packet *p, enum network *ret_network)
{
    uint16_t type = bytes_be16(in);
    bytes_skip(in, SLL2_AFTER_TYPE);
    if (in->cut)
        return DECODE_LINK_SHORT;
    return cooked_decode(type, in, p, ret_network);
}

/* The address family of the system that captured, in its byte order: families are below 2^16,
 * so the order shows. LOOP is the same header, always big-endian. */
static enum decode_result family_decode(struct bytes *in, enum network *ret_network)
{
    uint32_t family = bytes_le32(in);
    if (in->cut)
        return DECODE_LINK_SHORT;
    if (family >> 16)
        family = __builtin_bswap32(family);
    if (family >> 16)
        return DECODE_LINK_BAD;
    switch (family) {
    case 2:
        *ret_network = NETWORK_IP4;
        break;
    case 10: /* AF_INET6 of Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        *ret_network = NETWORK_IP6;
        break;
    default:
        *ret_network = NETWORK_OTHER;
    }
    return DECODE_OK;
}

static enum decode_result header_decode(
    uint32_t link, struct bytes *in, struct packet *p, enum network *ret_network)
{
    switch (link) {
    case LINK_ETHERNET:
        return ethernet_decode(in, p, ret_network);
    case LINK_SLL:
        return sll_decode(in, p, ret_network);
    case LINK_SLL2:
        return sll2_decode(in, p, ret_network);
    case LINK_NULL:
    case LINK_LOOP:
        return family_decode(in, ret_network);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        *ret_network = NETWORK_IP;
        return DECODE_OK;
    case LINK_IPV4:
        *ret_network = NETWORK_IP4;
        return DECODE_OK;
    case LINK_IPV6:
        *ret_network = NETWORK_IP6;
        return DECODE_OK;
    default:
        return DECODE_LINK_UNKNOWN;
    }
}

enum decode_result link_decode(
    uint32_t link, struct rest *r, struct packet *p, enum network *ret_network)
{
    size_t before = r->in.left;
    enum decode_result result = header_decode(link, &r->in, p, ret_network);
    r->wire -= before - r->in.left;
    if (result == DECODE_OK && *ret_network == NETWORK_OTHER)
        return DECODE_NON_IP;
    return result;
}

enum decode_result decode_link(uint32_t link, struct bytes *frame)
{
    struct rest r = {.in = *frame, .wire = frame->left};
    struct packet p = {0};
    enum network network = NETWORK_OTHER;
    enum decode_result result = link_decode(link, &r, &p, &network);
    if (result != DECODE_OK)
        return result;
    if (r.in.cut || !r.in.left)
        return DECODE_IP_SHORT;
    *frame = r.in;
    return DECODE_OK;
}

bool link_known(uint32_t link)
{
    struct rest nothing = {.in = bytes_over("", 0)};
    struct packet p = {0};
    enum network network;
    return link_decode(link, &nothing, &p, &network) != DECODE_LINK_UNKNOWN;
}
