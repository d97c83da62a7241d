#ifndef ENGINE_QUIET_H
#define ENGINE_QUIET_H

#include "base/buf.h"
#include "base/bytes.h"
#include "engine/service.h"

#include <math.h>
#include <stdbool.h>

/* What one site knows of services that are hardly ever reached: sources so far, of which each
 * window forgets a two-hundredth (half in a day of 10-minute windows). 8 bytes a service. */
struct quiet {
    float hits;
    uint32_t window; /* number of the window of the last hit; 0: never hit */
};

static const double quiet_decay = 0.995;

/* Decayed number of sources until window `now`. */
static inline double quiet_hits(const struct quiet *q, uint32_t now)
{
    return q->window ? (double)q->hits * pow(quiet_decay, now - q->window) : 0.0;
}

/* Powers of quiet_decay, for those who ask for many. */
enum {
    QUIET_POWERS = 512
};

static inline void quiet_powers(double powers[QUIET_POWERS])
{
    for (uint32_t i = 0; i < QUIET_POWERS; i++)
        powers[i] = pow(quiet_decay, i);
}

/* The same as quiet_hits(). */
static inline double quiet_hits_by(
    const struct quiet *q, uint32_t now, const double powers[QUIET_POWERS])
{
    uint32_t age = now - q->window;
    if (!q->window)
        return 0.0;
    return (double)q->hits * (age < QUIET_POWERS ? powers[age] : pow(quiet_decay, age));
}

/* Over how many of `windows` windows they came, decayed alike. */
static inline double quiet_windows(uint32_t windows)
{
    return (1.0 - pow(quiet_decay, windows)) / (1.0 - quiet_decay);
}

/* Sources a window when that many hits are known, under a prior of half a hit in five windows:
 * none is never. */
static inline double quiet_rate(double hits, uint32_t windows)
{
    return (hits + 0.5) / (quiet_windows(windows) + 5.0);
}

/* A table of SERVICES. */
void quiet_save(const struct quiet *table, struct buf *out);
bool quiet_load(struct quiet *table, uint32_t now, struct bytes *in);

#endif
