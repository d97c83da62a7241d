#ifndef ENGINE_SURGE_VIEW_INT_H
#define ENGINE_SURGE_VIEW_INT_H

#include "engine/surge/surge_int.h"

/* What is the same for all series at one window: which windows the horizons and the hours
 * before them have, and how the rates of the hours add up to the rhythm over them. */

/* Windows of one day. The sum of the rhythm over them is the factor of the weekday times the
 * sum of whole[k] rate[k] + turn[k] (rate[k + 1] - rate[k]) over the hours of the day k from
 * first - 1 to end - 1. */
struct stretch {
    uint8_t weekday, first, end;
    double whole[HOURS], turn[HOURS];
};

/* Windows [from, to), in at most two days; `to` is 0 if there are none. */
struct reach {
    uint32_t from, to;
    uint32_t at, straight;        /* in a ring they are `straight` from `at`, the rest from 0 */
    uint64_t windows[RING_WORDS]; /* bits, as in series.held */
    unsigned day_count;
    struct stretch days[2];
};

struct outlook {
    uint8_t hour;                 /* of the day: of the window in hand */
    uint8_t place;                /* of the hour: its */
    double (*pool)[HORIZONS];     /* by site: the dispersion of all its series */
    uint64_t windows[RING_WORDS]; /* bits: of any reach */
    struct reach seen[HORIZONS];
    struct reach before[HORIZONS]; /* the hours that tell the level before the horizon */
};

/* `scratch` gives 24 bytes a site. */
enum err outlook_make(
    struct outlook *ret_outlook, const struct surge *s, struct arena *scratch) MUST_CHECK;
/* What was seen and to be expected of one series. Cost: about 0.1 us. */
void views_take(const struct surge *s, const struct outlook *o, const struct series *p,
    struct view views[HORIZONS]);

#endif
