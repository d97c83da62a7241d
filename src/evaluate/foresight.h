#ifndef EVALUATE_FORESIGHT_H
#define EVALUATE_FORESIGHT_H

#include "evaluate/warning.h"
#include "sim/truth.h"

/* How good forecasts are ("expect it at site Y in about N hours"), against the onsets that the
 * truth states. */

enum {
    FORESIGHT_MOST = 4096, /* forecasts whose times are kept */
    FORESIGHT_BINS = 5     /* of the chance that was said: 0 to 0.2, ... */
};

struct foresight {
    uint64_t forecasts;
    uint64_t came;   /* after it was said */
    uint64_t late;   /* the site had been reached before it was said */
    uint64_t missed; /* the event does not reach that site */
    uint64_t inside; /* of those that came: within the interval */
    double *errors;  /* hours; of those that came: onset less what was expected; owned */
    double *ahead;   /* ... and less when it was said; owned */
    double chance[FORESIGHT_BINS];     /* sum of what was said ... */
    uint64_t bin[FORESIGHT_BINS];      /* ... over so many, late ones apart ... */
    uint64_t true_bin[FORESIGHT_BINS]; /* ... of which came */
};

/* Score the forecasts of one alert; `event` NULL: it is about none, and all are false. */
enum err foresight_add(struct foresight *all, const struct warning *w, const struct truth *t,
    const struct truth_event *event) MUST_CHECK;
void foresight_done(struct foresight *f);

/* Median of |error| and of how far ahead it was said, hours; NAN if none came. */
double foresight_error(const struct foresight *f);
double foresight_ahead(const struct foresight *f);

#endif
