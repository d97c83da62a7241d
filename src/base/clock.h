#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"

#include <stdint.h>

/* Time is a count of microseconds since 1970-01-01 UTC, in an int64_t; durations are the same
 * unit. Which clock it is matters: analysis runs on the capture's time, which comes with the
 * packets; only deadlines of servers use the wall clock, through a struct clock that tests
 * replace. */
#define US_SECOND INT64_C(1000000)
#define US_MINUTE (60 * US_SECOND)
#define US_HOUR   (60 * US_MINUTE)
#define US_DAY    (24 * US_HOUR)

struct clock {
    int64_t (*now_us)(void *context);
    void *context;
};

/* The system's clock. */
struct clock clock_system(void);
int64_t clock_now(const struct clock *c);

enum {
    TIME_TEXT = 32
};

/* "2026-11-22T23:45:06.123456Z"; the fraction is left out when it is zero. Returns `text`.
 * Years outside 1..9999 are clamped. */
const char *time_format(int64_t us, char text[TIME_TEXT]);

/* RFC 3339, with or without fraction (digits after the sixth are cut), zone Z or +hh:mm; or a
 * date alone, its midnight UTC. ERR_BAD for any other text, and for years outside 1..9999. */
enum err time_parse(const char *text, int64_t *ret_us) MUST_CHECK;

/* An end of a time range as people write it: a time, "now", or "-24h": so long before the
 * newest packet. */
struct moment {
    enum {
        MOMENT_TIME,
        MOMENT_BEFORE_NEWEST,
        MOMENT_NOW
    } kind;
    int64_t us; /* MOMENT_TIME: the time, after 1970; MOMENT_BEFORE_NEWEST: how long before */
};
#define MOMENT_ALLOWED                                                                         \
    "a time such as 2026-11-22T08:00:00Z or 2026-11-22, -24h (before the newest packet), or "  \
    "now"

enum err moment_parse(const char *text, struct moment *ret_moment) MUST_CHECK;
int64_t moment_resolve(const struct moment *m, int64_t newest, int64_t now);

/* "90s", "10m", "2h", "7d", "500ms", "20us", or a sum such as "1d12h" or "1d 12h". 0 needs
 * no unit; any other bare number is ERR_BAD. Never negative. */
enum err duration_parse(const char *text, int64_t *ret_us) MUST_CHECK;

/* For people: at most the two largest units, what is below them is cut: "10m", "1d 12h". */
const char *duration_format(int64_t us, char text[TIME_TEXT]);

/* Start of the slot of `length` that holds `us`; also right for times before 1970. */
static inline int64_t time_floor(int64_t us, int64_t length)
{
    int64_t into = us % length;
    return us - (into < 0 ? into + length : into);
}

#endif
