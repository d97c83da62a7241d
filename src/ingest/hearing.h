#ifndef INGEST_HEARING_H
#define INGEST_HEARING_H

#include <stdbool.h>
#include <stdint.h>

/* What a site usually hears in a window, and so what is silence and what is an outage. */

enum {
    HEARING_SLOTS = 60,  /* parts of a window, as in a contact's `slots` */
    HEARING_PACKETS = 20 /* whoever hears so many a window never hears none by chance */
};

/* Of zeros: nothing is known yet. */
struct hearing {
    unsigned windows; /* that it was learned from, up to a cap */
    unsigned cut;     /* in a row, the last ones, from which nothing was learned */
    double packets;   /* in a window, of those that heard any */
    double silent;    /* share of their sixtieths in which nothing was heard */
    double stretch;   /* sixtieths of their longest silence */
};

/* `slots`: bit k is set if something was heard in the k-th sixtieth of the window. Windows
 * without a packet are no measure, nor are those that are cut, but for the eighteenth in a row:
 * what goes on is how the site is now, and is learned afresh. */
void hearing_learn(struct hearing *h, uint64_t packets, uint64_t slots);

/* Was the site deaf for the window or for a part of it? A silence of a tenth of it or more is
 * an outage if one so long would come by chance in less than one of a million windows, by the
 * share of sixtieths that usually are silent, and if it is more than twice as long as the
 * longest usually is. Never before six windows are known. */
bool hearing_is_cut(const struct hearing *h, uint64_t packets, uint64_t slots);

#endif
