#ifndef CMD_RESUME_H
#define CMD_RESUME_H

#include "cmd/keep.h"
#include "cmd/setup.h"
#include "ingest/site.h"

/* What a run over a data folder starts from. */
struct resume {
    const struct setup *setup;
    struct keep *keep;
    struct site *const *sites;
    size_t count;
};

/* Time of the first frame of all sites; INT64_MAX: there is none. While nobody advances them.
 */
int64_t resume_first(struct site *const *sites, size_t count);

/**
 * Engines for a run over a data folder: as its last run left them if the traffic to come is
 * newer than what they have seen; else fresh.
 *
 * @param ret_seen end of the last window that they have seen; 0: none.
 * @param why says in a sentence why engines are fresh although there was a state; "" otherwise.
 */
enum err resume_analysis(const struct resume *r, struct analysis **ret_analysis,
    int64_t *ret_seen, char why[480], struct fault *f) MUST_CHECK;

#endif
