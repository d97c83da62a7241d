#ifndef ENGINE_HOURLY_H
#define ENGINE_HOURLY_H

#include <stdbool.h>
#include <stddef.h>

/* Hosts that a timer starts come at the same place of every hour, and together: nobody leads
 * them, and the watch will see them again and again. */

enum {
    HOURLY_HOURS = 3 /* that tell: the window in hand is in the last */
};

/* What a finding about them says after its sentences. */
#define HOURLY_WORDS " They come at this time of every hour, as a timer has it."

/**
 * Is what is seen now what comes every hour?
 *
 * @param strength  of what is seen, k windows ago: 0 or more, now at [0].
 * @param count     of windows that have been watched, at most what `strength` holds; only
 *                  HOURLY_HOURS hours of them are looked at.
 * @param span      windows in an hour; with less than 2 the answer is no.
 * @return  true if a quarter of it or more was there one hour ago or two, and the other
 *          windows had less than a quarter of the place's mean. A neighbour counts for neither,
 *          as a moment may fall on a border. While less than an hour has been watched, what
 *          came once cannot be told from what comes every hour: true.
 */
bool hourly_is(const double *strength, size_t count, size_t span);

#endif
