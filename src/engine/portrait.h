#ifndef ENGINE_PORTRAIT_H
#define ENGINE_PORTRAIT_H

#include "engine/tally.h"
#include "record/finding.h"

/* Who the sources of a group are: what a finding says of them beside their number, and what
 * tells a botnet from a survey or a wrong setting. */

enum {
    PORTRAIT_COUNTRIES = FINDING_COUNTRIES,
    PORTRAIT_LEAST = 20,  /* sources of which a share may be told */
    PORTRAIT_ORIGIN = 128 /* bytes of the sentence */
};

struct portrait {
    uint32_t sources;
    uint32_t networks; /* different IPv4 /24 and IPv6 /48 among them */
    uint64_t packets;
    unsigned targets; /* bits set in the union of the destination maps: 1..64 */
    struct {
        char code[3];
        uint32_t sources;
    } countries[PORTRAIT_COUNTRIES]; /* most sources first, then by code */
    size_t country_count;
    char tool[RECORD_NAME_MAX + 1]; /* named for most of the sources of any; "" if none */
    uint32_t tool_sources;
    struct ip hosts[FINDING_HOSTS]; /* most packets first, then by address */
    size_t host_count;
};

/* Groups [from, to) of the tally; a source at several sites counts once in all but packets.
 * `scratch` gives 24 bytes a source. */
enum err portrait_take(struct portrait *ret_portrait, const struct tally *t, size_t from,
    size_t to, struct arena *scratch) MUST_CHECK;

/* Countries, tool and hosts go into the finding. */
void portrait_tell(const struct portrait *p, struct finding *f);

/* Share of the most frequent country among the sources; NaN below PORTRAIT_LEAST of them, as
 * shares of few tell nothing. */
double portrait_top_share(const struct portrait *p);

/* The sentence about origin: "South Korea: 812 of the 1014 sources in this window (80 %).", or
 * "" if no country has half, or there are too few to tell. */
void portrait_origin(const struct portrait *p, char *text, size_t room);

#endif
