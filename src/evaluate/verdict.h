#ifndef EVALUATE_VERDICT_H
#define EVALUATE_VERDICT_H

#include "evaluate/evaluation.h"
#include "evaluate/interval.h"

/* Whether engines keep to the rate of alerts that they state where every alert is false. */

enum verdict_kept {
    VERDICT_YES,      /* the whole interval of the rate is at the level or below */
    VERDICT_NO,       /* all of it is above */
    VERDICT_TOO_SHORT /* the level is within it */
};

struct verdict {
    double rate;           /* a day that came */
    struct interval about; /* the rate's, 95 % */
    enum verdict_kept kept;
    double days; /* in all, for the interval to be below the level if alerts go on coming at
                    that rate; infinite if that is the level or more, or so near to it that
                    nobody waits for it (100,000 days) */
};

struct verdict verdict_of(uint64_t alerts, double days, double level);

/* "yes", "no", "not against it; 37 days would tell" or "not against it; the rate is at or above
 * the level". Returns `text`. */
enum {
    VERDICT_TEXT = 64
};
const char *verdict_format(const struct verdict *v, char text[VERDICT_TEXT]);

#endif
