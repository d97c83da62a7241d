/* Rule files: what is accepted can be run on any packet, and a file that is refused leaves the
 * set as it was. */
#include "fuzz.h"
#include "sensor/fingerprint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct packet packet_from(const uint8_t *data, size_t size)
{
    struct packet p = {.src = ip_from_v4(0xc6336401), .dst = ip_from_v4(0xc0000201)};
    uint8_t bytes[32] = {0};
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    struct bytes in = bytes_over(bytes, sizeof bytes);
    static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6, 47};
    p.proto = protos[bytes_u8(&in) % 5];
    p.tcp_flags = bytes_u8(&in);
    p.ttl = bytes_u8(&in);
    p.ip_id = bytes_be16(&in);
    p.tcp_seq = bytes_be32(&in);
    p.sport = bytes_be16(&in);
    p.dport = bytes_be16(&in);
    p.payload = bytes_over(data, size);
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fingerprints *set;
    struct fault f;
    if (fingerprints_new(&set, &f))
        abort();
    size_t before = fingerprints_count(set);
    enum err e = fingerprints_add(set, "f", bytes_over(data, size), &f);
    if (e)
        assert(fingerprints_count(set) == before);
    const struct packet p = packet_from(data, size);
    struct fingerprint_hits hits;
    fingerprints_match(set, &p, &hits);
    const struct fingerprint_packet a = fingerprint_packet_of(&p);
    fingerprints_match_pair(set, &a, &a, UINT32_MAX, &hits);
    assert(hits.count <= SIGNATURE_HITS);
    for (size_t i = before; i < fingerprints_count(set); i++) {
        char text[EVIDENCE_TEXT];
        fingerprint_evidence_text(fingerprints_at(set, i), 3, 7, text);
    }
    fingerprints_free(set);
    return 0;
}
