#ifndef DECODE_TCP_OPTIONS_H
#define DECODE_TCP_OPTIONS_H

#include "base/err.h"

#include <stdint.h>

/* The digest of a TCP header's options: their kinds in the order in which they came, four bits
 * each, the first one highest; so 0x24813 is MSS (2), SACK permitted (4), timestamps (8), NOP
 * (1), window scale (3): what Linux puts into a SYN. Kinds 1 to 8 are themselves, the others
 * that are seen on the wire have a number of their own below, and what comes after the eighth
 * option is left out. Nothing is added after the end-of-list option. 0 is "no options". */
enum {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTIONS_TEXT = 64 /* longest text of a digest, with its NUL */
};

/* Kinds and their four bits; 15 is any other kind.
 * X(kind, code, name) */
#define TCP_OPTION_LIST(X)                                                                     \
    X(0, 14, "eol")                                                                            \
    X(1, 1, "nop")                                                                             \
    X(2, 2, "mss")                                                                             \
    X(3, 3, "ws")                                                                              \
    X(4, 4, "sok")                                                                             \
    X(5, 5, "sack")                                                                            \
    X(6, 6, "echo")                                                                            \
    X(7, 7, "reply")                                                                           \
    X(8, 8, "ts")                                                                              \
    X(19, 9, "md5")                                                                            \
    X(29, 10, "ao")                                                                            \
    X(30, 11, "mptcp")                                                                         \
    X(34, 12, "tfo")                                                                           \
    X(28, 13, "uto")

enum {
    TCP_OPTION_CODE_OTHER = 15
};

/* By kind: how far the code is below TCP_OPTION_CODE_OTHER. */
extern const uint8_t tcp_option_below_other[256];

/* The digest with one more option. */
static inline uint32_t tcp_options_add(uint32_t digest, uint8_t kind)
{
    uint32_t code = TCP_OPTION_CODE_OTHER - (uint32_t)tcp_option_below_other[kind];
    return digest >> 28 ? digest : digest << 4 | code;
}

/* From the text that signatures have: "mss,sok,ts,nop,ws"; "-" for no options; "?" for other
 * kinds. ERR_BAD for an unknown word or more than eight. */
enum err tcp_options_parse(const char *text, uint32_t *ret_digest) MUST_CHECK;

#endif
