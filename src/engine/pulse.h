#ifndef ENGINE_PULSE_H
#define ENGINE_PULSE_H

#include "engine/tally.h"

#include <stdbool.h>

/* When, within one window, the hosts of a service act: in which of its sixtieths (slots, 10 s
 * of 10 minutes). Hosts that act in the same slots by chance follow the hours of their sites,
 * like everybody else; hosts that act in step stand out of them. */

enum {
    PULSE_SLOTS = 60,
    PULSE_SPANS = 2 /* one slot, and two that follow each other: a step may fall on a border */
};

#define PULSE_ALL (((uint64_t)1 << PULSE_SLOTS) - 1)

/* Hash of the network of an address: of its first `prefix` bits if it is IPv4, of twice as many
 * if it is IPv6. */
uint64_t pulse_network(const struct ip *ip, unsigned prefix);

struct pulse_host {
    uint64_t id;      /* hash of its network */
    uint64_t slots;   /* bit k: seen in slot k, by any site */
    uint32_t source;  /* of the tally: one of those that make it up */
    uint32_t sources; /* that make it up, counted once for each site */
};

/* What the whole window shares; in the arena of pulses_open(). */
struct pulses {
    const struct tally *tally;
    unsigned prefix;               /* IPv4 bits that make a host; IPv6 takes twice as many */
    uint64_t *slots;               /* by source of the tally: in which it was seen */
    double (*active)[PULSE_SLOTS]; /* by site: sources active in the slot, all services */
    uint64_t *targets;             /* by site: union of the destination maps of all sources */
    struct pulse_host *hosts;      /* room for the largest service, twice */
};

enum err pulses_open(struct pulses *ret_pulses, const struct tally *t, unsigned prefix,
    struct arena *scratch) MUST_CHECK;

/* One service. */
struct pulse {
    uint32_t service;
    size_t from, to;                /* its groups */
    const struct pulse_host *hosts; /* by id; until the next pulse is taken */
    size_t host_count;
    uint32_t seen[PULSE_SLOTS]; /* hosts active in the slot */
    double share[PULSE_SLOTS];  /* of the activity that its sites' other services would lead
                                   one to expect in the slot; sums to 1 */
    uint64_t total;             /* sum of seen */
};

/* The service whose groups begin at `from`. Cost: about 40 ns a source. */
void pulse_take(struct pulse *ret_pulse, struct pulses *all, size_t from);

/* Is it worth taking? Sources, not yet hosts, that crowd in some slot. Cost: about 3 ns a
 * source. */
bool pulse_is_crowded(const struct pulses *all, size_t from, uint32_t least);

/* The slot, or the two, in which most hosts too many are active. */
struct pulse_peak {
    unsigned slot, span;
    uint32_t hosts;  /* different ones */
    double expected; /* from the service's other slots, and `share` */
    double log10_p;  /* -log10 P(so many or more in this place); 0: nothing remarkable */
};

/* Hosts in the peak are those with one of these bits in `slots`. */
static inline uint64_t pulse_peak_bits(const struct pulse_peak *p)
{
    return (((uint64_t)1 << p->span) - 1) << p->slot;
}

/**
 * Given how many there are outside, the number inside is negative binomial: so are counts whose
 * rate has been seen only through other counts.
 *
 * @param dispersion  how much more the rates differ than by chance, 0 for none.
 */
void pulse_strongest(const struct pulse *p, double dispersion, struct pulse_peak *ret_peak);

/* Places in which pulse_strongest() looks: what its p-value is to be multiplied by. */
enum {
    PULSE_PLACES = PULSE_SLOTS + PULSE_SLOTS - 1
};

/* Share of the sources that want the two favourite places of the destination map, given how
 * many want each: those who have been told one address come by a wrong setting. */
double pulse_aimed(const uint32_t places[64], size_t sources);

#endif
