#ifndef TESTS_UNIT_API_FAKE_H
#define TESTS_UNIT_API_FAKE_H

#include "api/api.h"

#include <stdatomic.h>

/* A store that knows what it answers: two days of made-up traffic at two sites, ending at
 * FAKE_LAST. Every row has the columns that ask.h promises. */

#define FAKE_FIRST (INT64_C(1795219200) * US_SECOND) /* 2026-11-21T00:00:00Z */
#define FAKE_LAST  (FAKE_FIRST + 2 * US_DAY - 1)

struct fake_store {
    struct ask last;       /* the last question */
    _Atomic uint64_t asks; /* how many there were */
    bool empty;            /* holds nothing */
    enum err fails;        /* what every answer is; OK: the answer */
    uint64_t packets;      /* of an export; 0: 1,000 */
    unsigned answer_ms;    /* how long a question takes */
};

struct api_store fake_store_face(struct fake_store *s);
/* A hub that watches jp-01 (live) and kr-01 (silent). */
struct api_live fake_live(void);

/* A catalogue in a new folder, and the end of both. */
struct catalog *fake_catalog(char folder[64]);
void fake_catalog_done(struct catalog *c, const char *folder);

/* Three alerts: open and critical, open and info, closed. */
void fake_alerts(struct catalog *c);

/* A clock that stands still until it is moved. */
struct fake_clock {
    _Atomic int64_t now;
};
struct clock fake_clock_face(struct fake_clock *c);

#endif
