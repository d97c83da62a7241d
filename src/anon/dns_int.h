#ifndef ANON_DNS_INT_H
#define ANON_DNS_INT_H

#include "anon/anon_int.h"

/**
 * Rewrite a DNS message (RFC 1035, section 4) in place: its header and its first question stay,
 * the name as the policy has it; answers, further sections and, where numbers do not stay, the
 * message's identification are gone.
 *
 * @param data `len` bytes that were captured, with room for DNS_ROOM more.
 * @return the new length; 0: no message with a question, nothing of it may stay.
 */
enum {
    DNS_ROOM = 512
};
size_t dns_change(const struct anon *a, const struct epoch *e, uint8_t *data, size_t len);

#endif
