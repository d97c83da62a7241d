#ifndef SIM_TELESCOPE_H
#define SIM_TELESCOPE_H

#include "base/err.h"
#include "base/ip.h"
#include "sensor/source.h"
#include "sim/truth.h"

/* Makes the traffic of several network telescopes: background, nuisances and stated events, as
 * frames in time order. It is a model (docs/simulator.md says of what, and what is not known),
 * deterministic for its options, with memory that does not grow with the length of the run.
 * The same frames go into capture files and, at the pace of the clock, into a demonstration. */

enum {
    TELESCOPE_SITES_MAX = TRUTH_SITES,
    TELESCOPE_TEXT = 4096
};

struct telescope_options {
    uint64_t seed;
    int64_t start;     /* us; floored to the minute */
    int64_t length;    /* us, at least an hour; events are placed within it */
    bool endless;      /* the background goes on after `length` */
    size_t sites;      /* 1..TELESCOPE_SITES_MAX */
    uint8_t prefix;    /* length of every site's prefix, 21..28; 0: mixed, /24 to /21 */
    double scale;      /* of the background's volume; 1: about 600 packets an address and day */
    uint32_t link;     /* LINK_RAW or LINK_ETHERNET */
    const char *geoip; /* country ranges in the form of Debian's tor-geoipdb; NULL: made up */

    /* "all", "none", or a list such as "worm-growth@36h,one-site*2,in-step": kind, offset from
     * the start (by seed if not given), size (factor on the number of hosts). */
    const char *events;
    bool random_ports; /* other ports than the well-known ones of each kind, by seed */
    bool quiet;        /* no nuisances */
    double malware;    /* packets that families of malware add to an address and day; 0: none */
};

/* The values that stand for "as usual", seed 1. */
void telescope_options_init(struct telescope_options *o);

struct telescope;

/* The options are copied. The fault names what is wrong and what is allowed. */
enum err telescope_open(struct telescope **ret_telescope, const struct telescope_options *o,
    struct fault *f) MUST_CHECK;
void telescope_close(struct telescope *t);

struct telescope_frame {
    uint32_t site; /* place in truth.sites */
    uint32_t src;
    uint8_t label; /* of its sender: sim/family.h */
    uint8_t event; /* place in truth.events + 1; 0: of none */
    struct frame frame;
};

/**
 * The next frames of all sites together, in time order.
 *
 * @param until     frames with ts >= until are left for a later call; INT64_MAX: no limit.
 * @param ret_count how many were filled; they stay valid until the next call.
 * @return OK with *ret_count > 0; OK with 0: there is none before `until`; ERR_NOTFOUND: the
 *         end; ERR_FULL: more than 2^24 packets in one minute; ERR_NOMEM.
 */
enum err telescope_next(struct telescope *t, int64_t until, struct telescope_frame *frames,
    size_t cap, size_t *ret_count) MUST_CHECK;

/* What it holds. Sites and the plan of the events are known from the start; what was counted
 * (packets, hosts, first and last) is complete when the frames have ended. Borrowed. */
const struct truth *telescope_truth(const struct telescope *t);

/* The link type of all its frames. */
uint32_t telescope_link(const struct telescope *t);

/* The announced surveys, one prefix a line after a '#' line that names the organisation. */
enum err telescope_surveys(const struct telescope *t, struct buf *out) MUST_CHECK;

/* Is an address one of a survey's? */
bool telescope_is_survey(const struct telescope *t, const struct ip *ip);

#endif
