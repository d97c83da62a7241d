#ifndef SCREEN_FEATURE_H
#define SCREEN_FEATURE_H

#include "screen/profile.h"

/* What rules ask of a source beside the things that it sends: numbers of its profile. X(id,
 * word, text). */
#define FEATURES(X)                                                                            \
    X(FEATURE_SERVICES, "services", "different services, estimated, in the last day or two")   \
    X(FEATURE_PACKETS, "packets", "packets in the last day or two")                            \
    X(FEATURE_RATE, "rate", "packets in a window in which it was active, on average")          \
    X(FEATURE_SITES, "sites", "sites that it reached")                                         \
    X(FEATURE_PLACES, "places", "of 64 places in the maps of destinations that it reached")    \
    X(FEATURE_WINDOWS, "windows", "windows in which it was active, in the last day or two")    \
    X(FEATURE_HOURS, "hours", "since it was first seen")                                       \
    X(FEATURE_STEADY, "steady",                                                                \
        "percent of the windows since it was first seen, of the last day, in which it was "    \
        "active")                                                                              \
    X(FEATURE_SIZE, "size", "IP length of the packets of what it sent most, bytes")            \
    X(FEATURE_WIN, "win", "TCP window of all its packets; 0 if they differ")                   \
    X(FEATURE_NEIGHBOURS, "neighbours",                                                        \
        "sources of its /24 (IPv6: /48) in the last day that send alike")

enum feature {
#define X(id, word, text) id,
    FEATURES(X)
#undef X
    FEATURE_COUNT
};

const char *feature_word(enum feature f);
/* FEATURE_COUNT if there is none of that name. */
enum feature feature_find(const char *word);

/* How many sources of each network send alike: those of one /24 or /48 with the same tool and
 * size of what they sent most. Made anew for each window. */
struct neighbours {
    uint32_t *of; /* by profile number, of those that were asked for; in the arena */
};

/* For those that were active in window `since` or after it. Cost: about 3 ns a profile, and 30
 * ns for each that is asked for. */
enum err neighbours_count(const struct profiles *t, uint32_t now, uint32_t since,
    struct arena *scratch, struct neighbours *ret_neighbours) MUST_CHECK;

/* All numbers of one profile. */
void features_of(const struct profiles *t, const struct neighbours *n, uint32_t profile,
    uint32_t now, double ret_values[FEATURE_COUNT]);

#endif
