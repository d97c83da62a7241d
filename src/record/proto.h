#ifndef RECORD_PROTO_H
#define RECORD_PROTO_H

#include "base/err.h"

#include <stdint.h>

/* IP protocols as people write them: "tcp", "udp", "icmp", "icmpv6"; any other as its number.
 */
enum {
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMPV6 = 58,
    PROTO_TEXT = 8
};

/* Returns `text`. */
const char *proto_format(uint8_t proto, char text[PROTO_TEXT]);

/* A word or a number 0..255 without leading zeros; ERR_BAD otherwise. */
enum err proto_parse(const char *text, uint8_t *ret_proto) MUST_CHECK;

#endif
