/* How much it says that packets match a signature. */
#include "sensor/fingerprint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double fingerprint_evidence(const struct signature *s, uint64_t matches, uint64_t packets)
{
    if (packets < matches)
        packets = matches;
    double n = (double)packets, k = (double)matches;
    if (k <= n * exp2(-s->chance_bits))
        return 0;
    int sign;
    double choose =
        lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
    double bits = k * s->chance_bits - choose / log(2);
    return bits > 0 ? bits : 0;
}

const char *fingerprint_evidence_text(
    const struct signature *s, uint64_t matches, uint64_t packets, char text[EVIDENCE_TEXT])
{
    static const char *const nouns[][2] = {{"syn", "SYN"}, {"tcp", "TCP packets"},
        {"udp", "UDP packets"}, {"icmp", "ICMP packets"}};
    const char *noun = "packets";
    for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++)
        if (strcmp(s->scope, nouns[i][0]) == 0)
            noun = nouns[i][1];
    snprintf(text, EVIDENCE_TEXT,
        "%llu of %llu %s%s satisfy %s; chance 2^-%.0f if they were unrelated (signature %s)",
        (unsigned long long)matches, (unsigned long long)packets,
        s->level == SIGNATURE_SOURCE ? "consecutive " : "", noun, s->match,
        fingerprint_evidence(s, matches, packets), s->id);
    return text;
}
