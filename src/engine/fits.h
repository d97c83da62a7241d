#ifndef ENGINE_FITS_H
#define ENGINE_FITS_H

#include "base/clock.h"
#include "base/err.h"

/* Windows of `least` (whole minutes) to an hour that divide the hour: what engines need that
 * compare hours. Else ERR_RANGE, and the fault says so. */
static inline enum err window_fits(int64_t window, int64_t least, struct fault *f)
{
    if (window >= least && window <= US_HOUR && US_HOUR % window == 0)
        return OK;
    return fault_set(f, ERR_RANGE,
        "needs a --window of %d minutes to 1 hour that divides an hour evenly",
        (int)(least / US_MINUTE));
}

#endif
